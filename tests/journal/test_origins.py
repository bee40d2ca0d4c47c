"""What a gateway tells again under a new epoch counts once, whatever the journal has of the old one."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.entry import PassageData, PassageKind
from gateway.domain.model import Direction, Seq
from gateway.domain.presence import FactKind
from gateway.domain.wire import again
from journal.facts import gather, interpret
from tests.journal.door import LANE, MORNING, SITE, Door, entry, tap
from tests.journal.receiver import Journal


def successor(old: Door, agreed: int, epoch: str = "epoch-2") -> Door:
    """The ledger of the same gateway after it began again."""
    new = Door(epoch=epoch).taps(1)
    places: dict[Seq, Seq] = {}
    for envelope in old.ledger[max(agreed, 1) :]:
        seq = places[envelope.seq] = Seq(len(new.ledger) + 1)
        new.append_bytes(again(envelope, old.stream, new=new.stream, seq=seq, places=places))
    return new


async def counted(journal: Journal) -> list[tuple[str, int]]:
    return [(row.epoch, row.seq) for row in await journal.rows() if row.flag is None and row.type == "att.tap.v1"]


async def test_what_is_held_already_is_kept_and_not_counted(journal: Journal) -> None:
    old = Door().taps(6)
    await journal.takes(old.birth(), old.message(1, 4))
    new = successor(old, agreed=2)
    receipt = await journal.receipt(new.birth(), new.message(1, 5))
    assert (receipt.through, receipt.head) == (5, new.head.hex())
    assert await counted(journal) == [("epoch-1", 2), ("epoch-1", 3), ("epoch-1", 4), ("epoch-2", 4), ("epoch-2", 5)]
    flags = {(row.epoch, row.seq): row.flag for row in await journal.rows()}
    assert flags["epoch-2", 2] == flags["epoch-2", 3] == "repeated"


async def test_other_bytes_under_the_same_old_name_count(journal: Journal) -> None:
    true, copy = Door().taps(4), Door().taps(3)
    copy.append(tap(MORNING + timedelta(minutes=9)))
    await journal.takes(true.birth(), true.message(1, 4))
    new = successor(copy, agreed=0)
    await journal.takes(new.birth(), new.message(1, 4))
    assert await counted(journal) == [("epoch-1", 2), ("epoch-1", 3), ("epoch-1", 4), ("epoch-2", 4)]


async def test_a_third_epoch_repeats_what_only_the_second_told(journal: Journal) -> None:
    old = Door().taps(4)
    second = successor(old, agreed=0)
    third = successor(second, agreed=0, epoch="epoch-3")
    await journal.takes(second.birth(), second.message(1, 4), third.birth(), third.message(1, 4))
    assert await counted(journal) == [("epoch-2", seq) for seq in (2, 3, 4)]


async def test_what_waits_beyond_a_hole_does_not_stand_for_what_comes_again(journal: Journal) -> None:
    old = Door().taps(4)
    await journal.takes(old.birth(), old.message(4, 4))
    new = successor(old, agreed=0)
    await journal.takes(new.birth(), new.message(1, 4))
    assert ("epoch-2", 4) in await counted(journal)


async def test_repetitions_dirty_no_day(journal: Journal) -> None:
    old = Door().taps(4)
    await journal.takes(old.birth(), old.message(1, 4))
    before = {row.person: row.stamp for row in await journal.rows("dirty")}
    new = successor(old, agreed=0)
    await journal.takes(new.birth(), new.message(1, 4))
    assert {row.person: row.stamp for row in await journal.rows("dirty") if row.person} == {
        person: stamp for person, stamp in before.items() if person
    }


@pytest.mark.parametrize(
    ("epochs", "alarms"), [(["1", "2", "2", "3"], 0), (["1", "2", "1"], 1), (["1", "2", "1", "2"], 2)]
)
async def test_two_devices_with_one_identity_are_told_apart_by_their_epochs(
    journal: Journal, epochs: list[str], alarms: int
) -> None:
    await journal.takes(*(Door(epoch=f"epoch-{epoch}").taps(1).birth() for epoch in epochs))
    assert len(journal.alarms) == alarms
    assert all("two devices" in alarm["sentence"] for alarm in journal.alarms)


async def test_a_passage_that_only_the_new_epoch_told_belongs_to_the_tap_that_is_held(journal: Journal) -> None:
    old = Door().taps(2)
    await journal.takes(old.birth(), old.message(1, 2))
    old.append(entry(PassageData(lane=LANE, direction=Direction.IN, kind=PassageKind.CONFIRMED, tap=Seq(2))))
    new = successor(old, agreed=1)
    await journal.takes(new.birth(), new.message(1, 3))
    async with journal.store.read() as connection:
        evidence = await gather(connection, SITE, MORNING.date(), ZoneInfo("UTC"), None)
    [facts] = interpret(evidence)[0].values()
    assert [(fact.kind, fact.ref.epoch) for fact in facts] == [(FactKind.ARRIVAL, "epoch-1")]
