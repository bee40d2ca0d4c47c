"""Coverage is told at each cut-off and at no other time."""

import asyncio
from datetime import datetime, timedelta

import pytest

from gateway.clockwork import Ages, every, next_cutoff, tell_coverage, tell_stands
from gateway.domain.directory import Directory
from gateway.domain.model import ClockState, Instant, LaneDirection
from gateway.lane import Lane, Site
from tests.domain.build import LANE, at, directory
from tests.gateway.fakes import HandClock, Ledger


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("07:00", "08:30:02"),
        ("08:30:02", "08:31:02"),
        ("08:59:30", "09:00:02"),
        ("09:00:02", "09:15:02"),
        ("09:15:02", "09:17:02"),
        ("09:17:02", None),
    ],
)
def test_the_next_cut_off_leaves_time_for_a_tap_in_flight(after: str, due: str | None) -> None:
    assert next_cutoff(directory(), at(after)) == (at(due) if due else None)


def test_without_a_directory_nothing_is_due() -> None:
    assert next_cutoff(Directory.empty(), at("08:00")) is None


class Listed(Lane):
    """Remembers when it was asked to cover."""

    def __init__(self, clock: HandClock) -> None:
        site = Site(outbox=Ledger(), clock=clock, directory=directory, recent=None, keys=[], report=print)  # type: ignore[arg-type]
        super().__init__(site, LANE, LaneDirection.IN)
        self._now = clock
        self.covered: list[datetime] = []
        self.stood: list[datetime] = []

    async def cover(self) -> None:
        self.covered.append(self._now.now().at)

    async def tell_stand(self) -> None:
        self.stood.append(self._now.now().at)


async def covered(start: str, until: str, known: Directory | None = None) -> list[datetime]:
    clock = HandClock(start)
    lane = Listed(clock)
    task = asyncio.create_task(tell_coverage([lane], lambda: known or directory(), clock))
    while clock.now().at < at(until):
        await asyncio.sleep(0)
    task.cancel()
    return lane.covered


async def test_every_lane_is_covered_at_every_cut_off() -> None:
    first_half_hour = [at("08:30:02") + timedelta(minutes=minute) for minute in range(31)]
    assert await covered("08:00", "10:00") == [*first_half_hour, at("09:15:02"), at("09:17:02")]


async def test_without_a_directory_nothing_is_covered() -> None:
    assert await covered("08:00", "09:00", Directory.empty()) == []


async def test_a_wall_clock_that_is_set_back_is_covered_again() -> None:
    clock = HandClock("09:20")
    lane = Listed(clock)
    task = asyncio.create_task(tell_coverage([lane], directory, clock))
    for _ in range(10):
        await asyncio.sleep(0)
    clock.set_wall(at("08:20"))
    while clock.now().at < at("08:32"):
        await asyncio.sleep(0)
    task.cancel()
    assert lane.covered == [at("08:30:02"), at("08:31:02")]
    assert max(clock.slept) <= 60


async def test_a_day_ahead_and_back_in_the_middle_of_the_morning_misses_no_later_cut_off() -> None:
    clock = HandClock("08:30:30")
    lane = Listed(clock)
    task = asyncio.create_task(tell_coverage([lane], directory, clock))
    for wall in (at("08:31") + timedelta(days=1), at("08:40")):
        clock.set_wall(wall)
        for _ in range(10):
            await asyncio.sleep(0)
    while clock.now().at < at("09:18"):
        await asyncio.sleep(0)
    task.cancel()
    minutes = [at("08:41:02") + timedelta(minutes=minute) for minute in range(20)]
    assert lane.covered[-22:] == [*minutes, at("09:15:02"), at("09:17:02")]


async def test_something_is_done_once_each_period_beginning_now() -> None:
    clock, done = HandClock("08:00"), list[datetime]()

    async def act() -> None:
        done.append(clock.now().at)
        if len(done) == 3:
            raise KeyError

    with pytest.raises(KeyError):
        await every(timedelta(minutes=1), clock, act)
    assert done == [at("08:00"), at("08:01"), at("08:02")]


async def test_each_day_of_the_site_begins_with_how_its_gates_stand() -> None:
    clock = HandClock("08:00")
    lane = Listed(clock)
    task = asyncio.create_task(tell_stands([lane], directory, clock))
    while clock.now().at < at("08:00") + timedelta(days=2):
        await asyncio.sleep(0)
    task.cancel()
    # Midnight in Moscow.
    assert lane.stood == [at("21:00"), at("21:00") + timedelta(days=1)]


MONTH = timedelta(days=30)


def hour(passed: int, *, wrong: timedelta = timedelta(0), clock: ClockState = ClockState.SYNCED) -> Instant:
    """So many hours after the start, on a machine whose wall clock is wrong by that much."""
    hours = timedelta(hours=passed)
    return Instant(at=at("08:00") + hours + wrong, boot="b", boottime=hours // timedelta(milliseconds=1), clock=clock)


def test_what_is_old_is_told_by_a_clock_that_has_run_for_hours() -> None:
    ages = Ages()
    told = [ages.before(hour(passed), MONTH) for passed in range(6)]
    assert told == [None] * 4 + [at("12:00") - MONTH, at("13:00") - MONTH]


@pytest.mark.parametrize("wrong", [timedelta(days=4000), timedelta(days=-20000), timedelta(hours=-1)])
def test_a_wall_clock_that_jumped_makes_nothing_old(wrong: timedelta) -> None:
    ages = Ages()
    for passed in range(6):
        ages.before(hour(passed), MONTH)
    told = [ages.before(hour(6 + passed, wrong=wrong), MONTH) for passed in range(5)]
    assert told == [None] * 4 + [at("18:00") + wrong - MONTH]


def test_a_machine_that_does_not_know_the_time_forgets_nothing_for_its_age() -> None:
    ages = Ages()
    assert {ages.before(hour(passed, clock=ClockState.UNSYNCED), MONTH) for passed in range(9)} == {None}
    assert ages.before(hour(9), MONTH) is None
