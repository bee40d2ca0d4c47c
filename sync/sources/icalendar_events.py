"""A calendar's VEVENT components to values: when, how often, what was changed, and the words that say what it is."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from sync.sources.cells import CellRefused, quoted
from sync.sources.icalendar_lines import Component, Property
from sync.sources.icalendar_rules import Effort, Rule, parse_rule
from sync.sources.icalendar_series import Vevent
from sync.sources.icalendar_times import When, Zones, date_of, moment, parse_duration, parse_when
from sync.sources.rows import Problems

T = TypeVar("T")

#: A change may move what follows by this much: more is another event.
_FARTHEST = dt.timedelta(days=366)
_HINT = "mend it in the calendar's own program"
#: What reading a date costs, in days that a rule asks about.
_DAYS_OF_A_DATE = 10
#: Dates, durations and rules consist of these; anything else may be a person's words.
_PLAIN = re.compile(r"[0-9A-Z;=,+:/-]{0,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """An event with what it and its calendar are called."""

    event: Vevent
    categories: tuple[str, ...] = field(repr=False)
    #: X-ATTENDANCE-GROUP.
    named: tuple[str, ...]
    summary: str = field(repr=False)
    calendar: str = field(repr=False)

    def lend(self, other: "Worded") -> "Worded":
        """The other one of its series; some programs do not repeat in a change what did not change."""
        if other.categories or other.named:
            return other
        return replace(other, categories=self.categories, named=self.named)


def read_calendar(
    file: str, calendar: Component, site: dt.tzinfo, window: tuple[dt.date, dt.date], effort: Effort, problems: Problems
) -> Iterator[Worded]:
    """Every event that can be read; the others are among the problems."""
    reader = _Reader(file, Zones(calendar, site, window, effort), effort, problems)
    if (zone := calendar.first("X-WR-TIMEZONE")) is not None:
        reader.of(zone, reader.zones.adopt)
    called = calendar.first("X-WR-CALNAME")
    for component in calendar.components:
        if component.name == "VEVENT" and (event := reader.event(component)) is not None:
            yield Worded(
                event=event,
                categories=_words(component, "CATEGORIES"),
                named=_words(component, "X-ATTENDANCE-GROUP"),
                summary=" ".join(_words(component, "SUMMARY")),
                calendar=_plain(called.value) if called is not None else "",
            )


class _Reader:
    def __init__(self, file: str, zones: Zones, effort: Effort, problems: Problems) -> None:
        self.zones = zones
        self._file = file
        self._effort = effort
        self._problems = problems

    def of(self, found: Property, read: Callable[[Property], T]) -> T | None:
        """What a property says; None where that is among the problems."""
        try:
            return read(found)
        except CellRefused as refused:
            value = found.value.strip()
            got = quoted(value) if _PLAIN.fullmatch(value) else f"a text of {len(value)} characters"
            column = str(found.column)
            self._problems.add(self._file, got, refused.expected, refused.hint, row=found.line, column=column)
            return None

    def event(self, component: Component) -> Vevent | None:
        """None where something is among the problems."""
        begin = component.first("DTSTART")
        if begin is None:
            expected = "DTSTART between BEGIN:VEVENT and END:VEVENT"
            self._problems.add(self._file, "an event without a start", expected, _HINT, row=component.line, column="1")
            return None
        start = self.of(begin, self.zones.when)
        return self._begun(component, start) if start is not None else None

    def _begun(self, component: Component, start: When) -> Vevent | None:
        length = self._length(component, start)
        rules = [self.of(found, partial(_rule, start)) for found in component.properties.get("RRULE", ())]
        changed = component.first("RECURRENCE-ID")
        changes = self.of(changed, partial(self._near, start)) if changed is not None else None
        also, without = (self._dates(component, name) for name in ("RDATE", "EXDATE"))
        if (exrule := component.first("EXRULE")) is not None:
            self.of(exrule, _no_exrule)
        if length is None or None in rules or (changed is not None and changes is None):
            return None
        uid, status, sequence = (component.first(name) for name in ("UID", "STATUS", "SEQUENCE"))
        number = sequence.value.strip() if sequence is not None else ""
        return Vevent(
            uid=uid.value.strip() if uid is not None and uid.value.strip() else _uid(component),
            line=component.line,
            start=start,
            length=length,
            rules=tuple(rule for rule in rules if rule is not None),
            also=tuple((_alike(when, start), size) for when, size in also),
            without=frozenset(_key(when, start) for when, _ in without),
            changes=_key(changes, start) if changes is not None else None,
            onward=changed is not None and changed.parameters.get("RANGE", "").upper() == "THISANDFUTURE",
            sequence=int(number) if re.fullmatch(r"[0-9]{1,9}", number) else 0,
            cancelled=status is not None and status.value.strip().upper() == "CANCELLED",
        )

    def _length(self, component: Component, start: When) -> dt.timedelta | None:
        end, duration = component.first("DTEND"), component.first("DURATION")
        if end is not None:
            return self.of(end, lambda found: _until(start, self.zones.when(found)))
        if duration is not None:
            return self.of(duration, lambda found: parse_duration(found.value))
        return dt.timedelta(0) if isinstance(start, dt.datetime) else dt.timedelta(days=1)

    def _near(self, start: When, found: Property) -> When:
        changes = self.zones.when(found)
        if abs(date_of(changes) - date_of(start)) > _FARTHEST:
            raise CellRefused("a change by at most a year", _HINT)
        return changes

    def _dates(self, component: Component, name: str) -> list[tuple[When, dt.timedelta | None]]:
        """The dates of a list, each with the length that a period gives it."""
        lists = (self.of(found, self._list) for found in component.properties.get(name, ()))
        return [date for dates in lists for date in dates or ()]

    def _list(self, found: Property) -> Sequence[tuple[When, dt.timedelta | None]]:
        words = [word for word in found.value.split(",") if word.strip()]
        self._effort.spend(_DAYS_OF_A_DATE * len(words))
        dates: list[tuple[When, dt.timedelta | None]] = []
        for word in words:
            text, _, end = word.partition("/")
            when = self.zones.when(found, text)
            length = None
            if end.strip().startswith(("P", "+P")):
                length = parse_duration(end)
            elif end:
                length = _until(when, self.zones.when(found, end))
            dates.append((when, length))
        return dates


def _rule(start: When, found: Property) -> Rule:
    rule = parse_rule(found.value)
    clock = start.time() if isinstance(start, dt.datetime) else dt.time.min
    own = (clock.hour, clock.minute, clock.second)
    if any(said not in (None, of_start) for said, of_start in zip(rule.clock, own, strict=True)):
        raise CellRefused("the time of the day that DTSTART has", "no lesson repeats within a day")
    if rule.until is not None:
        parse_when(rule.until, dt.UTC)
    return rule


def _no_exrule(_: Property) -> None:
    raise CellRefused("EXDATE: EXRULE is of the standard before this one", _HINT)


def _key(when: When, start: When) -> When:
    """What tells an occurrence of a series that begins at `start` from the others."""
    return moment(when) if isinstance(start, dt.datetime) else date_of(when)


def _alike(when: When, start: When) -> When:
    if not isinstance(start, dt.datetime):
        return date_of(when)
    return when if isinstance(when, dt.datetime) else dt.datetime.combine(when, start.timetz())


def _until(start: When, end: When) -> dt.timedelta:
    if isinstance(start, dt.datetime) and isinstance(end, dt.datetime):
        length = end.astimezone(dt.UTC) - start.astimezone(dt.UTC)
    else:
        length = date_of(end) - date_of(start)
    if length < dt.timedelta(0):
        raise CellRefused("an end that is not before the start", _HINT)
    return length


def _words(component: Component, name: str) -> tuple[str, ...]:
    found = component.properties.get(name, ())
    lists = (re.split(r"(?<!\\),", item.value) if name != "SUMMARY" else [item.value] for item in found)
    return tuple(word for words in lists for word in map(_plain, words) if word)


def _plain(text: str) -> str:
    """Without escapes and with single spaces."""
    text = re.sub(r"\\([,;\\nN])", lambda found: " " if found[1] in "nN" else found[1], text)
    return " ".join(text.split())


def _uid(component: Component) -> str:
    """An event without a UID is itself, by everything that is known of it."""
    return "\0".join(f"{name}:{item.value}" for name, items in sorted(component.properties.items()) for item in items)
