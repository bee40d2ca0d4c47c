"""What every outbox promises: the same suite over the fake and over SQLite."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.domain.credential import Technology
from gateway.domain.entry import DeviceData, DeviceState, Entry, EpochData, TapData
from gateway.domain.model import Assurance, Direction, Reason, Seq, Verdict
from gateway.domain.wire import Envelope, chain, decode
from gateway.errors import MalformedMessage, NotRecorded
from gateway.ports import Outbox
from sync.outbox import SqliteOutbox
from tests.domain.build import LANE
from tests.gateway.fakes import HandClock
from tests.sync.fakes import FakeOutbox
from tests.sync.ledgers import receipt

fake: type[Outbox] = FakeOutbox
real: type[Outbox] = SqliteOutbox

AnyOutbox = FakeOutbox | SqliteOutbox


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["fake", "sqlite"])
async def outbox(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[AnyOutbox]:
    if request.param == "fake":
        yield FakeOutbox(site="school-1", gateway="north", clock=clock)
        return
    async with SqliteOutbox(tmp_path / "outbox.sqlite3", site="school-1", gateway="north", clock=clock) as opened:
        yield opened


def note(clock: HandClock, detail: str = "") -> Entry:
    return Entry(at=clock.now(), data=DeviceData(lane=LANE, kind=DeviceState.UP, detail=detail))


def tap(clock: HandClock) -> Entry:
    data = TapData(
        lane=LANE,
        direction=Direction.IN,
        token=None,
        technology=Technology.EM4100,
        assurance=Assurance.UID,
        person=None,
        verdict=Verdict(admit=False, reason=Reason.UNKNOWN_CARD),
        match=None,
        directory=None,
    )
    return Entry(at=clock.now(), data=data)


def details(envelopes: Sequence[Envelope]) -> list[str]:
    events = [decode(envelope.body).data for envelope in envelopes]
    return [data.detail for data in events if isinstance(data, DeviceData)]


async def test_an_epoch_begins_with_its_own_entry(outbox: AnyOutbox) -> None:
    [first] = await outbox.after(Seq(0), 10)
    event = decode(first.body)
    assert (event.stream, event.seq) == (outbox.stream, 1)
    assert event.data == EpochData(previous=None, reason="first start")
    assert outbox.position.last == outbox.position.floor == 1
    assert outbox.position.through == 0


async def test_append_returns_the_seq_of_the_last_entry(outbox: AnyOutbox, clock: HandClock) -> None:
    assert await outbox.append([note(clock)]) == 2
    assert await outbox.append([note(clock), note(clock), note(clock)]) == 5
    assert await outbox.append([]) == 5
    assert outbox.position.last == 5


async def test_appends_at_the_same_time_get_consecutive_places(outbox: AnyOutbox, clock: HandClock) -> None:
    waiting = [outbox.append([note(clock, f"{n}a"), note(clock, f"{n}b")]) for n in range(80)]
    seqs = await asyncio.gather(*waiting)
    assert seqs == list(range(3, 163, 2))
    assert details(await outbox.after(Seq(1), 200)) == [f"{n}{half}" for n in range(80) for half in "ab"]


async def test_the_chain_holds(outbox: AnyOutbox, clock: HandClock) -> None:
    await outbox.append([note(clock, str(n)) for n in range(9)])
    envelopes = await outbox.after(Seq(0), 100)
    assert list(envelopes) == chain(outbox.stream.genesis, Seq(1), [envelope.body for envelope in envelopes])
    assert outbox.position.head == envelopes[-1].hash
    assert [await outbox.hash_of(Seq(n)) for n in range(12)] == [
        outbox.stream.genesis,
        *(envelope.hash for envelope in envelopes),
        None,
    ]


async def test_after_gives_at_most_the_limit_in_order(outbox: AnyOutbox, clock: HandClock) -> None:
    await outbox.append([note(clock) for _ in range(9)])
    assert [envelope.seq for envelope in await outbox.after(Seq(4), 3)] == [5, 6, 7]
    assert [envelope.seq for envelope in await outbox.after(Seq(8), 30)] == [9, 10]
    assert list(await outbox.after(Seq(10), 30)) == []


async def test_an_entry_that_is_too_long_fails_alone(outbox: AnyOutbox, clock: HandClock) -> None:
    good, bad, also_good = await asyncio.gather(
        outbox.append([note(clock, "a")]),
        outbox.append([note(clock, "b"), note(clock, "x" * 5000)]),
        outbox.append([note(clock, "c")]),
        return_exceptions=True,
    )
    assert (good, also_good) == (2, 3)
    assert isinstance(bad, NotRecorded)
    assert details(await outbox.after(Seq(1), 10)) == ["a", "c"]


async def test_the_time_of_recording_is_the_clocks(outbox: AnyOutbox, clock: HandClock) -> None:
    entry = note(clock)
    clock.move(3)
    event = decode((await outbox.after(Seq(await outbox.append([entry]) - 1), 1))[0].body)
    assert (event.at, event.recorded) == (entry.at, clock.now().at)


async def test_a_receipt_moves_the_watermark_both_ways(outbox: AnyOutbox, clock: HandClock) -> None:
    await outbox.append([note(clock) for _ in range(5)])
    for through in (4, 4, 6, 2):  # back: the journal was restored from a backup
        await outbox.apply(receipt(outbox, through))
        assert outbox.position.through == through
    assert len(await outbox.after(Seq(0), 10)) == 6


@pytest.mark.parametrize(("through", "epoch"), [(7, None), (3, "another")])
async def test_a_receipt_that_does_not_fit_settles_nothing(
    outbox: AnyOutbox, clock: HandClock, through: int, epoch: str | None
) -> None:
    await outbox.append([note(clock) for _ in range(5)])
    with pytest.raises(MalformedMessage):
        await outbox.apply(receipt(outbox, through, epoch))
    assert outbox.position.through == 0


async def test_pruning_takes_settled_old_entries_from_the_oldest_on(outbox: AnyOutbox, clock: HandClock) -> None:
    for _ in range(9):
        clock.move(60)
        await outbox.append([note(clock)])
    await outbox.apply(receipt(outbox, 6))
    moment = clock.now().at - timedelta(seconds=6 * 60)  # seq 4 was recorded then
    await outbox.prune(moment)
    assert outbox.position.floor == 4
    await outbox.prune(clock.now().at + timedelta(days=1))
    assert outbox.position.floor == 7  # nothing unsettled
    assert [envelope.seq for envelope in await outbox.after(Seq(6), 10)] == [7, 8, 9, 10]
    assert [envelope.seq for envelope in await outbox.after(Seq(0), 2)] == [7, 8]  # what is left
    assert await outbox.hash_of(Seq(5)) is None
    assert await outbox.hash_of(Seq(6)) is not None  # the link before the floor


async def test_a_clock_far_in_the_past_makes_nothing_old(outbox: AnyOutbox, clock: HandClock) -> None:
    await outbox.append([note(clock) for _ in range(4)])
    await outbox.apply(receipt(outbox, 5))
    clock.set_wall(clock.now().at - timedelta(days=20000))
    await outbox.append([note(clock)])
    await outbox.prune(clock.now().at)
    assert outbox.position.floor == 1


async def test_pruning_everything_keeps_the_place(outbox: AnyOutbox, clock: HandClock) -> None:
    await outbox.append([note(clock) for _ in range(4)])
    await outbox.apply(receipt(outbox, 5))
    head = outbox.position.head
    clock.move(1)
    await outbox.prune(clock.now().at)
    assert outbox.position.floor == 6
    assert list(await outbox.after(Seq(0), 10)) == []
    assert await outbox.append([note(clock)]) == 6
    assert list(await outbox.after(Seq(5), 10)) == chain(head, Seq(6), [(await outbox.after(Seq(5), 1))[0].body])


async def test_waiting_ends_with_the_next_entry(outbox: AnyOutbox, clock: HandClock) -> None:
    await asyncio.wait_for(outbox.wait_beyond(Seq(0)), 30)
    waiting = [asyncio.create_task(outbox.wait_beyond(Seq(seq))) for seq in (1, 1, 3)]
    await outbox.append([note(clock)])
    await asyncio.wait_for(asyncio.gather(*waiting[:2]), 30)
    assert not waiting[2].done()
    await outbox.append([note(clock), note(clock)])
    await asyncio.wait_for(waiting[2], 30)


async def test_recent_taps_come_in_order(outbox: AnyOutbox, clock: HandClock) -> None:
    taps = []
    for n in range(250):
        clock.move(1)
        taps.append(tap(clock))
        await outbox.append([taps[-1], note(clock)] if n % 3 else [taps[-1]])
    found = await outbox.taps_since(taps[40].at.at)
    assert [at for at, _ in found] == [entry.at for entry in taps[40:]]
    assert {data for _, data in found} == {taps[0].data}
    assert list(await outbox.taps_since(clock.now().at + timedelta(seconds=1))) == []
