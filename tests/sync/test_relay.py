"""The relay in virtual time: whatever the network does, nothing is lost, skipped or settled by mistake."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.handshake import Span
from gateway.errors import LinkLost
from sync.relay import relay
from tests.sync.fake_uplink import Fate
from tests.sync.virtual_time import run
from tests.sync.world import WatchedUplink, World, beside, until


@settings(max_examples=150)
@given(
    fates=st.lists(st.sampled_from(Fate), max_size=60),
    appends=st.lists(st.tuples(st.integers(1, 250), st.floats(0, 50)), max_size=8),
)
def test_whatever_the_network_does_everything_arrives_and_nothing_else_settles(
    fates: list[Fate], appends: list[tuple[int, float]]
) -> None:
    world = World(iter(fates))

    async def morning() -> None:
        for count, pause in appends:
            await world.append(count)
            await asyncio.sleep(pause)
            heard = [receipt.through for uplink in world.uplinks for receipt in uplink.taken]
            assert world.ledger.position.through <= max(heard, default=0)
        await until(world.all_settled)

    run(beside(world.keep(), morning()))


@settings(max_examples=50)
@given(restored=st.integers(0, 300), kept=st.integers(0, 300))
def test_a_restored_journal_gets_everything_that_is_still_kept(restored: int, kept: int) -> None:
    world = World()

    async def restore() -> None:
        await world.append(299)
        await until(world.all_settled)
        world.ledger._floor = kept
        world.journal.restore(restored)
        world.uplinks[-1].answer()
        await until(lambda: world.journal.through == 300 or world.status.gone is not None)
        if restored < kept:
            assert world.status.gone == Span(first=restored + 1, last=kept)
            await until(lambda: kept == 300 or world.published[-1].last == 300)
        else:
            await until(world.all_settled)
            assert world.status.gone is None

    run(beside(world.keep(), restore()))


def test_a_journal_restored_while_a_batch_is_read_gets_the_oldest_first() -> None:
    world = World()

    async def restored() -> None:
        await world.append(299)
        await until(world.all_settled)
        world.uplinks[0].published.clear()
        await world.append(10)
        await asyncio.sleep(0.005)
        world.journal.restore(50)
        world.uplinks[0].answer()
        await until(world.all_settled)
        assert [batch.first for batch in world.published] == [51, 151, 251]

    run(beside(world.keep(), restored()))


def test_nothing_goes_out_before_the_journal_has_answered() -> None:
    world = World()

    async def main() -> None:
        await world.append(10)
        uplink = WatchedUplink(world.journal, quiet=True)
        with pytest.RaisesGroup(pytest.RaisesExc(LinkLost, match="not answered this session within 60 s")):
            await relay(world.ledger, uplink, world.status)
        assert uplink.published == []
        assert asyncio.get_running_loop().time() == 60

    run(main())


def test_a_journal_that_is_away_stops_us_at_twenty_batches_and_is_probed_and_then_met_anew() -> None:
    world = World()
    times: list[float] = []

    async def away() -> None:
        await until(world.all_settled)
        world.uplinks[0].quiet = True
        world.uplinks[0].published.clear()
        await world.append(5000)
        await until(lambda: len(world.published) == 20)
        for count in range(21, 24):
            await until(lambda count=count: len(world.published) == count)  # type: ignore[misc]
            assert world.published[-1].first == 2
            times.append(asyncio.get_running_loop().time())
        assert world.ledger.position.through == 1
        # Whoever missed the birth of a session can answer none of its batches.
        await until(lambda: len(world.uplinks) == 2)
        assert len(world.uplinks[0].published) == 23
        await until(world.all_settled)

    run(beside(world.keep(), away()))
    assert len(world.uplinks) == 2
    assert all(30 <= later - sooner <= 601 for sooner, later in pairwise(times))


def test_a_journal_that_begins_again_gets_at_once_what_it_lost() -> None:
    world = World()

    async def restarted() -> None:
        await until(world.all_settled)
        uplink = world.uplinks[0]
        uplink._fates = iter([Fate.LOST] * 3)
        await world.append(250)
        await until(lambda: len(uplink.published) >= 3)
        uplink.answer()
        await until(world.all_settled, 5)

    run(beside(world.keep(), restarted()))


def test_a_journal_that_begins_again_and_again_gets_it_soon_although_taps_keep_coming() -> None:
    world = World()

    async def restarted() -> None:
        await until(world.all_settled)
        uplink = world.uplinks[0]
        before = world.journal.receipt(uplink.session)
        uplink.published.clear()
        uplink._fates = iter([Fate.LOST] * 2)
        await world.append(1)
        for _ in range(8):
            uplink.deliver(before)
            await asyncio.sleep(0.1)
        await until(lambda: len(uplink.published) == 2)
        uplink.deliver(before)
        await until(world.all_settled, 5)

    run(beside(world.keep(), restarted()))


def test_receipts_that_settle_nothing_are_not_answered_by_a_storm() -> None:
    world = World()

    async def stubborn() -> None:
        await until(world.all_settled)
        uplink = world.uplinks[0]
        uplink._fates = iter([Fate.LOST] * 10_000)
        await world.append(1)
        for _ in range(600):
            uplink.answer()
            await asyncio.sleep(0.1)
        assert len(uplink.published) < 10

    run(beside(world.keep(), stubborn()))


def test_a_lost_batch_is_noticed_although_taps_keep_coming() -> None:
    world = World()

    async def trickle() -> None:
        await until(world.all_settled)
        world.uplinks[0]._fates = iter([Fate.LOST])
        for _ in range(4):
            await world.append(1)
            await asyncio.sleep(10)
        await until(world.all_settled, 10)

    run(beside(world.keep(), trickle()))


def test_a_slow_journal_that_makes_progress_is_not_probed() -> None:
    world = World()

    async def slow() -> None:
        await until(world.all_settled)
        uplink = world.uplinks[0]
        uplink.quiet = True
        uplink.published.clear()
        await world.append(1500)
        await until(lambda: len(uplink.published) == 15)
        for batch in list(uplink.published):
            await asyncio.sleep(20)
            head = batch.head.hex()
            uplink.deliver(
                world.journal.receipt(uplink.session).model_copy(update={"through": batch.last, "head": head})
            )
        await until(world.all_settled)
        assert len(uplink.published) == 15

    run(beside(world.keep(), slow()))
