"""Everything that a school's register needs, told by tables: substitutions, excuses, plans, calendars, turns of weeks."""

import datetime as dt

import pytest

from gateway.domain.model import MarkReason, Mode
from gateway.domain.timetable import Change, DayKind
from sync.sources.columns import REASON
from sync.sources.school import School
from sync.sources.table import parse
from tests.school import FILES, lines_of


def told(**tables: str) -> School:
    return parse(FILES | {f"{name}.csv": text.encode() for name, text in tables.items()})


def test_parts_of_classes_and_stages() -> None:
    classes = FILES["classes.csv"].decode().replace("bells", "bells;ступень;part_of", 1)
    classes = classes.replace("7Б-англ-1;7;2;normal", "7Б-англ-1;7;2;normal;средняя;7Б")
    bells = FILES["bells.csv"].decode().replace("end", "end;stage", 1).replace("08:30;09:15", "08:30;09:15;")
    bells += "normal;2;1;13:50;14:35;средняя\n"
    school = told(classes=classes, bells=bells)
    assert [(group.stage, group.part_of) for group in school.timetable.classes] == [
        ("", None),
        ("", None),
        ("средняя", "7Б"),
        ("", None),
    ]
    assert school.timetable.bells[-1].stage == "средняя"
    assert (school.timetable.classes[2].origin, school.timetable.bells[-1].origin) == ("classes.csv:4", "bells.csv:26")


def test_lessons_of_some_weeks_and_terms() -> None:
    lessons = "class;weekday;lesson;week;first;last;site;obligatory\n2А;Пн;1;A;;;;\n2А;mon;1;B;01.09.2025;26.10.2025;stadium;нет\n2А;1;2;;;;;\n"
    site = FILES["site.toml"] + b'weeks = ["A", "B"]\nweeks_from = 2025-09-01\n'
    school = parse(FILES | {"lessons.csv": lessons.encode(), "site.toml": site})
    first, second, third = school.timetable.lessons
    assert (first.week, first.first, first.site, first.obligatory, first.origin) == (
        "A",
        None,
        "",
        True,
        "lessons.csv:2",
    )
    assert (second.week, second.first, second.last) == ("B", dt.date(2025, 9, 1), dt.date(2025, 10, 26))
    assert (second.weekday, second.site, second.obligatory, third.week) == (1, "stadium", False, "")
    assert (school.timetable.weeks, school.timetable.weeks_from) == (["A", "B"], dt.date(2025, 9, 1))


def test_runs_of_dates_for_some() -> None:
    calendar = "Дата;По;Вид;По дням;Параллели;Классы;Неделя\n27.10.2025;04.11.2025;каникулы;;;;\n2026-02-16;2026-02-22;holiday;;1-2;;\n2025-09-01;2026-05-30;учебный;сб;;7Б,2А;B\n"
    autumn, extra, saturdays = told(calendar=calendar).timetable.calendar
    assert (autumn.date, autumn.last, autumn.kind) == (dt.date(2025, 10, 27), dt.date(2025, 11, 4), DayKind.HOLIDAY)
    assert (sorted(extra.grades), sorted(extra.groups)) == ([1, 2], [])
    assert (sorted(saturdays.on), sorted(saturdays.groups), saturdays.week) == ([6], ["2А", "7Б"], "B")


def test_every_change_of_a_day() -> None:
    substitutions = """change;date;date_to;classes;lessons;to_date;to_lesson;start;end;mode;site;kind;obligatory;with_class
cancelled;2025-09-08;;;1;;;;;;;;;
замена;08.09.2025;;2А;2;;;;;;;;;
перенос;08.09.2025;;2А;3;09.09.2025;1;;;;;;;
added;2025-09-08;;7Б;7;;;15:00;15:45;;;экзамен;no;
merged;2025-09-08;;7Б-англ-1;3;;;;;;;;;7Б-англ-2
учёт;2025-09-08;2025-09-12;2А|7Б;;;;;;нет;stadium;;;
"""
    changes = told(substitutions=substitutions).timetable.substitutions
    assert [change.change for change in changes] == [
        Change.CANCELLED,
        Change.REPLACED,
        Change.MOVED,
        Change.ADDED,
        Change.MERGED,
        Change.MODE,
    ]
    assert (sorted(changes[0].groups), sorted(changes[0].lessons)) == ([], [1])
    assert (changes[2].to_date, changes[2].to_lesson) == (dt.date(2025, 9, 9), 1)
    assert (changes[3].start, changes[3].end, changes[3].kind, changes[3].obligatory) == (
        dt.time(15),
        dt.time(15, 45),
        "exam",
        False,
    )
    assert changes[4].with_group == "7Б-англ-2"
    assert (changes[5].last, sorted(changes[5].groups), sorted(changes[5].lessons)) == (
        dt.date(2025, 9, 12),
        ["2А", "7Б"],
        [],
    )
    assert (changes[5].mode, changes[5].site, changes[5].origin) == (Mode.NONE, "stadium", "substitutions.csv:7")


def test_excuses_are_days_or_times_of_the_site() -> None:
    excuses = "person;с;по;Причина\np0001;08.09.2025;;болезнь\np0001;2025-09-09 10:30;;Отпущен\np0002;2025-09-01;2025-09-03;справка\np0003;2025-09-01 09:00;2025-09-01T10:00;olympiad\n"
    spans = [(excuse.since, excuse.until, excuse.reason) for excuse in told(excuses=excuses).excuses]

    def utc(*parts: int) -> dt.datetime:
        return dt.datetime(2025, *parts, tzinfo=dt.UTC)  # type: ignore[arg-type,misc]

    assert spans == [
        (utc(9, 7, 21), utc(9, 8, 21), MarkReason.ILL_REPORTED),
        (utc(9, 9, 7, 30), utc(9, 9, 21), MarkReason.RELEASED),
        (utc(8, 31, 21), utc(9, 3, 21), MarkReason.ILL_CERTIFIED),
        (utc(9, 1, 6), utc(9, 1, 7), MarkReason.OLYMPIAD),
    ]


def test_every_reason_has_a_russian_word() -> None:
    words = (
        "не выяснена",
        "болезнь",
        "справка",
        "заявление",
        "приказ",
        "олимпиада",
        "мороз",
        "транспорт",
        "очередь",
        "отпущен",
        "неуважительная",
    )
    assert [REASON.parse(word) for word in words] == list(MarkReason)


def test_plans() -> None:
    (plan,) = told(plans="person;mode;first;last;weekdays;lessons\np0001;none;2025-09-01;;пн,ср-пт;1-2|4\n").plans
    assert (plan.mode, plan.first, plan.last) == (Mode.NONE, dt.date(2025, 9, 1), None)
    assert (sorted(plan.weekdays), sorted(plan.lessons), plan.origin) == ([1, 3, 4, 5], [1, 2, 4], "plans.csv:2")


MEND = "mend one of the two"
BROKEN = [
    ("classes", "class;grade;bells;part_of\n2А;2;normal;\n7Б;7;normal;\n7Б-англ-1;7;normal;7В\n7Б-англ-2;7;normal;\n", ':4:part_of: got "7В", expected one that classes.csv has (add it to classes.csv)'),
    ("lessons", "class;weekday;lesson;first;last\n2А;1;1;2025-10-01;2025-09-01\n", f":2:last: got 2025-09-01, expected a date from 2025-10-01 on ({MEND})"),
    ("lessons", "class;weekday;lesson;obligatory\n2А;1;1;maybe\n", ':2:obligatory: got "maybe", expected one of yes, no (take one of these words)'),
    ("lessons", "class;weekday;lesson\n2А;день;1\n", ':2:weekday: got "день", expected a whole number from 1 to 7 (mend this cell)'),
    ("calendar", "date;date_to;kind\n2025-11-04;2025-10-27;holiday\n", f":2:date_to: got 2025-10-27, expected a date from 2025-11-04 on ({MEND})"),
    ("calendar", "date;kind;grades\n2025-11-04;holiday;4-1\n", ':2:grades: got "4-1", expected a range like 1-4 (mend this cell)'),
    ("calendar", "date;kind;classes\n2025-11-04;holiday;7Б,7Ы\n", ':2:classes: got "7Ы", expected one that classes.csv has (add it to classes.csv)'),
    ("substitutions", "change;date\nmoved;2025-09-08\n", ":2:to_lesson: got an empty cell, expected where it is moved to: to_lesson, to_date, start or site (fill it in)"),
    ("substitutions", "change;date\nadded;2025-09-08\n", ":2:lessons: got an empty cell, expected the number of the lesson that is added, or its start and end (fill it in)"),
    ("substitutions", "change;date\nmerged;2025-09-08\n", ":2:with_class: got an empty cell, expected the class whose lessons are taken (fill it in)"),
    ("substitutions", "change;date\nmode;2025-09-08\n", ":2:mode: got an empty cell, expected the mode that is changed to, or the site (fill it in)"),
    ("substitutions", "change;date;lesson;start;end\nadded;2025-09-08;7;15:00;14:00\n", f":2:end: got 14:00, expected a time after 15:00, its start ({MEND})"),
    ("substitutions", "change;date;class\ncancelled;2025-09-08;7Ы\n", ':2:class: got "7Ы", expected one that classes.csv has (add it to classes.csv)'),
    ("excuses", "person;from;to;reason\np0001;2025-09-08;2025-09-07;болезнь\n", f":2:to: got 2025-09-07, expected a moment after 2025-09-08 ({MEND})"),
    ("excuses", "person;from;reason\nИванова Анна;2025-09-08;болезнь\n", ":2:person: got a text of 12 characters, expected an opaque id of 1 to 64 letters, digits, . _ and - (a name is no id)"),
    ("excuses", "person;from;reason\nIvanova;2025-09-08;болезнь\n", ":2:person: got a text of 7 characters, expected one that people.csv has (add it to people.csv)"),
    ("plans", "person;mode;first;last\np0001;none;2025-09-08;2025-09-01\n", f":2:last: got 2025-09-01, expected a date from 2025-09-08 on ({MEND})"),
    ("people", "id;last_name;first_name;class\np0001;А;Б;Анна\n", ":2:class: got a text of 4 characters, expected one that classes.csv has (add it to classes.csv)"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "text", "line"), BROKEN)
def test_a_broken_table_is_explained(table: str, text: str, line: str) -> None:
    keep = () if table != "people" else ("contacts.csv", "cards.csv")
    files = {name: data for name, data in FILES.items() if name not in keep} | {f"{table}.csv": text.encode()}
    if keep:
        files["cards.csv"] = b"technology;uid;person\n14443a;0414A2C3116180;p0001\n"
    assert lines_of(files) == [f"{table}.csv{line}"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('weeks = ["A"]\nweeks_from = 2025-09-01', "weeks: got something else, expected 2 to 10 names of weeks that take turns"),
        ('weeks = ["A", "B"]', "weeks_from: got something that is no date, expected a day of a week of the first name"),
        ('weeks = ["A", "B"]\nweeks_from = "2025-09-02"', "weeks_from: got something that is no date, expected a day of"),
    ],
)  # fmt: skip
def test_turns_of_weeks_are_explained(text: str, line: str) -> None:
    (found,) = lines_of(FILES | {"site.toml": FILES["site.toml"] + text.encode()})
    assert found.startswith("site.toml:" + line)
