"""What the staff says by hand: written whole or not at all, with author and reason, told with its effect, never edited."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from journal.staff_tables import statements
from tests.journal.counter import Counter, counter
from tests.journal.judging import told


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as made:
        yield made


async def morning(desk: Counter, *came: int, until: str = "12:00") -> None:
    for person in came:
        desk.place.north.tap(person, "08:20")
    await desk.place.heard("07:00", until)


async def test_a_forgotten_card(desk: Counter) -> None:
    await morning(desk, 1)
    await desk.judge.at("12:00")
    assert await desk.marks() == {"p1": "present", "p2": "absent", "p3": "absent"}
    said = await desk.types("statement", "came", "p2", "--at", "08:25", "--by", "Петрова", "--language", "en")
    assert said == "Said: 1 person. 2 marks changed, 0 messages were already sent.\n"
    await desk.judge.at("12:01")
    assert await desk.marks() == {"p1": "present", "p2": "present office", "p3": "absent"}


async def test_a_dry_run_tells_the_same_and_writes_nothing(desk: Counter) -> None:
    await morning(desk, 1)
    await desk.judge.at("12:00")
    words = ("statement", "came", "p2", "--at", "08:36", "--by", "Петрова")
    tried = await desk.json(*words, "--dry-run")
    assert await desk.place.rows(statements, "id") == []
    done = await desk.json(*words)
    assert (tried.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert tried == done
    first = done["changes"][0]
    assert (first["person"], first["before"]["status"], first["after"]["status"]) == ("p2", "absent", "late")
    russian = await desk.types(*words, "--dry-run")
    assert russian.startswith("Касается: 1 человек. ")
    assert russian.endswith("Это проверка: ничего не записано.\n")


async def test_a_whole_class_let_in_by_hand(desk: Counter) -> None:
    await morning(desk)
    said = await desk.json("statement", "came", "--class", "5a", "--at", "08:20", "--by", "Guard")
    assert len(said["said"]) == 3
    await desk.judge.at("12:00")
    assert set((await desk.marks()).values()) == {"present office"}
    await desk.types("statement", "withdraw", str(said["said"][0]), "--by", "Петрова", "--note", "another class")
    await desk.judge.at("12:01")
    assert set((await desk.marks()).values()) == {"absent"}


async def test_a_bus_of_a_village_is_late_without_blame(desk: Counter) -> None:
    listed = await desk.file("bus.txt", "p1\np2\n")
    await morning(desk, 3)
    await desk.types("statement", "came", "--list", listed, "--at", "08:50", "--reason", "transport", "--by", "Петрова")
    await desk.judge.at("12:00")
    assert await desk.marks() == {"p1": "late 20 office transport", "p2": "late 20 office transport", "p3": "present"}


async def test_the_office_outweighs_a_teacher_and_a_teacher_the_gate(desk: Counter) -> None:
    await morning(desk, 1)
    mark = ("statement", "mark", "p1", "--lesson", "1", "--status")
    await desk.types(*mark, "absent", "--source", "teacher", "--by", "Орлова")
    await desk.judge.at("12:00")
    assert (await desk.marks())["p1"] == "absent teacher"
    assert (await desk.marks(2))["p1"] == "present"
    await desk.types(*mark, "late", "--minutes", "3", "--by", "Петрова", when="12:01")
    await desk.judge.at("12:02")
    assert (await desk.marks())["p1"] == "late 3 office"


async def test_illness_reported_at_noon(desk: Counter) -> None:
    await morning(desk, 1, 2)
    await desk.judge.at("08:46")
    await told(desk.place, "not_seen")
    await desk.judge.at("12:00")
    said = await desk.types("statement", "excuse", "p3", "--reason", "ill_reported", "--by", "Петрова")
    assert said == "Записано: 1 человек. Изменились 2 отметки, уже отправлено 1 сообщение.\n"
    await desk.judge.at("12:01")
    assert (await desk.marks())["p3"] == "absent ill_reported", "a reason never changes what was"


async def test_released_by_the_nurse(desk: Counter) -> None:
    await morning(desk, 1)
    await desk.types("statement", "left", "p1", "--at", "09:40", "--by", "Guard")
    await desk.judge.at("12:00")
    assert (await desk.marks(2))["p1"].startswith("absent office")
    tried = await desk.types("statement", "withdraw", "1", "--by", "Guard", "--dry-run")
    assert tried.startswith("Касается: 1 запись. Меня")
    said = await desk.types("statement", "withdraw", "1", "--by", "Guard")
    assert said.startswith("Отозвано: 1 запись. Измени")
    await desk.types("statement", "left", "p1", "--at", "09:50", "--by", "Guard")
    await desk.judge.at("12:01")
    assert (await desk.marks(2))["p1"] == "left_early office"
    await desk.types("statement", "release", "p1", "--at", "09:50", "--by", "Nurse", "--note", "fever")
    await desk.judge.at("12:02")
    assert (await desk.marks(2))["p1"] == "present released"


async def test_a_table_is_said_whole_or_not_at_all(desk: Counter) -> None:
    await morning(desk)
    rows = "ученик;вид;время;причина\np1;вход;08:20;\np2;вход;08:40;транспорт\np3;причина;;болезнь\n"
    bad = await desk.file("bad.csv", rows + "p9;вход;08:20;\n")
    said = await desk.types("statement", "import", bad, "--by", "Петрова", code=1)
    assert 'has no person "p9"' in said
    worse = await desk.file("worse.csv", "person;kind;at\np1;came;\np2;flew;08:20\n")
    said = await desk.types("statement", "import", worse, "--by", "Петрова", code=1)
    assert "worse.csv:3:kind" in said
    assert await desk.place.rows(statements, "id") == []
    good = await desk.file("good.csv", rows)
    assert "3 человека" in await desk.types("statement", "import", good, "--by", "Петрова")
    await desk.judge.at("12:00")
    assert await desk.marks() == {
        "p1": "present office",
        "p2": "late 10 office transport",
        "p3": "absent ill_reported",
    }


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("came", "p9"), "attendance-journal report --csv"),
        (("came",), "name persons by their id"),
        (("came", "--class", "5а"), "Latin and Cyrillic letters look alike"),
        (("came", "--list", "/nowhere"), "one id on each line"),
        (("mark", "p1", "--status", "late"), "--minutes 7"),
        (("mark", "p1", "--lesson", "7", "--status", "absent"), "the lessons of that day: 1, 2"),
        (("excuse", "p1", "--reason", "frost", "--last", "2026-08-01"), "after --date"),
        (("withdraw", "77"), "statement list"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_mistakes_have_a_hint(desk: Counter, words: tuple[str, ...], hint: str) -> None:
    said = await desk.types("statement", *words, "--by", "Петрова", code=1)
    assert said.startswith("error: ")
    assert hint in said


async def test_somebody_must_say_it(desk: Counter) -> None:
    assert "--by" in await desk.types("statement", "came", "p1", code=2)


async def test_the_list_shows_who_said_what_and_what_holds(desk: Counter) -> None:
    words = (
        "statement",
        "came",
        "p1",
        "--at",
        "08:50",
        "--reason",
        "transport",
        "--by",
        "Петрова",
        "--note",
        "автобус",
    )
    await desk.types(*words)
    await desk.types("statement", "withdraw", "1", "--by", "Орлова", when="12:30")
    await desk.types("statement", "mark", "p2", "--status", "late", "--minutes", "4", "--by", "Орлова")
    assert await desk.types("statement", "list", "--person", "p3") == "записей нет\n"
    assert (await desk.types("statement", "list")).splitlines() == [
        "1  01.09 08:50  p1  вход, транспорт  (Петрова, 01.09 12:00: автобус; отозвано: Орлова, 01.09 12:30)",
        "3  01.09 00:00–02.09 00:00  p2  отметка, опоздание 4 мин  (Орлова, 01.09 12:00)",
    ]
    english = await desk.types("statement", "list", "--language", "en", "--person", "p1")
    assert "came in, transport" in english
    (first, _) = await desk.json("statement", "list")
    assert (first["author"], first["withdrawn"]["author"]) == ("Петрова", "Орлова")


async def test_nothing_is_edited_in_place(desk: Counter) -> None:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        seen.append(text)

    event.listen(desk.place.store.engine.sync_engine, "before_cursor_execute", note)
    await desk.types("statement", "came", "p1", "--at", "08:20", "--by", "Петрова")
    before = await desk.place.rows(statements, "id", "person", "kind", "at", "author", "said")
    await desk.types("statement", "withdraw", "1", "--by", "Петрова")
    after = await desk.place.rows(statements, "id", "person", "kind", "at", "author", "said")
    assert after[: len(before)] == before
    assert len(after) == len(before) + 1
    assert "withdrawn already" in await desk.types("statement", "withdraw", "1", "--by", "Петрова", code=1)


async def test_judging_again_adds_no_revision(desk: Counter) -> None:
    await morning(desk, 1)
    await desk.types("statement", "came", "p2", "--at", "08:36", "--by", "Петрова")
    await desk.judge.at("12:00")
    before = await desk.marks()
    await desk.types("statement", "came", "p2", "--at", "08:36", "--by", "Орлова")
    said = await desk.json("statement", "came", "p2", "--at", "08:36", "--by", "Петрова", "--dry-run")
    assert said["marks"] == 0
    await desk.judge.at("12:05")
    assert await desk.marks() == before
