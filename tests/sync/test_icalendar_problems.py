"""What a person reads about a calendar that cannot be taken in, and files that would like to be endless."""

import re

import pytest

from gateway.errors import SourceError
from sync.sources.icalendar import Reading, parse
from sync.sources.icalendar_lines import MAX_BYTES, MAX_PROPERTY
from tests.sync.feed import FIRST, GROUPS, LAST, MOSCOW, calendar, event, lesson, read

HINT = "mend it in the calendar's own program"
MEND = "mend the rule in the calendar's own program"
AGAIN = "export the calendar again: a part of it is missing"
DATE = "a date like 20260901 or a time like 20260901T083000, 1900-2199"
ZONE = "a zone that IANA or Windows knows, or that the file describes"

# The lines of an event, then place, got, expected, hint.
EVENTS = [
    (["DTSTART:tomorrow"], "6:9", "a text of 8 characters", DATE, HINT),
    (["DTSTART:20260231"], "6:9", '"20260231"', DATE, HINT),
    (["DTSTART:20260901T250000"], "6:9", '"20260901T250000"', DATE, HINT),
    (["DTSTART:18890901"], "6:9", '"18890901"', DATE, HINT),
    (["DTSTART:२०२६०९०१"], "6:9", "a text of 8 characters", DATE, HINT),
    (["DTSTART;TZID=Europe/Moscwo:20260901T083000"], "6:28", '"20260901T083000"', ZONE, 'did you mean "Europe/Moscow"?'),
    (["DTSTART;TZID=../../etc/passwd:20260901T083000"], "6:31", '"20260901T083000"', ZONE, "name an IANA zone like Europe/Moscow"),
    (["DTSTART:20260901T083000", "DTEND:20260901T080000"], "7:7", '"20260901T080000"', "an end that is not before the start", HINT),
    (["DTSTART:20260901T083000", "DURATION:-PT5M"], "7:10", '"-PT5M"', "a duration like PT45M", HINT),
    (["DTSTART:20260901T083000", "DURATION:PT"], "7:10", '"PT"', "a duration like PT45M", HINT),
    (["DTSTART:20260901", "RRULE:FREQ=SECONDLY"], "7:7", '"FREQ=SECONDLY"', "FREQ=DAILY, WEEKLY, MONTHLY or YEARLY", "no lesson repeats within a day"),
    (["DTSTART:20260901T083000", "RRULE:FREQ=DAILY;BYHOUR=9"], "7:7", '"FREQ=DAILY;BYHOUR=9"', "the time of the day that DTSTART has", "no lesson repeats within a day"),
    (["DTSTART:20260901", "RRULE:FREQ=DAILY;INTERVAL=0"], "7:7", '"FREQ=DAILY;INTERVAL=0"', "INTERVAL from 1 to 999999", MEND),
    (["DTSTART:20260901", "RRULE:FREQ=DAILY;UNTIL=x"], "7:7", "a text of 18 characters", DATE, HINT),
    (["DTSTART:20260901", "EXRULE:FREQ=DAILY"], "7:8", '"FREQ=DAILY"', "EXDATE: EXRULE is of the standard before this one", HINT),
    (["DTSTART:20260901", "RDATE:20260902,Anna"], "7:7", "a text of 13 characters", DATE, HINT),
    (["DTSTART:20260901", "RECURRENCE-ID:20180901"], "7:15", '"20180901"', "a change by at most a year", HINT),
    (["DTSTART:20260901T083000", "DURATION:PT1H", "X-ATTENDANCE-GROUP:5А"], "3:X-ATTENDANCE-GROUP", '"5А"', "a group of this school", 'did you mean "5A"? Latin and Cyrillic letters look alike'),
    (["SUMMARY:Anna"], "3:1", "an event without a start", "DTSTART between BEGIN:VEVENT and END:VEVENT", HINT),
]  # fmt: skip

# A whole file, then place, got, expected, hint.
FILES = [
    (b"", "", "the end of the file", "BEGIN:VCALENDAR … END:VCALENDAR", AGAIN),
    (b"<html>", ":1:1", "a line of another kind", "BEGIN:VCALENDAR", "this is no iCalendar file"),
    (b"PK\x03\x04\0", "", "bytes of something else", "text in UTF-8", "export the calendar as .ics"),
    (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "", "the end of the file", "END:VEVENT", AGAIN),
    (b"BEGIN:VCALENDAR\nEND:VEVENT\n", ":2:1", "another END", "END:VCALENDAR", AGAIN),
    (b"END:VCALENDAR\n", ":1:1", "another END", "BEGIN:VCALENDAR", AGAIN),
    (b"BEGIN:VEVENT\nEND:VEVENT\n", "", "the end of the file", "BEGIN:VCALENDAR … END:VCALENDAR", AGAIN),
    (b'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID="Eur:20\n', ":3:14", "a line of another kind", "NAME;PARAMETER=…:value", "mend this line, or export the calendar again"),
    (b"BEGIN:VCALENDAR\n\xd0\xb8\n", ":2:1", "a line of another kind", "NAME;PARAMETER=…:value", "mend this line, or export the calendar again"),
    (b"BEGIN:X\n" * 9, ":9:1", "components in components", "a school's calendar", "this is not the file you mean"),
]  # fmt: skip


def problem(data: bytes) -> tuple[str, str, str, str]:
    with pytest.raises(SourceError) as raised:
        parse(data, "5A.ics", FIRST, LAST, Reading(zone=MOSCOW, groups=GROUPS))
    found = raised.value.problems[0]
    return found.place, found.got, found.expected, found.hint


@pytest.mark.parametrize(("lines", "place", "got", "expected", "hint"), EVENTS)
def test_an_event_that_cannot_be_used(lines: list[str], place: str, got: str, expected: str, hint: str) -> None:
    assert problem(calendar(event(*lines))) == (f"5A.ics:{place}", got, expected, hint)


@pytest.mark.parametrize(("data", "place", "got", "expected", "hint"), FILES)
def test_a_file_that_is_no_calendar(data: bytes, place: str, got: str, expected: str, hint: str) -> None:
    assert problem(data) == (f"5A.ics{place}", got, expected, hint)


def test_two_events_of_one_uid_are_not_guessed_at() -> None:
    found = problem(calendar(lesson(), lesson(start="20260902T083000")))
    assert found == (
        "5A.ics:3:1",
        "the UID of the event in line 9",
        "a UID of its own for each event",
        "export the calendar again",
    )


def test_a_folded_property_is_as_long_as_it_is() -> None:
    rule = "RRULE:FREQ=WEEKLY;BYDAY=TU" + "\n ,TU" * (MAX_PROPERTY // 3)
    assert problem(calendar(lesson(rule)))[:2] == ("5A.ics:8:RRULE", f"more than {MAX_PROPERTY} characters")


def test_everything_is_told_at_once_and_nothing_personal() -> None:
    with pytest.raises(SourceError) as raised:
        read(
            event("DTSTART:Anna Ivanova", "SUMMARY:Anna"),
            event("DTSTART:20260901", "RRULE:Anna=1"),
            "X-WR-TIMEZONE:Anna\n",
        )
    assert len(raised.value.problems) == 3
    assert "Anna" not in str(raised.value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("TZOFFSETTO:+9900", "an offset like +0300"),
        ("TZOFFSETTO:3", "an offset like +0300"),
        ("RRULE:FREQ=SECONDLY", "FREQ=DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("RRULE:FREQ=DAILY", "a VTIMEZONE whose rules are yearly"),
        ("DTSTART:20260901", "a time like 20260901T030000"),
        ("DTSTART:x", DATE),
        ("", "a STANDARD with TZOFFSETTO"),
        (f"TZOFFSETTO:+0300\nRDATE:{','.join(f'202609{day:02d}T{hour:02d}0000' for day in range(1, 29) for hour in range(3))}", "a VTIMEZONE with a few STANDARD and DAYLIGHT"),
    ],
)  # fmt: skip
def test_a_zone_that_cannot_be_used(line: str, expected: str) -> None:
    zone = f"BEGIN:VTIMEZONE\nTZID:Own\nBEGIN:STANDARD\n{line}\nTZOFFSETFROM:+0300\nDTSTART:20200101T000000\n"
    if "TZOFFSETTO" not in line and line:
        zone += "TZOFFSETTO:+0300\n"
    found = problem(calendar(zone, "END:STANDARD\nEND:VTIMEZONE\n", event("DTSTART;TZID=Own:20260901T083000")))
    assert found[2] == expected


def endless() -> list[tuple[str, bytes]]:
    often = "".join(lesson("RRULE:FREQ=DAILY", uid=str(number)) for number in range(8_000))
    counted = "".join(
        event("DTSTART:19000101", "RRULE:FREQ=DAILY;COUNT=999999", uid=str(number)) for number in range(200)
    )
    dates = "RDATE:" + ",".join(["20260901T083000"] * 4_000)
    flood = "".join(lesson(*[dates] * 3, uid=str(number)) for number in range(60))
    return [
        ("a rule of seconds", calendar(event("DTSTART:20200101T000000", "DURATION:PT1S", "RRULE:FREQ=SECONDLY"))),
        ("rules that always match", calendar(often)),
        ("counts from long ago", calendar(counted)),
        ("a flood of dates", calendar(flood)),
        ("one long line", b"BEGIN:VCALENDAR\nX:" + b"x" * (MAX_BYTES - 100)),
        ("a longer line", b"BEGIN:VCALENDAR\nX:" + b"x" * MAX_BYTES),
        ("one long rule", calendar(event("DTSTART:20260901", "RRULE:" + "FREQ=DAILY;" * MAX_PROPERTY))),
        ("a folded line", b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x" + b"\n x" * (MAX_BYTES // 4)),
        ("empty lines", b"\n" * MAX_BYTES),
        ("components", b"BEGIN:VCALENDAR\n" + b"BEGIN:X\nEND:X\n" * 200_000),
        ("nesting", b"BEGIN:X\n" * 1_000_000),
        ("properties", b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + b"UID:1\n" * 2_000_000),
        ("parameters", calendar(event("DTSTART" + ";A=B" * 10_000 + ":20260901", "RRULE" + ';A="' * 10_000))),
    ]


@pytest.mark.parametrize("data", [pytest.param(data, id=what) for what, data in endless()])
def test_a_file_that_would_like_to_be_endless(data: bytes) -> None:
    place, *_ = problem(data)
    assert re.fullmatch(r"5A\.ics(:\d+)?(:\w+)?", place)


def test_rules_that_never_match_cost_only_the_span() -> None:
    never = ("DTSTART:19500101T080000", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    assert read(*(event(*never, uid=str(number)) for number in range(2_000))).events == []
