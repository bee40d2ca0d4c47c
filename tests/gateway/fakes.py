"""A reader, a gate, a ledger and a clock that do what a test says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from gateway.domain.answer import Answer, Words
from gateway.domain.entry import Entry
from gateway.domain.handshake import Receipt
from gateway.domain.model import ClockState, Instant, Seq, Verdict
from gateway.domain.wire import Envelope
from gateway.errors import DeviceLost, NotRecorded
from gateway.ports import Clock, Gate, GateEvent, Outbox, Reader, ReaderEvent
from tests.domain.build import BOOT, MIDNIGHT, instant


class HandClock:
    """Stands still until a test moves it."""

    def __init__(self, start: str = "08:00") -> None:
        self._now = instant(start)
        self.slept: list[float] = []

    def now(self) -> Instant:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.move(seconds)
        await asyncio.sleep(0)

    def move(self, seconds: float) -> None:
        self._now = instant(self._now.at + timedelta(seconds=seconds))

    def set_wall(self, moment: datetime, clock: ClockState = ClockState.SYNCED) -> None:
        """The wall clock jumps; the boot clock does not."""
        self._now = Instant(at=moment, boot=BOOT, boottime=self._now.boottime, clock=clock)


class StillClock(HandClock):
    """Who sleeps is woken when a test has moved it far enough."""

    def __init__(self, start: str = "08:00") -> None:
        super().__init__(start)
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.now().boottime + seconds * 1000
        while self.now().boottime < until:
            await self._moved.wait()

    def move(self, seconds: float) -> None:
        super().move(seconds)
        self._moved.set()
        self._moved.clear()


class LoopClock:
    """The loop's own time, counted from midnight."""

    def now(self) -> Instant:
        return instant(MIDNIGHT + timedelta(seconds=asyncio.get_running_loop().time()))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Ledger:
    """Keeps entries in a list; fails when told to."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.broken = False
        #: Awaited by every append while it is set.
        self.slow: asyncio.Event | None = None

    async def append(self, entries: Sequence[Entry]) -> Seq:
        await (self.slow.wait() if self.slow is not None else asyncio.sleep(0))
        if self.broken:
            raise NotRecorded
        self.entries.extend(entries)
        return Seq(len(self.entries))

    async def after(self, seq: Seq, limit: int) -> Sequence[Envelope]:
        raise NotImplementedError

    async def apply(self, receipt: Receipt) -> None:
        raise NotImplementedError


class ScriptedReader:
    """Gives the events it is fed; is lost when a test says so."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[ReaderEvent | GateEvent | DeviceLost] = asyncio.Queue()

    def feed(self, *events: ReaderEvent | GateEvent | DeviceLost) -> None:
        for event in events:
            self._events.put_nowait(event)

    async def events(self) -> AsyncIterator[ReaderEvent]:
        while not isinstance(event := await self._events.get(), DeviceLost):
            yield event  # type: ignore[misc]
        raise event


class ScriptedGate(ScriptedReader):
    """Remembers what it showed, and how much was on the disk at that moment."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        super().__init__()
        self._ledger = ledger
        self.gone = False
        self.shown: list[tuple[Verdict, int]] = []
        #: What the screen said last.
        self.screen: tuple[str, ...] = ()
        #: What the lamp gives now; None is dark.
        self.answer: Answer | None = None

    async def events(self) -> AsyncIterator[GateEvent]:  # type: ignore[override]
        async for event in super().events():
            yield event  # type: ignore[misc]

    async def show(self, verdict: Verdict, words: Words) -> None:
        if self.gone:
            raise DeviceLost
        self.screen, self.answer = words.lines, words.answer
        self.shown.append((verdict, len(self._ledger.entries) if self._ledger else 0))

    async def rest(self) -> None:
        if self.gone:
            raise DeviceLost
        self.screen, self.answer = (), None


clock: type[Clock] = HandClock
loop_clock: type[Clock] = LoopClock
outbox: type[Outbox] = Ledger
reader: type[Reader] = ScriptedReader
gate: type[Gate] = ScriptedGate

__all__ = ["MIDNIGHT", "HandClock", "Ledger", "LoopClock", "ScriptedGate", "ScriptedReader", "StillClock"]
