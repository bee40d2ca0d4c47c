"""A change of a morning: what it touches, what became of the slots; and the slots as one person has them."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.compiler import personal
from gateway.domain.model import GroupId, Mode, PersonId
from gateway.domain.timetable import Plan, Timetable
from gateway.domain.touched import difference, touched
from tests.domain.timetables import (
    BERLIN,
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
    shown,
)

CLASSES = [group("5А"), group("5А-1", part_of=GroupId("5А")), group("5Б"), group("1А", grade=1)]
BEFORE = school(CLASSES, [one for known in CLASSES for one in lessons(known.id, "123 12")])
EVERYBODY = "1А 5А 5А-1 5Б"


def what(before: Timetable, **said: Any) -> dict[int, str]:
    """By days from the Monday, the groups that a change touches within the first week."""
    found = touched(before, replace(before, **said), day(0), day(6))
    names: dict[int, list[str]] = {}
    for date, name in sorted(found):
        names.setdefault((date - day(0)).days, []).append(name)
    return {number: " ".join(known) for number, known in names.items()}


def all_week(names: str) -> dict[int, str]:
    return dict.fromkeys(range(7), names)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {}),
        ({"substitutions": [change("cancelled", 0, "5А", "1")]}, {0: "5А 5А-1"}),
        ({"substitutions": [change("cancelled", 0, "5А-1", until=1)]}, {0: "5А-1", 1: "5А-1"}),
        ({"substitutions": [change("mode", 1, mode=Mode.NONE)]}, {1: EVERYBODY}),
        ({"substitutions": [change("moved", 0, "5Б", "1", until=1, to=3)]}, dict.fromkeys([0, 1, 3, 4], "5Б")),
        ({"substitutions": [change("moved", 7, "5Б", "1", to=3)]}, {3: "5Б"}),
        ({"substitutions": [change("merged", 0, "5А", "1", with_group="5Б")]}, {0: "5А 5А-1"}),
        ({"calendar": [holiday(2, 3, grades=[1])]}, {2: "1А", 3: "1А"}),
        ({"calendar": [holiday(0, 6, on=[2])]}, {1: EVERYBODY}),
        ({"events": [event("5Б", 4, "23:30", "23:40")]}, {4: "5Б"}),
        ({"events": [event("5Б", 4, "23:30", "23:40")], "zone": BERLIN}, all_week(EVERYBODY)),
        ({"lessons": [*BEFORE.lessons, lesson("5Б", 3, 1, first=day(3), last=day(5))]}, dict.fromkeys([3, 4, 5], "5Б")),
        ({"lessons": BEFORE.lessons[::-1]}, {}),
        ({"lessons": [*BEFORE.lessons, BEFORE.lessons[0]]}, all_week("5А")),
        ({"bells": hourly(minutes=40)}, all_week(EVERYBODY)),
        ({"bells": hourly()[::-1]}, {}),
        ({"classes": [*CLASSES, group("9В")]}, all_week(f"{EVERYBODY} 9В")),
        ({"classes": CLASSES[:2]}, all_week(EVERYBODY)),
        ({"weeks": ("A",)}, all_week(EVERYBODY)),
        ({"weeks_from": day(0)}, all_week(EVERYBODY)),
    ],
)
def test_what_a_change_touches(said: dict[str, Any], expected: dict[int, str]) -> None:
    assert what(BEFORE, **said) == expected
    after = replace(BEFORE, **said)
    assert what(after, **{key: getattr(BEFORE, key) for key in said}) == expected


def test_what_follows_from_a_lesson_that_is_moved_or_shared() -> None:
    """5Б's Monday goes to Wednesday, and from there to Friday, where 5А has its lessons with it."""
    rows = [
        change("moved", 0, "5Б", to=2),
        change("moved", 2, "5Б", to=9),
        change("moved", 9, "5Б", to=4),
        change("merged", 4, "5А", with_group="5Б"),
        change("merged", 4, "1А", with_group="5А-1"),
    ]
    before = replace(BEFORE, substitutions=rows)
    assert what(before, calendar=[holiday(0, groups=frozenset({GroupId("5Б")}))]) == {
        0: "5Б",
        2: "5Б",
        4: "1А 5А 5А-1 5Б",
    }
    assert what(before, calendar=[holiday(0, grades=[1])]) == {0: "1А"}


def test_what_follows_is_found_in_any_order_of_the_rows() -> None:
    rows = [change("moved", n, "5Б", to=n + 2) for n in (4, 2, 0)]
    before = replace(BEFORE, substitutions=rows)
    closed = [holiday(0, groups=["5Б"])]
    assert what(before, calendar=closed) == dict.fromkeys([0, 2, 4, 6], "5Б")
    known, new = rows[1:]
    before = replace(BEFORE, substitutions=[known])
    assert what(before, substitutions=[known, new]) == dict.fromkeys([0, 2, 4], "5Б")
    shared = replace(BEFORE, substitutions=[change("merged", 0, "5А", until=1, with_group="5Б")])
    closed = [holiday(0, grades=[1]), holiday(1, groups=["5Б"])]
    assert what(shared, calendar=closed) == {0: "1А", 1: "5А 5А-1 5Б"}


def test_what_comes_from_a_date_outside() -> None:
    before = replace(BEFORE, substitutions=[change("moved", 8, "5Б", to=3)])
    assert what(before, lessons=[*BEFORE.lessons, lesson("5Б", 2, 5, first=day(8))]) == {3: "5Б"}


@pytest.mark.parametrize(
    ("rows", "at", "expected"),
    [
        # Each date of a run, its first and its last, from before and from behind.
        ([change("moved", 0, "5Б", "1", until=1, to=9)], 9, ["5Б We1 08:00"]),
        ([change("moved", 0, "5Б", "1", until=1, to=9)], 10, ["5Б Th1 08:00"]),
        ([change("moved", 7, "5Б", "1", until=8, to=2)], 3, ["5Б Th1 08:00"]),
        # By steps.
        ([change("moved", 0, "5Б", "1", to=9), change("moved", 9, "5Б", "1", to=16)], 16, ["5Б We1 08:00"]),
        ([change("moved", 0, "5Б", "1", to=9), change("moved", 9, "5Б", "1", to=16)], 9, []),
    ],
)
def test_a_lesson_that_comes_from_outside_of_the_dates(rows: list[Any], at: int, expected: list[str]) -> None:
    timetable = school([group("5Б")], lessons("5Б", "1 1"), substitutions=rows)
    assert shown(compiled(timetable, at, at).slots) == expected


def test_the_date_of_an_event_is_the_site_s() -> None:
    before = replace(BEFORE, zone=ZoneInfo("Asia/Kamchatka"))
    assert what(before, events=[event("5Б", 4, "12:30", "13:40")]) == {5: "5Б"}


def test_only_what_lies_between_the_first_and_the_last_difference_of_substitutions() -> None:
    one, two, three = (change("cancelled", n, "5Б", "1") for n in range(3))
    before = replace(BEFORE, substitutions=[one, two, three])
    assert what(before, substitutions=[one, three]) == {1: "5Б"}
    assert what(before, substitutions=[one, three, two]) == {1: "5Б", 2: "5Б"}
    assert what(before, substitutions=[one, two, two, three]) == {1: "5Б"}
    assert what(before, substitutions=[two, three]) == {0: "5Б"}


def test_the_difference_of_slots() -> None:
    rows = [
        change("cancelled", 0, "5Б", "1"),
        change("added", 0, "5Б", "4"),
        change("mode", 0, "5Б", "2", mode=Mode.NONE),
    ]
    old, new = compiled(BEFORE).slots, compiled(replace(BEFORE, substitutions=rows)).slots
    found = difference(old, new)
    assert shown(found.added) == ["5Б Mo4 11:00"]
    assert shown(found.removed) == ["5Б Mo1 08:00"]
    assert [shown(pair) for pair in found.changed] == [["5Б Mo2 09:00", "5Б Mo2 09:00 none"]]
    assert difference(new, new) == difference([], [])


def plan(mode: Mode, first: int, last: int | None = None, person: str = "p-1", **said: Any) -> Plan:
    known: dict[str, Any] = {key: frozenset(value) for key, value in said.items()}
    ends = None if last is None else day(last)
    return Plan(person=PersonId(person), mode=mode, first=day(first), last=ends, **known)


def modes(*plans: Plan) -> str:
    slots = [slot for slot in compiled(BEFORE).slots if slot.group == "5Б"]
    known = {Mode.GATE: "g", Mode.TEACHER: "t", Mode.NONE: "n"}
    found = personal(slots, plans, PersonId("p-1"), BEFORE.zone)
    assert [slot.id for slot in found] == [slot.id for slot in slots]
    return "".join(known[slot.mode] for slot in found)


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        ([], "ggggg"),
        ([plan(Mode.NONE, 0)], "nnnnn"),
        ([plan(Mode.NONE, 1)], "gggnn"),
        ([plan(Mode.NONE, 0, 0)], "nnngg"),
        ([plan(Mode.NONE, -9, -1)], "ggggg"),
        ([plan(Mode.NONE, 0, person="p-2")], "ggggg"),
        ([plan(Mode.TEACHER, 0, weekdays=[2])], "gggtt"),
        ([plan(Mode.TEACHER, 0, lessons=[2])], "gtggt"),
        ([plan(Mode.TEACHER, 0, weekdays=[1], lessons=[2, 3])], "gttgg"),
        # Home schooling, but Tuesdays at school.
        ([plan(Mode.NONE, 0), plan(Mode.GATE, 0, weekdays=[2])], "nnngg"),
        ([plan(Mode.GATE, 0, weekdays=[2]), plan(Mode.NONE, 0)], "nnnnn"),
    ],
)
def test_plans_of_a_person(plans: list[Plan], expected: str) -> None:
    assert modes(*plans) == expected


def test_a_plan_never_gives_the_gate_what_a_teacher_takes() -> None:
    trip = replace(BEFORE, substitutions=[change("mode", 0, "5Б", mode=Mode.TEACHER)])
    slots = compiled(trip, 0, 0).slots
    assert personal(slots, [plan(Mode.GATE, 0)], PersonId("p-1"), trip.zone) == list(slots)


def test_the_date_of_a_plan_is_the_site_s() -> None:
    timetable = school([group("5А")], [], events=[event("5А", 0, "22:30", "22:50")], zone=BERLIN)
    slots = compiled(timetable).slots
    (slot,) = personal(slots, [plan(Mode.NONE, 1, 1, weekdays=[2])], PersonId("p-1"), BERLIN)
    assert slot.mode is Mode.NONE
