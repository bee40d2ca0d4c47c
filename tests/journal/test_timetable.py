"""Lessons changed by hand, before, during and afterwards: told with their effect, and only what they touch judged again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from journal import tables
from journal.staff_tables import changes
from tests.journal.counter import Counter, counter
from tests.journal.judging import told
from tests.journal.school import SITE


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as made:
        yield made


async def lessons(desk: Counter) -> dict[str, str]:
    rows = await desk.place.rows(tables.slots, "slot", "mode")
    return {slot.rpartition("-")[2]: mode for slot, mode in rows}


async def test_the_first_lesson_is_cancelled_before_it_begins(desk: Counter) -> None:
    await desk.types(
        "timetable", "change", "cancelled", "--class", "5a", "--lesson", "1", "--by", "Петрова", when="07:50"
    )
    assert await lessons(desk) == {"2": "gate"}
    desk.place.north.tap(1, "09:20")
    await desk.place.heard("07:00", "12:00")
    await desk.judge.at("08:46")
    assert await desk.place.notices() == []
    await desk.judge.at("12:00")
    assert await desk.marks() == {}
    assert await desk.marks(2) == {"p1": "present", "p2": "absent", "p3": "absent"}


async def test_the_first_lesson_is_cancelled_afterwards_with_messages_already_sent(desk: Counter) -> None:
    desk.place.north.tap(1, "08:40")
    await desk.place.heard("07:00", "09:20")
    await desk.judge.at("08:46")
    await told(desk.place, "not_seen")
    await told(desk.place, "late")
    await desk.judge.at("09:20")
    assert await desk.marks() == {"p1": "late 10", "p2": "absent", "p3": "absent"}
    cancel = ("timetable", "change", "cancelled", "--class", "5a", "--lesson", "1", "--by", "Петрова")
    said = await desk.types(*cancel, "--dry-run", "--language", "en", when="09:20")
    assert said.startswith("3 marks change, 3 messages were already sent. A dry run: nothing was written.")
    assert await lessons(desk) == {"1": "gate", "2": "gate"}
    assert await desk.place.rows(changes, "id") == []
    await desk.types(*cancel, when="09:20")
    await desk.judge.at("09:21")
    assert set((await desk.marks()).values()) == {"pending"}, "nobody may read an absence of a lesson that was not held"
    revisions = len(await desk.place.rows(tables.marks, "slot"))
    await desk.judge.at("09:22")
    assert len(await desk.place.rows(tables.marks, "slot")) == revisions


async def test_a_class_is_sent_home(desk: Counter) -> None:
    desk.place.north.tap(1, "08:20")
    await desk.place.heard("07:00", "12:00")
    await desk.types(
        "timetable", "change", "cancelled", "--class", "5a", "--lesson", "2", "--by", "Петрова", when="09:16"
    )
    await desk.judge.at("12:00")
    assert await desk.marks() == {"p1": "present", "p2": "absent", "p3": "absent"}
    assert await desk.marks(2) == {}


async def test_a_remote_day_is_nobodys_absence_and_can_be_taken_back(desk: Counter) -> None:
    await desk.types("timetable", "change", "remote", "--class", "5a", "--by", "Петрова", "--note", "мороз")
    assert await lessons(desk) == {"1": "none", "2": "none"}
    await desk.place.heard("07:00", "12:00")
    await desk.judge.at("12:00")
    assert await desk.marks() == {}
    assert "1  2026-09-01  5a  все уроки  mode none" in await desk.types("timetable", "list")
    said = await desk.types("timetable", "withdraw", "1", "--by", "Орлова")
    assert "Изменилось 6 отметок" in said
    await desk.judge.at("12:01")
    assert set((await desk.marks()).values()) == {"absent"}
    assert await desk.types("timetable", "list") == "изменений нет\n"


async def test_a_lesson_moves(desk: Counter) -> None:
    said = await desk.json(
        "timetable", "change", "moved", "--class", "5a", "--lesson", "1", "--to-lesson", "3", "--by", "Петрова"
    )
    assert said["warnings"] == []
    assert await lessons(desk) == {"2": "gate", "3": "gate"}


async def test_only_what_it_touches_is_judged_again(desk: Counter) -> None:
    place = desk.place
    await place.add(tables.groups, {"group": "5b", "title": "5Б", "grade": 5})
    await place.add(tables.people, {"person": "q1", "class_group": "5b", "last_name": "А", "first_name": "Б"})
    await place.add(tables.memberships, {"person": "q1", "group": "5b"})
    await desk.types("timetable", "change", "cancelled", "--class", "5a", "--lesson", "1", "--by", "Петрова")
    assert {person for (person,) in await place.rows(tables.dirty, "person")} == {"p1", "p2", "p3"}


async def test_doors_hear_of_a_change(desk: Counter) -> None:
    before = await desk.place.rows(tables.sites, "revision")
    await desk.types("timetable", "change", "cancelled", "--class", "5a", "--lesson", "1", "--by", "Петрова")
    assert await desk.place.rows(tables.sites, "revision") != before


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("change", "cancelled", "--class", "5b"), "write it as imported"),
        (("change", "merged", "--class", "5a"), "--with 5Б"),
        (("withdraw", "9"), "timetable list"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_mistakes_have_a_hint(desk: Counter, words: tuple[str, ...], hint: str) -> None:
    said = await desk.types("timetable", *words, "--by", "Петрова", code=1)
    assert said.startswith("error: ")
    assert hint in said


async def test_a_site_without_an_import_has_no_timetable(desk: Counter) -> None:
    async with desk.place.store.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM timetables")
    said = await desk.types("timetable", "change", "cancelled", "--by", "Петрова", code=1)
    assert f"directory import {SITE}" in said
