"""What the gateway does because of the time: tell coverage at each cut-off and how gates stand each day, forget what is settled."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Never
from zoneinfo import ZoneInfo

from gateway.domain.decide import elapsed
from gateway.domain.directory import Directory
from gateway.domain.instants import cutoffs
from gateway.domain.model import ClockState, Instant
from gateway.lane import Lane
from gateway.ports import Clock

#: A changed directory or a wall clock that was set is noticed within this time.
_LOOK = timedelta(seconds=60)
#: A wall clock that has not jumped for so long may tell how old an entry is.
_STEADY = timedelta(hours=4)
_JUMP = timedelta(minutes=1)


def next_cutoff(directory: Directory, after: datetime) -> datetime | None:
    """The first moment after `after` at which everybody waits to hear that nothing else happened."""
    due = cutoffs(directory.slots, directory.policy, ZoneInfo(directory.zone))
    settled = (cutoff + directory.policy.settle for cutoff in due)
    return next((moment for moment in settled if moment > after), None)


async def tell_coverage(lanes: Sequence[Lane], directory: Callable[[], Directory], clock: Clock) -> Never:
    """At each cut-off, every lane records that nothing of it is missing."""
    told = clock.now().at
    while True:
        due = next_cutoff(directory(), told)
        wait = due - clock.now().at if due is not None else _LOOK
        if wait > timedelta(0):
            await clock.sleep(min(wait, _LOOK).total_seconds())
        now = clock.now().at
        if due is not None and now >= due:
            for lane in lanes:
                await lane.cover()
            told = now
        elif now < told - _LOOK:
            told = now


async def tell_stands(lanes: Sequence[Lane], directory: Callable[[], Directory], clock: Clock) -> Never:
    """Early on each day of the site, every lane tells again how its gate stands."""
    told: date | None = None
    while True:
        today = clock.now().at.astimezone(ZoneInfo(directory().zone)).date()
        if told is not None and today != told:
            for lane in lanes:
                await lane.tell_stand()
        told = today
        await clock.sleep(_LOOK.total_seconds())


async def every(period: timedelta, clock: Clock, act: Callable[[], Awaitable[object]]) -> Never:
    """Do something once each period, beginning now."""
    while True:
        await act()
        await clock.sleep(period.total_seconds())


class Ages:
    """Says what is old. Believes no wall clock alone: it must know the time, and have run beside the boot clock for hours."""

    def __init__(self) -> None:
        self._looked: Instant | None = None
        self._steady: Instant | None = None

    def before(self, now: Instant, kept: timedelta) -> datetime | None:
        """What was recorded earlier is older than that; None while nobody knows how old anything is."""
        last, self._looked = self._looked, now
        if self._steady is None or last is None or now.clock is ClockState.UNSYNCED or _jumped(last, now):
            self._steady = now
        return now.at - kept if elapsed(self._steady, now) >= _STEADY else None


def _jumped(last: Instant, now: Instant) -> bool:
    return now.boot != last.boot or abs((now.at - last.at) - elapsed(last, now)) > _JUMP
