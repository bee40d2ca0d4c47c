"""The first synchronisation of a boot is one entry, whatever was restarted before it; nothing waits for it."""

import asyncio
from datetime import timedelta

import pytest

from gateway.domain.entry import ClockData, DeviceData, DeviceState, Entry
from gateway.domain.model import ClockState, Instant, Seq
from gateway.domain.wire import decode
from gateway.errors import AttendanceError
from gateway.timekeeping import repair_times
from tests.domain.build import LANE, at
from tests.sync.fakes import FakeOutbox

SET = at("08:00")


class Boot:
    """A machine whose wall clock is set some seconds after it started."""

    def __init__(
        self, set_after: float, *, wrong_by: timedelta = timedelta(days=-20_000), name: str = "boot-a"
    ) -> None:
        self.seconds = 0.0
        self._set_after, self._wrong_by, self._name = set_after, wrong_by, name

    def now(self) -> Instant:
        synced = self.seconds >= self._set_after
        wall = SET + timedelta(seconds=self.seconds - self._set_after)
        return Instant(
            at=wall if synced else wall + self._wrong_by,
            boot=self._name,
            boottime=int(self.seconds * 1000),
            clock=ClockState.SYNCED if synced else ClockState.UNSYNCED,
        )

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


def ledger(clock: Boot) -> FakeOutbox:
    return FakeOutbox(site="school-1", gateway="north", clock=clock)


async def note(outbox: FakeOutbox, clock: Boot) -> None:
    await outbox.append([Entry(at=clock.now(), data=DeviceData(lane=LANE, kind=DeviceState.UP, detail=""))])


async def repairs(outbox: FakeOutbox) -> list[ClockData]:
    events = [decode(envelope.body) for envelope in await outbox.after(Seq(0), 10_000)]
    return [event.data for event in events if isinstance(event.data, ClockData)]


@pytest.mark.parametrize("wrong_by", [timedelta(days=-20_000), timedelta(hours=-1), timedelta(days=1)])
async def test_the_entry_repairs_the_times_before_it(wrong_by: timedelta) -> None:
    clock = Boot(90, wrong_by=wrong_by)
    outbox = ledger(clock)
    await repair_times(outbox, clock, print)
    [data] = await repairs(outbox)
    assert (data.boot, data.boottime, data.wall) == ("boot-a", 90_000, SET)
    assert timedelta(milliseconds=data.correction) == -wrong_by


async def test_a_clock_that_was_right_all_the_time_needs_none() -> None:
    clock = Boot(0)
    outbox = ledger(clock)
    await repair_times(outbox, clock, print)
    assert await repairs(outbox) == []


@pytest.mark.parametrize("restarted", [30.0, 120.0])
async def test_a_process_that_is_restarted_repairs_what_the_one_before_it_recorded(restarted: float) -> None:
    clock = Boot(60)
    outbox = ledger(clock)
    clock.seconds = 10
    await note(outbox, clock)
    clock.seconds = restarted
    for _ in range(2):
        await repair_times(outbox, clock, print)
    [data] = await repairs(outbox)
    assert timedelta(milliseconds=data.correction) == timedelta(days=20_000)


async def test_times_of_an_earlier_boot_are_left_alone() -> None:
    before = Boot(60, name="boot-0")
    outbox = ledger(before)
    await note(outbox, before)
    await repair_times(outbox, Boot(0), print)
    assert await repairs(outbox) == []


async def test_a_disk_that_does_not_serve_is_asked_again() -> None:
    clock = Boot(5)
    outbox = ledger(clock)
    told: list[AttendanceError] = []

    def report(error: AttendanceError) -> None:
        told.append(error)
        outbox.broken = len(told) < 3

    outbox.broken = True
    await repair_times(outbox, clock, report)
    assert len(told) == 3
    [data] = await repairs(outbox)
    assert data.wall == SET + timedelta(seconds=3)
