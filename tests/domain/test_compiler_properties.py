"""What holds of any timetable: parts of it compile as the whole does, and nothing is lost."""

import datetime as dt
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.compiler import compile_days
from gateway.domain.model import GroupId, Mode, Slot, SlotKind
from gateway.domain.timetable import CalendarDay, Change, DayKind, Event, Lesson, Substitution, Timetable
from gateway.domain.touched import difference, touched
from tests.domain.timetables import day, group, hourly

NAMES = [GroupId(name) for name in ("5А", "5А-1", "5А-2", "5Б", "1А")]
CLASSES = [
    group("5А"),
    group("5А-1", part_of=GroupId("5А")),
    group("5А-2", part_of=GroupId("5А")),
    group("5Б", shift=2),
    group("1А", grade=1, bells="short"),
]
BELLS = [*hourly(), *hourly(minutes=50, shift=2)[:5], *hourly("short", 30)[:4]]
LAST = 13
DAYS = st.integers(0, LAST).map(day)
NUMBERS = st.integers(0, 5)
SOME = st.frozensets(st.sampled_from(NAMES), max_size=2)
CLOCKS = st.sampled_from([dt.time(8, 30), dt.time(12), dt.time(20, 15)])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


LESSONS = st.builds(
    Lesson,
    group=st.sampled_from(NAMES),
    weekday=st.integers(1, 6),
    lesson=NUMBERS,
    week=st.sampled_from(["", "", "A", "B"]),
    first=maybe(DAYS),
    mode=st.sampled_from(Mode),
    obligatory=st.booleans(),
)
RULES = st.builds(
    CalendarDay,
    date=DAYS,
    last=maybe(DAYS),
    on=st.frozensets(st.integers(1, 7), max_size=2),
    kind=st.sampled_from(DayKind),
    bells=maybe(st.sampled_from(["normal", "short"])),
    weekday=maybe(st.integers(1, 6)),
    week=maybe(st.sampled_from(["A", "B"])),
    grades=st.frozensets(st.sampled_from([1, 5]), max_size=1),
    groups=SOME,
)
SUBSTITUTIONS = st.builds(
    Substitution,
    change=st.sampled_from([*Change, Change.MOVED, Change.MERGED]),
    date=DAYS,
    last=maybe(DAYS),
    groups=SOME,
    lessons=st.frozensets(NUMBERS, max_size=2),
    to_date=maybe(DAYS),
    to_lesson=maybe(NUMBERS),
    start=maybe(CLOCKS),
    end=maybe(CLOCKS),
    mode=maybe(st.sampled_from(Mode)),
    site=maybe(st.just("pool")),
    kind=st.sampled_from(SlotKind),
    with_group=st.sampled_from(NAMES),
)


MOVING = st.builds(
    Substitution,
    change=st.sampled_from([Change.MOVED, Change.MERGED]),
    date=DAYS,
    groups=st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=2),
    to_date=DAYS,
    with_group=st.sampled_from(NAMES),
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    start = dt.datetime.combine(draw(DAYS), draw(CLOCKS), dt.UTC)
    return Event(
        id=str(draw(st.integers(0, 3))),
        group=draw(st.sampled_from(NAMES)),
        start=start,
        end=start + dt.timedelta(minutes=draw(st.integers(10, 100))),
        number=draw(maybe(NUMBERS)),
    )


@st.composite
def timetables(draw: st.DrawFn) -> Timetable:
    def some(rows: st.SearchStrategy[Any], at_most: int) -> list[Any]:
        found = draw(st.lists(rows, max_size=at_most))
        return [replace(row, origin=f"{type(row).__name__}:{number}") for number, row in enumerate(found)]

    return Timetable(
        zone=ZoneInfo(draw(st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kamchatka"]))),
        classes=CLASSES,
        bells=BELLS,
        lessons=some(LESSONS, 14),
        calendar=some(RULES, 4),
        substitutions=some(SUBSTITUTIONS | MOVING, 7),
        events=some(events(), 3),
        weeks=("A", "B"),
        weeks_from=day(0),
    )


@st.composite
def busy(draw: st.DrawFn) -> Timetable:
    """Every group has lessons every day, and whole days are moved and merged."""
    taught = [Lesson(group=name, weekday=weekday, lesson=1) for name in NAMES for weekday in range(1, 8)]
    rows = draw(st.lists(MOVING, min_size=1, max_size=5))
    return Timetable(zone=ZoneInfo("UTC"), classes=CLASSES, bells=BELLS, lessons=taught, substitutions=rows)


def whole(timetable: Timetable) -> tuple[Slot, ...]:
    return compile_days(timetable, day(0), day(LAST)).slots


def local(slot: Slot, timetable: Timetable) -> dt.date:
    return slot.start.astimezone(timetable.zone).date()


@settings(max_examples=150)
@given(timetables(), DAYS, DAYS, st.frozensets(st.sampled_from(NAMES)))
def test_a_part_compiles_as_the_whole(
    timetable: Timetable, first: dt.date, last: dt.date, names: frozenset[GroupId]
) -> None:
    expected = [slot for slot in whole(timetable) if slot.group in names and first <= local(slot, timetable) <= last]
    assert list(compile_days(timetable, first, last, names).slots) == expected


@settings(max_examples=100)
@given(timetables())
def test_ids_are_unique_and_slots_lie_on_their_dates(timetable: Timetable) -> None:
    slots = whole(timetable)
    assert len({slot.id for slot in slots}) == len(slots)
    assert list(slots) == sorted(slots, key=lambda slot: (slot.start, slot.id))
    for slot in slots:
        date = local(slot, timetable)
        assert day(0) <= date <= day(LAST)
        assert (slot.end - dt.timedelta.resolution).astimezone(timetable.zone).date() == date
        assert slot.id.startswith(f"{slot.group}-{date:%Y%m%d}-")
    for name in NAMES:
        must = [s for s in slots if s.group == name and s.obligatory and s.kind in {SlotKind.LESSON, SlotKind.EXAM}]
        assert all(one.end <= other.start for one, other in pairwise(must))


@settings(max_examples=100)
@given(timetables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing_but_for_substitutions(timetable: Timetable, random: Any) -> None:
    def shuffled(rows: Any) -> list[Any]:
        mixed = list(rows)
        random.shuffle(mixed)
        return mixed

    other = replace(
        timetable,
        classes=shuffled(timetable.classes),
        bells=shuffled(timetable.bells),
        lessons=shuffled(timetable.lessons),
        calendar=shuffled(timetable.calendar),
        events=shuffled(timetable.events),
    )
    assert compile_days(other, day(0), day(LAST)) == compile_days(timetable, day(0), day(LAST))


@settings(max_examples=100)
@given(timetables())
def test_every_lesson_is_held_or_told_or_cancelled_once(timetable: Timetable) -> None:
    """By the plainest calendar there is: all of the dates are school days, substitutions only cancel."""
    cancelled = [one for one in timetable.substitutions if one.change is Change.CANCELLED]
    plain = replace(timetable, calendar=(), substitutions=cancelled, events=())
    due: Counter[str] = Counter()
    for lesson in plain.lessons:
        for date in (day(n) for n in range(LAST + 1)):
            taught = date.isoweekday() == lesson.weekday and (lesson.first is None or lesson.first <= date)
            if (
                taught
                and lesson.week in {"", "AB"[(date - day(0)).days // 7]}
                and not any(_covers(c, lesson, date) for c in cancelled)
            ):
                due[lesson.group] += 1
    found = compile_days(plain, day(0), day(LAST))
    seen = Counter(str(slot.group) for slot in found.slots)
    for one in found.unplaced:
        if one.origin.startswith("Lesson"):
            seen[one.group] += one.dates
    assert seen == due


def _covers(one: Substitution, lesson: Lesson, date: dt.date) -> bool:
    if one.start is not None and one.end is not None and one.end <= one.start:
        return False
    whom = not one.groups or lesson.group in one.groups or ("5А" in one.groups and lesson.group.startswith("5А"))
    return whom and one.date <= date <= (one.last or one.date) and lesson.lesson in (one.lessons or {lesson.lesson})


@settings(max_examples=150)
@given(timetables() | busy(), st.data())
def test_what_is_not_touched_stays_as_it_is(before: Timetable, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["lessons", "calendar", "substitutions", "events"]))
    strategy: dict[str, st.SearchStrategy[Any]] = {
        "lessons": LESSONS,
        "calendar": RULES,
        "substitutions": SUBSTITUTIONS,
        "events": events(),
    }
    rows = list(getattr(before, name))
    at = data.draw(st.integers(0, len(rows)))
    rows[at : at + data.draw(st.integers(0, 1))] = data.draw(st.lists(strategy[name], max_size=2))
    said: dict[str, Any] = {name: rows}
    after = replace(before, **said)
    found = touched(before, after, day(0), day(LAST))
    assert {date for date, _ in found} <= {day(n) for n in range(LAST + 1)}
    old, new = whole(before), whole(after)
    made = difference(old, new)
    changed = [*made.added, *made.removed, *(slot for pair in made.changed for slot in pair)]
    assert {(local(slot, before), slot.group) for slot in changed} <= found
    kept = {slot for slot in old if (local(slot, before), slot.group) not in found}
    again = {slot for date, name in found for slot in compile_days(after, date, date, {name}).slots}
    assert kept | again == set(new)
