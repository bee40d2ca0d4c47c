"""Pupils from OneRoster, lessons from aSc Timetables, the rest from tables: one school, whose slots are compiled."""

import datetime as dt

import pytest

from gateway.domain.compiler import compile_days
from gateway.errors import SourceError
from sync.sources import asc, oneroster
from sync.sources.joined import complete
from sync.sources.school import School
from sync.sources.table import parse_part
from tests.sync.asc_files import changed
from tests.sync.oneroster_files import OLD

TODAY = dt.date(2026, 11, 23)
#: The two programs call the second class alike.
PLAN = changed(('name="5 Б"', 'name="5Б"'), ('groupids="G12"', 'groupids="G10"'), ('lessonid="L3" classroomids="" period="2"', 'lessonid="L3" classroomids="" period="3"'))  # fmt: skip
TABLES = {
    "site.toml": 'name = "Школа 12"\nzone = "Europe/Moscow"\nweeks = ["Ч", "З"]\nweeks_from = 2026-08-31\n'.encode(),
    "lanes.csv": b"gateway;lane;direction;opens;closes\nmain;main-in;in;07:00;20:00\n",
    "cards.csv": b"technology;uid;person\n14443a;0414A2C3116180;u-1\n",
}


def joined(plan: bytes = PLAN, tables: dict[str, str] | None = None) -> School:
    own = {**TABLES, **{name: text.encode() for name, text in (tables or {}).items()}}
    return complete([asc.parse(plan, "plan.xml"), oneroster.parse(OLD, on=TODAY), parse_part(own)])


def test_three_sources_are_one_school() -> None:
    school = joined()
    assert school.name == "Школа 12"
    assert [(person.id, person.groups) for person in school.people] == [
        ("u-1", ("5А", "Английский EN-1")),
        ("u-2", ("5Б", "Английский EN-2")),
        ("x-d8eea6015e9f7bee7f71fb709e80ec93", ("5Б", "Английский EN-2")),
    ]
    known = {group.id for group in school.timetable.classes}
    assert {"5А", "5А-1 группа", "Английский EN-1"} <= known
    assert len(school.timetable.classes) == len(known), "each class once, whoever tells of it"


def test_its_days_are_compiled_with_the_turn_of_the_weeks() -> None:
    timetable = joined().timetable
    monday = dt.date(2026, 11, 23)
    for first, numbers in ((monday, [1, 3]), (monday + dt.timedelta(weeks=1), [1])):
        compiled = compile_days(timetable, first, first)
        assert [slot.number for slot in compiled.slots if slot.group == "5А"] == numbers
        assert compiled.slots[0].start == dt.datetime.combine(first, dt.time(5, 30), dt.UTC)


def test_a_part_of_a_class_follows_what_a_later_source_tells_of_the_class() -> None:
    bells = "bells;shift;lesson;start;end\n" + "".join(f"normal;{n};{m};{7 + n + m}:00;{7 + n + m}:40\n" for n in (1, 2) for m in range(5))  # fmt: skip
    school = joined(tables={"classes.csv": "class;grade;shift;bells\n5А;6;2;normal\n", "bells.csv": bells})
    found = {str(group.id): (group.grade, group.shift) for group in school.timetable.classes}
    assert found["5А"] == found["5А-1 группа"] == found["5А-Мальчики"] == (6, 2)
    assert found["5Б-Мальчики"] == (5, 1)


def test_a_class_that_the_sources_call_otherwise_is_found_out() -> None:
    lanes = TABLES["cards.csv"].decode().replace("u-1", "u1")
    with pytest.raises(SourceError, match='did you mean "u-1"'):
        joined(tables={"cards.csv": lanes})
