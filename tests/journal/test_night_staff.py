"""Who of the staff is inside over midnight: a guard of the night is counted, who went home is not."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import update

from gateway.domain.entry import DeviceData, DeviceState, FireAlarm, ManualAction, ManualData
from gateway.domain.model import Direction, PersonId, Reason, Verdict
from gateway.domain.policy import Policy
from journal import tables
from journal.reports.muster import mustered
from journal.rules import Numbers, rules_of, set_numbers
from tests.journal.school import LANE, SITE, TODAY, School, at

IN, OUT, UNTOLD = Direction.IN, Direction.OUT, Direction.UNKNOWN
YESTERDAY = timedelta(days=-1)


@pytest.fixture
async def place(place: School) -> School:
    """p1 and p2 are staff, p3 is a pupil; the doors tell who comes and who goes."""
    p, m = tables.people, tables.memberships
    async with place.store.begin() as connection:
        await connection.execute(update(p).where(p.c.person != "p3").values(role="staff", class_group=None))
        await connection.execute(update(m).where(m.c.person != "p3").values(group="watch"))
        await connection.execute(update(tables.lanes).values(direction="both"))
    return place


def yesterday(place: School, person: int, local: str, way: Direction) -> None:
    place.north.tap(person, local, way=way, wrong=YESTERDAY)


async def inside(place: School, local: str) -> Mapping[str, str]:
    await place.deliver()
    async with place.store.read() as connection:
        found = await mustered(connection, SITE, (await rules_of(connection))[SITE], at(local))
    return {head.person: head.where.value for head in found.heads if head.where.value != "outside"}


async def test_a_guard_of_the_night_is_inside(place: School) -> None:
    for person in (1, 3):
        yesterday(place, person, "19:00", IN)
    yesterday(place, 2, "08:00", IN)
    yesterday(place, 2, "17:00", OUT)
    refused = Verdict(admit=False, reason=Reason.BLOCKED)
    place.north.tap(2, "17:05", verdict=refused, wrong=YESTERDAY)
    assert await inside(place, "03:00") == {"p1": "inside"}, "no pupil stays, and the teacher went home"
    place.north.tap(1, "06:55", way=OUT)
    assert await inside(place, "06:54") == {"p1": "inside"}
    assert await inside(place, "06:56") == {}


async def test_an_exit_that_nobody_saw_is_forgotten_after_a_day(place: School) -> None:
    yesterday(place, 1, "08:00", IN)
    assert await inside(place, "06:50") == {"p1": "inside"}
    place.north.covers("07:00", "09:00")
    place.south.covers("07:00", "09:00")
    assert await inside(place, "08:01") == {}


async def test_where_in_and_out_come_in_turn_the_turn_of_the_evening_counts(place: School) -> None:
    async with place.store.begin() as connection:
        await connection.execute(update(tables.lanes).values(direction="alternating"))
    yesterday(place, 1, "07:30", UNTOLD)
    assert await inside(place, "06:00") == {"p1": "inside"}
    place.north.tap(1, "08:00", way=UNTOLD)
    place.north.covers("07:00", "09:00")
    place.south.covers("07:00", "09:00")
    assert await inside(place, "09:00") == {}


@pytest.mark.parametrize(("rules", "found"), [("[]", {}), ('["watch"]', {"p1": "inside_no_exit"})])
async def test_where_no_exits_are_told_a_group_says_who_stays(
    place: School, rules: str, found: Mapping[str, str]
) -> None:
    async with place.store.begin() as connection:
        await connection.execute(update(tables.lanes).values(direction="arrival_only"))
        some = f'[{{"groups": {rules}, "numbers": {{"overnight": true}}}}]' if rules != "[]" else "[]"
        await connection.execute(update(tables.sites).values(overrides=some))
    yesterday(place, 1, "19:00", IN)
    assert await inside(place, "03:00") == found
    async with place.store.begin() as connection:  # what is said of today says nothing of the evening
        await connection.execute(update(tables.sites).values(revision=1))
        await set_numbers(connection, SITE, Numbers(Policy()), TODAY.isoformat())
    assert await inside(place, "03:00") == found


async def test_who_was_let_in_by_hand_stays_as_well(place: School) -> None:
    by_hand = ManualData(
        lane=LANE, operator="guard", action=ManualAction.ENTER, persons=(PersonId("p1"),), reason="card forgotten"
    )
    place.south.append(at("21:00") + YESTERDAY, by_hand)
    assert await inside(place, "03:00") == {"p1": "inside"}


async def test_who_went_out_in_a_drill_of_the_evening_is_inside(place: School) -> None:
    yesterday(place, 1, "19:00", IN)
    place.north.append(
        at("20:00") + YESTERDAY, DeviceData(lane=LANE, kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALARM)
    )
    yesterday(place, 1, "20:03", OUT)
    clear = DeviceData(lane=LANE, kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALL_CLEAR)
    place.north.append(at("20:15") + YESTERDAY, clear)
    assert await inside(place, "03:00") == {"p1": "inside"}
    yesterday(place, 1, "21:00", OUT)
    assert await inside(place, "03:00") == {}


async def test_who_came_by_a_door_without_exits_beside_one_with_them_is_nobody_knows_where(place: School) -> None:
    async with place.store.begin() as connection:
        await connection.execute(
            update(tables.lanes).where(tables.lanes.c.gateway == "north").values(direction="arrival_only")
        )
    yesterday(place, 1, "19:00", IN)
    yesterday(place, 2, "08:00", IN)
    place.south.tap(2, "17:00", way=OUT, wrong=YESTERDAY)
    assert await inside(place, "03:00") == {"p1": "unknown"}
    place.south.tap(1, "06:55", way=OUT)
    place.north.covers("07:00", "09:00")
    place.south.covers("07:00", "09:00")
    assert await inside(place, "06:54") == {"p1": "unknown"}
    assert await inside(place, "09:00") == {}


async def test_nobody_knows_where_for_a_day_at_most(place: School) -> None:
    async with place.store.begin() as connection:
        await connection.execute(
            update(tables.lanes).where(tables.lanes.c.gateway == "north").values(direction="arrival_only")
        )
    yesterday(place, 1, "08:00", IN)
    assert await inside(place, "06:50") == {"p1": "unknown"}
    place.north.covers("07:00", "09:00")
    place.south.covers("07:00", "09:00")
    assert await inside(place, "08:01") == {}
