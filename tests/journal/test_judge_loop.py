"""The judge loop on a real database: what is dirty or due is judged once."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from journal import tables
from journal.judge import JudgeLoop
from journal.ledger import record
from journal.notify.tables import notices
from journal.store import EVERYBODY, Day, mark_dirty
from tests.journal.judging import Judge, pending, told
from tests.journal.school import SITE, TODAY, FakeClock, School, at, lesson, school


async def test_a_morning(place: School) -> None:
    judge = Judge(place)
    place.north.tap(1, "08:20")
    await place.deliver()
    await judge.at("08:20:01")
    assert await place.marks() == {}
    assert await place.rows(tables.dirty, "person") == []

    await judge.at("08:30")
    assert await place.marks() == {"p1": "present"}

    place.south.tap(2, "08:36")
    await place.deliver()
    await judge.at("08:36:01")
    assert await place.marks() == {"p1": "present", "p2": "late 6"}
    assert await place.notices() == [], "the doors were not heard of up to then"
    await place.heard("07:00", "08:37")
    await judge.at("08:37")
    assert await place.notices() == ["p2 late pending"]

    await judge.at("08:45")
    assert len(await place.notices()) == 1, "the doors were not heard of up to the cut-off"
    await place.heard("08:37", "08:45")
    await judge.at("08:45:02")
    assert await place.notices() == ["p2 late pending", "p3 not_seen pending"]

    await place.heard("08:45", "09:15")
    await judge.at("09:15:02")
    assert await place.marks() == {"p1": "present", "p2": "late 6", "p3": "absent"}


async def test_a_mark_gets_a_revision_only_where_it_says_something_new(place: School) -> None:
    judge = Judge(place)
    place.north.tap(1, "08:36")
    await place.deliver()
    await judge.at("08:36:05")
    for local in ("08:36:10", "08:36:20", "08:36:30"):
        place.north.tap(1, local)
        await place.deliver()
        await judge.at(local)
    await place.heard("07:00", "08:37")
    await judge.at("08:37")
    columns = ("revision", "status", "minutes_late", "complete", "final", "source")
    assert await place.rows(tables.marks, *columns) == [
        (1, "late", 6, 0, 0, "gate"),
        (2, "late", 6, 1, 0, "gate"),
    ]


async def test_silence_of_a_door_is_not_absence(place: School) -> None:
    judge = Judge(place)
    place.north.tap(1, "08:36")
    place.north.covers("07:00", "09:16")
    await place.deliver()
    await judge.at("08:50")
    await judge.at("09:17")
    assert await place.marks() == {"p1": "late 6", "p2": "unknown", "p3": "unknown"}
    assert await place.notices() == []
    place.south.covers("07:00", "09:16")
    await place.deliver()
    await judge.at("09:30")
    assert await place.marks() == {"p1": "late 6", "p2": "absent", "p3": "absent"}
    assert await place.notices() == [], "the lesson is over"


async def test_an_entry_beyond_a_hole_proves_no_silence(place: School) -> None:
    place.north.covers("07:00", "08:50")
    hole = place.south.tap(2, "08:25")
    last = place.south.covers("07:00", "08:50")
    async with place.store.begin() as connection:
        await record(connection, place.south.received(1, hole - 1), received=0)
        await record(connection, place.south.received(last, last), received=0)
    await place.deliver(place.north)
    await Judge(place).at("08:50")
    assert await place.notices() == []
    async with place.store.begin() as connection:
        await record(connection, place.south.received(hole, hole), received=0)
    await Judge(place).at("08:51")
    assert await place.notices() == ["p1 not_seen pending", "p3 not_seen pending"]


@pytest.mark.parametrize("state", ["sending", "sent", "uncertain"])
async def test_who_came_in_after_not_seen_gets_an_update(place: School, state: str) -> None:
    judge = Judge(place)
    await place.heard("07:00", "08:45")
    await judge.at("08:45")
    await told(place, "not_seen", state)
    place.north.tap(3, "08:52")
    await place.deliver()
    await judge.at("08:52:01")
    assert await pending(place) == ["p3 update pending"]


async def test_a_backlog_takes_back_what_nobody_heard_and_corrects_what_somebody_did(place: School) -> None:
    judge = Judge(place)
    await place.heard("07:00", "08:45")
    await judge.at("08:45")
    async with place.store.begin() as connection:
        heard = notices.c.person == "p1"
        await connection.execute(update(notices).where(heard).values(state="sent"))
    for person in (1, 2):  # a card that was the brother's, mended by the office: the taps are older than the message
        place.north.tap(person, "08:25")
    await place.deliver()
    await judge.at("08:50")
    assert sorted(await place.notices()) == [
        "p1 correction pending",
        "p1 not_seen sent",
        "p2 not_seen withdrawn",
        "p3 not_seen pending",
    ]
    assert (await place.marks())["p1"] == "present"


async def test_a_message_that_was_taken_back_may_come_again(place: School) -> None:
    await place.heard("07:00", "08:45")
    await Judge(place).at("08:45")
    place.north.tap(3, "08:25")
    await place.deliver()
    await Judge(place).at("08:46")
    assert "p3 not_seen withdrawn" in await place.notices()
    async with place.store.begin() as connection:
        await connection.execute(update(tables.cards).where(tables.cards.c.person == "p3").values(token="another"))
        await mark_dirty(connection, [Day(SITE, TODAY.isoformat(), "p3")])
    await Judge(place).at("08:47")
    assert "p3 not_seen pending" in await place.notices()


async def test_a_refused_message_is_judged_again_before_it_goes(place: School) -> None:
    judge = Judge(place)
    await place.heard("07:00", "08:45")
    await judge.at("08:45")
    await told(place, "not_seen", "sending")
    place.north.tap(3, "08:52")
    await place.heard("08:45", "08:53")
    await judge.at("08:53")
    assert await pending(place) == ["p3 update pending"]
    await told(place, "not_seen", "pending")
    async with place.store.begin() as connection:
        await mark_dirty(connection, [Day(SITE, TODAY.isoformat(), "p3")])
    await judge.at("08:53:10")
    assert [line for line in await place.notices() if "p3" in line] == [
        "p3 not_seen withdrawn",
        "p3 update withdrawn",
        "p3 late pending",
    ]


async def test_grades_1_to_4_are_missed_earlier(tmp_path: Path) -> None:
    async with school(tmp_path, pupils=1, grade=3) as place:
        await place.heard("07:00", "08:45")
        judge = Judge(place)
        await judge.at("08:39:59")
        assert await place.notices() == []
        await judge.at("08:40")
        assert await place.notices() == ["p1 not_seen pending"]


async def test_the_office_sets_the_numbers(tmp_path: Path) -> None:
    policy = '{"late_notice_minutes": 10, "not_seen_after": 1200, "grace": 60}'
    async with school(tmp_path, pupils=2, policy=policy) as place:
        place.north.tap(1, "08:36")
        await place.heard("07:00", "08:50")
        judge = Judge(place)
        await judge.at("08:49")
        assert await place.notices() == []
        await judge.at("08:50")
        assert await place.notices() == ["p2 not_seen pending"]


async def test_a_silence_that_only_grows_shorter_is_no_new_revision(place: School) -> None:
    judge = Judge(place)
    place.north.tap(1, "08:36")
    place.north.covers("07:00", "09:16")
    await place.deliver()
    await judge.at("09:18")
    for until in ("07:50", "08:00", "08:10"):
        place.south.covers("07:00", until)
        await place.deliver()
        await judge.at("09:19")
    found = await place.rows(tables.marks, "person", "revision", "status")
    assert [row for row in found if row[1] > 1] == []
    assert ("p2", 1, "unknown") in found


async def test_a_site_without_lanes_says_nothing(place: School) -> None:
    async with place.store.begin() as connection:
        await connection.execute(tables.lanes.delete())
    judge = Judge(place)
    await judge.at("08:50")
    await judge.at("09:20")
    assert set((await place.marks()).values()) == {"unknown"}
    assert await place.notices() == []


async def test_what_became_due_while_the_journal_was_down_is_judged(place: School) -> None:
    await place.heard("07:00", "12:00")
    await Judge(place).at("08:46")
    await Judge(place).at("12:00")
    assert set((await place.marks()).values()) == {"absent"}
    assert len(await place.rows(tables.marks, "slot")) == 6

    friday_evening = Judge(place)
    friday_evening.clock.moment = at("12:00") + timedelta(days=1, hours=6)
    tomorrow = lesson(1, "08:30", "09:15", group="5b") | {"date": "2026-09-02"}
    tomorrow |= {key: tomorrow[key] + 86_400_000 for key in ("start", "end")}
    await place.add(tables.slots, tomorrow)
    await place.add(tables.memberships, {"person": "p1", "group": "5b"})
    await friday_evening.loop.round()
    assert (await place.rows(tables.marks, "date", "status"))[2] == ("2026-09-02", "unknown")


async def test_the_loop_sleeps_until_something_is_due(place: School) -> None:
    judge = Judge(place)
    assert await judge.at("08:44:58") == timedelta(seconds=2)
    assert await judge.at("08:46") == timedelta(seconds=5)


class Standing(FakeClock):
    """Time stands still: only a fact can wake somebody."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


async def test_a_fact_wakes_the_loop(place: School) -> None:
    loop = asyncio.create_task(JudgeLoop(place.store, Standing(at("08:40"))).run())
    try:
        for person in (1, 2):
            place.north.tap(person, "08:36")
            await place.deliver()
            place.store.dirtied.set()
            while f"p{person}" not in await place.marks():
                assert not loop.done()
                await asyncio.sleep(0)
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop


async def test_everybody_is_one_request(place: School) -> None:
    async with place.store.begin() as connection:
        day = TODAY.isoformat()
        await mark_dirty(connection, [Day(SITE, day, EVERYBODY), Day(SITE, day, "p1"), Day(SITE, "2026-08-30", "p1")])
    await Judge(place).at("08:31")
    assert await place.rows(tables.dirty, "person") == []
