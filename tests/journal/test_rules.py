"""The numbers of a site keep their past: an old day that is judged again is judged by those that it had."""

import datetime as dt
import random
import re
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from gateway.domain.policy import Policy
from journal import tables
from journal.rules import Numbers, rules_of, set_numbers, written
from journal.store import Day, Store, mark_dirty
from tests.journal.bureau import Office, Shelf
from tests.journal.judging import Judge
from tests.journal.school import SITE, TODAY, School, at

STRICT, LENIENT = Policy(), Policy(grace=timedelta(minutes=10))


async def set_from(store: Store, day: str, policy: Policy) -> None:
    async with store.begin() as connection:
        await connection.execute(update(tables.sites).values(revision=1))
        await set_numbers(connection, SITE, Numbers(policy), day)


async def grace(office: Office, day: dt.date) -> int:
    async with office.store.read() as connection:
        return (await rules_of(connection))[SITE].on(day.isoformat()).policy.grace // timedelta(minutes=1)


async def test_an_old_day_that_is_judged_again_has_its_own_numbers(place: School) -> None:
    place.north.tap(1, "08:36")
    await place.heard("07:00", "12:00")
    judge = Judge(place)
    await judge.at("09:20")
    before = await place.marks()
    assert before["p1"] == "late 6"
    tomorrow = TODAY + timedelta(days=1)
    await set_from(place.store, tomorrow.isoformat(), LENIENT)
    async with place.store.begin() as connection:
        await mark_dirty(connection, [Day(SITE, TODAY.isoformat())])
    judge.clock.moment = at("12:00") + timedelta(days=31)
    await judge.loop.round()
    assert await place.marks() == before
    await set_from(place.store, TODAY.isoformat(), replace(LENIENT, grace=timedelta(minutes=11)))
    async with place.store.begin() as connection:
        await mark_dirty(connection, [Day(SITE, TODAY.isoformat())])
    await judge.loop.round()
    assert (await place.marks())["p1"] == "present"


async def test_numbers_hold_from_the_day_of_the_import_on(office: Office) -> None:
    first = office.clock.at.date()
    await office.imports(policy=STRICT)
    office.clock.at += timedelta(days=30)
    changed = office.clock.at.date()
    assert {day.date for day in await office.imports(policy=LENIENT)} == {changed.isoformat()}
    days = [first, changed - timedelta(days=1), changed, changed + timedelta(days=1)]
    assert [await grace(office, day) for day in days] == [0, 0, 10, 10]
    office.clock.at += timedelta(days=1)
    assert await office.imports(policy=LENIENT, since=first) == set(), "lessons of old days, and the numbers of today"
    assert [await grace(office, day) for day in days] == [0, 0, 10, 10]
    again = await office.imports(policy=STRICT, since=changed)
    assert {day.date for day in again} == {changed.isoformat(), (changed + timedelta(days=1)).isoformat()}
    assert [await grace(office, day) for day in days] == [0, 0, 0, 0]


async def test_numbers_of_a_day_to_come_hold_from_then_on(office: Office) -> None:
    await office.imports(policy=STRICT)
    assert await office.imports(policy=LENIENT, since=dt.date(2026, 9, 7)) == set()
    shelf = Shelf()
    for expected in (0, 10):
        await office.publishes(shelf)
        assert shelf.read()[1].policy.grace // timedelta(minutes=1) == expected
        office.clock.at += timedelta(days=6)
    office.clock.at -= timedelta(days=11)
    await office.imports(policy=STRICT)
    assert await grace(office, dt.date(2026, 9, 8)) == 0, "it was taken back before it began"


async def test_each_day_has_what_was_said_of_it_last(store: Store) -> None:
    chance, held = random.Random(1), dict.fromkeys(range(1, 10), timedelta(0))
    for number in range(1, 41):
        since, grace = chance.randint(1, 9), timedelta(minutes=number)
        await set_from(store, f"2026-09-0{since}", Policy(grace=grace))
        held |= dict.fromkeys(range(since, 10), grace)
        async with store.read() as connection:
            mine = (await rules_of(connection, SITE))[SITE]
        # The first one knows of the day before it, too, whatever was said since.
        assert {day: mine.on(f"2026-09-0{day}").policy.grace for day in held} == held
        assert mine.on("2026-08-31").policy.grace == timedelta(0)


async def test_who_says_nothing_of_numbers_brings_none_forward(office: Office) -> None:
    await office.imports(policy=STRICT)
    await office.imports(policy=LENIENT, since=dt.date(2026, 9, 7))
    async with office.store.begin() as connection:  # as a version of before wrote them, without a number that is new
        shorter = re.sub('"patience":"[^"]*",', "", before := written(Numbers(LENIENT))["policy"])
        assert shorter != before
        await connection.execute(update(tables.sites).values(policy=shorter, zone="Asia/Omsk"))
    await office.imports(policy=LENIENT)
    assert [await grace(office, dt.date(2026, 9, day)) for day in (6, 7)] == [0, 10]


async def test_what_stood_there_before_the_first_import_is_no_past(office: Office) -> None:
    async with office.store.begin() as connection:
        assert (await connection.execute(update(tables.sites).values(revision=0))).rowcount == 1
    await office.imports(policy=LENIENT)
    assert await grace(office, dt.date(2026, 8, 31)) == 10


async def test_what_falls_due_and_what_is_held_goes_by_the_numbers_of_the_day(place: School) -> None:
    later = replace(LENIENT, not_seen_after=timedelta(minutes=20), brake_pupils=1, brake_percent=1)
    await set_from(place.store, TODAY.isoformat(), later)
    await set_from(place.store, (TODAY + timedelta(days=1)).isoformat(), STRICT)
    await place.heard("07:00", "08:51")
    judge = Judge(place)
    await judge.at("08:49:59")
    assert await place.notices() == []
    await judge.at("08:50")
    assert await place.notices() == [f"p{number} not_seen held" for number in (1, 2, 3)]
