"""What a rotation of the gate becomes."""

from datetime import timedelta

from gateway.domain.entry import PassageData, PassageKind
from gateway.domain.model import Direction
from gateway.ports import CardRead, Rotation
from tests.domain.build import CARD, OTHER
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
