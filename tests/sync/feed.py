"""Calendar files for tests, by their lines, and what is read of them."""

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from gateway.domain.model import GroupId
from sync.sources.icalendar import Reading, parse
from sync.sources.school import Part

MOSCOW = ZoneInfo("Europe/Moscow")
FIRST, LAST = dt.date(2026, 9, 1), dt.date(2026, 9, 30)
GROUPS = {"5A": GroupId("5A"), "5Б": GroupId("5Б")}
LESSON = "UID:1\nDTSTART;TZID=Europe/Moscow:20260901T083000\nDTEND;TZID=Europe/Moscow:20260901T091500\n"


def event(*lines: str, uid: str = "1", categories: str = "5A") -> str:
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"CATEGORIES:{categories}", *lines, "END:VEVENT", ""])


def lesson(*lines: str, start: str = "20260901T083000", uid: str = "1", categories: str = "5A") -> str:
    """Forty-five minutes."""
    begin = f"DTSTART;TZID=Europe/Moscow:{start}"
    return event(begin, "DURATION:PT45M", *lines, uid=uid, categories=categories)


def changed(of: str, to: str, *lines: str, uid: str = "1") -> str:
    return lesson(f"RECURRENCE-ID;TZID=Europe/Moscow:{of}", *lines, start=to, uid=uid)


def calendar(*parts: str) -> bytes:
    return "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *("".join(parts).splitlines()), "END:VCALENDAR", ""]).encode()


def read(
    *parts: str,
    name: str = "school.ics",
    first: dt.date = FIRST,
    last: dt.date = LAST,
    groups: Mapping[str, GroupId] | None = None,
    zone: dt.tzinfo = MOSCOW,
) -> Part:
    return parse(calendar(*parts), name, first, last, Reading(zone=zone, groups=groups or GROUPS))


def starts(part: Part) -> str:
    """`01 08:30, 08 08:30` in Moscow."""
    return ", ".join(f"{event.start.astimezone(MOSCOW):%d %H:%M}" for event in part.events or ())
