"""A lane with a scripted reader and gate, a ledger in a list, and a clock that a test moves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from gateway.domain.decide import Recent
from gateway.domain.model import LaneDirection
from gateway.errors import AttendanceError
from gateway.lane import Lane, Site
from gateway.ports import CardRead, CardRefused, DeviceNotice
from tests.domain.build import KEY, LANE, directory
from tests.gateway.fakes import HandClock, Ledger, ScriptedGate, ScriptedReader


@dataclass
class Door:
    lane: Lane
    reader: ScriptedReader
    gate: ScriptedGate
    ledger: Ledger
    clock: HandClock
    reported: list[AttendanceError]

    async def after(self, *events: CardRead | CardRefused | DeviceNotice) -> None:
        """Feed events and wait until the reader has nothing left to give."""
        self.reader.feed(*events)
        await self.settled()

    async def settled(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


def build(
    direction: LaneDirection = LaneDirection.ARRIVAL_ONLY, *, clock: HandClock | None = None, **options: object
) -> Door:
    ledger, clock, reported = Ledger(), clock or HandClock(), list[AttendanceError]()
    site = Site(
        outbox=ledger,
        clock=clock,
        directory=directory,
        recent=Recent(timedelta(seconds=5)),
        keys=[KEY],
        report=reported.append,
    )
    lane = Lane(site, LANE, direction, **options)  # type: ignore[arg-type]
    return Door(lane, ScriptedReader(), ScriptedGate(ledger), ledger, clock, reported)


@contextlib.asynccontextmanager
async def serving(door: Door) -> AsyncIterator[Door]:
    tasks = [
        asyncio.create_task(door.lane.watch_reader(door.reader)),
        asyncio.create_task(door.lane.watch_gate(door.gate)),
    ]
    await door.settled()
    yield door
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
