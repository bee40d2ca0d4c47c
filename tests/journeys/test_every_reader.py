"""One daemon with eight kinds of readers and five lamps on a busy morning: one is unplugged, one floods, one hangs."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain.entry import DeviceState
from simulators.pn532 import Fault
from tests.domain.build import KEY
from tests.gateway.daemon import running
from tests.journeys.doors import PUPILS, Door, Gates, configured, doors, gates, pcsc_door
from tests.journeys.ledger import Ledger
from tests.needs import PCSC

PATIENCE = 200.0
START = datetime(2026, 9, 1, 5, tzinfo=UTC)
#: The morning goes so much faster; back-offs and passages with it.
SPEED = 4
#: Pupils at a door before its fault, and after it.
SOME = 12
#: Three times as much as the fastest serial line carries, with this many seconds between two of them.
BREATH = 0.1
STORM = (b"\x02" * 700 + b"0123456789ABCDEF" * 40 + b"\xff\x00junk\x03") * 20


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


@dataclass
class Morning:
    doors: dict[str, Door]
    gates: Gates
    ledger: Ledger
    daemon: asyncio.subprocess.Process
    chance: random.Random

    @property
    def told(self) -> str:
        """A line for each door."""
        return "".join(
            f"{kind:10} {len(door.shown):4} shown {len(self.ledger.taps(kind)):4} recorded {door.let_in:4} let in: "
            f"{', '.join(f'{notice.kind} {notice.detail}'.strip() for notice in self.ledger.notices(kind))}\n"
            for kind, door in self.doors.items()
        )

    async def crowd(self, kind: str, some: int = SOME) -> None:
        """Pupils at one door, until all of them are recorded."""
        door = self.doors[kind]
        for _ in range(some):
            await door.come(self.chance)
        await self.ledger.until(lambda: len(self.ledger.taps(kind)) == len(door.shown))

    async def states(self, kind: str, *last: DeviceState) -> None:
        await self.ledger.until(lambda: self.ledger.states(kind)[-len(last) :] == [*last])

    async def unplugged(self, kind: str) -> None:
        await self.crowd(kind)
        await self.doors[kind].sim.unplug()
        await self.states(kind, DeviceState.DOWN)
        await self.doors[kind].sim.replug()
        await self.states(kind, DeviceState.DOWN, DeviceState.UP)
        await self.crowd(kind)

    async def floods(self, kind: str, others: asyncio.Event) -> None:
        await self.crowd(kind)
        while not others.is_set():
            await self.doors[kind].sim.garbage(STORM)
            await asyncio.sleep(BREATH)
        assert DeviceState.GARBAGE in self.ledger.states(kind)
        await self.crowd(kind)

    async def falls_silent(self, kind: str) -> None:
        await self.crowd(kind)
        self.doors[kind].sim.fault = Fault.SILENT
        await self.states(kind, DeviceState.DOWN)
        self.doors[kind].sim.fault = None
        await self.states(kind, DeviceState.DOWN, DeviceState.UP)
        await self.crowd(kind)

    async def library_hangs(self, kind: str) -> None:
        """The process that a vendor's library has for itself does not move any more."""
        await self.crowd(kind)
        [child] = children(self.daemon.pid)
        os.kill(child, signal.SIGSTOP)
        await self.states(kind, DeviceState.DOWN, DeviceState.UP)
        assert child not in children(self.daemon.pid)
        await self.crowd(kind)

    async def others(self, faulty: set[str], over: asyncio.Event) -> None:
        """They come to all other doors until every fault is over."""

        async def busy(door: Door) -> None:
            while len(door.shown) < SOME or (not over.is_set() and len(door.shown) < PUPILS - 1):
                await door.come(self.chance)
            await over.wait()
            await self.crowd(door.kind, 1)

        async with asyncio.TaskGroup() as tasks:
            for kind in self.doors.keys() - faulty:
                tasks.create_task(busy(self.doors[kind]))

    async def play(self, hangs: str) -> None:
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.others({"line", "rdm6300", hangs}, over))
            flood = tasks.create_task(self.floods("rdm6300", over))
            await asyncio.gather(
                self.unplugged("line"), self.library_hangs(hangs) if hangs == "pcsc" else self.falls_silent(hangs)
            )
            over.set()
            await flood
        await self.ledger.until(
            lambda: all(self.ledger.states(kind)[-1] is not DeviceState.DOWN for kind in self.doors)
        )


@asynccontextmanager
async def morning(folder: Path, extra: list[Door], seed: int) -> AsyncIterator[Morning]:
    """Everything is plugged in, and every reader and gate is up."""
    lamps = gates(folder)
    here = [*doors(folder, lamps, START - timedelta(minutes=30)), *extra]
    async with AsyncExitStack() as stack:
        for sim in (lamps.lamp, lamps.board, lamps.relays, *(door.sim for door in here)):
            await stack.enter_async_context(sim)
        config = configured(folder, here, lamps, START + timedelta(days=1))
        daemon = await stack.enter_async_context(running(config))
        ledger = Ledger(folder / "state" / "ledger.db")
        await ledger.until(lambda: all(ledger.up(door.kind, door.lane.get("gate")) for door in here))
        yield Morning({door.kind: door for door in here}, lamps, ledger, daemon, random.Random(seed))


@pytest.mark.timeout(PATIENCE + 40)
@pytest.mark.parametrize(("hangs", "seed"), [("nfc", 1), pytest.param("pcsc", 2, marks=pytest.mark.needs(*PCSC))])
async def test_nobody_else_loses_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: str, seed: int
) -> None:
    monkeypatch.setenv("ATTENDANCE_CLOCK", f"{START.isoformat()}|{time.monotonic()}|{SPEED}")
    extra = [pcsc_door(tmp_path)] if hangs == "pcsc" else []
    for door in extra:
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(door.sim.service.socket))
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE), morning(tmp_path, extra, seed) as day:
        try:
            await day.play(hangs)
        finally:
            sys.stdout.write(day.told)
        seconds = time.monotonic() - began
        ledger, faulty = day.ledger, {"line", "rdm6300", hangs}
    for kind, door in day.doors.items():
        states, taps = ledger.states(kind), ledger.taps(kind)
        assert [tap.token for tap in taps] == [KEY.token(card) for card in door.shown]
        assert all(tap.verdict.admit for tap in taps)
        assert ledger.confirmed(kind) == (door.let_in if "passage_seconds" in door.lane else 0)
        # The reader on a bus may go and come once: when its simulation has no time for 200 ms.
        away = [DeviceState.DOWN, DeviceState.UP] if kind == "osdp" and len(states) > 1 else []
        assert kind in faulty or states == [DeviceState.UP, *away]
    for kind in ("line", hangs):
        assert ledger.states(kind) == [DeviceState.UP, DeviceState.DOWN, DeviceState.UP]
    storms = ledger.states("rdm6300").count(DeviceState.GARBAGE)
    assert 1 <= storms <= 1 + seconds // 60
    assert sum(door.let_in > 0 for door in day.doors.values()) == 5
