"""What cannot be placed is told with its place, never dropped in silence, never raised."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.findings import MAX_UNPLACED
from gateway.domain.model import GroupId, Mode, SlotKind
from gateway.domain.timetable import Bell, CalendarDay, Event, Lesson, SchoolClass, Substitution
from tests.domain.timetables import (
    bell,
    change,
    compiled,
    day,
    event,
    group,
    holiday,
    hourly,
    lesson,
    lessons,
    school,
    school_day,
    shown,
    told,
)

WHERE = "subs.csv:3"
PLAN = lessons("5А", "123 12", origin="lessons.csv:2")
HELD = ["5А Mo1 08:00", "5А Mo2 09:00", "5А Mo3 10:00", "5А Tu1 08:00", "5А Tu2 09:00"]


def of(*said: Substitution) -> list[str]:
    return told(school([group("5А"), group("5Б")], PLAN, substitutions=said))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (change("cancelled", 0, "5А", "4"), "5А on 2025-09-01: there is no lesson 4 to be cancelled"),
        (change("cancelled", 0, "5А", "145"), "5А on 2025-09-01: there is no lesson 4, 5 to be cancelled"),
        (change("replaced", 2, "5А"), "5А on 2025-09-03: there is nothing to be replaced"),
        (change("moved", 2, "5А", "1", to=3), "5А on 2025-09-03: there is no lesson 1 to be moved"),
        (change("mode", 0, "5Б", mode=Mode.NONE), "5Б on 2025-09-01: there is nothing to be taken otherwise"),
        (change("cancelled", 2, "", "1", until=6), "school on 2025-09-03: there is no lesson 1 to be cancelled"),
        (change("cancelled", 0, "5В", "1"), "5В: no class or group is called so"),
        (change("moved", 0, "5А", "1", to_lesson=9), "5А on 2025-09-01: lesson 9 is put onto nothing: lesson 9 has no bell in the bells 'normal'"),
        (change("added", 0, "5А", "9"), "5А on 2025-09-01: lesson 9 is put onto nothing: lesson 9 has no bell in the bells 'normal'"),
        (change("added", 0, "5А", "3"), "5А on 2025-09-01: lesson 3 is there already (subs.csv:3)"),
        (change("moved", 0, "5А", "1", to_lesson=3), "5А on 2025-09-01: lesson 3 is there already (subs.csv:3)"),
        (change("added", 0, "5А", "8", start="08:30", end="08:50"), "5А on 2025-09-01: lesson 1 is at the time of lesson 8 (subs.csv:3)"),
        (change("added", 0, "5А", start="08:30", end="08:50"), "5А on 2025-09-01: lesson 1 is at the time of an event (subs.csv:3)"),
        (change("moved", 0, "5А", "1", start="23:30"), "5А on 2025-09-01: ends at or before its start; nothing reaches over midnight"),
        (change("moved", 0, "5А", "1", end="07:30"), "5А on 2025-09-01: ends at or before its start; nothing reaches over midnight"),
        (change("moved", 0, "5А", "1", end="08:00"), "5А on 2025-09-01: ends at or before its start; nothing reaches over midnight"),
        (change("moved", 0, "5А", "12", start="12:00"), "5А on 2025-09-01: moves several lessons to one time"),
        (change("moved", 0, "5А", "1"), "5А: does not say where to"),
        (change("moved", 0, "5А", to_lesson=4), "5А: says a number to move to, but not which lesson"),
        (change("moved", 0, "5А", "1", start="10:00", end="10:00"), "5А: ends at or before its start; nothing reaches over midnight"),
        (change("cancelled", 1, "5А", "1", until=0), "5А: ends before its first date"),
        (change("added", 1, "5А", "4", until=0), "5А: ends before its first date"),
        (change("moved", 1, "5А", "1", until=0, to=3), "5А: ends before its first date"),
        (change("merged", 1, "5Б", "1", until=0, with_group="5А"), "5Б: ends before its first date"),
        (change("mode", 1, "5А", until=0, mode=Mode.NONE), "5А: ends before its first date"),
        (change("added", 0, "5А"), "5А: adds a lesson without a number"),
        (change("added", 0, "5А", start="10:00"), "5А: adds a lesson without a number"),
        (change("added", 0, "5А", "45", start="14:00", end="15:00"), "5А: adds several lessons at one time"),
        (change("mode", 0, "5А"), "5А: says neither a mode nor a site"),
        (change("merged", 0, "5А", "1"), "5А: is merged with nothing: name the other group"),
        (change("merged", 0, "5А", "1", with_group="5В"), "5А: is merged with 5В: no class or group is called so"),
        (change("merged", 0, "", "1", with_group="5А"), "school: merges the whole school with one group"),
        (change("merged", 0, "5А 5Б", "1", with_group="5А"), "5А: is merged with 5А, which is merged itself"),
        (change("merged", 0, "5Б", "145", with_group="5А"), "5Б on 2025-09-01: 5А has no lesson 4, 5 to be merged"),
        (change("merged", 0, "5Б", "14", with_group="5А"), "5Б on 2025-09-01: 5А has no lesson 4 to be merged"),
    ],
)  # fmt: skip
def test_substitutions_that_cannot_be_followed(said: Substitution, expected: str) -> None:
    with_origin = {name: getattr(said, name) for name in said.__slots__} | {"origin": WHERE}
    found = of(Substitution(**with_origin))
    assert expected in {line.partition(" ")[2] for line in found}
    assert found[0].startswith((WHERE, "lessons.csv:2"))


def test_a_run_that_names_a_lesson_on_one_of_its_dates_is_fine() -> None:
    assert of(change("cancelled", 0, "5А", "3", until=6), change("cancelled", 0, "", "12", until=6)) == []


def test_a_run_that_names_each_lesson_on_another_date_is_fine() -> None:
    assert of(*(change("cancelled", 0, names, "13", until=1) for names in ("5А", "", "5А"))) == []


def test_every_row_is_looked_at() -> None:
    rows = [
        change("added", 0, "5А", "4"),
        change("cancelled", 8, "5А", "1"),
        change("cancelled", 0, "5А", "7", origin=WHERE),
        change("cancelled", 0, "", "8", origin=WHERE),
    ]
    timetable = school([group("5А"), group("5Б")], PLAN, substitutions=rows)
    assert [line.rpartition("lesson ")[2][0] for line in told(timetable)] == ["8", "7"]
    both = [change("cancelled", 0, "5А 5Б", "7", origin=WHERE)]
    (one,) = compiled(replace(timetable, substitutions=both), groups=["5Б"]).unplaced
    assert one.group == "5Б"


def test_a_part_that_has_the_lesson_is_enough() -> None:
    classes = [group("5А"), group("5А-1", part_of=GroupId("5А"))]
    timetable = school(classes, lessons("5А-1", "2"), substitutions=[change("cancelled", 0, "5А", "2")])
    assert told(timetable) == []


def test_nothing_is_told_of_a_run_that_was_not_compiled_whole() -> None:
    timetable = school([group("5А")], PLAN, substitutions=[change("cancelled", 1, "5А", "3", until=6)])
    assert told(timetable, 0, 5) == []
    assert told(timetable, 2, 6) == []
    assert len(told(timetable, 1, 6)) == 1


def test_nothing_is_told_of_groups_that_were_not_compiled() -> None:
    said = [change("cancelled", 0, "5А 5Б", "4", origin=WHERE), change("cancelled", 0, "", "4", origin=WHERE)]
    timetable = school([group("5А"), group("5Б")], [*PLAN, lesson("5В", 1, 1)], substitutions=said)
    assert [one.group for one in compiled(timetable, groups=["5А"]).unplaced] == ["5А"]
    assert [one.group for one in compiled(timetable, groups=[]).unplaced] == []
    assert [one.group for one in compiled(timetable).unplaced] == ["5В", "", "5А", "5Б"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (lesson("5В", 1, 1), "5В: no class or group is called so"),
        (lesson("5А", 8, 1), "5А: weekday 8 is none"),
        (lesson("5А", 1, 1, first=day(1), last=day(0)), "5А: ends before its first date"),
        (lesson("5А", 1, 8, week="A"), "5А: no week is called 'A'"),
        (lesson("5А", 1, 9), "5А on 2025-09-01: lesson 9 has no bell in the bells 'normal'"),
        (group("5А", grade=6), "5А: is listed twice"),
        (group("5Г", bells="none"), "5Г: no bells are called 'none'"),
        (group("5Г", part_of=GroupId("5Ж")), "5Ж: no class or group is called so"),
        (group("5Г", part_of=GroupId("5Г")), "5Г: is a part of itself"),
        (bell(1, "08:00", "08:00", bells="b"), "school: lesson 1 of the bells 'b' ends at or before its start; nothing reaches over midnight"),
        (bell(1, "23:30", "00:10", bells="b"), "school: lesson 1 of the bells 'b' ends at or before its start; nothing reaches over midnight"),
        (bell(1, "08:01", "08:45"), "school: lesson 1 of the bells 'normal' has other times in another row"),
        (holiday(1, 0), "school: ends before its first date"),
        (holiday(1, groups=["5В"]), "5В: no class or group is called so"),
        (holiday(1, grades=[5, 11, 12]), "school: no class is of grade 11, 12"),
        (school_day(1, bells="shrt"), "school: no bells are called 'shrt'"),
        (school_day(3, weekday=9), "school: names a weekday that is none"),
        (school_day(3, on=[0]), "school: names a weekday that is none"),
        (event("5В", 0, "08:00", "09:00"), "5В: no class or group is called so"),
        (event("5А", 0, "15:00", "15:00"), "5А on 2025-09-01: ends at or before its start; nothing reaches over midnight"),
        (event("5А", 0, "23:00", "00:01", days=1), "5А on 2025-09-01: ends at or before its start; nothing reaches over midnight"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_used(row: SchoolClass | Bell | Lesson | CalendarDay | Event, expected: str) -> None:
    parts = {SchoolClass: "classes", Bell: "bells", Lesson: "lessons", CalendarDay: "calendar", Event: "events"}
    said: dict[str, Any] = {"classes": [group("5А")], "bells": hourly(), "lessons": PLAN, "calendar": [], "events": []}
    said[parts[type(row)]] = [*said[parts[type(row)]], replace(row, origin="rows:7")]
    found = told(school(said.pop("classes"), said.pop("lessons"), **said))
    assert f"rows:7 {expected}" in found


def test_a_class_of_no_week_that_takes_a_turn() -> None:
    timetable = school([group("5А")], [lesson("5А", 1, 1, week="A", origin="l:7")], weeks=("A", "B"))
    assert told(timetable) == ["l:7 5А: no week is called 'A'"]
    assert told(replace(timetable, weeks_from=day(0))) == []


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            lesson("5А", 1, 1, kind=SlotKind.EXAM),
            "lessons.csv:2 5А on 2025-09-01: lesson 1 is there already (another row)",
        ),
        (
            event("5А", 0, "09:10", "09:20"),
            "lessons.csv:2 5А on 2025-09-01: lesson 2 is at the time of an event (another row)",
        ),
    ],
)
def test_of_two_at_once_the_other_is_named(row: Lesson | Event, expected: str) -> None:
    more = {"events": [row]} if isinstance(row, Event) else {}
    taught = [*PLAN, row] if isinstance(row, Lesson) else PLAN
    assert told(school([group("5А")], taught, **more)) == [expected]


@pytest.mark.parametrize(("name", "values"), [("weekday", (1, 2)), ("week", ("A", "B"))])
def test_two_calendar_rows_of_one_day(name: str, values: tuple[Any, Any]) -> None:
    rules = [school_day(0, origin=f"a:{n}", **{name: value}) for n, value in enumerate(values)]
    for calendar in (rules, rules[::-1]):
        problem = f"says {name} {values[1]!r} where another row that is as narrow says {values[0]!r}"
        assert told(school([group("5А")], PLAN, calendar=calendar)) == [f"a:1 school on 2025-09-01: {problem}"]


@pytest.mark.parametrize("reach", [{}, {"last": 6, "on": [1]}])
def test_two_calendar_rows_as_narrow_as_one_another(reach: dict[str, Any]) -> None:
    """A run of dates is as many as it has of its weekdays."""
    rules = [school_day(0, bells="short", origin="a:1", **reach), school_day(0, bells="normal", origin="a:2")]
    for calendar in (rules, rules[::-1]):
        timetable = school([group("5А"), group("5Б")], PLAN, calendar=calendar, bells=[*hourly(), *hourly("short", 30)])
        problem = "says bells 'short' where another row that is as narrow says 'normal'"
        assert told(timetable) == [f"a:1 school on 2025-09-01: {problem}"]


def test_what_holds_for_many_dates_is_told_once() -> None:
    timetable = school([group("5А")], [lesson("5А", weekday, 9, origin="l:7") for weekday in (1, 2)])
    (one,) = compiled(timetable, 0, 13).unplaced
    assert (one.date, one.dates, one.origin) == (day(0), 4, "l:7")
    assert str(one) == "5А on 2025-09-01 and 3 more: lesson 9 has no bell in the bells 'normal'"
    assert one.hint == "add it to the bells, or mend the day"


def test_what_holds_for_two_dates_and_on_the_last_one() -> None:
    taught = [lesson("5А", weekday, 9, origin="l:7") for weekday in (1, 7)]
    problem = "lesson 9 has no bell in the bells 'normal'"
    assert told(school([group("5А")], taught)) == [f"l:7 5А on 2025-09-01 and 1 more: {problem}"]
    assert told(school([group("5А")], taught), 1, 7) == [f"l:7 5А on 2025-09-07 and 1 more: {problem}"]
    assert told(school([group("5А")], taught), 1, 6) == [f"l:7 5А on 2025-09-07: {problem}"]


def test_a_bell_that_cannot_ring_rings_for_nobody() -> None:
    timetable = school([group("5А")], [lesson("5А", 1, 1)], bells=[bell(1, "08:00", "08:00")])
    assert told(timetable)[1:] == [" 5А on 2025-09-01: lesson 1 has no bell in the bells 'normal'"]


def test_an_event_that_cannot_be_is_told_with_its_place() -> None:
    night = event("5А", 0, "23:00", "00:01", days=1, origin="cal.ics:9")
    problem = "ends at or before its start; nothing reaches over midnight"
    assert told(school([group("5А")], [], events=[night])) == [f"cal.ics:9 5А on 2025-09-01: {problem}"]


def test_a_holiday_has_no_bells() -> None:
    moved = change("moved", 0, "5А", "1", to=2)
    timetable = school([group("5А")], PLAN, substitutions=[moved], calendar=[holiday(2)])
    (one,) = compiled(timetable).unplaced
    assert str(one).endswith("on 2025-09-03: lesson 1 is put onto nothing: lesson 1 has no bell in a holiday")
    assert one.hint == "give start and end, or open the day in the calendar"
    assert shown(compiled(timetable).slots) == HELD[1:]


def test_of_two_lessons_at_once_the_one_that_was_said_last_is_held() -> None:
    exam = change("added", 0, "5А", "8", start="08:30", end="09:30", kind=SlotKind.EXAM, origin=WHERE)
    found = compiled(school([group("5А")], PLAN, substitutions=[exam]))
    assert shown(found.slots) == ["5А Mo8 08:30 exam", *HELD[2:]]
    assert [one.origin for one in found.unplaced] == ["lessons.csv:2", "lessons.csv:2"]


def test_substitutions_outweigh_events_and_events_the_week() -> None:
    meeting = event("5А", 0, "09:10", "10:10", origin="cal.ics:9")
    added = change("added", 0, "5А", "8", start="10:00", end="10:20", origin=WHERE)
    merged = change("merged", 0, "5А", "2", with_group="5Б", origin=WHERE)
    classes, taught = [group("5А"), group("5Б")], [*lessons("5А", "12"), *lessons("5Б", "2")]
    for said, held in ((added, "5А Mo8 10:00"), (merged, "5А Mo2 09:00")):
        found = compiled(school(classes, taught, events=[meeting], substitutions=[said]))
        assert held in shown(found.slots)
        assert ("cal.ics:9", f"{WHERE})") in {(one.origin, one.problem.rpartition("(")[2]) for one in found.unplaced}


def test_what_has_no_number_is_named_by_its_start() -> None:
    rows = [change("added", 0, "5А", start=f"{hour}:05", end=f"{hour}:30") for hour in (14, 15)]
    found = compiled(school([group("5А")], [], substitutions=rows)).slots
    assert [slot.id for slot in found] == ["5А-20250901-t1405", "5А-20250901-t1505"]


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ({"obligatory": False}, ["5А Mo1 08:00", "5А Mo8 08:30 free"]),
        ({"kind": SlotKind.CLUB}, ["5А Mo1 08:00", "5А Mo8 08:30 club"]),
        ({"kind": SlotKind.CARE}, ["5А Mo1 08:00", "5А Mo8 08:30 care"]),
        ({"start": dt.time(8, 45)}, ["5А Mo1 08:00", "5А Mo8 08:45"]),
    ],
)
def test_what_nobody_must_attend_may_lie_beside_a_lesson(said: dict[str, Any], held: list[str]) -> None:
    slot: dict[str, Any] = {"start": dt.time(8, 30), "end": dt.time(9, 0)} | said
    other = Substitution(change=change("added", 0).change, date=day(0), lessons=frozenset({8}), **slot)
    found = compiled(school([group("5А")], [lesson("5А", 1, 1)], substitutions=[other]))
    assert found.unplaced == ()
    assert shown(found.slots) == held


def test_of_two_lessons_of_the_week_the_one_that_no_gate_judges_is_held() -> None:
    both = [lesson("5А", 1, 1), lesson("5А", 1, 1, mode=Mode.TEACHER)]
    for taught in (both, both[::-1]):
        assert shown(compiled(school([group("5А")], taught)).slots) == ["5А Mo1 08:00 teacher"]


def test_a_source_that_is_wrong_all_over_is_told_in_part() -> None:
    taught = [lesson("5А", 1, 100 + number, origin=f"l:{number:04}") for number in range(MAX_UNPLACED + 3)]
    found = compiled(school([group("5А")], taught))
    assert (len(found.unplaced), found.untold) == (MAX_UNPLACED, 3)
    assert found.unplaced[0].origin == "l:0000"
    assert compiled(school([group("5А")], taught[3:])).untold == 0


def test_no_dates_are_no_slots() -> None:
    timetable = school([group("5А")], PLAN, substitutions=[change("cancelled", 0, "5А", "1")])
    assert compiled(timetable, 3, 2).slots == ()
