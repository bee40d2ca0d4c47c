"""The page for schools: its examples run, and it names every field."""

import doctest
import re
from dataclasses import fields
from pathlib import Path

import pytest

from gateway.domain.timetable import Bell, CalendarDay, Change, Event, Lesson, Plan, SchoolClass, Substitution

PAGE = Path(__file__).parents[2] / "docs" / "timetable.md"


def test_its_examples_run() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert found.attempted > 10
    assert found.failed == 0


@pytest.mark.parametrize("value", [SchoolClass, Bell, Lesson, CalendarDay, Substitution, Event, Plan])
def test_it_names_every_field(value: type) -> None:
    named = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    assert {field.name for field in fields(value)} - named - {"group", "person"} == set()


def test_it_names_every_change() -> None:
    rows = re.findall(r"^\| (\w+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {change.value for change in Change} <= set(rows)
