"""The register of a day as people and machines read it."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.domain.model import Doubt, DoubtKind, Reason, Verdict
from gateway.errors import ConfigError
from journal import tables
from journal.judge import JudgeLoop
from journal.notify.cli import notify
from journal.reports.cli import report
from journal.reports.wording import in_words, missed_in_words, of_doors
from tests.journal.school import TODAY, ZONE, FakeClock, School, at, lesson, school

DATE = "2026-09-01"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[School]:
    """In 5А somebody of each kind; 10Б has nobody yet; 1А has a day off."""
    (tmp_path / "journal.toml").write_text(f'[state]\ndirectory = "{tmp_path}"\n', encoding="utf-8")
    async with school(tmp_path, pupils=4) as made:
        await made.add(
            tables.groups, {"group": "10b", "title": "10Б", "grade": 10}, {"group": "1a", "title": "1А", "grade": 1}
        )
        for person, group in (("t1", "10b"), ("f1", "1a")):
            names = {"last_name": "Ёлкина", "first_name": "Яна"}
            await made.add(tables.people, {"person": person, "class_group": group, "role": "pupil", **names})
            await made.add(tables.memberships, {"person": person, "group": group})
            held = {"token": person, "technology": "em4100", "uid_encrypted": b"x", "state": "active"}
            await made.add(tables.cards, {"person": person, **held})
        await made.add(tables.slots, lesson(1, "14:00", "14:45", group="10b"))
        yield made


async def morning(place: School, *, silent: bool = False) -> None:
    """p1 and p2 in time, p3 21 minutes late, p4 nowhere."""
    place.north.tap(1, "08:20")
    place.north.tap(3, "08:51")
    place.south.tap(2, "08:29")
    place.north.covers("07:00", "10:11")
    place.south.covers("07:00", "08:00" if silent else "10:11")
    await place.deliver()
    clock = FakeClock(at("10:15"))
    await JudgeLoop(place.store, clock).round()


def run(tmp_path: Path, *arguments: str) -> str:
    config = ["--config", str(tmp_path / "journal.toml")]
    command, *rest = arguments
    result = CliRunner().invoke({"report": report, "notify": notify}[command], [*rest, *config])
    if isinstance(result.exception, ConfigError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def lines(output: str) -> Sequence[str]:
    return [" ".join(line.split()) for line in output.splitlines()]


async def in_thread(tmp_path: Path, *arguments: str) -> str:
    """The command has an event loop of its own."""
    return await asyncio.to_thread(run, tmp_path, *arguments)


async def test_in_russian(place: School, tmp_path: Path) -> None:
    await morning(place)
    assert lines(await in_thread(tmp_path, "report", "--date", DATE)) == [
        "Посещаемость 2026-09-01, school-1",
        "Класс Всего Были Опоздали Нет Неизвестно Ещё не решено Отмечает учитель",
        "5А 4 2 1 1 0 0 0",
        "10Б 1 0 0 0 0 1 0",
        "Все 5 2 1 1 0 1 0",
        "5А, опоздали: Фамилия3 Имя3 (21 минута)",
        "5А, нет: Фамилия4 Имя4",
    ]


async def test_in_english(place: School, tmp_path: Path) -> None:
    await morning(place)
    output = lines(await in_thread(tmp_path, "report", "--date", DATE, "--language", "en"))
    assert output[1] == "Class Pupils Present Late Absent Unknown Pending Teacher marks"
    assert output[5] == "5А, late: Фамилия3 Имя3 (21 minutes)"


async def test_unknown_is_a_column_of_its_own_with_its_reason(place: School, tmp_path: Path) -> None:
    """What the doors cannot tell is said once for everybody, not once for each of two thousand pupils."""
    await morning(place, silent=True)
    output = lines(await in_thread(tmp_path, "report", "--date", DATE))
    assert output[2] == "5А 4 2 1 0 1 0 0"
    assert output[5:] == [
        "5А, опоздали: Фамилия3 Имя3 (21 минута, предварительно)",
        "5А, неизвестно: Фамилия4 Имя4",
        "Почему неизвестно или предварительно:",
        "вход south/main не слышен с 08:00",
    ]
    output = lines(await in_thread(tmp_path, "report", "--date", DATE, "--language", "en"))
    assert output[5:] == [
        "5А, late: Фамилия3 Имя3 (21 minutes, provisional)",
        "5А, unknown: Фамилия4 Имя4",
        "Why unknown or provisional:",
        "entrance south/main not heard from since 08:00",
    ]


async def test_a_silence_that_ended_is_told_from_when_to_when_and_the_next_one_besides(
    place: School, tmp_path: Path
) -> None:
    for since, until in (("07:00", "07:20"), ("07:50", "09:30"), ("09:40", "10:11")):
        place.south.covers(since, until)
    place.north.covers("07:00", "10:11")
    await place.deliver()
    await JudgeLoop(place.store, FakeClock(at("10:15"))).round()
    told = lines(await in_thread(tmp_path, "report", "--date", DATE))[-1:]
    assert told == ["вход south/main не был слышен с 07:20 до 07:50"]
    first, second = (Doubt(kind=DoubtKind.SILENT, lane="south/main", since=at(when)) for when in ("07:20", "09:30"))
    again = {first: at("07:50"), second: at("09:40")}
    assert of_doors([second, first], again) == [first, second]
    assert of_doors([second, first], {first: at("09:31")}) == of_doors([second, first], {}) == [first]
    words = in_words([first], "en", ZONE, TODAY, again)
    assert words == "entrance south/main not heard from 07:20 until 07:50"


async def test_what_is_doubtful_about_one_pupil_alone_stands_beside_the_name(place: School, tmp_path: Path) -> None:
    blocked = Verdict(admit=False, reason=Reason.BLOCKED)
    place.north.tap(1, "08:20", verdict=blocked)
    for person in (2, 3, 4):
        place.north.tap(person, "08:20")
    await place.heard("07:00", "10:11")
    await JudgeLoop(place.store, FakeClock(at("10:15"))).round()
    output = lines(await in_thread(tmp_path, "report", "--date", DATE, "--language", "en"))
    shown = "the card was shown at 08:20, no passage was confirmed"
    assert output[5:] == [f"5А, unknown: Фамилия1 Имя1 ({shown})"]


async def test_who_came_to_the_second_lesson_only_was_there_and_missed_one(place: School, tmp_path: Path) -> None:
    place.north.tap(1, "08:55")
    place.north.tap(2, "09:24")
    place.north.tap(3, "08:20")
    await place.heard("07:00", "10:11")
    await JudgeLoop(place.store, FakeClock(at("10:15"))).round()
    output = lines(await in_thread(tmp_path, "report", "--date", DATE))
    assert output[2] == "5А 4 3 0 1 0 0 0"
    assert output[5:] == [
        "5А, пропустили: Фамилия1 Имя1 (1 из 2 уроков), Фамилия2 Имя2 (1 из 2 уроков)",
        "5А, нет: Фамилия4 Имя4",
    ]
    output = lines(await in_thread(tmp_path, "report", "--date", DATE, "--language", "en"))
    assert output[5] == "5А, missed: Фамилия1 Имя1 (1 of 2 lessons), Фамилия2 Имя2 (1 of 2 lessons)"


@pytest.mark.parametrize(
    ("kind", "ru", "en"),
    [
        (
            DoubtKind.SILENT,
            "вход south/main не слышен с 08:52",
            "entrance south/main not heard from since 08:52",
        ),
        (DoubtKind.NO_LANE, "с 08:52 ни один вход не работал", "no entrance was in service since 08:52"),
        (
            DoubtKind.PERMIT,
            "карта показана в 08:52, проход не подтверждён",
            "the card was shown at 08:52, no passage was confirmed",
        ),
    ],
)
def test_a_doubt_is_told_in_the_readers_language_and_time(kind: DoubtKind, ru: str, en: str) -> None:
    doubt = Doubt(kind=kind, lane="south/main", since=at("08:52:30"))
    assert (in_words([doubt], "ru", ZONE, TODAY), in_words([doubt, doubt], "en", ZONE, TODAY)) == (ru, f"{en}; {en}")


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("kind", DoubtKind)
def test_every_doubt_has_words(kind: DoubtKind, language: str) -> None:
    assert "None" not in in_words([Doubt(kind=kind)], language, ZONE, TODAY) != ""


@pytest.mark.parametrize(
    ("missed", "lessons", "ru", "en"),
    [
        (1, 2, "1 из 2 уроков", "1 of 2 lessons"),
        (3, 21, "3 из 21 урока", "3 of 21 lessons"),
        (2, 11, "2 из 11 уроков", "2 of 11 lessons"),
        (1, 1, "1 из 1 урока", "1 of 1 lesson"),
    ],
)
def test_plurals_of_missed_lessons(missed: int, lessons: int, ru: str, en: str) -> None:
    assert (missed_in_words(missed, lessons, "ru"), missed_in_words(missed, lessons, "en")) == (ru, en)


async def test_for_a_machine(place: School, tmp_path: Path) -> None:
    await morning(place)
    found = json.loads(await in_thread(tmp_path, "report", "--date", DATE, "--json"))
    assert [
        (c["title"], c["present"], c["late"], c["absent"], c["unknown"], c["pending"]) for c in found["classes"]
    ] == [
        ("5А", 2, 1, 1, 0, 0),
        ("10Б", 0, 0, 0, 0, 1),
    ]
    pupils = {
        p["person"]: (p["status"], p["minutes_late"], p["missed"], p["lessons"]) for p in found["classes"][0]["pupils"]
    }
    assert pupils == {
        "p1": ("present", 0, 0, 2),
        "p2": ("present", 0, 0, 2),
        "p3": ("late", 21, 0, 2),
        "p4": ("absent", 0, 2, 2),
    }


async def test_for_a_spreadsheet(place: School, tmp_path: Path) -> None:
    await place.add(
        tables.people, {"person": "x", "class_group": "5a", "last_name": "=1+1", "first_name": "", "role": "pupil"}
    )
    await place.add(tables.memberships, {"person": "x", "group": "5a"})
    held = {"token": "x", "technology": "em4100", "uid_encrypted": b"x", "state": "active"}
    await place.add(tables.cards, {"person": "x", **held})
    await morning(place)
    rows = list(csv.DictReader(io.StringIO(await in_thread(tmp_path, "report", "--date", DATE, "--csv"))))
    assert {row["person"]: row["status"] for row in rows} | {"x": ""} == {
        "p1": "present",
        "p2": "present",
        "p3": "late",
        "p4": "absent",
        "t1": "pending",
        "x": "",
    }
    assert next(row["name"] for row in rows if row["person"] == "x") == "'=1+1 "


@pytest.mark.parametrize(("silent", "said"), [(True, ["yes", ""]), (False, ["", ""])])
async def test_lateness_that_a_silent_door_may_mend_is_provisional(
    place: School, tmp_path: Path, silent: bool, said: list[str]
) -> None:
    await morning(place, silent=silent)
    day = json.loads(await in_thread(tmp_path, "report", "--date", DATE, "--json"))
    by_person = {pupil["person"]: pupil for group in day["classes"] for pupil in group["pupils"]}
    assert {person: pupil["provisional"] for person, pupil in by_person.items()} == {
        person: person == "p3" and silent for person in ("p1", "p2", "p3", "p4", "t1")
    }
    assert [bool(word) for word in said] == [mark["provisional"] for mark in by_person["p3"]["marks"]]
    for style in ([], ["--by-lesson"]):
        text = await in_thread(tmp_path, "report", "--date", DATE, "--csv", *style)
        rows = [row for row in csv.DictReader(io.StringIO(text)) if row["person"] == "p3"]
        assert [row["provisional"] for row in rows] == said[: len(rows)]


async def test_a_day_without_lessons(place: School, tmp_path: Path) -> None:
    assert lines(await in_thread(tmp_path, "report", "--date", "2026-09-06"))[1] == "В этот день уроков нет."


async def test_an_unknown_site(place: School, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no site elsewhere") as caught:
        await in_thread(tmp_path, "report", "--site", "elsewhere")
    assert "school-1" in caught.value.hint


async def test_one_of_several_sites_must_be_named(place: School, tmp_path: Path) -> None:
    async with place.store.begin() as connection:
        row = {"site": "second", "name": "2", "zone": "UTC", "language": "en", "policy": "{}"}
        await connection.execute(tables.sites.insert().values(**row))
    with pytest.raises(ConfigError, match="2 sites") as caught:
        await in_thread(tmp_path, "report")
    assert "--site school-1 or second" in caught.value.hint


async def test_messages_to_parents_are_listed(place: School, tmp_path: Path) -> None:
    await place.heard("07:00", "08:46")
    await JudgeLoop(place.store, FakeClock(at("08:46"))).round()
    rows = json.loads(await in_thread(tmp_path, "notify", "list", "--json"))
    assert [(row["person"], row["template"], row["state"], row["sent_at"]) for row in rows] == [
        (f"p{number}", "not_seen", "pending", None) for number in (1, 2, 3, 4)
    ]
    assert rows[0]["expires"] == "2026-09-01T06:15:00.000+00:00"
    assert json.loads(await in_thread(tmp_path, "notify", "list", "--json", "--state", "uncertain")) == []
    shown = lines(await in_thread(tmp_path, "notify", "list", "--date", DATE))
    assert shown[0] == "2026-09-01 с 08:30 ждёт отправки карта не отмечена p1 parent1@example.org"
    assert shown[-1] == "ждёт отправки: 4"
    english = lines(await in_thread(tmp_path, "notify", "list", "--date", DATE, "--language", "en"))
    assert english[0] == "2026-09-01 from 08:30 waits to be sent not seen p1 parent1@example.org"
