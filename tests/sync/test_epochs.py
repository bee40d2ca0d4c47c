"""A new epoch takes along what the journal never acknowledged, and says of each entry where it stood."""

import asyncio
from pathlib import Path

import pytest

from gateway.domain.entry import DeviceData, Entry, EpochData, PassageData, PassageKind
from gateway.domain.model import Direction, Seq
from gateway.domain.wire import MAX_EVENT_BYTES, Event, Stream, decode
from gateway.errors import NotRecorded
from sync.database import SQL, connect
from tests.domain.build import LANE
from tests.sync.fakes import FaultyDatabase
from tests.sync.ledgers import CLOCK, everything, ledger, note, receipt, texts
from tests.sync.virtual_time import run
from tests.sync.world import World, beside, until


def passage(tap: int) -> Entry:
    data = PassageData(lane=LANE, direction=Direction.IN, kind=PassageKind.CONFIRMED, tap=Seq(tap))
    return Entry(at=CLOCK.now(), data=data)


def origins(events: list[Event]) -> dict[int, int]:
    return {event.seq: event.origin.seq for event in events if event.origin is not None}


async def test_what_is_not_agreed_stands_again_with_its_origin(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        old = outbox.stream
        await outbox.append([note("b"), note("c"), note("d"), note("e")])
        before = {envelope.seq: envelope for envelope in await everything(outbox)}
        await outbox.apply(receipt(outbox, 3))
        await outbox.begin_again(Seq(3), "restored")
        events = [decode(envelope.body) for envelope in await everything(outbox)]
        assert events[0].data == EpochData(previous=old.epoch, reason="restored")
        assert {event.stream for event in events} == {outbox.stream}
        assert origins(events) == {2: 4, 3: 5}
        for event in events[1:]:
            assert event.origin is not None
            assert (event.origin.epoch, event.origin.hash) == (old.epoch, before[event.origin.seq].hash.hex())
            assert event.data == decode(before[event.origin.seq].body).data
        assert outbox.position.through == 0
        assert await outbox.append([note("f")]) == 4
    async with ledger(tmp_path / "o") as outbox:
        assert texts(await everything(outbox)) == {2: "d", 3: "e", 4: "f"}


async def test_an_origin_stays_the_first_one_through_another_epoch(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        old = outbox.stream
        await outbox.append([note("b")])
        for reason in ("once", "twice"):
            await outbox.begin_again(Seq(0), reason)
        *_, event = [decode(envelope.body) for envelope in await everything(outbox)]
        assert event.origin is not None
        assert (event.origin.epoch, event.origin.seq) == (old.epoch, 2)


async def test_a_passage_goes_with_its_tap(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        await outbox.append([note("tap 2"), note("tap 3"), passage(2), passage(3)])
        await outbox.begin_again(Seq(2), "restored")
        told = [decode(envelope.body).data for envelope in await everything(outbox)]
        assert [data.tap for data in told if isinstance(data, PassageData)] == [None, 2]


async def test_the_longest_event_has_room_for_its_origin(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        for length in range(4000, 3000, -1):
            try:
                await outbox.append([note("x" * length)])
                break
            except NotRecorded:
                continue
        await outbox.begin_again(Seq(0), "restored")
        assert len((await everything(outbox))[-1].body) <= MAX_EVENT_BYTES


async def test_taps_that_come_meanwhile_wait_for_the_new_epoch(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        await outbox.append([note(str(n)) for n in range(1500)])
        old = outbox.stream
        early = [asyncio.create_task(outbox.append([note(f"early {n}")])) for n in range(3)]
        await asyncio.sleep(0)
        again = asyncio.create_task(outbox.begin_again(Seq(0), "restored"))
        late = [asyncio.create_task(outbox.append([note(f"late {n}")])) for n in range(3)]
        await asyncio.gather(again, *early, *late)
        found = texts(await everything(outbox))
        assert outbox.stream != old
        assert list(found.values())[1500:] == [f"{when} {n}" for when in ("early", "late") for n in range(3)]


async def test_a_disk_that_does_not_take_a_new_epoch_leaves_the_old_one_at_work(tmp_path: Path) -> None:
    full = False

    def fails(sql: str, done: bool) -> bool:
        return full and not done and sql == SQL["begin_epoch"]

    async with ledger(tmp_path / "o", connect=lambda path: FaultyDatabase(path, fails)) as outbox:
        await outbox.append([note("b")])
        old, full = outbox.stream, True
        with pytest.raises(NotRecorded):
            await outbox.begin_again(Seq(0), "restored")
        assert await outbox.append([note("c")]) == 3
        assert outbox.stream == old
        assert texts(await everything(outbox)) == {2: "b", 3: "c"}


async def test_entries_of_old_epochs_are_removed_when_they_are_old(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        await outbox.append([note(str(n)) for n in range(5)])
        await outbox.begin_again(Seq(6), "restored")
        CLOCK.move(3600)
        await outbox.append([note("new")])
        await outbox.prune(CLOCK.now().at)
    database = connect(tmp_path / "o")
    keys = [key for (key, _) in database.execute(SQL["before"], {"key": 10**15, "limit": 100}).fetchall()]
    database.close()
    assert [divmod(key, 10**12) for key in keys] == [(2, 2), (2, 1)]


def test_an_old_copy_of_the_card_tells_the_journal_only_what_it_lacks() -> None:
    world = World()

    async def restored() -> None:
        await world.append(4, "before the copy")
        await until(world.all_settled)
        settled = world.ledger.position.through
        await world.append(5, "copied, never settled here")
        image = list(world.ledger._envelopes)
        await world.append(6, "lost with the card")
        await until(world.all_settled)
        first: Stream = world.ledger.stream
        world.ledger._envelopes, world.ledger._through = image, settled
        await world.append(3, "after the copy was put in")
        world.uplinks[-1].cut()
        await until(lambda: world.ledger.stream != first and world.all_settled())
        assert world.journals[first].through == 16
        told = [decode(envelope.body) for batch in world.published for envelope in batch.envelopes]
        of_new = [event for event in told if event.stream == world.ledger.stream]
        assert origins(of_new) == {seq: seq + 4 for seq in range(2, 10)}
        details = [event.data.detail for event in of_new if isinstance(event.data, DeviceData)]
        assert details == ["copied, never settled here"] * 5 + ["after the copy was put in"] * 3

    run(beside(world.keep(), restored()))
