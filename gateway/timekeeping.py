"""The first synchronisation of a boot: one entry that repairs every time which this boot recorded before it.

    boot, clock not set      taps, unsynced …      synchronised -> att.clock.v1 {boot, boottime, wall, correction}

Nothing waits for it: taps are recorded and shown all the while.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from gateway.domain.decide import elapsed
from gateway.domain.entry import ClockData, Entry
from gateway.domain.model import ClockState, Instant, Seq
from gateway.domain.wire import Envelope, Event, decode
from gateway.errors import AttendanceError, MalformedMessage, NotRecorded
from gateway.ports import Clock

_LOOK = 1.0
#: A process that was restarted looks this far back for times of its boot that nobody has repaired.
_BACK = 500
_MILLISECOND = timedelta(milliseconds=1)


class Position(Protocol):
    """How far the ledger has come."""

    @property
    def last(self) -> Seq: ...


class Ledger(Protocol):
    """What is needed of the outbox."""

    @property
    def position(self) -> Position: ...
    async def after(self, seq: Seq, limit: int) -> Sequence[Envelope]: ...
    async def append(self, entries: Sequence[Entry]) -> Seq: ...


async def repair_times(ledger: Ledger, clock: Clock, report: Callable[[AttendanceError], None]) -> None:
    """Returns when no time of this boot is left to repair; a disk that does not serve is asked again."""
    wrong: Instant | None = None
    started = clock.now()
    while True:
        try:
            wrong = wrong or await _wrong(ledger, started)
            now = clock.now()
            if wrong is None or now.clock is ClockState.SYNCED:
                if wrong is not None:
                    await ledger.append([correction(wrong, now)])
                return
        except NotRecorded as error:
            report(error)
        await clock.sleep(_LOOK)


def correction(wrong: Instant, right: Instant) -> Entry:
    """What to add to the wall time `wrong`, as the boot clock tells it."""
    amount = (right.at - wrong.at) - elapsed(wrong, right)
    data = ClockData(boot=right.boot, boottime=right.boottime, wall=right.at, correction=round(amount / _MILLISECOND))
    return Entry(at=right, data=data)


async def _wrong(ledger: Ledger, started: Instant) -> Instant | None:
    """A time of this boot that nobody has repaired."""
    if started.clock is ClockState.UNSYNCED:
        return started
    found: Instant | None = None
    for event in await _newest(ledger):
        if isinstance(event.data, ClockData):
            found = None
        elif event.at.boot == started.boot and event.at.clock is ClockState.UNSYNCED:
            found = event.at
    return found


async def _newest(ledger: Ledger) -> list[Event]:
    events: list[Event] = []
    seq = Seq(max(ledger.position.last - _BACK, 0))
    while envelopes := await ledger.after(seq, _BACK):
        for envelope in envelopes:
            try:
                events.append(decode(envelope.body))
            except MalformedMessage:  # written by another version of this program
                continue
        seq = envelopes[-1].seq
    return events
