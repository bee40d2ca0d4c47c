"""The compiler of slots: a year of a school of 60 divided classes in two shifts, and one morning's change."""

import datetime as dt
import time
import tracemalloc
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bench.figure import Figure, over_rounds
from gateway.domain.compiler import compile_days
from gateway.domain.model import GroupId, Mode
from gateway.domain.timetable import Bell, CalendarDay, Change, DayKind, Lesson, SchoolClass, Substitution, Timetable

_ROUNDS = 3
_CLASSES, _LESSONS, _PARTS = 60, 7, 4
_YEAR = dt.date(2026, 9, 1), dt.date(2027, 5, 31)
_YEAR_SECONDS, _YEAR_MIB, _MORNING_MS = 10.0, 256.0, 250.0
_BYTES_IN_MIB = 2**20


def run() -> Sequence[Figure]:
    """Takes some tens of seconds."""
    school = _school()
    years = [_seconds(school, *_YEAR) for _ in range(_ROUNDS)]
    mornings = [_seconds(school, _YEAR[0], _YEAR[0], [GroupId("class-7")]) * 1000 for _ in range(_ROUNDS)]
    peak = _peak(school)
    return [
        over_rounds("compile_year", "s", [(value, _YEAR_SECONDS) for value in years], "budget", at_most=1),
        over_rounds("compile_year_peak", "MiB", [(peak, _YEAR_MIB)], "budget", at_most=1),
        over_rounds("compile_class_today", "ms", [(value, _MORNING_MS) for value in mornings], "budget", at_most=1),
    ]


def _seconds(school: Timetable, first: dt.date, last: dt.date, groups: Sequence[GroupId] | None = None) -> float:
    start = time.perf_counter()
    compiled = compile_days(school, first, last, groups)
    taken = time.perf_counter() - start
    if not compiled.slots or compiled.unplaced:
        raise RuntimeError(f"{len(compiled.slots)} slots, not placed: {compiled.unplaced[:1]}")
    return taken


def _peak(school: Timetable) -> float:
    tracemalloc.start()
    try:
        compiled = compile_days(school, *_YEAR)
        return tracemalloc.get_traced_memory()[1] / _BYTES_IN_MIB
    finally:
        tracemalloc.stop()
        del compiled


def _school() -> Timetable:
    """Six lessons a day of each class, one for its parts, ten substitutions each school day."""
    classes = [
        SchoolClass(id=GroupId(f"class-{n}"), grade=n % 11 + 1, shift=1 + n % 2, bells="normal")
        for n in range(_CLASSES)
    ]
    parts = [
        SchoolClass(id=GroupId(f"{one.id}-{part}"), grade=one.grade, shift=one.shift, bells=one.bells, part_of=one.id)
        for one in classes
        for part in range(_PARTS)
    ]
    # Each lesson that a class is divided for is one of some of its parts.
    lessons = [
        Lesson(group=group, weekday=weekday, lesson=number, week="A" if number == _LESSONS else "")
        for one in classes
        for weekday in range(1, 7)
        for number in range(1, _LESSONS + 1)
        for group in ([one.id] if number % 3 else [GroupId(f"{one.id}-{(number + part) % _PARTS}") for part in (0, 1)])
    ]
    return Timetable(
        zone=ZoneInfo("Europe/Moscow"),
        classes=[*classes, *parts],
        bells=_bells(),
        lessons=lessons,
        calendar=_calendar(),
        substitutions=_substitutions(classes),
        weeks=("A", "B"),
        weeks_from=_YEAR[0],
    )


def _bells() -> list[Bell]:
    return [
        Bell(
            bells=name,
            shift=shift,
            lesson=number,
            start=dt.time(7 + number + 6 * (shift - 1)),
            end=dt.time(7 + number + 6 * (shift - 1), length),
        )
        for name, length in (("normal", 45), ("short", 30))
        for shift in (1, 2)
        for number in range(1, _LESSONS + 1)
    ]


def _calendar() -> list[CalendarDay]:
    runs = [("2026-10-26", "2026-11-03"), ("2026-12-31", "2027-01-10"), ("2027-03-22", "2027-03-30")]
    closed = [
        CalendarDay(date=dt.date.fromisoformat(first), last=dt.date.fromisoformat(last), kind=DayKind.HOLIDAY)
        for first, last in runs
    ]
    short = CalendarDay(date=_YEAR[0], last=_YEAR[1], on=frozenset({6}), kind=DayKind.SCHOOL_DAY, bells="short")
    first_grade = CalendarDay(
        date=dt.date(2027, 2, 15), last=dt.date(2027, 2, 21), kind=DayKind.HOLIDAY, grades=frozenset({1})
    )
    return [*closed, short, first_grade]


def _substitutions(classes: Sequence[SchoolClass]) -> list[Substitution]:
    """Of lessons that are there: on Mondays to Saturdays outside of every holiday."""
    found = []
    closed = [(day.date, day.last or day.date) for day in _calendar() if day.kind is DayKind.HOLIDAY]
    for day in range((_YEAR[1] - _YEAR[0]).days + 1):
        date = _YEAR[0] + dt.timedelta(days=day)
        if date.isoweekday() == 7 or any(first <= date <= last for first, last in closed):
            continue
        for n in range(10):
            changes = (
                Substitution(change=Change.CANCELLED, date=date, groups=_one(classes, day + n), lessons=frozenset({1})),
                Substitution(
                    change=Change.MODE,
                    date=date,
                    groups=_one(classes, day + n),
                    lessons=frozenset({2}),
                    mode=Mode.TEACHER,
                ),
                Substitution(change=Change.REPLACED, date=date, groups=_one(classes, day + n), lessons=frozenset({4})),
            )
            found.append(changes[n % len(changes)])
    return found


def _one(classes: Sequence[SchoolClass], number: int) -> frozenset[GroupId]:
    return frozenset({classes[number % len(classes)].id})
