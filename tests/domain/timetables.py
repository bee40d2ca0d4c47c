"""Short ways to say a timetable, and to show what became of it."""

import datetime as dt
import re
from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.compiler import Compiled, compile_days
from gateway.domain.model import UNCOUNTED, GroupId, Mode, Slot, SlotKind
from gateway.domain.timetable import (
    Bell,
    CalendarDay,
    Change,
    DayKind,
    Event,
    Lesson,
    SchoolClass,
    Substitution,
    Timetable,
)

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")
#: A Monday, the first day of a school year.
MONDAY = dt.date(2025, 9, 1)
_HOURS = 7


def day(number: int) -> dt.date:
    """The number-th day after the Monday."""
    return MONDAY + dt.timedelta(days=number)


def wall(clock: str) -> dt.time:
    return dt.time.fromisoformat(clock)


def group(name: str, **said: Any) -> SchoolClass:
    known: dict[str, Any] = {"grade": 5, "shift": 1, "bells": "normal"} | said
    return SchoolClass(id=GroupId(name), **known)


def bell(number: int, start: str, end: str, **said: Any) -> Bell:
    known: dict[str, Any] = {"bells": "normal"} | said
    return Bell(lesson=number, start=wall(start), end=wall(end), **known)


def hourly(name: str = "normal", minutes: int = 45, **said: Any) -> list[Bell]:
    """Lesson n begins at 7 + n o'clock, for n from 0 to 8."""
    return [bell(n, f"{_HOURS + n:02}:00", f"{_HOURS + n:02}:{minutes:02}", bells=name, **said) for n in range(9)]


def lesson(name: str, weekday: int, number: int, **said: Any) -> Lesson:
    return Lesson(group=GroupId(name), weekday=weekday, lesson=number, **said)


def lessons(name: str, plan: str, **said: Any) -> list[Lesson]:
    """`123 12 - 4` are lessons 1 to 3 of Monday, 1 and 2 of Tuesday, none of Wednesday, 4 of Thursday."""
    days = enumerate(plan.split(), start=1)
    return [lesson(name, weekday, int(n), **said) for weekday, numbers in days for n in numbers if n != "-"]


def holiday(first: int, last: int | None = None, **said: Any) -> CalendarDay:
    return _calendar(DayKind.HOLIDAY, first, last, said)


def school_day(first: int, last: int | None = None, **said: Any) -> CalendarDay:
    return _calendar(DayKind.SCHOOL_DAY, first, last, said)


def _calendar(kind: DayKind, first: int, last: int | None, said: dict[str, Any]) -> CalendarDay:
    return CalendarDay(date=day(first), last=None if last is None else day(last), kind=kind, **_sets(said))


def change(word: str, at: int, names: str = "", numbers: str = "", **said: Any) -> Substitution:
    """`change("cancelled", 0, "5А 5Б", "12")`: lessons 1 and 2 of two classes on the Monday; `to` and `until` are days."""
    last, to_date = (None if (n := said.pop(key, None)) is None else day(n) for key in ("until", "to"))
    times: dict[str, Any] = {key: wall(said.pop(key)) for key in ("start", "end") if key in said}
    return Substitution(
        change=Change(word),
        date=day(at),
        last=last,
        groups=frozenset(GroupId(name) for name in names.split()),
        lessons=frozenset(map(int, numbers)),
        to_date=to_date,
        **times,
        **said,
    )


def event(name: str, at: int, start: str, end: str, **said: Any) -> Event:
    """`days` is how many days later it ends."""
    begin, until = dt.datetime.combine(day(at), wall(start), UTC), dt.datetime.combine(day(at), wall(end), UTC)
    until += dt.timedelta(days=said.pop("days", 0))
    known: dict[str, Any] = {"id": f"{name}-{at}-{start}"} | said
    return Event(group=GroupId(name), start=begin, end=until, **known)


def _sets(said: dict[str, Any]) -> dict[str, Any]:
    return {key: frozenset(value) if key in {"on", "grades", "groups"} else value for key, value in said.items()}


def school(classes: Sequence[SchoolClass], taught: Sequence[Lesson], **said: Any) -> Timetable:
    """In UTC, so that times read as they were written."""
    known: dict[str, Any] = {"zone": UTC, "bells": hourly()} | said
    return Timetable(classes=classes, lessons=taught, **known)


def compiled(timetable: Timetable, first: int = 0, last: int = 6, groups: Collection[str] | None = None) -> Compiled:
    return compile_days(timetable, day(first), day(last), None if groups is None else {GroupId(n) for n in groups})


def shown(slots: Sequence[Slot]) -> list[str]:
    """`5А Mo1 08:00`, and what is not as ever: the kind, the mode, the site, and `free` where nobody must come."""
    return [_line(slot) for slot in slots]


def _line(slot: Slot) -> str:
    number = "" if slot.number == UNCOUNTED else slot.number
    weekday = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")[slot.start.weekday()]
    words = [slot.group, f"{weekday}{number}", f"{slot.start:%H:%M}"]
    words += [] if slot.kind is SlotKind.LESSON else [slot.kind.value]
    words += [] if slot.mode is Mode.GATE else [slot.mode.value]
    return " ".join([*words, *([f"@{slot.site}"] if slot.site else []), *([] if slot.obligatory else ["free"])])


def week(timetable: Timetable, first: int = 0, last: int = 6) -> list[str]:
    """What is held; nothing may have been left unplaced."""
    found = compiled(timetable, first, last)
    assert found.unplaced == ()
    return shown(found.slots)


def told(timetable: Timetable, first: int = 0, last: int = 6) -> list[str]:
    """What was not placed, with its place."""
    found = compiled(timetable, first, last).unplaced
    assert all(re.fullmatch(r"[a-z1][a-z,:; 17MS]+[a-z]", one.hint) for one in found), found
    assert all(type(one.origin) is type(one.group) is str for one in found)
    return [f"{one.origin} {one}" for one in found]
