"""Who sleeps at school is in the morning where the doors left them on a day before."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from gateway.domain.entry import ManualAction, ManualData
from gateway.domain.model import PersonId
from gateway.domain.muster import Whereabouts
from journal import tables
from journal.reports.muster import mustered
from journal.rules import rules_of
from tests.journal.judging import Judge, pending
from tests.journal.school import LANE, SITE, School, at

YESTERDAY, LONG_AGO = timedelta(days=-1), timedelta(days=-40)


@pytest.fixture
async def place(place: School) -> School:
    async with place.store.begin() as connection:
        await connection.execute(update(tables.sites).values(policy='{"overnight": true}'))
    return place


@pytest.mark.parametrize(("before", "mark"), [(YESTERDAY, "present"), (3 * YESTERDAY, "present"), (LONG_AGO, "absent")])
async def test_a_boarder_who_came_in_days_ago_is_present(place: School, before: timedelta, mark: str) -> None:
    place.north.tap(1, "19:00", wrong=before)
    await place.heard("07:00", "09:16")
    judge = Judge(place)
    await judge.at("08:50")
    assert ("p1 not_seen pending" in await pending(place)) is (mark == "absent")
    await judge.at("09:17")
    marks = await place.marks()
    assert (marks["p1"], marks["p2"]) == (mark, "absent")


async def test_what_is_heard_late_of_yesterday_mends_today(place: School) -> None:
    await place.heard("07:00", "09:16")
    judge = Judge(place)
    await judge.at("09:17")
    assert (await place.marks())["p1"] == "absent"
    place.south.tap(1, "19:00", wrong=YESTERDAY)
    await place.deliver()
    await judge.at("10:00")
    await judge.at("10:01")
    assert (await place.marks())["p1"] == "present"


@pytest.mark.parametrize("moment", ["03:00", "08:00"])
async def test_a_boarder_who_sleeps_is_counted_in_a_fire(place: School, moment: str) -> None:
    place.north.tap(1, "19:00", wrong=YESTERDAY)
    await place.heard("07:00", "08:00")
    async with place.store.read() as connection:
        found = await mustered(connection, SITE, (await rules_of(connection))[SITE], at(moment))
    assert [head.person for head in found.of(Whereabouts.INSIDE_NO_EXIT)] == ["p1"]


async def test_who_sleeps_at_home_beside_boarders_is_not_there_because_of_yesterday(place: School) -> None:
    async with place.store.begin() as connection:
        some = '[{"groups": ["dorm"], "numbers": {"overnight": true}}]'
        await connection.execute(update(tables.sites).values(policy="{}", overrides=some))
    await place.add(tables.memberships, {"person": "p1", "group": "dorm"})
    by_hand = ManualData(
        lane=LANE,
        operator="guard",
        action=ManualAction.ENTER,
        persons=(PersonId("p1"), PersonId("p2")),
        reason="cards forgotten",
    )
    place.north.append(at("19:00") + YESTERDAY, by_hand)
    await place.heard("07:00", "09:16")
    await Judge(place).at("09:17")
    assert await place.marks() == {"p1": "present", "p2": "absent", "p3": "absent"}


async def test_a_pupil_who_sleeps_at_home_is_not_there_because_of_yesterday(place: School) -> None:
    async with place.store.begin() as connection:
        await connection.execute(update(tables.sites).values(policy="{}"))
    place.north.tap(1, "19:00", wrong=YESTERDAY)
    await place.heard("07:00", "09:16")
    await Judge(place).at("09:17")
    assert (await place.marks())["p1"] == "absent"
