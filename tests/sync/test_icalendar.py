"""Calendar feeds as schools publish them: series with holes, changes, zones of every spelling, holidays, groups."""

import datetime as dt

import pytest

from gateway.domain.model import GroupId, Mode, SlotKind
from gateway.domain.timetable import CalendarDay, DayKind
from sync.sources.icalendar import MAX_SPAN, Reading, parse
from tests.sync.feed import FIRST, GROUPS, LAST, MOSCOW, calendar, changed, event, lesson, read, starts

WEEKLY = "RRULE:FREQ=WEEKLY"


def test_a_lesson_of_the_week_and_its_length() -> None:
    part = read(lesson(WEEKLY))
    assert starts(part) == "01 08:30, 08 08:30, 15 08:30, 22 08:30, 29 08:30"
    assert {found.end - found.start for found in part.events or ()} == {dt.timedelta(minutes=45)}
    assert {(found.group, found.kind, found.mode, found.origin) for found in part.events or ()} == {
        ("5A", SlotKind.LESSON, Mode.GATE, "school.ics:3")
    }
    assert part.calendar is None
    assert part.remarks == ()


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([WEEKLY, "EXDATE;TZID=Europe/Moscow:20260908T083000,20260922T083000"], "01 08:30, 15 08:30, 29 08:30"),
        ([WEEKLY, "EXDATE:20260908T053000Z"], "01 08:30, 15 08:30, 22 08:30, 29 08:30"),
        ([WEEKLY, "EXDATE;VALUE=DATE:20260908"], "01 08:30, 15 08:30, 22 08:30, 29 08:30"),
        ([WEEKLY, "EXDATE:20260908T083000"], "01 08:30, 15 08:30, 22 08:30, 29 08:30"),
        ([WEEKLY, "EXDATE;TZID=Europe/Moscow:20260901T083000"], "08 08:30, 15 08:30, 22 08:30, 29 08:30"),
        (["RRULE:FREQ=WEEKLY;UNTIL=20260915T053000Z"], "01 08:30, 08 08:30, 15 08:30"),
        (["RRULE:FREQ=WEEKLY;UNTIL=20260915T052959Z"], "01 08:30, 08 08:30"),
        (["RRULE:FREQ=WEEKLY;UNTIL=20260915"], "01 08:30, 08 08:30, 15 08:30"),
        (["RRULE:FREQ=WEEKLY;COUNT=2"], "01 08:30, 08 08:30"),
        (["RDATE;TZID=Europe/Moscow:20260903T100000"], "01 08:30, 03 10:00"),
        (["RDATE;VALUE=DATE:20260903"], "01 08:30, 03 08:30"),
        (["RDATE;VALUE=PERIOD:20260903T070000Z/PT30M"], "01 08:30, 03 10:00"),
        (["RRULE:FREQ=WEEKLY;BYHOUR=8;BYMINUTE=30;BYSECOND=0;COUNT=1"], "01 08:30"),
        (["RRULE:FREQ=WEEKLY;COUNT=2", "RRULE:FREQ=WEEKLY;BYDAY=TH;COUNT=2"], "01 08:30, 03 08:30, 08 08:30, 10 08:30"),
        ([WEEKLY, "STATUS:CANCELLED"], ""),
    ],
)
def test_a_series(lines: list[str], found: str) -> None:
    assert starts(read(lesson(*lines))) == found


def test_a_period_has_its_own_length() -> None:
    part = read(lesson("RDATE;VALUE=PERIOD:20260903T070000Z/PT30M,20260904T070000Z/20260904T080000Z"))
    minutes = [(found.end - found.start) // dt.timedelta(minutes=1) for found in part.events or ()]
    assert minutes == [45, 30, 60]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (changed("20260908T083000", "20260909T100000"), "01 08:30, 09 10:00, 15 08:30, 22 08:30, 29 08:30"),
        (changed("20260908T083000", "20260908T083000", "STATUS:CANCELLED"), "01 08:30, 15 08:30, 22 08:30, 29 08:30"),
        (changed("20260908T083000", "20261008T083000"), "01 08:30, 15 08:30, 22 08:30, 29 08:30"),
        (changed("20261006T083000", "20260930T083000"), "01 08:30, 08 08:30, 15 08:30, 22 08:30, 29 08:30, 30 08:30"),
        (
            changed("20260908T083000", "20260908T090000", "SEQUENCE:1")
            + changed("20260908T083000", "20260908T100000", "SEQUENCE:2")
            + changed("20260908T083000", "20260908T110000", "SEQUENCE:1"),
            "01 08:30, 08 10:00, 15 08:30, 22 08:30, 29 08:30",
        ),
    ],
    ids=["moved", "cancelled", "moved out", "moved in", "changed again"],
)
def test_a_change_changes_its_own_week_only(change: str, found: str) -> None:
    assert starts(read(lesson(WEEKLY), change)) == found
    assert starts(read(change, lesson(WEEKLY))) == found


def test_a_change_onward_moves_what_follows() -> None:
    onward = lesson(
        "RECURRENCE-ID;TZID=Europe/Moscow;RANGE=THISANDFUTURE:20260915T083000", start="20260916T090000"
    ).replace("PT45M", "PT30M")
    part = read(lesson(WEEKLY), onward)
    assert starts(part) == "01 08:30, 08 08:30, 16 09:00, 23 09:00, 30 09:00"
    assert [(found.end - found.start).seconds // 60 for found in part.events or ()] == [45, 45, 30, 30, 30]
    cancelled = onward.replace("UID:1", "UID:1\nSTATUS:CANCELLED")
    assert starts(read(lesson(WEEKLY), cancelled)) == "01 08:30, 08 08:30"


def test_a_moved_lesson_keeps_its_id_and_ids_say_nothing() -> None:
    plain = read(lesson(WEEKLY, uid="anna.ivanova@example"))
    moved = read(
        lesson(WEEKLY, uid="anna.ivanova@example"),
        changed("20260908T083000", "20260909T100000", uid="anna.ivanova@example"),
    )
    assert {found.id for found in plain.events or ()} == {found.id for found in moved.events or ()}
    assert len({found.id for found in plain.events or ()}) == 5
    assert not any("anna" in found.id for found in plain.events or ())


def test_only_dates_of_the_span_by_the_sites_wall() -> None:
    late, early = (
        event(f"DTSTART:{when}Z", "DURATION:PT45M", uid=when) for when in ("20260831T203000", "20260831T210000")
    )
    assert starts(read(late, early)) == "01 00:00"
    late, early = (
        event(f"DTSTART:{when}Z", "DURATION:PT45M", uid=when) for when in ("20260930T203000", "20260930T210000")
    )
    assert starts(read(late, early)) == "30 23:30"


def test_holidays_by_category_or_summary_for_everybody_or_for_a_group() -> None:
    autumn = event(
        "DTSTART;VALUE=DATE:20260914", "DTEND;VALUE=DATE:20260921", "SUMMARY:Осенние Каникулы", categories="x"
    )
    first_graders = event("DTSTART;VALUE=DATE:20260902", uid="2", categories="5A,HOLIDAY")
    before = event("DTSTART;VALUE=DATE:20260828", "DTEND;VALUE=DATE:20260901", uid="3", categories="holiday")
    touching = event("DTSTART;VALUE=DATE:20260828", "DTEND;VALUE=DATE:20260902", uid="4", categories="holiday")
    part = read(autumn, first_graders, before, touching)
    days = [(day.date, day.last, day.groups) for day in part.calendar or ()]
    assert days == [
        (dt.date(2026, 8, 28), FIRST, frozenset()),
        (dt.date(2026, 9, 2), None, frozenset({GroupId("5A")})),
        (dt.date(2026, 9, 14), dt.date(2026, 9, 20), frozenset()),
    ]
    assert (part.calendar or [])[0] == CalendarDay(date=dt.date(2026, 8, 28), last=FIRST, kind=DayKind.HOLIDAY)
    assert part.events == []


@pytest.mark.parametrize(
    ("lines", "name", "groups"),
    [
        (["CATEGORIES:Math,5a"], "school.ics", ["5A"]),
        (["CATEGORIES:Math", "CATEGORIES:5А\\, 5Б,5б"], "school.ics", ["5Б"]),
        (["CATEGORIES:5A,5Б"], "school.ics", ["5A", "5Б"]),
        (["X-ATTENDANCE-GROUP:5Б", "CATEGORIES:5A"], "school.ics", ["5Б"]),
        (["CATEGORIES:Math"], "5a.ics", ["5A"]),
        (["CATEGORIES:Math"], "/srv/feeds/5Б.ics", ["5Б"]),
        (["CATEGORIES:Math"], "school.ics", []),
    ],
)
def test_whose_event_it_is(lines: list[str], name: str, groups: list[str]) -> None:
    begin = ["BEGIN:VEVENT", "DTSTART:20260901T083000", "DURATION:PT45M", *lines, "END:VEVENT", ""]
    part = read("\n".join(begin), name=name)
    assert sorted(found.group for found in part.events or ()) == groups
    assert len({found.id for found in part.events or ()}) == len(groups)
    assert [remark.problem for remark in part.remarks] == ([] if groups else ["an event of no known group is left out"])


def test_a_calendar_may_be_a_groups_own() -> None:
    assert len(read("X-WR-CALNAME:5Б\n", lesson(categories="Math")).events or ()) == 1


def test_categories_may_say_what_it_is_and_who_takes_attendance() -> None:
    [club] = read(lesson(categories="5A,Кружок,teacher")).events or ()
    assert (club.kind, club.mode) == (SlotKind.CLUB, Mode.TEACHER)


def test_what_is_left_out_is_remarked_once_for_each_event_without_its_words() -> None:
    part = read(
        event("DTSTART;VALUE=DATE:20260902", "RRULE:FREQ=DAILY", "SUMMARY:Anna's birthday"),
        event("DTSTART:20260902T083000", "SUMMARY:Anna", uid="2"),
        event("DTSTART:20260902T083000", "DTEND:20260904T083000", uid="3"),
        lesson(uid="4", categories="staff"),
        lesson(uid="5", start="20260903T083000"),
        lesson("RRULE:FREQ=DAILY", uid="6", categories="staff"),
    )
    assert [(remark.place, remark.problem) for remark in part.remarks] == [
        ("school.ics:3", "an all-day event that is no holiday is left out"),
        ("school.ics:10", "an event without a length is left out"),
        ("school.ics:16", "an event of more than a day is left out"),
        ("school.ics:22", "an event of no known group is left out (and 1 more)"),
    ]
    assert starts(part) == "03 08:30"
    assert "Anna" not in str(part)


def test_the_same_holiday_twice_is_one() -> None:
    twice = [event("DTSTART;VALUE=DATE:20260902", uid=uid, categories="holiday") for uid in ("1", "2")]
    assert [day.date for day in read(*twice).calendar or ()] == [dt.date(2026, 9, 2)]


@pytest.mark.parametrize(
    "name", ["Праздник осени", "The last day before the holidays", "Конец: каникулы", "holiday homework"]
)
def test_a_part_of_a_name_is_no_holiday(name: str) -> None:
    part = read(event("DTSTART;VALUE=DATE:20260902", f"SUMMARY:{name}", categories=name))
    assert part.calendar is None
    assert [remark.problem for remark in part.remarks] == ["an all-day event that is no holiday is left out"]


@pytest.mark.parametrize("length", ["DTEND;VALUE=DATE:20260901", "DURATION:PT1H", "DURATION:P1D", "COMMENT:none"])
def test_a_holiday_is_a_day_at_least(length: str) -> None:
    part = read(event("DTSTART;VALUE=DATE:20260901", length, categories="holiday"))
    assert [(day.date, day.last) for day in part.calendar or ()] == [(FIRST, None)]


def test_a_change_may_leave_out_whose_event_it_is() -> None:
    change = changed("20260908T083000", "20260909T100000").replace("CATEGORIES:5A\n", "")
    part = read(lesson(WEEKLY, categories="5Б,club"), change)
    assert [(found.group, found.kind) for found in part.events or ()] == [("5Б", SlotKind.CLUB)] * 5
    assert "09 10:00" in starts(part)


def test_an_event_that_is_repeated_is_one() -> None:
    assert starts(read(lesson(WEEKLY), lesson(WEEKLY))) == starts(read(lesson(WEEKLY)))


def test_of_two_versions_the_newer_counts() -> None:
    assert starts(read(lesson("SEQUENCE:2", start="20260902T083000"), lesson("SEQUENCE:1"))) == "02 08:30"


def test_events_without_a_uid_are_themselves() -> None:
    two = "".join(lesson(start=f"202609{day}T083000").replace("UID:1\n", "") for day in ("01", "02"))
    part = read(two)
    assert starts(part) == "01 08:30, 02 08:30"
    assert [found.id for found in part.events or ()] == [found.id for found in read(two).events or ()]


def test_crlf_bom_case_alarms_and_cp1251_are_ordinary() -> None:
    text = calendar(
        lesson().replace("END:VEVENT", "BEGIN:VALARM\nTRIGGER:-PT5M\nNonsense\nEND:VALARM\nEND:VEVENT")
    ).decode()
    reading = Reading(zone=MOSCOW, groups=GROUPS)
    for data in (
        text.replace("\n", "\r\n").encode("utf-8-sig"),
        text.lower().replace("europe/moscow", "Europe/Moscow").encode(),
        text.replace("5A", "5Б").encode("cp1251"),
    ):
        assert len(parse(data, "x.ics", FIRST, LAST, reading).events or ()) == 1


def test_an_order_of_files_changes_nothing() -> None:
    parts = [lesson(WEEKLY), lesson(uid="2", start="20260903T083000"), lesson(uid="3", categories="5Б")]
    one, other = (read(*order).events or () for order in (parts, parts[::-1]))
    assert [found.id for found in one] == [found.id for found in other]


@pytest.mark.parametrize("last", [FIRST - dt.timedelta(days=1), FIRST + MAX_SPAN + dt.timedelta(days=1)])
def test_a_span_is_a_span(last: dt.date) -> None:
    with pytest.raises(ValueError, match="no span"):
        read(lesson(), last=last)
