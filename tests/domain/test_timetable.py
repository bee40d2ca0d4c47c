"""The compiler of slots: calendars, shifts, and the clock changes of several countries."""

import datetime as dt
import os
import time
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.compiler import compile_days
from gateway.domain.model import GroupId, Mode, Slot, SlotKind
from gateway.domain.timetable import Bell, CalendarDay, DayKind, Lesson, SchoolClass, Timetable

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = dt.date(2025, 9, 1)


def bell(lesson: int, start: str, end: str, bells: str = "normal", shift: int | None = None) -> Bell:
    return Bell(
        bells=bells, shift=shift, lesson=lesson, start=dt.time.fromisoformat(start), end=dt.time.fromisoformat(end)
    )


def group(name: str, shift: int = 1, bells: str = "normal") -> SchoolClass:
    return SchoolClass(id=GroupId(name), grade=5, shift=shift, bells=bells)


def lesson(name: str, weekday: int, number: int) -> Lesson:
    return Lesson(group=GroupId(name), weekday=weekday, lesson=number)


def school(
    bells: Sequence[Bell], lessons: Sequence[Lesson], calendar: Sequence[CalendarDay] = (), zone: dt.tzinfo = MOSCOW
) -> Timetable:
    groups = [group(name) for name in dict.fromkeys(item.group for item in lessons)]
    return Timetable(zone=zone, classes=groups, bells=bells, lessons=lessons, calendar=calendar)


def compile_slots(timetable: Timetable, first: dt.date, last: dt.date) -> Sequence[Slot]:
    compiled = compile_days(timetable, first, last)
    assert (compiled.unplaced, compiled.untold) == ((), 0)
    return compiled.slots


def times(slots: Sequence[Slot]) -> list[str]:
    return [f"{slot.id} {slot.start:%H:%M}-{slot.end:%H:%M}" for slot in slots]


def test_a_week_of_lessons() -> None:
    lessons = [lesson("5А", 1, 2), lesson("5А", 1, 1), lesson("5Б", 1, 1), lesson("5А", 6, 0)]
    bells = [bell(0, "07:30", "08:15"), bell(1, "08:30", "09:15"), bell(2, "09:25", "10:10")]
    slots = compile_slots(school(bells, lessons), MONDAY, MONDAY + dt.timedelta(days=6))
    assert times(slots) == [
        "5А-20250901-1 05:30-06:15",
        "5Б-20250901-1 05:30-06:15",
        "5А-20250901-2 06:25-07:10",
        "5А-20250906-0 04:30-05:15",
    ]
    assert {slot.start.tzinfo for slot in slots} == {dt.UTC}
    assert (slots[0].group, slots[0].number) == (GroupId("5А"), 1)


def test_kind_and_mode_come_from_the_lesson() -> None:
    club = Lesson(group=GroupId("5А"), weekday=1, lesson=1, kind=SlotKind.CLUB, mode=Mode.TEACHER)
    (slot,) = compile_slots(school([bell(1, "15:00", "16:00")], [club]), MONDAY, MONDAY)
    assert (slot.kind, slot.mode) == (SlotKind.CLUB, Mode.TEACHER)


def test_the_calendar_closes_shortens_and_moves_days() -> None:
    bells = [bell(1, "08:30", "09:15"), bell(1, "08:30", "09:00", "short")]
    saturday, tuesday = MONDAY + dt.timedelta(days=5), MONDAY + dt.timedelta(days=1)
    calendar = [
        CalendarDay(date=MONDAY, kind=DayKind.HOLIDAY),
        CalendarDay(date=tuesday, kind=DayKind.SCHOOL_DAY, bells="short"),
        CalendarDay(date=saturday, kind=DayKind.SCHOOL_DAY, weekday=1),
    ]
    lessons = [lesson("5А", 1, 1), lesson("5Б", 2, 1)]
    slots = compile_slots(school(bells, lessons, calendar), MONDAY, saturday)
    assert times(slots) == ["5Б-20250902-1 05:30-06:00", "5А-20250906-1 05:30-06:15"]


def test_the_shift_picks_the_row_among_bells_of_one_name() -> None:
    bells = [
        bell(1, "08:30", "09:15"),
        bell(1, "14:00", "14:45", shift=2),
        bell(1, "08:30", "09:00", "short"),
        bell(1, "13:00", "13:30", "short", shift=2),
    ]
    lessons = [lesson("5А", day, 1) for day in (1, 2)] + [lesson("7А", day, 1) for day in (1, 2)]
    calendar = [CalendarDay(date=MONDAY + dt.timedelta(days=1), kind=DayKind.SCHOOL_DAY, bells="short")]
    timetable = Timetable(
        zone=MOSCOW, classes=[group("5А"), group("7А", shift=2)], bells=bells, lessons=lessons, calendar=calendar
    )
    assert times(compile_slots(timetable, MONDAY, MONDAY + dt.timedelta(days=1))) == [
        "5А-20250901-1 05:30-06:15",
        "7А-20250901-1 11:00-11:45",
        "5А-20250902-1 05:30-06:00",
        "7А-20250902-1 10:00-10:30",
    ]


@pytest.mark.parametrize(
    ("zone", "date", "wall", "expected"),
    [
        # Summer and winter of one zone.
        (BERLIN, dt.date(2025, 7, 1), ("08:00", "08:45"), "06:00-06:45"),
        (BERLIN, dt.date(2025, 12, 1), ("08:00", "08:45"), "07:00-07:45"),
        # The spring change skips 02:00 to 03:00: before, into, inside, out of, after.
        (BERLIN, dt.date(2025, 3, 30), ("01:00", "01:45"), "00:00-00:45"),
        (BERLIN, dt.date(2025, 3, 30), ("01:30", "02:15"), "00:30-01:15"),
        (BERLIN, dt.date(2025, 3, 30), ("02:10", "02:50"), "01:10-01:50"),
        (BERLIN, dt.date(2025, 3, 30), ("02:30", "03:10"), "01:30-02:10"),
        (BERLIN, dt.date(2025, 3, 30), ("02:30", "03:30"), "01:30-02:30"),
        (BERLIN, dt.date(2025, 3, 30), ("03:10", "03:50"), "01:10-01:50"),
        # The autumn change repeats 02:00 to 03:00: the first is meant.
        (BERLIN, dt.date(2025, 10, 26), ("02:10", "02:50"), "00:10-00:50"),
        (BERLIN, dt.date(2025, 10, 26), ("02:30", "03:10"), "00:30-02:10"),
        # A day that begins at 01:00.
        (ZoneInfo("Africa/Cairo"), dt.date(2025, 4, 25), ("00:15", "00:45"), "22:15-22:45"),
        # Half an hour of daylight saving, and a zone of three quarters.
        (ZoneInfo("Australia/Lord_Howe"), dt.date(2025, 10, 5), ("02:10", "02:50"), "15:40-15:50"),
        (ZoneInfo("Asia/Kathmandu"), dt.date(2025, 9, 1), ("10:00", "10:40"), "04:15-04:55"),
    ],
)
def test_clock_changes(zone: ZoneInfo, date: dt.date, wall: tuple[str, str], expected: str) -> None:
    timetable = school([bell(1, *wall)], [lesson("5А", date.isoweekday(), 1)], zone=zone)
    (slot,) = compile_slots(timetable, date, date)
    assert f"{slot.start:%H:%M}-{slot.end:%H:%M}" == expected
    assert slot.id == f"5А-{date:%Y%m%d}-1"


MINUTES = st.integers(0, 24 * 60 - 2)


@settings(max_examples=80)
@given(
    zone=st.sampled_from(["Europe/Berlin", "Africa/Cairo", "America/Santiago", "Asia/Beirut", "Pacific/Apia", "UTC"]),
    date=st.dates(dt.date(2009, 1, 1), dt.date(2030, 12, 31)),
    start=MINUTES,
    length=st.integers(1, 180),
)
def test_every_slot_has_a_length_and_keeps_its_id(zone: str, date: dt.date, start: int, length: int) -> None:
    end = min(start + length, 24 * 60 - 1)
    wall = [dt.time(*divmod(minute, 60)) for minute in (start, end)]
    row = Bell(bells="normal", lesson=1, start=wall[0], end=wall[1])
    lessons = [lesson("5А", weekday, 1) for weekday in range(1, 8)]
    slots = compile_slots(school([row], lessons, zone=ZoneInfo(zone)), date, date + dt.timedelta(days=7))
    assert [slot.id for slot in slots] == [f"5А-{date + dt.timedelta(days=n):%Y%m%d}-1" for n in range(8)]
    for slot in slots:
        assert dt.timedelta() < slot.end - slot.start <= dt.timedelta(minutes=end - start + 60)


def test_the_machine_s_own_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    timetable = school([bell(1, "08:30", "09:15")], [lesson("5А", 1, 1)])
    found = []
    try:
        for zone in ("UTC", "Asia/Kamchatka", "America/Los_Angeles"):
            monkeypatch.setitem(os.environ, "TZ", zone)
            time.tzset()
            found.append(compile_slots(timetable, MONDAY, MONDAY))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found[0] == found[1] == found[2]
