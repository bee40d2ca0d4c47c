"""Calendars, weeks, bells and events: which lessons a date has, and when they begin."""

import datetime as dt
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.findings import Findings
from gateway.domain.model import UNCOUNTED, GroupId, Mode, SlotKind
from gateway.domain.schoolday import Calendar, SchoolDay
from gateway.domain.timetable import CalendarDay, Event
from tests.domain.timetables import (
    BERLIN,
    UTC,
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
    told,
    week,
)

SHORT = hourly("short", 30)
DAILY = "1 1 1 1 1 1"


def dates(*rules: CalendarDay, last: int = 13) -> dict[str, str]:
    """On which days, counted from the Monday, grades 1 and 5 have their daily lesson; `s` for the short bells."""
    classes = [group("1А", grade=1), group("5А"), group("5А-1", part_of=GroupId("5А"))]
    taught = [one for known in classes for one in lessons(known.id, DAILY)]
    timetable = school(classes, taught, calendar=rules, bells=[*hourly(), *SHORT])
    found = compiled(timetable, 0, last)
    assert found.unplaced == ()
    held: dict[str, list[str]] = {known.id: [] for known in classes}
    for slot in found.slots:
        bells = "s" if (slot.end - slot.start).seconds == 30 * 60 else ""
        held[slot.group].append(f"{(slot.start.date() - day(0)).days}{bells}")
    return {name: " ".join(days) for name, days in held.items()}


ALL = "0 1 2 3 4 5 7 8 9 10 11 12"
FIRST = "0 1 2 3 4 5"


@pytest.mark.parametrize(
    ("rules", "grade_1", "grade_5", "part"),
    [
        ([], ALL, ALL, ALL),
        ([holiday(2)], "0 1 3 4 5 7 8 9 10 11 12", "0 1 3 4 5 7 8 9 10 11 12", "0 1 3 4 5 7 8 9 10 11 12"),
        ([holiday(2, 2), holiday(3, 13, on=range(1, 8))], "0 1", "0 1", "0 1"),
        ([holiday(6, 12)], FIRST, FIRST, FIRST),
        # The extra holidays of grade 1; one class; one part of a class.
        ([holiday(7, 13, grades=[1])], FIRST, ALL, ALL),
        ([holiday(7, 13, groups=["5А"])], ALL, FIRST, FIRST),
        ([holiday(7, 13, groups=["5А-1"])], ALL, ALL, FIRST),
        ([holiday(7, 13, groups=["5А-1"], grades=[1])], FIRST, ALL, FIRST),
        # A school day opens a holiday that it lies inside of.
        ([holiday(0, 13), school_day(4)], "4", "4", "4"),
        ([holiday(0, 13), school_day(3, 4, grades=[5])], "", "3 4", "3 4"),
        ([holiday(3), school_day(3, groups=["5А"])], "0 1 2 4 5 7 8 9 10 11 12", ALL, ALL),
        # One that only tells the bells of the first grade opens no holiday of all, and none opens one as wide as itself.
        ([school_day(0, 13, grades=[1], bells="short"), holiday(2, 13)], "0s 1s", "0 1", "0 1"),
        ([holiday(0, 13), school_day(0, 13)], "", "", ""),
        # A short day of all opens no holiday of the first grade.
        ([holiday(0, 13, grades=[1]), school_day(3, bells="short")], "", ALL.replace("3", "3s"), ALL.replace("3", "3s")),
        # A holiday inside of a school day inside of a holiday.
        ([holiday(0, 13), school_day(2, 5), holiday(4)], "2 3 5", "2 3 5", "2 3 5"),
        # Of the bells those of the fewest dates count, and then those for the fewest groups.
        ([school_day(0, 13, grades=[5], bells="normal"), school_day(3, bells="short")], ALL.replace("3", "3s"), ALL.replace("3", "3s"), ALL.replace("3", "3s")),
        ([school_day(3, bells="short"), school_day(3, grades=[5], bells="normal")], ALL.replace("3", "3s"), ALL, ALL),
        # Every Saturday; a run that has no Saturday is no rule.
        ([school_day(0, 13, on=[6], bells="short")], ALL.replace("5", "5s").replace("12", "12s"), ALL.replace("5", "5s").replace("12", "12s"), ALL.replace("5", "5s").replace("12", "12s")),
        ([holiday(0, 13, on=[6])], "0 1 2 3 4 7 8 9 10 11", "0 1 2 3 4 7 8 9 10 11", "0 1 2 3 4 7 8 9 10 11"),
        ([holiday(0, 13, on=[6]), school_day(12)], "0 1 2 3 4 7 8 9 10 11 12", "0 1 2 3 4 7 8 9 10 11 12", "0 1 2 3 4 7 8 9 10 11 12"),
        ([holiday(0, 4, on=[6])], ALL, ALL, ALL),
        # The Saturdays of two weeks are fewer dates than the days of one.
        ([school_day(0, 13, on=[6], bells="normal"), school_day(0, 6, bells="short")], "0s 1s 2s 3s 4s 5 7 8 9 10 11 12", "0s 1s 2s 3s 4s 5 7 8 9 10 11 12", "0s 1s 2s 3s 4s 5 7 8 9 10 11 12"),
    ],
)  # fmt: skip
def test_the_calendar(rules: list[CalendarDay], grade_1: str, grade_5: str, part: str) -> None:
    expected = {"1А": grade_1, "5А": grade_5, "5А-1": part}
    assert dates(*rules) == expected
    assert dates(*reversed(rules)) == expected


def test_saturday_is_taught_as_another_weekday() -> None:
    timetable = school(
        [group("5А")], lessons("5А", "12 3"), calendar=[school_day(5, weekday=2), school_day(6, weekday=1)]
    )
    assert week(timetable) == [
        "5А Mo1 08:00",
        "5А Mo2 09:00",
        "5А Tu3 10:00",
        "5А Sa3 10:00",
        "5А Su1 08:00",
        "5А Su2 09:00",
    ]


def turns(*rules: CalendarDay, **said: Any) -> str:
    """Which of the Monday lessons 1 (week A), 2 (week B), 3 (every week) are held on five Mondays."""
    taught = [lesson("5А", 1, 1, week="A"), lesson("5А", 1, 2, week="B"), lesson("5А", 1, 3)]
    timetable = school([group("5А")], taught, calendar=rules, **({"weeks": ("A", "B"), "weeks_from": day(0)} | said))
    found = compiled(timetable, 0, 34)
    assert found.unplaced == ()
    held = ["".join(str(slot.number) for slot in found.slots if slot.start.date() == day(7 * n)) for n in range(5)]
    return " ".join(held)


@pytest.mark.parametrize(
    ("rules", "said", "expected"),
    [
        ([], {}, "13 23 13 23 13"),
        ([], {"weeks_from": day(7)}, "23 13 23 13 23"),
        # Any day of the week that is the first; also one long ago.
        ([], {"weeks_from": day(6)}, "13 23 13 23 13"),
        ([], {"weeks_from": day(-7 * 9)}, "23 13 23 13 23"),
        ([], {"weeks": ("A", "B", "")}, "13 23 3 13 23"),
        ([], {"weeks": ("A", "B", ""), "weeks_from": day(6)}, "13 23 3 13 23"),
        # The week that a holiday took is made up for.
        ([school_day(14, 34, week="B")], {}, "13 23 23 23 23"),
        ([school_day(14, 20, week="B"), school_day(21, 27, week="A")], {}, "13 23 23 13 13"),
        ([school_day(0, 34, week="")], {}, "3 3 3 3 3"),
        ([school_day(0, 6, week="A"), school_day(7, 13, week="B")], {"weeks": ()}, "13 23 3 3 3"),
    ],
)
def test_weeks_take_turns(rules: list[CalendarDay], said: dict[str, Any], expected: str) -> None:
    assert turns(*rules, **said) == expected


def test_a_week_without_turns_has_no_name() -> None:
    findings = Findings(groups=None, first=day(0), last=day(0))
    calendar = Calendar(timetable=school([group("5А")], []), findings=findings)
    ordinary = SchoolDay(open=True, bells=None, weekday=1, week="")
    assert calendar.day(GroupId("5А"), day(0)) == calendar.day(GroupId("5А"), day(0)) == ordinary


def test_a_lesson_that_nobody_must_come_to() -> None:
    taught = [lesson("5А", 1, 1, obligatory=False), lesson("5А", 1, 2, kind=SlotKind.EXAM, mode=Mode.TEACHER)]
    assert week(school([group("5А")], taught)) == ["5А Mo1 08:00 free", "5А Mo2 09:00 exam teacher"]


def test_quarters_and_trimesters() -> None:
    taught = [
        lesson("5А", 1, 1, last=day(7)),
        lesson("5А", 1, 2, first=day(8), last=day(21)),
        lesson("5А", 1, 3, first=day(21)),
    ]
    taught.append(lesson("5А", 1, 0, first=day(28), last=day(28), site="pool"))
    found = compiled(school([group("5А")], taught), 0, 34).slots
    assert told(school([group("5А")], taught), 0, 34) == []
    assert [slot.site for slot in found] == ["", "", "", "", "", "pool", ""]
    assert [(slot.start.date() - day(0)).days * 10 + slot.number for slot in found] == [1, 71, 142, 212, 213, 280, 283]


@pytest.mark.parametrize(
    ("shift", "stage", "start"),
    [(1, "primary", "08:10"), (1, "senior", "08:20"), (2, "primary", "14:00"), (2, "senior", "14:10"), (3, "primary", "08:30"), (3, "senior", "08:40")],
)  # fmt: skip
def test_shift_then_stage_pick_the_row_of_the_bells(shift: int, stage: str, start: str) -> None:
    rows = [
        bell(1, "08:10", "08:50", shift=1, stage="primary"),
        bell(1, "08:20", "09:00", shift=1),
        bell(1, "14:00", "14:40", shift=2),
        bell(1, "14:10", "14:50", shift=2, stage="senior"),
        bell(1, "08:30", "09:10", stage="primary"),
        bell(1, "08:40", "09:20"),
    ]
    for bells in (rows, rows[::-1]):
        known = group("5А", shift=shift, stage=stage)
        assert week(school([known], [lesson("5А", 1, 1)], bells=bells)) == [f"5А Mo1 {start}"]


def test_a_lesson_may_begin_when_another_ends() -> None:
    bells = [bell(1, "08:00", "09:00"), bell(2, "09:00", "10:00")]
    assert week(school([group("5А")], lessons("5А", "12"), bells=bells)) == ["5А Mo1 08:00", "5А Mo2 09:00"]


def test_two_shifts_count_their_own_lessons() -> None:
    bells = [bell(1, "08:00", "08:45", shift=1), bell(1, "14:00", "14:45", shift=2), bell(0, "13:00", "13:45", shift=2)]
    classes = [group("5А"), group("7А", shift=2)]
    timetable = school(classes, [lesson("5А", 1, 1), lesson("7А", 1, 1), lesson("7А", 1, 0)], bells=bells)
    assert week(timetable) == ["5А Mo1 08:00", "7А Mo0 13:00", "7А Mo1 14:00"]


EVENTS: list[tuple[Event, list[str]]] = [
    (event("5А", 0, "08:30", "09:10", number=2), ["5А Mo2 08:30"]),
    (event("5А", 0, "18:00", "19:00", kind=SlotKind.CLUB, mode=Mode.TEACHER, site="club", obligatory=False), ["5А Mo 18:00 club teacher @club free"]),
    # It ends when the day does.
    (event("5А", 0, "23:00", "00:00", days=1), ["5А Mo 23:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("one", "expected"), EVENTS)
def test_events_need_no_bell_and_no_school_day(one: Event, expected: list[str]) -> None:
    assert week(school([group("5А")], [], events=[one], calendar=[holiday(0, 6)])) == expected


def with_event(one: Event, *said: Any) -> list[str]:
    timetable = school([group("5А")], lessons("5А", "1"), events=[one], substitutions=said)
    return [line.removeprefix("5А ") for line in week(timetable)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([change("cancelled", 0, "5А", "3")], ["Mo1 08:00"]),
        ([change("cancelled", 0, "5А")], []),
        ([change("moved", 0, "5А", "3", to=2)], ["Mo1 08:00", "We3 10:20"]),
        ([change("moved", 0, "5А", "3", to_lesson=4)], ["Mo1 08:00", "Mo4 11:00"]),
        ([change("moved", 0, "5А", "3", start="15:00")], ["Mo1 08:00", "Mo3 15:00"]),
        ([change("moved", 0, "5А", "3", to=1), change("moved", 1, "5А", "3", to=2)], ["Mo1 08:00", "We3 10:20"]),
        ([change("mode", 0, "5А", mode=Mode.NONE)], ["Mo1 08:00 none", "Mo3 10:20 none"]),
    ],
)
def test_substitutions_hold_for_events(said: list[Any], expected: list[str]) -> None:
    assert with_event(event("5А", 0, "10:20", "11:00", number=3), *said) == expected


def test_an_event_keeps_its_length_where_only_its_start_moves() -> None:
    moved = change("moved", 0, "5А", "3", start="15:00")
    timetable = school([group("5А")], [], events=[event("5А", 0, "10:20", "12:50", number=3)], substitutions=[moved])
    (slot,) = compiled(timetable).slots
    assert f"{slot.end:%H:%M}" == "17:30"


def test_an_event_that_moves_keeps_its_wall_times() -> None:
    """Over the end of summer time; of an hour that comes twice the first is meant."""
    second = Event(
        id="night",
        group=GroupId("5А"),
        start=dt.datetime(2025, 10, 26, 1, 30, tzinfo=dt.UTC),
        end=dt.datetime(2025, 10, 26, 9, 0, tzinfo=dt.UTC),
        number=1,
    )
    for to, starts in ((55, "26 00:30"), (56, "27 01:30"), (54, "25 00:30")):
        timetable = school([group("5А")], [], events=[second], substitutions=[change("moved", 55, "5А", "1", to=to)])
        (slot,) = compiled(replace(timetable, zone=BERLIN), 50, 60).slots
        assert f"{slot.start:%d %H:%M}" == starts


def test_an_event_s_date_is_the_site_s_and_its_id_stable() -> None:
    late = event("5А", 0, "23:30", "23:50", id="uid-1@example")
    (here,) = compiled(school([group("5А")], [], events=[late], zone=BERLIN)).slots
    (there,) = compiled(school([group("5А")], [], events=[late], zone=UTC)).slots
    assert (here.number, there.number) == (UNCOUNTED, UNCOUNTED)
    assert here.id.startswith("5А-20250902-")
    assert there.id.startswith("5А-20250901-")
    digest = hashlib.sha256(b"uid-1@example").hexdigest()
    assert {here.id.rpartition("-")[2], there.id.rpartition("-")[2]} == {digest[:12]}
