"""Tasks of class teachers, on a real database: asked, answered by doors or people, and asked again."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.model import Source, Status
from journal.notify.tables import notices, tasks
from journal.statements import Author, Kind, Saying, say
from journal.store import EVERYBODY, Day, mark_dirty
from tests.journal.clerk import Clerk, clerk
from tests.journal.school import SITE, TODAY, ZONE, at

DATE = TODAY.isoformat()


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clerk]:
    async with clerk(tmp_path, monkeypatch, pupils=3) as made:
        yield made


async def half_heard(desk: Clerk) -> None:
    """p3 came in; the southern door was not heard of since 07:52."""
    desk.place.north.tap(3, "08:20")
    desk.place.north.covers("07:00", "08:46")
    desk.place.south.covers("07:00", "07:52")
    await desk.place.deliver()
    await desk.judge.at("08:46")


async def listed(desk: Clerk, local: str = "08:50") -> Any:
    return json.loads(await desk.types(local, "notify", "tasks", "--date", DATE, "--json"))


async def closed(desk: Clerk) -> list[tuple[str, str | None]]:
    return [(row["person"], row["closed_by"]) for row in await listed(desk)]


async def test_a_silent_door_tells_parents_nothing_and_asks_the_teacher(desk: Clerk) -> None:
    await half_heard(desk)
    assert await desk.place.rows(notices, "id") == []
    assert await desk.types("08:47", "notify", "tasks") == (
        "5А, урок в 08:30: посмотрите, кто в классе (2 ученика): Фамилия1 Имя1, Фамилия2 Имя2. "
        "Двери не знают: вход south/main не слышен с 07:52.\n"
    )
    assert await desk.types("08:47", "notify", "tasks", "--language", "en") == (
        "5А, lesson at 08:30: please see who is there (2 pupils): Фамилия1 Имя1, Фамилия2 Имя2. "
        "The doors cannot tell: entrance south/main not heard from since 07:52.\n"
    )
    assert (await listed(desk))[0] == {
        "class": "5А",
        "person": "p1",
        "name": "Фамилия1 Имя1",
        "start": "2026-09-01T05:30:00.000+00:00",
        "doubts": ["silent south/main since 2026-09-01T04:52:00.000Z"],
        "closed": None,
        "closed_by": None,
    }
    assert await desk.types("08:47", "notify", "tasks", "--date", "2026-09-02") == "никого искать не надо\n"


async def test_the_door_answers_by_itself(desk: Clerk) -> None:
    await half_heard(desk)
    desk.place.south.tap(1, "08:25")
    desk.place.south.covers("07:52", "08:46")
    await desk.place.deliver()
    await desk.judge.at("08:50")
    assert await closed(desk) == [("p1", "gate"), ("p2", "gate")]
    assert await desk.place.notices() == ["p2 not_seen pending"]
    assert await desk.types("08:51", "notify", "tasks") == "никого искать не надо\n"


async def says(desk: Clerk, status: Status, local: str) -> None:
    author = Author(name="Петрова", source=Source.TEACHER, at=at(local))
    saying = Saying(person="p1", kind=Kind.MARK, at=at("08:30"), until=at("09:15"), status=status)
    async with desk.place.store.begin() as connection:
        await say(connection, SITE, ZONE, [saying], author)
    await desk.judge.at(local)


async def test_the_teacher_answers_and_the_answer_is_kept(desk: Clerk) -> None:
    await half_heard(desk)
    await says(desk, Status.PRESENT, "08:48")
    assert await closed(desk) == [("p1", "teacher"), ("p2", None)]
    before = (await listed(desk))[0]["closed"]
    await says(desk, Status.ABSENT, "08:49")
    assert (await listed(desk))[0]["closed"] == before
    assert await desk.place.notices() == ["p1 absent pending"], "a person confirmed it"


async def test_a_doubt_that_comes_back_asks_again(desk: Clerk) -> None:
    await half_heard(desk)
    desk.place.south.tap(1, "08:25")
    await desk.place.deliver()
    await desk.judge.at("08:48")
    assert await closed(desk) == [("p1", "gate"), ("p2", None)]
    async with desk.place.store.begin() as connection:
        await connection.exec_driver_sql("UPDATE cards SET token = 'another' WHERE person = 'p1'")
        await mark_dirty(connection, [Day(SITE, DATE, "p1")])
    await desk.judge.at("08:49")
    assert await closed(desk) == [("p1", None), ("p2", None)]


async def test_a_day_that_is_over_asks_nobody(desk: Clerk) -> None:
    desk.place.north.covers("07:00", "20:00")
    desk.place.south.covers("07:00", "07:52")
    await desk.place.deliver()
    desk.judge.clock.moment = at("08:50").replace(day=3)
    await desk.judge.loop.round()
    assert await desk.place.rows(tasks, "person") == []


async def test_a_cancelled_lesson_closes_its_tasks(desk: Clerk) -> None:
    await half_heard(desk)
    async with desk.place.store.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM slots")
        await mark_dirty(connection, [Day(SITE, DATE, EVERYBODY)])
    await desk.judge.at("08:50")
    assert await closed(desk) == [("p1", "gate"), ("p2", "gate")]
