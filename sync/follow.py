"""Reads a ledger as it grows, beside the daemon that writes it: read-only, each look a connection of its own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.domain.wire import Event, decode
from gateway.errors import NotRecorded
from sync.database import SQL

_MOST = 500
_BEHIND_ALL = 2**62


def newest(path: Path, count: int) -> int:
    """Where `since` begins so that it returns the newest `count` entries. Raises NotRecorded where there is no ledger."""
    with _reading(path) as database:
        rows = database.execute(SQL["before"], {"key": _BEHIND_ALL, "limit": count + 1}).fetchall()
    if not rows:
        return 0
    return int(rows[-1][0]) - (1 if len(rows) <= count else 0)


def since(path: Path, place: int) -> tuple[int, list[Event]]:
    """The next entries in the order of append, some hundreds at most, and where it goes on. Raises NotRecorded, MalformedMessage."""
    with _reading(path) as database:
        rows = database.execute(SQL["after"], {"key": place, "limit": _MOST}).fetchall()
    return (rows[-1][0] if rows else place), [decode(body) for _, body, _ in rows]


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            yield database
    except sqlite3.Error as error:
        raise NotRecorded(f"{path}: {error}", hint="has the gateway ever run with this configuration?") from error
