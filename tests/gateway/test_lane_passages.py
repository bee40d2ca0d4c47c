"""What a rotation of the gate becomes."""

from datetime import timedelta

import pytest

from gateway.domain.entry import (
    CoverageData,
    DeviceData,
    DeviceState,
    FireAlarm,
    ManualAction,
    ManualData,
    Obstruction,
    PassageData,
    PassageKind,
    TapData,
)
from gateway.domain.model import Direction, LaneDirection, PersonId, Reason, Verdict
from gateway.ports import CardRead, DeviceNotice, Rotation
from tests.domain.build import CARD, LANE, OTHER, at
from tests.gateway.door import Door, build, serving


def passages(door: Door) -> list[tuple[PassageKind, int | None]]:
    return [(e.data.kind, e.data.tap) for e in door.ledger.entries if isinstance(e.data, PassageData)]


async def test_a_rotation_uses_the_permit_of_its_tap() -> None:
    async with serving(build(passage_lasts=timedelta(seconds=6))) as door:
        await door.after(CardRead(credential=CARD))
        door.gate.feed(Rotation(direction=Direction.IN), Rotation(direction=Direction.IN))
        await door.settled()
        assert passages(door) == [(PassageKind.CONFIRMED, 1), (PassageKind.TAILGATING, None)]


async def test_a_card_that_is_not_let_in_permits_no_passage() -> None:
    async with serving(build(passage_lasts=timedelta(seconds=6))) as door:
        await door.after(CardRead(credential=OTHER))
        door.gate.feed(Rotation(direction=Direction.IN))
        await door.settled()
        assert passages(door) == [(PassageKind.FORCED, None)]


async def test_a_gate_that_knows_no_direction_uses_the_oldest_permit() -> None:
    async with serving(build(passage_lasts=timedelta(seconds=6))) as door:
        await door.after(CardRead(credential=CARD))
        door.gate.feed(Rotation(direction=Direction.UNKNOWN))
        await door.settled()
        assert passages(door) == [(PassageKind.CONFIRMED, 1)]


async def test_a_permit_that_nobody_used_is_told_with_the_next_rotation() -> None:
    async with serving(build(passage_lasts=timedelta(seconds=6))) as door:
        await door.after(CardRead(credential=CARD))
        door.clock.move(7)
        door.gate.feed(Rotation(direction=Direction.IN))
        await door.settled()
        assert passages(door) == [(PassageKind.NOT_USED, 1), (PassageKind.FORCED, None)]


async def test_permits_of_a_gate_that_never_turns_do_not_pile_up() -> None:
    async with serving(build(passage_lasts=timedelta(seconds=6))) as door:
        for _ in range(3):
            await door.after(CardRead(credential=CARD))
            door.clock.move(60)
        assert passages(door) == [(PassageKind.NOT_USED, 1), (PassageKind.NOT_USED, 2)]


async def test_the_other_way_is_the_wrong_way() -> None:
    async with serving(build(passage_lasts=timedelta(seconds=6))) as door:
        await door.after(CardRead(credential=CARD))
        door.gate.feed(Rotation(direction=Direction.OUT))
        await door.settled()
        assert passages(door) == [(PassageKind.WRONG_DIRECTION, None)]


SECONDS = timedelta(seconds=6)


def told(door: Door) -> list[str]:
    """`tap 1`, `passage confirmed 1`, `mode free`, `coverage 08:00 08:01`, in the order of the ledger."""
    words = []
    for entry in door.ledger.entries:
        match entry.data:
            case TapData():
                words.append("tap")
            case PassageData(kind=kind, tap=tap):
                words.append(f"{kind} {tap}" if tap else kind)
            case DeviceData(kind=kind, detail=detail):
                words.append(f"{kind} {detail}")
            case CoverageData(since=since, until=until):
                words.append(f"coverage {since:%H:%M} {until:%H:%M}")
            case ManualData(action=action, persons=persons):
                words.append(" ".join([action, *persons]))
    return words


def mode(word: str) -> DeviceNotice:
    return DeviceNotice(kind=DeviceState.MODE, detail=word)


IN = Rotation(direction=Direction.IN)


@pytest.mark.parametrize(
    ("notice", "passage"),
    [
        (mode("free"), PassageKind.FREE),
        (mode("locked"), PassageKind.FORCED),
        (DeviceNotice(kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALARM), PassageKind.FREE),
    ],
)
async def test_how_the_gate_stands_says_what_a_rotation_is(notice: DeviceNotice, passage: PassageKind) -> None:
    async with serving(build(passage_lasts=SECONDS)) as door:
        door.gate.feed(notice, IN, mode("single"), DeviceNotice(kind=DeviceState.FIRE_ALARM, detail="all-clear"), IN)
        await door.settled()
        assert passages(door) == [(passage, None), (PassageKind.FORCED, None)]
        assert told(door)[0] == f"{notice.kind} {notice.detail}"


async def test_a_gate_that_stands_as_usual_has_nothing_to_tell_of_a_new_day() -> None:
    async with serving(build()) as door:
        await door.lane.tell_stand()
        assert told(door) == []
        door.gate.feed(mode("free"), DeviceNotice(kind=DeviceState.BLOCKED, detail=Obstruction.BLOCKED))
        await door.settled()
        await door.lane.tell_stand()
        assert told(door) == ["mode free", "blocked blocked"] * 2
        assert door.lane.state["stand"] == ["mode free", "blocked blocked"]


async def test_a_gate_that_was_lost_yesterday_is_lost_today_too() -> None:
    """Its reader goes on, so coverage goes on: without this word whoever walks through it without a card would be absent."""
    async with serving(build()) as door:
        await door.lane.tell(DeviceState.DOWN, "gate turnstile: gone")
        await door.lane.tell_stand()
        await door.lane.tell(DeviceState.UP, "reader bus")
        await door.lane.tell_stand()
        await door.lane.tell(DeviceState.UP, "gate turnstile")
        await door.lane.tell_stand()
        away = "down gate turnstile: gone"
        assert told(door) == [away, away, "up reader bus", away, "up gate turnstile"]


async def test_permits_that_ran_out_are_told_before_coverage_says_that_all_is_told() -> None:
    async with serving(build(passage_lasts=SECONDS)) as door:
        await door.after(CardRead(credential=CARD))
        door.clock.move(60)
        await door.lane.cover()
        assert told(door) == ["tap", "not_used 1", "coverage 08:00 08:01"]


async def test_what_a_gate_told_while_the_disk_failed_is_recorded_before_any_coverage() -> None:
    async with serving(build(passage_lasts=SECONDS)) as door:
        await door.after(CardRead(credential=CARD))
        door.ledger.broken = True
        door.gate.feed(IN, mode("free"))
        await door.settled()
        door.clock.move(60)
        await door.lane.cover()
        assert told(door) == ["tap"]
        door.ledger.broken = False
        door.clock.move(60)
        await door.lane.cover()
        assert told(door) == ["tap", "confirmed 1", "mode free", "coverage 08:00 08:02"]
        assert [entry.at.at for entry in door.ledger.entries[1:3]] == [at("08:00"), at("08:00")]


async def test_a_disk_that_failed_for_too_long_begins_anew() -> None:
    async with serving(build(passage_lasts=SECONDS)) as door:
        door.ledger.broken = True
        door.gate.feed(mode("free"), *[IN] * 300)
        while len(door.reported) < 301:
            await door.settled()
        door.ledger.broken = False
        door.clock.move(60)
        await door.lane.cover()
        assert told(door) == [*["free"] * 256, "mode free"]
        door.clock.move(60)
        await door.lane.cover()
        assert told(door)[-1] == "coverage 08:01 08:02"


async def test_a_guard_lets_in_whom_he_names() -> None:
    async with serving(build(passage_lasts=SECONDS)) as door:
        await door.lane.admit_by_hand(
            "guard-1", [PersonId(f"p-{n}") for n in range(30)], "the cards are in the cloakroom"
        )
        first, second = (entry.data for entry in door.ledger.entries)
        assert isinstance(first, ManualData)
        assert isinstance(second, ManualData)
        assert [*first.persons, *second.persons] == [f"p-{n}" for n in range(30)]
        assert (first.action, first.operator, first.lane) == (ManualAction.ENTER, "guard-1", LANE)
        assert door.gate.shown == [(Verdict(admit=True, reason=Reason.KNOWN), 2)]


async def test_a_guard_opens_for_somebody_without_a_name_and_the_passage_is_free() -> None:
    async with serving(build(passage_lasts=SECONDS)) as door:
        await door.lane.admit_by_hand("guard-1", [], "a courier")
        door.gate.feed(IN, IN)
        await door.settled()
        assert told(door) == ["open", "free", "tailgating"]


@pytest.mark.parametrize(
    ("names", "passage"), [([], PassageKind.FREE), ([PersonId("p-1")], PassageKind.WRONG_DIRECTION)]
)
async def test_whoever_is_named_comes_in_and_who_is_not_may_go_out(names: list[PersonId], passage: PassageKind) -> None:
    async with serving(build(LaneDirection.BOTH, passage_lasts=SECONDS)) as door:
        await door.lane.admit_by_hand("guard-1", names, "no card")
        door.gate.feed(Rotation(direction=Direction.OUT))
        await door.settled()
        assert passages(door) == [(passage, None)]


async def test_a_guard_opens_also_when_it_cannot_be_recorded() -> None:
    async with serving(build(admits_unrecorded=False)) as door:
        door.clock.move(60)
        door.ledger.broken = True
        await door.lane.admit_by_hand("guard-1", [], "a courier")
        assert door.gate.shown == [(Verdict(admit=True, reason=Reason.NOT_RECORDED), 0)]
        door.ledger.broken = False
        door.clock.move(60)
        await door.lane.cover()
        assert told(door) == ["coverage 08:01 08:02"]
