"""The lamp that waits for a passage: until somebody went through, or did not within the time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from gateway.domain.answer import Answer
from gateway.domain.entry import PassageData, PassageKind
from gateway.domain.model import Direction, LaneDirection
from gateway.errors import DeviceLost
from gateway.ports import CardRead, Rotation
from tests.domain.build import CARD, OTHER, at
from tests.gateway.door import Door, build, serving
from tests.gateway.fakes import StillClock

IN, OUT = Rotation(direction=Direction.IN), Rotation(direction=Direction.OUT)


@asynccontextmanager
async def waiting(**options: object) -> AsyncIterator[Door]:
    options.setdefault("passage_lasts", timedelta(seconds=6))
    async with serving(build(LaneDirection.IN, clock=StillClock(), **options)) as door:
        ending = asyncio.create_task(door.lane.end_permits())
        yield door
        ending.cancel()
        with suppress(asyncio.CancelledError):
            await ending


async def turned(door: Door, *rotations: Rotation) -> None:
    door.gate.feed(*rotations)
    await door.settled()


def passages(door: Door) -> list[PassageKind]:
    return [e.data.kind for e in door.ledger.entries if isinstance(e.data, PassageData)]


async def test_the_lamp_waits_until_somebody_went_through() -> None:
    async with waiting() as door:
        await door.after(CardRead(credential=CARD))
        assert door.gate.answer is Answer.WAITING
        door.clock.move(3)
        await door.settled()
        assert door.gate.answer is Answer.WAITING
        await turned(door, IN)
        assert door.gate.answer is None
        assert passages(door) == [PassageKind.CONFIRMED]


async def test_the_lamp_and_the_permit_end_in_time_where_nobody_goes() -> None:
    async with waiting() as door:
        await door.after(CardRead(credential=CARD))
        door.clock.move(6)
        await door.settled()
        assert (door.gate.answer, passages(door)) == (Answer.WAITING, [])
        door.clock.move(0.001)
        await door.settled()
        assert (door.gate.answer, passages(door)) == (None, [PassageKind.NOT_USED])
        assert door.ledger.entries[-1].at.at == at("08:00:06") + timedelta(milliseconds=1)


async def test_every_permit_ends_in_its_own_time_and_the_lamp_with_the_last() -> None:
    async with waiting() as door:
        for _ in range(3):
            await door.lane.admit_by_hand("guard-1", [], "a class")
            door.clock.move(2)
            await door.settled()
        door.clock.move(1)  # 7 s after the first
        await door.settled()
        assert (door.gate.answer, passages(door)) == (Answer.WAITING, [PassageKind.NOT_USED])
        await turned(door, IN)
        assert door.gate.answer is Answer.WAITING
        door.clock.move(5)
        await door.settled()
        assert passages(door) == [PassageKind.NOT_USED, PassageKind.FREE, PassageKind.NOT_USED]
        assert door.gate.answer is None


@pytest.mark.parametrize("kind", [PassageKind.WRONG_DIRECTION, PassageKind.TAILGATING, PassageKind.FORCED])
async def test_what_nobody_was_permitted_is_recorded_and_ends_no_permit(kind: PassageKind) -> None:
    async with waiting() as door:
        if kind is not PassageKind.FORCED:
            await door.after(CardRead(credential=CARD))
        if kind is PassageKind.TAILGATING:
            await turned(door, IN)
        await turned(door, OUT if kind is PassageKind.WRONG_DIRECTION else IN)
        assert passages(door)[-1] is kind
        assert door.gate.answer is (Answer.WAITING if kind is PassageKind.WRONG_DIRECTION else None)


async def test_a_refusal_meanwhile_is_shown_and_not_ended_by_the_passage_before_it() -> None:
    async with waiting() as door:
        await door.after(CardRead(credential=CARD), CardRead(credential=OTHER))
        assert door.gate.answer is Answer.GUARD
        await turned(door, IN)
        assert door.gate.answer is Answer.GUARD
        assert passages(door) == [PassageKind.CONFIRMED]


async def test_a_lane_without_rotations_waits_for_nobody() -> None:
    async with waiting(passage_lasts=None) as door:
        await door.after(CardRead(credential=CARD))
        await turned(door, IN)
        door.clock.move(60)
        await door.settled()
        assert door.gate.answer is Answer.PASS
        assert passages(door) == []


async def test_a_gate_that_is_lost_meanwhile_stops_nothing() -> None:
    async with waiting() as door:
        await door.after(CardRead(credential=CARD))
        door.gate.gone = True
        await turned(door, IN)
        assert passages(door) == [PassageKind.CONFIRMED]
        with pytest.raises(DeviceLost):
            await door.gate.rest()


async def test_what_cannot_be_recorded_ends_the_lamp_all_the_same() -> None:
    async with waiting() as door:
        await door.after(CardRead(credential=CARD))
        door.ledger.broken = True
        door.clock.move(7)
        await door.settled()
        assert door.gate.answer is None
        door.ledger.broken = False
        door.clock.move(60)
        await door.lane.cover()
        assert passages(door) == [PassageKind.NOT_USED]
