"""A ledger, a journal and a network in memory, with a watch on every batch that goes out."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

from gateway.domain.entry import DeviceData, DeviceState, Entry
from gateway.domain.model import Seq
from gateway.domain.wire import MAX_BATCH_BYTES, Batch, Envelope
from gateway.ports import Outbox
from sync.outbox import SqliteOutbox
from sync.reconnect import keep_link
from sync.relay import Ledger, LinkStatus, relay
from tests.domain.build import LANE
from tests.gateway.fakes import HandClock
from tests.sync.fake_uplink import FakeJournal, FakeUplink, Fate, opened
from tests.sync.fakes import FakeOutbox

outbox: type[Outbox] = FakeOutbox
ledger_of_tests: type[Ledger] = FakeOutbox
ledger_of_product: type[Ledger] = SqliteOutbox

HOUR = 3600.0
DAY = 24 * HOUR


class WatchedUplink(FakeUplink):
    """Objects to every batch that must not go out."""

    #: Where the run of consecutive batches that is under way began.
    run_start = 0

    async def send(self, batch: Batch) -> None:
        assert self.taken, "a batch before the first receipt"
        through, before = self.taken[-1].through, len(self.published)
        assert len(batch.envelopes) <= 100
        assert len(batch.payload) <= MAX_BATCH_BYTES
        reached = max([through, *(sent.last for sent in self.published)])
        assert batch.first <= reached + 1, "a gap"
        if before and batch.first <= self.published[-1].last:
            self.run_start = before
        ahead = [sent for sent in self.published[self.run_start :] if sent.last > through]
        assert len(ahead) < 20, "more than a window without receipt"
        await super().send(batch)


class SlowOutbox(FakeOutbox):
    """Reading takes a moment, in which anything may happen."""

    async def after(self, seq: Seq, limit: int) -> Sequence[Envelope]:
        await asyncio.sleep(0.007)
        return await super().after(seq, limit)

    async def hash_of(self, seq: Seq) -> bytes | None:
        await asyncio.sleep(0.003)
        return await super().hash_of(seq)


class World:
    """A ledger, its journal, and a fresh uplink for each session."""

    def __init__(self, fates: Iterator[Fate] | None = None) -> None:
        self.clock = HandClock()
        self.ledger = SlowOutbox(site="school-1", gateway="north", clock=self.clock)
        #: What the journal has of each epoch.
        self.journals = {self.ledger.stream: FakeJournal(self.ledger.stream)}
        self.status = LinkStatus()
        self.uplinks: list[WatchedUplink] = []
        self.prepare: Callable[[WatchedUplink], None] = lambda _: None
        self._fates = fates or iter(())

    def link(self) -> AbstractAsyncContextManager[FakeUplink]:
        if self.ledger.stream not in self.journals:
            self.journals[self.ledger.stream] = FakeJournal(self.ledger.stream)
        self.uplinks.append(WatchedUplink(self.journal, f"session-{len(self.uplinks)}", self._fates))
        self.prepare(self.uplinks[-1])
        return opened(self.uplinks[-1])

    @property
    def journal(self) -> FakeJournal:
        """Its books on the running epoch."""
        return self.journals[self.ledger.stream]

    async def append(self, count: int, detail: str = "") -> None:
        data = DeviceData(lane=LANE, kind=DeviceState.UP, detail=detail)
        await self.ledger.append([Entry(at=self.clock.now(), data=data)] * count)

    def all_settled(self) -> bool:
        position = self.ledger.position
        return position.through == position.last == self.journal.through

    async def keep(self) -> None:
        await keep_link(self.link, [lambda uplink: relay(self.ledger, uplink, self.status)], self.status)

    @property
    def published(self) -> list[Batch]:
        return [batch for uplink in self.uplinks for batch in uplink.published]


async def until(condition: Callable[[], bool], seconds: float = DAY) -> None:
    """Waits, in virtual time, until it holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(1)


async def beside(work: Awaitable[None], test: Awaitable[None]) -> None:
    """Runs the test while the work goes on, then ends the work; an error of the work is the test's."""
    working = asyncio.ensure_future(work)
    testing = asyncio.ensure_future(test)
    done, _ = await asyncio.wait({working, testing}, return_when=asyncio.FIRST_COMPLETED)
    working.cancel(), testing.cancel()
    await asyncio.gather(working, testing, return_exceptions=True)
    for task in done:
        task.result()
