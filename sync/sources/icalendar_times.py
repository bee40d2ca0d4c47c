"""Dates, times and zones of an iCalendar file. A time that names no zone is the calendar's, or else the site's."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from sync.sources.cells import CellRefused, similar
from sync.sources.icalendar_lines import Component, Property
from sync.sources.icalendar_rules import Effort, days, parse_rule

#: Years that a date of a school may have; a series may have begun long ago.
FIRST_YEAR, LAST_YEAR = 1900, 2199
#: The same moment for everything that compares; a date stands for the whole day.
When = dt.date | dt.datetime

_FORM = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?")
_DURATION = re.compile(
    r"\+?P(?:([0-9]{1,3})W|(?:([0-9]{1,4})D)?(?:T(?=[0-9])(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,6})S)?)?)"
)
_OFFSET = re.compile(r"([+-])([0-9]{2})([0-9]{2})([0-9]{2})?")
_IANA = re.compile(r"UTC|[A-Z][A-Za-z]+(/[A-Za-z0-9_+-]{1,32}){1,2}")
_MOST_ONSETS: Final = 64
#: A year and more, so that a change of every kind lies in it.
_BEFORE: Final = dt.timedelta(days=800)
_HINT: Final = "mend it in the calendar's own program"


def parse_when(text: str, zone: dt.tzinfo) -> When:
    """A date, or an aware time; one without Z is of `zone`. Raises CellRefused."""
    found = _FORM.fullmatch(text.strip().upper())
    try:
        if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
            raise ValueError
        date = dt.date(int(found[1]), int(found[2]), int(found[3]))
        if found[4] is None:
            return date
        # A leap second is the last that there is.
        clock = dt.time(int(found[4]), int(found[5]), min(int(found[6]), 59 if found[6] == "60" else 99))
    except ValueError:
        raise CellRefused(
            f"a date like 20260901 or a time like 20260901T083000, {FIRST_YEAR}-{LAST_YEAR}", _HINT
        ) from None
    return dt.datetime.combine(date, clock, dt.UTC if found[7] else zone)


def parse_duration(text: str) -> dt.timedelta:
    """Raises CellRefused; also for less than nothing."""
    found = _DURATION.fullmatch(text.strip().upper())
    if found is None or not any(found.groups()):
        raise CellRefused("a duration like PT45M", _HINT)
    weeks, days_, hours, minutes, seconds = (int(number or 0) for number in found.groups())
    return dt.timedelta(weeks=weeks, days=days_, hours=hours, minutes=minutes, seconds=seconds)


def moment(when: When) -> When:
    """What makes two occurrences the same: the date, or the time in UTC."""
    return when.astimezone(dt.UTC) if isinstance(when, dt.datetime) else when


def date_of(when: When) -> dt.date:
    """Its date on the wall of its zone."""
    return when.date() if isinstance(when, dt.datetime) else when


class Zones:
    """The zones that a calendar names."""

    def __init__(self, calendar: Component, site: dt.tzinfo, window: tuple[dt.date, dt.date], effort: Effort) -> None:
        self._window = window
        self._effort = effort
        self._own = {
            tzid.value.strip(): component
            for component in calendar.components
            if component.name == "VTIMEZONE" and (tzid := component.first("TZID")) is not None
        }
        self._known: dict[str, dt.tzinfo] = {}
        self._site = site
        #: Of times without a zone of their own.
        self.default = site

    def adopt(self, found: Property) -> None:
        """X-WR-TIMEZONE: the zone of everything that names none. Raises CellRefused."""
        self.default = self.find(found.value.strip())

    def when(self, said: Property, text: str | None = None) -> When:
        """A date or a time that a property says, or the one of several that is `text`. Raises CellRefused."""
        tzid = said.parameters.get("TZID")
        found = parse_when(said.value if text is None else text, self.find(tzid) if tzid else self.default)
        if isinstance(found, dt.datetime) and found.tzinfo is dt.UTC and self.default is not self._site:
            # Such a calendar means its own zone, in which a series is to keep its time of the day.
            return found.astimezone(self.default)
        return found

    def find(self, name: str) -> dt.tzinfo:
        """By IANA, by Windows, or by the rules that the file brings. Raises CellRefused."""
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> dt.tzinfo:
        own = self._own.get(name)
        location = own.first("X-LIC-LOCATION") if own is not None else None
        candidates = [
            name,
            WINDOWS_TO_OLSON.get(name, ""),
            *_suffixes(name),
            location.value.strip() if location else "",
        ]
        for candidate in candidates:
            if (zone := _iana(candidate)) is not None:
                return zone
        if own is not None:
            return _observed(own, self._window, self._effort)
        hint = similar(name[:64], _regions(), "name an IANA zone like Europe/Moscow")
        raise CellRefused("a zone that IANA or Windows knows, or that the file describes", hint)


def _suffixes(name: str) -> Iterator[str]:
    """Some programs write a path of their own in front."""
    parts = name[-80:].split("/")
    yield from ("/".join(parts[-number:]) for number in (3, 2) if len(parts) > number)


def _iana(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if _IANA.fullmatch(name) else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def _regions() -> Sequence[str]:
    return sorted(name for name in available_timezones() if _IANA.fullmatch(name))


@dataclass(frozen=True, slots=True)
class Onset:
    """A change of the offset."""

    #: Naive, in UTC.
    at: dt.datetime
    before: dt.timedelta
    after: dt.timedelta


@dataclass(frozen=True)
class Observed(dt.tzinfo):
    """A zone by the changes that a file names."""

    onsets: tuple[Onset, ...] = field(repr=False)

    def utcoffset(self, when: dt.datetime | None, /) -> dt.timedelta:
        offset = self.onsets[0].before
        for onset in self.onsets:
            # What a change skips or repeats is taken by the offset before it (PEP 495, fold 0).
            if when is not None and when.replace(tzinfo=None) < onset.at + max(onset.before, onset.after):
                break
            offset = onset.after
        return offset

    def fromutc(self, when: dt.datetime, /) -> dt.datetime:
        naive = when.replace(tzinfo=None)
        before = [onset.after for onset in self.onsets if onset.at <= naive]
        return when + (before[-1] if before else self.onsets[0].before)

    def dst(self, _: dt.datetime | None, /) -> None:
        """Nobody asks."""

    def tzname(self, _: dt.datetime | None, /) -> str:
        return "observed"


def _observed(component: Component, window: tuple[dt.date, dt.date], effort: Effort) -> Observed:
    onsets = [
        onset
        for part in component.components
        if part.name in ("STANDARD", "DAYLIGHT")
        for onset in _onsets(part, window, effort)
    ]
    onsets.sort(key=lambda onset: onset.at)
    begin = dt.datetime.combine(window[0], dt.time.min) - _BEFORE
    past = sum(onset.at < begin for onset in onsets)
    onsets = onsets[max(0, past - 1) :]
    if not 0 < len(onsets) <= _MOST_ONSETS:
        raise CellRefused("a VTIMEZONE with a few STANDARD and DAYLIGHT", "name an IANA zone like Europe/Moscow")
    return Observed(tuple(onsets))


def _onsets(part: Component, window: tuple[dt.date, dt.date], effort: Effort) -> Iterator[Onset]:
    start, *rest = (_needed(part, name) for name in ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO"))
    before, after = (_offset(found.value) for found in rest)
    # Long before anybody went to school: 1601 and 1 are written for "always".
    text = f"{max(FIRST_YEAR, int(start.value[:4]))}{start.value[4:]}" if start.value[:4].isdecimal() else start.value
    begin = parse_when(text, dt.UTC)
    if not isinstance(begin, dt.datetime):
        raise CellRefused("a time like 20260901T030000", _HINT)
    walls = [begin]
    for found in part.properties.get("RDATE", ()):
        walls += [when for word in found.value.split(",") if isinstance(when := parse_when(word, dt.UTC), dt.datetime)]
    for found in part.properties.get("RRULE", ()):
        rule = parse_rule(found.value)
        if rule.every != "YEARLY":
            raise CellRefused("a VTIMEZONE whose rules are yearly", "name an IANA zone like Europe/Moscow")
        first = window[0] - _BEFORE
        last = window[1] if rule.until is None else min(window[1], date_of(parse_when(rule.until, dt.UTC)))
        met = islice(days(rule, begin.date(), first, last, effort), _MOST_ONSETS + 1)
        walls += [dt.datetime.combine(day, begin.timetz()) for day in met]
    for wall in dict.fromkeys(walls):
        yield Onset(wall.replace(tzinfo=None) - before, before, after)


def _needed(part: Component, name: str) -> Property:
    found = part.first(name)
    if found is None:
        raise CellRefused(f"a {part.name} with {name}", "name an IANA zone like Europe/Moscow")
    return found


def _offset(text: str) -> dt.timedelta:
    found = _OFFSET.fullmatch(text.strip())
    if found is None or int(found[2]) > 23:
        raise CellRefused("an offset like +0300", _HINT)
    size = dt.timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    if size >= dt.timedelta(days=1):
        raise CellRefused("an offset like +0300", _HINT)
    return -size if found[1] == "-" else size
