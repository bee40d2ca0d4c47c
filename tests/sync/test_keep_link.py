"""The link when something is wrong that an operator must mend: told, backed off, nothing lost, and mended without a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.domain.handshake import Receipt, Refusal
from gateway.domain.model import Seq
from gateway.domain.wire import MAX_BATCH_BYTES, decode
from gateway.errors import LedgerMismatch, LinkLost, NotRecorded, PublishRefused
from sync.reconnect import keep_link
from sync.relay import relay
from tests.sync.fake_uplink import FakeUplink
from tests.sync.fakes import FakeOutbox
from tests.sync.virtual_time import run
from tests.sync.world import DAY, HOUR, WatchedUplink, World, beside, until


@pytest.mark.parametrize(("through", "head"), [(99, "ab" * 32), (5, "ab" * 32)])
def test_a_journal_that_knows_better_gets_nothing_and_settles_nothing(through: int, head: str) -> None:
    world = World()

    def lie(uplink: WatchedUplink) -> None:
        honest = world.journal.receipt(uplink.session)
        uplink._waiting.clear()
        uplink.quiet = True
        uplink.deliver(honest.model_copy(update={"through": through, "head": head}))

    async def hour() -> None:
        await world.append(9)
        await asyncio.sleep(HOUR)
        assert world.published == []
        assert world.ledger.position.through == 0
        assert "journal has" in (world.status.error or "")
        assert world.status.hint == LedgerMismatch.hint
        assert not world.status.connected
        # Back-off up to a minute: no busy loop.
        assert 60 < len(world.uplinks) < 360

    world.prepare = lie
    run(beside(world.keep(), hour()))


def test_a_journal_that_contradicts_what_it_acknowledged_is_told_everything_again() -> None:
    world = World()

    async def main() -> None:
        uplink = WatchedUplink(world.journal)
        with pytest.RaisesGroup(LedgerMismatch, flatten_subgroups=True):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(relay(world.ledger, uplink, world.status))
                await until(world.all_settled)
                await world.append(5)
                await until(world.all_settled)
                uplink.deliver(world.journal.receipt("session-1").model_copy(update={"through": 3}))
        assert (world.ledger.position.through, world.ledger.position.last) == (0, 6)
        again = [decode(envelope.body) for envelope in await world.ledger.after(Seq(1), 9)]
        assert [event.origin and event.origin.seq for event in again] == [2, 3, 4, 5, 6]

    run(main())


def test_numbers_that_the_journal_knows_from_an_older_life_are_left_to_it_in_a_new_epoch() -> None:
    world = World()

    async def main() -> None:
        uplink = WatchedUplink(world.journal)
        with pytest.RaisesGroup(LedgerMismatch, flatten_subgroups=True):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(relay(world.ledger, uplink, world.status))
                await until(world.all_settled)
                uplink.quiet = True
                await world.append(2)
                taken = Refusal(first=Seq(3), last=Seq(3), code="quarantine")
                uplink.deliver(world.journal.receipt("session-1").model_copy(update={"refused": (taken,)}))
        again = [decode(envelope.body) for envelope in await world.ledger.after(Seq(1), 9)]
        assert [event.origin and event.origin.seq for event in again] == [2, 3]

    run(main())


def test_a_refused_batch_is_shown_and_sent_again_ever_more_rarely() -> None:
    world = World()

    async def refused() -> None:
        await world.append(3000)
        world.journal.refuses = lambda batch: batch.last > 450
        await asyncio.sleep(20)
        # The one that is refused, and one that was on its way.
        assert len(world.published) <= 6
        await asyncio.sleep(12 * HOUR)
        assert world.ledger.position.through >= 350
        assert world.status.refused
        assert world.status.refused[-1].code == "key"
        assert len(world.published) < 24 + 12 * 60
        world.journal.refuses = lambda _: False
        await until(world.all_settled)
        assert world.status.refused == ()

    run(beside(world.keep(), refused()))


def test_a_denied_publish_backs_off_and_loses_nothing() -> None:
    world = World()

    async def denied() -> None:
        await world.append(10)
        await asyncio.sleep(HOUR)
        assert 60 < len(world.uplinks) < 360
        assert "0x87" in (world.status.error or "")
        assert world.status.hint == PublishRefused.hint
        assert world.ledger.position.through == 0
        world.prepare = lambda _: None
        await until(world.all_settled)
        assert world.status.error is None

    def deny(uplink: WatchedUplink) -> None:
        uplink.refused = True

    world.prepare = deny
    run(beside(world.keep(), denied()))


def test_large_entries_make_smaller_batches() -> None:
    world = World()

    async def large() -> None:
        await world.append(100, "x" * 3500)
        await until(world.all_settled)
        assert all(len(batch.payload) <= MAX_BATCH_BYTES for batch in world.published)
        assert max(len(batch.envelopes) for batch in world.published) <= 13

    run(beside(world.keep(), large()))


def test_a_disk_that_does_not_take_the_receipt_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    async def full(_: Receipt) -> None:
        raise NotRecorded

    async def failing() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(world.ledger, "apply", full)
            await until(lambda: world.status.hint == NotRecorded.hint)
        await until(world.all_settled)

    run(beside(world.keep(), failing()))


def test_a_new_epoch_begins_a_new_session() -> None:
    world = World()

    async def main() -> None:
        uplink = WatchedUplink(world.journal)
        ledger = world.ledger
        with pytest.RaisesGroup(pytest.RaisesExc(LinkLost, match="new epoch"), flatten_subgroups=True):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(relay(ledger, uplink, world.status))
                await until(world.all_settled)
                ledger.stream = FakeOutbox(site="s", gateway="g", clock=world.clock, epoch="epoch-b").stream
                await world.append(1)

    run(main())


def test_a_bug_passes_through() -> None:
    world = World()

    async def bug(_: FakeUplink) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
            await keep_link(world.link, [bug], world.status)

    run(main())


def test_a_day_without_a_broker_costs_a_connection_a_minute_at_most() -> None:
    world = World()
    tries = 0

    @asynccontextmanager
    async def nobody() -> AsyncIterator[FakeUplink]:
        nonlocal tries
        tries += 1
        raise LinkLost("nobody there")
        yield

    async def day() -> None:
        await asyncio.sleep(DAY)

    run(beside(keep_link(nobody, [], world.status), day()))
    assert 24 * 60 * 0.8 < tries < 24 * 60 * 4
    assert world.status.error == "nobody there"
