"""One person's day and everybody's whereabouts, as people read them in both languages and as machines do."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.domain.entry import DeviceData, DeviceState, FireAlarm
from gateway.domain.model import Direction
from journal import tables
from journal.notify.tables import notices
from journal.store import Day, mark_dirty, milliseconds
from tests.journal.counter import Counter, counter
from tests.journal.school import LANE, SITE, at

DAY = "2026-09-01"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Counter]:
    """p1 came late and was told of, p2 was let go by the nurse, p3 was not seen; the south door fell silent at 08:55."""
    async with counter(tmp_path) as made:
        place = made.place
        place.north.tap(1, "08:36")
        place.south.tap(2, "08:20")
        await place.heard("07:00", "08:46")
        await made.judge.at("08:46")
        async with place.store.begin() as connection:
            await connection.execute(update(notices).values(state="sent", sent_at=milliseconds(at("08:47"))))
        place.north.covers("08:46", "12:00")
        place.south.covers("08:46", "08:55")
        await place.deliver()
        excuse = ("statement", "excuse", "p1", "--at", "08:00", "--until", "08:36", "--reason", "transport")
        await made.types(*excuse, "--by", "Петрова", "--note", "автобус", when="09:00")
        await made.types("statement", "release", "p2", "--at", "09:30", "--by", "Nurse", when="09:30")
        await made.types("statement", "left", "p2", "--at", "09:50", "--by", "Guard", when="09:52")
        await made.judge.at("12:00")
        yield made


async def test_a_late_day_in_russian(desk: Counter) -> None:
    assert (await desk.types("explain", "p1", DAY)).splitlines() == [
        "Фамилия1 Имя1, 5А, 01.09.2026",
        "Двери видели:",
        "  08:36:00  north/main  вход",
        "Сказано:",
        "  1  01.09 08:00–01.09 08:36  p1  уважительная причина, транспорт  (Петрова, 01.09 09:00: автобус)",
        "Уроки:",
        "  1-й урок 08:30–09:15: опоздание 6 минут, транспорт [ОП] – вход через 6 минут после начала",
        "  2-й урок 09:25–10:10: был(а) – в школе к началу урока; не всё известно: вход south/main не слышен с 08:55",
        "Сообщения:",
        "  опоздание (08:36), parent1@example.org: отправлено в 08:47",
    ]


async def test_the_same_in_english(desk: Counter) -> None:
    assert (await desk.types("explain", "p1", DAY, "--language", "en")).splitlines() == [
        "Фамилия1 Имя1, 5А, 01.09.2026",
        "The doors saw:",
        "  08:36:00  north/main  came in",
        "Said:",
        "  1  01.09 08:00–01.09 08:36  p1  excused, transport  (Петрова, 01.09 09:00: автобус)",
        "Lessons:",
        "  lesson 1, 08:30–09:15: late 6 minutes, transport [ОП] – came in 6 minutes after the start",
        "  lesson 2, 09:25–10:10: present – at school when the lesson began; not everything is known: entrance south/main not heard from since 08:55",
        "Messages:",
        "  late (08:36), parent1@example.org: sent at 08:47",
    ]


async def test_nobody_knows_and_why(desk: Counter) -> None:
    said = await desk.types("explain", "p3", DAY)
    assert "Двери ничего не видели." in said
    assert "1-й урок 08:30–09:15: неизвестно – двери не могут сказать ни «был», ни «не был»" in said
    assert "карта не отмечена (08:45), parent3@example.org: отправлено в 08:47" in said


async def test_a_person_outweighs_the_doors(desk: Counter) -> None:
    await desk.types(
        "statement", "mark", "p3", "--lesson", "1", "--status", "present", "--source", "teacher", "--by", "Орлова"
    )
    assert "1-й урок 08:30–09:15: был(а) – так сказал учитель" in await desk.types("explain", "p3", DAY)


async def test_lessons_that_no_door_judges(desk: Counter) -> None:
    async with desk.place.store.begin() as connection:
        await connection.execute(update(tables.cards).where(tables.cards.c.person == "p3").values(state="lost"))
    said = await desk.types("explain", "p3", DAY, "--language", "en")
    assert "lesson 1, 08:30–09:15: the doors do not decide: the teacher marks" in said
    assert await desk.types("explain", "p3", "2026-09-06", "--language", "en") == (
        "Фамилия3 Имя3, 5А, 06.09.2026\nThe doors saw nothing.\nNo lessons on that day.\nThere were no messages.\n"
    )


async def test_a_day_for_machines_and_spreadsheets(desk: Counter) -> None:
    day = await desk.json("explain", "p2", DAY)
    assert [(fact["kind"], fact["lane"], fact["entry"][0]) for fact in day["facts"]] == [
        ("arrival", "south/main", "south")
    ]
    assert [lesson["mark"]["status"] for lesson in day["lessons"]] == ["present", "present"]
    assert len(day["said"]) == 2
    rows = list(csv.DictReader(io.StringIO(await desk.types("explain", "p1", DAY, "--csv"))))
    assert [(row["time"], row["kind"]) for row in rows] == [
        ("08:36", "fact"),
        ("08:00", "said"),
        ("08:30", "lesson"),
        ("09:25", "lesson"),
        ("08:46", "message"),
    ]


async def test_a_boarders_evening_has_its_date(desk: Counter) -> None:
    yesterday = timedelta(days=-1)
    async with desk.place.store.begin() as connection:
        await connection.execute(update(tables.sites).values(policy='{"overnight": true}'))
        await connection.execute(update(tables.lanes).values(direction="both"))
    desk.place.north.tap(3, "17:00", way=Direction.OUT, wrong=yesterday)
    desk.place.north.append(at("19:00") + yesterday, DeviceData(lane=LANE, kind=DeviceState.MODE, detail="free"))
    desk.place.north.append(at("08:00"), DeviceData(lane=LANE, kind=DeviceState.MODE, detail="single"))
    await desk.place.deliver()
    said = (await desk.types("explain", "p3", DAY, "--language", "en")).splitlines()
    assert said[1:3] == ["The doors saw:", "  31.08 17:00:00  north/main  went out"]
    assert "entrance north/main was open to everybody since 31.08 19:00" in said[4]
    rows = list(csv.DictReader(io.StringIO(await desk.types("explain", "p3", DAY, "--csv"))))
    assert [(row["time"], row["kind"]) for row in rows][:2] == [("31.08 17:00", "fact"), ("08:30", "lesson")]
    await desk.judge.at("12:01")
    assert "since 31.08 19:00" in await desk.types("report", "--date", DAY, "--language", "en")


async def test_somebody_unknown(desk: Counter) -> None:
    assert 'has no person "p9"' in await desk.types("explain", "p9", DAY, code=1)


async def test_who_is_inside(desk: Counter) -> None:
    staff = {"person": "s1", "class_group": None, "role": "staff", "last_name": "Ёжик", "first_name": "О."}
    await desk.place.add(tables.people, staff)
    assert (await desk.types("muster", "school-1", "--at", "08:40")).splitlines() == [
        "Кто в школе: school-1, 01.09.2026 08:40",
        "Внутри: 0, внутри (выход не записывается): 2, неизвестно: 0, снаружи: 2",
        "Внутри (выход не записывается), 5А: Фамилия1 Имя1, Фамилия2 Имя2",
    ]
    assert (await desk.types("muster", "school-1", "--language", "en")).splitlines() == [
        "Who is at school: school-1, 01.09.2026 12:00",
        "Inside: 0, inside (no exit record): 1, unknown: 3, outside: 0",
        "Inside (no exit record), 5А: Фамилия1 Имя1",
        "Unknown, staff: Ёжик О.",
        "Unknown, 5А: Фамилия2 Имя2, Фамилия3 Имя3",
    ]
    early = await desk.json("muster", "school-1", when="07:20")
    assert (early["inside_no_exit"], early["unknown"], early["outside"]) == ([], [], 4)
    rows = list(csv.DictReader(io.StringIO(await desk.types("muster", "school-1", "--csv"))))
    assert {row["person"]: row["where"] for row in rows} == {
        "p1": "inside_no_exit",
        "p2": "unknown",
        "p3": "unknown",
        "s1": "unknown",
    }


async def test_classes_come_in_the_order_of_the_report(desk: Counter) -> None:
    await desk.place.add(tables.groups, {"group": "11a", "title": "11А", "grade": 11})
    async with desk.place.store.begin() as connection:
        eldest = update(tables.people).where(tables.people.c.person == "p1")
        await connection.execute(eldest.values(class_group="11a"))
    said = await desk.types("muster", "school-1", "--at", "08:40")
    assert [line.split(":")[0].split(", ")[-1] for line in said.splitlines()[2:]] == ["5А", "11А"]


async def test_a_fire_alarm_keeps_the_list_as_it_was(desk: Counter) -> None:
    desk.place.north.append(at("12:05"), DeviceData(lane=LANE, kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALARM))
    await desk.place.deliver()
    said = await desk.types("muster", "school-1", when="12:20")
    assert "Пожарная тревога с 12:05: список таков, каким был тогда." in said
    assert "внутри (выход не записывается): 1" in said


async def test_the_report_gives_reasons_codes_and_what_the_teacher_marks(desk: Counter) -> None:
    async with desk.place.store.begin() as connection:
        await connection.execute(update(tables.cards).where(tables.cards.c.person == "p3").values(state="lost"))
        await mark_dirty(connection, [Day(SITE, DAY, "p3")])
    await desk.types("statement", "mark", "p2", "--status", "absent", "--reason", "ill_certified", "--by", "Петрова")
    await desk.judge.at("12:01")
    said = (await desk.types("report")).splitlines()
    assert said[2].split() == ["5А", "3", "0", "1", "1", "0", "0", "1"]
    assert said[4:] == [
        "5А, опоздали: Фамилия1 Имя1 (6 минут, транспорт)",
        "5А, нет: Фамилия2 Имя2 (болезнь, есть справка)",
        "5А, отмечает учитель: Фамилия3 Имя3",
    ]
    rows = list(csv.DictReader(io.StringIO(await desk.types("report", "--csv"))))
    assert [(row["person"], row["code"], row["source"], row["unmarked"]) for row in rows] == [
        ("p1", "ОП", "gate", "0"),
        ("p2", "Б", "office", "0"),
        ("p3", "", "gate", "2"),
    ]
    with (desk.folder / "journal.toml").open("a", encoding="utf-8") as file:
        file.write('[sites.school-1.codes]\nlate = "О"\nill = "Н"\n')
    rows = list(csv.DictReader(io.StringIO(await desk.types("report", "--csv", "--by-lesson"))))
    assert [(row["person"], row["lesson"], row["code"]) for row in rows] == [
        ("p1", "1", "О"),
        ("p1", "2", ""),
        ("p2", "1", "Н"),
        ("p2", "2", "Н"),
    ]


async def test_leaving_that_a_silent_door_may_mend_is_provisional(desk: Counter) -> None:
    by = ("--by", "Guard")
    await desk.types("statement", "came", "p3", "--at", "09:20", *by, when="09:20")
    await desk.types("statement", "left", "p3", "--at", "09:55", *by, when="09:56")
    await desk.judge.at("12:00")
    left = (
        "lesson 2, 09:25–10:10: left early, provisional – the office said so; not everything is known: entrance south"
    )
    assert left in await desk.types("explain", "p3", DAY, "--language", "en")
    shown = (await desk.types("report", "--date", DAY, "--language", "en")).splitlines()
    assert "5А, left early: Фамилия3 Имя3 (provisional)" in shown
    assert shown[-2:] == ["Why unknown or provisional:", "  entrance south/main not heard from since 08:55"]
