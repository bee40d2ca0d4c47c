"""A journal in memory and the uplink to it, over a network that does to each message what the test says."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TypeVar

from gateway.domain.handshake import Receipt, Refusal
from gateway.domain.wire import Batch, Stream, link
from gateway.errors import LinkLost, PublishRefused

M = TypeVar("M")


class Fate(StrEnum):
    """What becomes of one message."""

    ARRIVES = "arrives"
    LOST = "lost"
    DOUBLED = "doubled"
    #: Only after the next one of its kind.
    LATE = "late"
    #: The link breaks, and it does not arrive.
    CUT_BEFORE = "cut before"
    #: The link breaks, but it arrives.
    CUT_AFTER = "cut after"


class FakeJournal:
    """Counts what links to what it has, and answers everything with how far it has come."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.refuses: Callable[[Batch], bool] = lambda _: False
        self._hashes = {0: stream.genesis}
        self._refused: deque[Refusal] = deque(maxlen=16)

    @property
    def through(self) -> int:
        seq = 0
        while seq + 1 in self._hashes:
            seq += 1
        return seq

    def receive(self, batch: Batch) -> None:
        if self.refuses(batch):
            self._refused.append(Refusal(first=batch.first, last=batch.last, code="key"))
            return
        prev = batch.prev
        for envelope in batch.envelopes:
            prev = link(prev, envelope.body)
            assert prev == envelope.hash
            assert self._hashes.setdefault(envelope.seq, prev) == prev
        assert self._hashes.get(batch.first - 1, batch.prev) == batch.prev

    def restore(self, through: int) -> None:
        """The journal came back from a backup that ends there."""
        self._hashes = {seq: hash_ for seq, hash_ in self._hashes.items() if seq <= through}

    def receipt(self, session: str) -> Receipt:
        return Receipt(
            site=self.stream.site,
            gateway=self.stream.gateway,
            session=session,
            epoch=self.stream.epoch,
            through=self.through,
            head=self._hashes[self.through].hex(),
            refused=tuple(self._refused),
            issued=0,
        )


class FakeUplink:
    """`gateway.ports.Uplink` for one session. The journal behind it answers the birth and every batch, unless `quiet`."""

    def __init__(
        self, journal: FakeJournal, session: str = "session-1", fates: Iterable[Fate] = (), *, quiet: bool = False
    ) -> None:
        self.session = session
        self.quiet, self.refused = quiet, False
        #: Every batch that was published.
        self.published: list[Batch] = []
        #: Every receipt that was taken.
        self.taken: list[Receipt] = []
        self._journal = journal
        self._fates: Iterator[Fate] = iter(fates)
        self._waiting: deque[Receipt] = deque(maxlen=1)
        self._late_batches: list[Batch] = []
        self._late_receipts: list[Receipt] = []
        self._changed = asyncio.Event()
        self._broken = False
        self.answer()

    async def send(self, batch: Batch) -> None:
        await asyncio.sleep(0.01)
        if self._broken:
            raise LinkLost
        if self.refused:
            raise PublishRefused("events", "Not authorized", 0x87)
        self.published.append(batch)
        for arrived in self._carry(batch, self._late_batches):
            self._journal.receive(arrived)
            self.answer()
        if self._broken:
            raise LinkLost

    async def receipts(self) -> AsyncIterator[Receipt]:
        while True:
            while self._waiting:
                receipt = self._waiting.popleft()
                self.taken.append(receipt)
                yield receipt
            if self._broken:
                raise LinkLost
            self._changed.clear()
            await self._changed.wait()

    def answer(self) -> None:
        """The journal tells how far it is."""
        if not self.quiet:
            for receipt in self._carry(self._journal.receipt(self.session), self._late_receipts):
                self.deliver(receipt)

    def deliver(self, receipt: Receipt) -> None:
        """A receipt arrives, whoever sent it."""
        own = (self._journal.stream, self.session)
        if own == (Stream(site=receipt.site, gateway=receipt.gateway, epoch=receipt.epoch), receipt.session):
            self._waiting.append(receipt)
            self._changed.set()

    def cut(self) -> None:
        """The link breaks."""
        self._broken = True
        self._changed.set()

    def _carry(self, message: M, late: list[M]) -> list[M]:
        """What arrives now on the other side, in this order."""
        fate = next(self._fates, Fate.ARRIVES)
        if fate in {Fate.CUT_BEFORE, Fate.CUT_AFTER}:
            self.cut()
        if fate is Fate.LATE:
            late.append(message)
            return []
        arrived = {Fate.LOST: 0, Fate.CUT_BEFORE: 0, Fate.DOUBLED: 2}.get(fate, 1)
        overtaken = late.copy()
        late.clear()
        return [message] * arrived + overtaken


@asynccontextmanager
async def opened(uplink: FakeUplink) -> AsyncIterator[FakeUplink]:
    """As the real one is opened."""
    yield uplink
