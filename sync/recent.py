"""The newest taps of a ledger, read back when the gateway starts: what a lane has to remember is on the disk already."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from gateway.domain.entry import TapData
from gateway.domain.model import Instant
from gateway.domain.wire import Event, decode
from gateway.errors import MalformedMessage
from sync.database import SQL
from sync.storage import Storage

_READ_ROWS: Final = 100
_EVER: Final = datetime.min.replace(tzinfo=UTC)


async def taps(
    storage: Storage, query: str, key: int, *, since: datetime = _EVER, rows: int = sys.maxsize
) -> Sequence[tuple[Instant, TapData]]:
    """Those before `key` among so many rows, in the order of append; ends where a hundred rows have none since then."""
    found: list[tuple[Instant, TapData]] = []
    for _ in range(0, rows, _READ_ROWS):
        read = await storage.run(SQL[query], {"key": key, "limit": _READ_ROWS})
        events = [event for _, body in read if (event := _read(body)) and event.at.at >= since]
        found += [(event.at, event.data) for event in events if isinstance(event.data, TapData)]
        if not events:
            break
        key = read[-1][0]
    return found[::-1]


def _read(body: bytes) -> Event | None:
    with suppress(MalformedMessage):  # written by another version of this program: not a recent tap
        return decode(body)
    return None
