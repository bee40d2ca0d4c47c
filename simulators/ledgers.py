"""Reads the ledgers of gateways and journal beside the running processes, by the words of the contract alone."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One entry, as a ledger holds it."""

    gateway: str
    epoch: str
    seq: int
    #: The exact bytes.
    body: bytes
    #: h(seq), as the ledger holds it.
    hash: bytes
    type: str
    #: When it happened.
    at: datetime
    lane: str | None = None
    token: str | None = None
    #: When the journal took it; None in a gateway's own ledger.
    received: datetime | None = None

    @property
    def place(self) -> tuple[str, str, int]:
        """What names an entry within its site for ever."""
        return self.gateway, self.epoch, self.seq

    @property
    def is_tap(self) -> bool:
        """Whether it says that a card was shown."""
        return self.type == "att.tap.v1"


def record(body: bytes, hashed: bytes, received: int | None = None) -> Record:
    """What the bytes of an event say; raises ValueError or KeyError where they are no event."""
    event = json.loads(body)
    _, _, _, gateway, epoch = event["source"].split(":")
    return Record(
        gateway=gateway,
        epoch=epoch,
        seq=int(event["sequence"]),
        body=body,
        hash=hashed,
        type=event["type"],
        at=datetime.fromisoformat(event["time"]),
        lane=event["data"].get("lane"),
        token=event["data"].get("token"),
        received=datetime.fromtimestamp(received / 1000, tz=UTC) if received is not None else None,
    )


def of_gateway(ledger: Path) -> list[Record]:
    """Everything that a gateway appended and still keeps, in order."""
    with _reading(ledger) as database:
        return [record(*row) for row in database.execute("SELECT body, hash FROM entry ORDER BY key")]


def of_journal(database: Path) -> list[Record]:
    """Everything that the journal counted, in order."""
    query = "SELECT body, hash, received FROM entries ORDER BY gateway, epoch, seq"
    with _reading(database) as connection:
        return [record(*row) for row in connection.execute(query)]


def heard_of(database: Path) -> set[str]:
    """The gateways of which the journal counted anything."""
    try:
        with _reading(database) as connection:
            return {name for (name,) in connection.execute("SELECT DISTINCT gateway FROM watermarks")}
    except sqlite3.OperationalError:
        return set()


def count(database: Path, table: str = "entries") -> int:
    """How many rows; 0 while there is no table."""
    try:
        with _reading(database) as connection:
            found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
            return found
    except sqlite3.OperationalError:
        return 0


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
        yield connection
