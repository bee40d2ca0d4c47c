"""Entries to the journal, oldest first; settled by nothing but its verified receipts.

    first receipt of the session -> start after its `through` -> batches, at most a window without receipt
    no progress for a while, or a receipt that settles nothing -> back to `through`, one probe, the next one later
    probes that stay without any receipt -> the session is given up: a journal that missed its birth cannot answer it

A PUBACK only moves bytes along. What a link owes when it breaks is still in the ledger, and the next link begins there.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Never, Protocol

from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

from gateway.domain.handshake import Receipt, Refusal, Span
from gateway.domain.model import Seq
from gateway.domain.wire import MAX_BATCH_EVENTS, Batch, Stream, fit
from gateway.errors import AttendanceError, LedgerMismatch, LinkLost, TakenOver
from gateway.ports import Outbox, Uplink
from sync.window import Window


class Position(Protocol):
    """How far the running epoch has come."""

    @property
    def last(self) -> Seq: ...
    @property
    def floor(self) -> Seq: ...
    @property
    def through(self) -> Seq: ...


class Ledger(Outbox, Protocol):
    """What the relay needs of the outbox."""

    @property
    def stream(self) -> Stream:
        """Whose ledger it is; another one after a new epoch began."""
        ...

    @property
    def position(self) -> Position:
        """A snapshot of what is on the disk."""
        ...

    async def hash_of(self, seq: Seq) -> bytes | None:
        """h(seq) for floor - 1 <= seq <= last; None where it is pruned."""
        ...

    async def wait_beyond(self, seq: Seq) -> None:
        """Returns when there is something after seq, or when a new epoch has begun."""
        ...

    async def begin_again(self, agreed: Seq, reason: str) -> None:
        """A new epoch, in which everything after `agreed` stands again with its origin. Raises NotRecorded."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much and how long, in seconds."""

    #: Batches without receipt.
    window: int = 20
    #: The journal may take this long to answer a birth; then the session is given up.
    answer: float = 60.0
    #: Without progress for this long, one probe is sent.
    patience: float = 30.0
    #: The same after a receipt that settles nothing more: a journal that begins again says where it stands.
    echo: float = 1.0
    #: Between two probes at most.
    longest: float = 600.0
    #: So many probes in a row may stay without a receipt.
    unanswered: int = 3


@dataclass(slots=True)
class LinkStatus:
    """What health tells about the link."""

    #: Whether a session is up.
    connected: bool = False
    session: str | None = None
    #: What ended the last session, until a receipt comes in a later one; and the operator's next command.
    error: str | None = None
    hint: str | None = None
    #: The newest verified receipt.
    receipt: Receipt | None = None
    #: Batches that the journal does not count.
    refused: tuple[Refusal, ...] = ()
    #: Entries that the journal asks for and that are not kept here any more.
    gone: Span | None = None
    #: Messages that were dropped, by reason.
    dropped: Counter[str] = field(default_factory=Counter)
    #: Whether this session has settled something, or found all settled.
    progress: bool = False
    #: How often another device was met under this gateway's name.
    clones: int = 0
    #: Whether this session was shared with one.
    contested: bool = False

    def up(self, session: str) -> None:
        """A session has begun."""
        self.connected, self.session, self.progress = True, session, False

    def down(self, error: AttendanceError) -> None:
        """A session has ended, or did not come about."""
        self.connected, self.session = False, None
        if isinstance(error, TakenOver):
            self.cloned()
        self.error, self.hint = str(error), error.hint

    def cloned(self) -> None:
        """Another device is connected in turn with this one."""
        self.clones, self.contested = self.clones + 1, True

    def heard(self, receipt: Receipt, *, floor: Seq, settled: bool) -> None:
        """A receipt was verified and applied."""
        self.error, self.hint = None, None
        self.receipt, self.progress = receipt, self.progress or settled
        self.refused = tuple(refusal for refusal in receipt.refused if refusal.last > receipt.through)
        self.gone = Span(first=receipt.through + 1, last=floor - 1) if receipt.through + 1 < floor else None


class Backoff:
    """Jittered pauses that grow, until something works again."""

    def __init__(self, *, first: float, longest: float, shortest: float = 0.0) -> None:
        self._wait = wait_random_exponential(multiplier=first, max=longest, min=shortest)
        self.reset()

    def reset(self) -> None:
        """Begin with the first pause again."""
        self._state = RetryCallState(AsyncRetrying(), None, (), {})

    def pause(self) -> float:
        """Seconds to wait now."""
        seconds = self._wait(self._state)
        self._state.prepare_for_next_attempt()
        return seconds


class _Session:
    """The relay's side of one uplink."""

    def __init__(self, ledger: Ledger, uplink: Uplink, status: LinkStatus, limits: Limits) -> None:
        self._ledger, self._uplink, self._status, self._limits = ledger, uplink, status, limits
        self._stream = ledger.stream
        self._window = Window(limits.window, Seq(0))
        self._answered, self._changed = asyncio.Event(), asyncio.Event()
        self._backoff = Backoff(first=limits.patience, longest=limits.longest, shortest=limits.patience)
        self._echo = Backoff(first=limits.echo, longest=limits.longest, shortest=limits.echo)
        self._echo_patience = self._echo.pause()
        self._patience = limits.patience
        self._deadline = 0.0
        #: Probes since the newest receipt.
        self._probes = 0

    async def listen(self) -> None:
        async for receipt in self._uplink.receipts():
            await self._settle(receipt)
            self._probes = 0
            self._answered.set()
            self._changed.set()

    async def watch(self) -> None:
        while True:
            await self._ledger.wait_beyond(self._ledger.position.last)
            self._changed.set()

    async def send(self) -> None:
        try:
            async with asyncio.timeout(self._limits.answer):
                await self._answered.wait()
        except TimeoutError:
            raise LinkLost(
                f"the journal has not answered this session within {self._limits.answer:g} s",
                hint="check that the journal runs and that 'attendance-journal gateway list' shows this gateway",
            ) from None
        while True:
            self._changed.clear()
            if self._window.waiting and self._now() >= self._deadline:
                self._probe()
            batch = await self._next()
            if batch is None:
                await self._news()
                continue
            if not self._window.waiting:
                self._deadline = self._now() + self._patience
            # First, because the receipt may come before the PUBACK.
            self._window.send(batch.last)
            await self._uplink.send(batch)

    def _probe(self) -> None:
        if self._probes == self._limits.unanswered:
            raise LinkLost(
                f"the journal has not answered {self._probes} batches: this session is given up",
                hint="check that the journal runs and that 'attendance-journal gateway list' shows this gateway",
            )
        self._probes += 1
        self._window.probe()
        self._patience, self._echo_patience = self._backoff.pause(), self._echo.pause()

    async def _settle(self, receipt: Receipt) -> None:
        self._check_epoch()
        position, through = self._ledger.position, Seq(receipt.through)
        own = await self._ledger.hash_of(through) if through <= position.last else None
        if own is None and through + 1 >= position.floor:
            await self._part(receipt, f"the journal has entries up to {through}, this ledger ends at {position.last}")
        if own is not None and own.hex() != receipt.head:
            await self._part(receipt, f"the journal has other bytes than this ledger in its entries up to {through}")
        if any(refusal.code == "quarantine" and refusal.last > through for refusal in receipt.refused):
            # Of an older life of this ledger, which the journal heard beyond a gap: these numbers are taken for ever.
            await self._part(receipt, f"the journal has other bytes than this ledger in its entries after {through}")
        # Without a hash of our own it is below everything that is kept, and settles nothing.
        await self._ledger.apply(receipt)
        start = max(through, Seq(position.floor - 1))
        if not self._answered.is_set():
            self._window = Window(self._limits.window, start)
        progress = self._window.settle(start)
        if progress:
            self._backoff.reset()
            self._echo.reset()
            self._patience, self._echo_patience = self._limits.patience, self._echo.pause()
            self._deadline = self._now() + self._patience
        elif self._window.waiting and not receipt.refused:
            # Later after each probe, not after each receipt: new taps are answered, too.
            self._deadline = min(self._deadline, self._now() + self._echo_patience)
        self._status.heard(receipt, floor=position.floor, settled=progress or through == position.last)
        if self._status.refused:
            self._window.narrow()

    async def _part(self, receipt: Receipt, why: str) -> Never:
        """What the journal acknowledged to this very ledger is agreed; all else is told again under a new epoch."""
        settled = self._ledger.position.through
        await self._ledger.begin_again(settled if settled <= receipt.through else Seq(0), why)
        raise LedgerMismatch(f"{why}: a new epoch begins")

    async def _next(self) -> Batch | None:
        """The oldest batch that may go; None when there is none now."""
        self._check_epoch()
        cursor = self._window.cursor
        if not self._window.open:
            return None
        envelopes = await self._ledger.after(cursor, MAX_BATCH_EVENTS)
        if not envelopes:
            return None
        prev = await self._ledger.hash_of(Seq(envelopes[0].seq - 1))
        self._check_epoch()
        if prev is None or self._window.cursor != cursor:
            # Pruned or settled meanwhile.
            self._changed.set()
            return None
        return Batch(stream=self._stream, prev=prev, envelopes=tuple(envelopes[: fit(envelopes)]))

    async def _news(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._deadline if self._window.waiting else None):
                await self._changed.wait()

    def _check_epoch(self) -> None:
        if self._ledger.stream != self._stream:
            raise LinkLost("a new epoch has begun; the next session is born with it")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def relay(ledger: Ledger, uplink: Uplink, status: LinkStatus, limits: Limits = Limits()) -> None:
    """Endless over one uplink.

    Raises an exception group: LinkLost and PublishRefused end the session, NotRecorded tells that the disk does not
    serve, LedgerMismatch that the journal and this ledger disagree; nothing was sent or settled by it then.
    """
    session = _Session(ledger, uplink, status, limits)
    async with asyncio.TaskGroup() as tasks:
        for work in (session.listen, session.watch, session.send):
            tasks.create_task(work(), name=f"relay {work.__name__}")
