"""Who sleeps at school is in the morning where the doors left them on a day before."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from journal import tables
from tests.journal.judging import Judge, pending
from tests.journal.school import School, school

YESTERDAY, LONG_AGO = timedelta(days=-1), timedelta(days=-40)


@pytest.fixture
async def place(database: str) -> AsyncIterator[School]:
    async with school(database) as made:
        async with made.store.begin() as connection:
            await connection.execute(update(tables.sites).values(policy='{"overnight": true}'))
        yield made


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


async def test_a_pupil_who_sleeps_at_home_is_not_there_because_of_yesterday(place: School) -> None:
    async with place.store.begin() as connection:
        await connection.execute(update(tables.sites).values(policy="{}"))
    place.north.tap(1, "19:00", wrong=YESTERDAY)
    await place.heard("07:00", "09:16")
    await Judge(place).at("09:17")
    assert (await place.marks())["p1"] == "absent"
