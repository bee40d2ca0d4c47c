"""What a gateway has on its disk, read beside the daemon."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import Path

from gateway.domain.entry import DeviceData, DeviceState, PassageData, PassageKind, TapData
from gateway.domain.model import LaneId
from gateway.domain.wire import Event, decode


@dataclass
class Ledger:
    """Each look reads what is new."""

    file: Path
    entries: list[Event] = field(default_factory=list)
    _key: int = 0

    def look(self) -> list[Event]:
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as database:
            for key, body in database.execute("SELECT key, body FROM entry WHERE key > ? ORDER BY key", [self._key]):
                self.entries.append(decode(body))
                self._key = key
        return self.entries

    def taps(self, lane: str) -> list[TapData]:
        return [e.data for e in self.look() if isinstance(e.data, TapData) and e.data.lane == LaneId(lane)]

    def states(self, lane: str) -> list[DeviceState]:
        """What a lane's reader told of itself; not that it was away before it was there."""
        told = [data.kind for data in self.notices(lane) if not data.detail.startswith("gate")]
        return [*dropwhile(lambda state: state is DeviceState.DOWN, told)]

    def notices(self, lane: str) -> list[DeviceData]:
        """All that a lane's reader and gate told, with their words."""
        told = [e.data for e in self.look() if isinstance(e.data, DeviceData) and e.data.lane == LaneId(lane)]
        kinds = (DeviceState.UP, DeviceState.DOWN, DeviceState.GARBAGE)
        return [data for data in told if data.kind in kinds]

    def up(self, lane: str, gate: object) -> bool:
        """Whether its reader was up, and its gate where that is a device of its own."""
        told = {data.detail for data in self.notices(lane) if data.kind is DeviceState.UP}
        return told >= {f"reader {lane}"} | ({f"gate {gate}"} if gate not in (None, lane) else set())

    def confirmed(self, lane: str) -> int:
        told = [e.data for e in self.look() if isinstance(e.data, PassageData) and e.data.lane == LaneId(lane)]
        assert {data.kind for data in told} <= {PassageKind.CONFIRMED}
        return len(told)

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():
            await asyncio.sleep(0.1)
