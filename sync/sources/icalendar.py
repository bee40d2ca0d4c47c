"""A school's calendar feed (iCalendar, RFC 5545) as dated events and holidays of its groups.

    file ── lines ──> components ── times, rules ──> VEVENTs by UID ── series ──> occurrences ── words ──> events, calendar days

All or nothing: SourceError names every place by file, line and column. What an event is called is read, never repeated.
"""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final, TypeVar

from gateway.domain.model import GroupId, Mode, SlotKind
from gateway.domain.timetable import CalendarDay, DayKind, Event
from sync.sources.cells import CellRefused, fold, quoted, similar
from sync.sources.icalendar_events import Worded, read_calendar
from sync.sources.icalendar_lines import read_components
from sync.sources.icalendar_rules import Effort
from sync.sources.icalendar_series import Occurrence, Vevent, newest, occurrences
from sync.sources.icalendar_times import FIRST_YEAR, LAST_YEAR
from sync.sources.remarks import Remarks
from sync.sources.rows import Problems
from sync.sources.school import Part

T = TypeVar("T")

MAX_SPAN: Final = dt.timedelta(days=800)
MAX_EVENTS: Final = 200_000
_DAY: Final = dt.timedelta(days=1)
_HOLIDAYS: Final = frozenset(
    [
        *("holiday", "holidays", "public holiday", "school holidays", "vacation", "day off", "no school"),
        *(f"{season} {word}" for season in ("autumn", "winter", "spring", "summer") for word in ("holidays", "break")),
        *("каникулы", "праздник", "выходной", "праздничный день", "выходной день", "нерабочий день"),
        *(f"{season} каникулы" for season in ("осенние", "зимние", "весенние", "летние", "дополнительные")),
    ]
)
_KINDS: Final = {str(kind): kind for kind in SlotKind} | {
    "урок": SlotKind.LESSON,
    "продленка": SlotKind.CARE,
    "кружок": SlotKind.CLUB,
    "экзамен": SlotKind.EXAM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the words of a calendar mean at this school; words are compared without case."""

    #: The site's, for times that name none.
    zone: dt.tzinfo
    #: X-ATTENDANCE-GROUP, else CATEGORIES, else X-WR-CALNAME or the file's name without its end -> the group.
    groups: Mapping[str, GroupId]
    #: An all-day event with one of these among its CATEGORIES, or as all of its SUMMARY, is a holiday. Never by a part of a
    #: name: on "the last day before the holidays" there is school.
    holidays: Collection[str] = _HOLIDAYS
    #: CATEGORIES -> what it is and who takes attendance; a lesson, at the gate.
    kinds: Mapping[str, SlotKind] = field(default_factory=lambda: _KINDS)
    modes: Mapping[str, Mode] = field(default_factory=lambda: {str(mode): mode for mode in Mode})


def parse(data: bytes, name: str, first: dt.date, last: dt.date, reading: Reading) -> Part:
    """The events of the dates first to last, both included, and the holidays that touch them.

    Raises SourceError with everything that is to be mended, ValueError for dates that are no span of at most MAX_SPAN.
    """
    if not (0 <= (last - first).days <= MAX_SPAN.days and first.year > FIRST_YEAR and last.year < LAST_YEAR):
        raise ValueError(f"{first} to {last} is no span of at most {MAX_SPAN.days} days")
    problems, effort = Problems(), Effort()
    calendars = read_components(name, data, problems)
    problems.settle()
    by_uid: dict[str, list[Worded]] = defaultdict(list)
    for calendar in calendars:
        for worded in read_calendar(name, calendar, reading.zone, (first, last), effort, problems):
            by_uid[worded.event.uid].append(worded)
    problems.settle()
    school = _School(name, (first, last), reading, problems)
    for series in by_uid.values():
        school.take(series, effort)
    problems.settle()
    return school.part()


class _School:
    """What was found so far."""

    def __init__(self, file: str, window: tuple[dt.date, dt.date], reading: Reading, problems: Problems) -> None:
        self._file = file
        self._window = window
        self._reading = reading
        self._problems = problems
        self._groups = {fold(word): group for word, group in reading.groups.items()}
        self._holidays = {fold(word) for word in reading.holidays}
        self._events: list[Event] = []
        self._days: list[CalendarDay] = []
        self._remarks = Remarks()

    def part(self) -> Part:
        """Sorted, so that the same calendar gives the same part however its file is ordered."""
        return Part(
            events=sorted(self._events, key=lambda event: (event.start, event.id)),
            # Several events may make the same day a holiday.
            calendar=sorted(
                dict.fromkeys(self._days), key=lambda day: (day.date, day.last or day.date, sorted(day.groups))
            )
            or None,
            remarks=self._remarks.all(),
        )

    def take(self, series: Sequence[Worded], effort: Effort) -> None:
        """All VEVENTs of one UID."""
        masters = [worded for worded in series if worded.event.changes is None]
        main = newest([worded.event for worded in masters or series])
        for other in (worded.event for worded in masters):
            if main is not None and other is not main and other.sequence == main.sequence and not other.repeats(main):
                got, expected = f"the UID of the event in line {main.line}", "a UID of its own for each event"
                self._problems.add(self._file, got, expected, "export the calendar again", row=other.line, column="1")
        own = next((worded for worded in masters if worded.event is main), None)
        spoken = [own.lend(worded) if own is not None else worded for worded in series]
        words = {id(worded.event): (worded, self._groups_of(worded)) for worded in spoken}
        told: set[int] = set()
        try:
            for found in occurrences([worded.event for worded in series], *self._window, effort):
                worded, groups = words[id(found.of)]
                if self._touches(found) and not self._place(found, worded, groups, quiet=id(worded) in told):
                    told.add(id(worded))
        except CellRefused as refused:
            line = main.line if main is not None else None
            self._problems.add(self._file, "too much repetition", refused.expected, refused.hint, row=line, column="1")

    def _touches(self, found: Occurrence) -> bool:
        first, last = self._window
        if isinstance(found.start, dt.datetime):
            return first <= found.start.astimezone(self._reading.zone).date() <= last
        return found.start <= last and found.start + max(found.length, _DAY) > first

    def _place(self, found: Occurrence, worded: Worded, groups: frozenset[GroupId], *, quiet: bool) -> bool:
        """Whether it means something here; what does not is remarked once, unless `quiet`."""
        why = hint = ""
        if not isinstance(found.start, dt.datetime):
            if self._is_holiday(worded):
                self._holiday(found, groups)
                return True
            why, hint = "an all-day event that is no holiday is left out", "give it times, or a category like holiday"
        elif found.length > _DAY:
            why, hint = "an event of more than a day is left out", "a holiday is an all-day event"
        elif not found.length:
            why, hint = "an event without a length is left out", "give it an end"
        elif not groups:
            why, hint = (
                "an event of no known group is left out",
                "name the group in CATEGORIES, or add it to the mapping",
            )
        else:
            self._hold(found, worded, groups, found.start.astimezone(dt.UTC))
            return True
        if not quiet:
            self._remark(worded.event, why, hint)
        return False

    def _hold(self, found: Occurrence, worded: Worded, groups: frozenset[GroupId], start: dt.datetime) -> None:
        if len(self._events) + len(groups) > MAX_EVENTS:
            raise CellRefused(f"at most {MAX_EVENTS} events", "export one school year")
        kind = _first(self._reading.kinds, worded.categories, SlotKind.LESSON)
        mode = _first(self._reading.modes, worded.categories, Mode.GATE)
        origin = f"{self._file}:{worded.event.line}"
        for group in groups:
            event = Event(
                id=_id(found, group),
                group=group,
                start=start,
                end=start + found.length,
                kind=kind,
                mode=mode,
                origin=origin,
            )
            self._events.append(event)

    def _holiday(self, found: Occurrence, groups: frozenset[GroupId]) -> None:
        if len(self._days) == MAX_EVENTS:
            raise CellRefused(f"at most {MAX_EVENTS} holidays", "export one school year")
        last = found.start + max(found.length, _DAY) - _DAY
        self._days.append(
            CalendarDay(
                date=found.start,
                last=last if last > found.start else None,
                kind=DayKind.HOLIDAY,
                groups=groups,
                origin=f"{self._file}:{found.of.line}",
            )
        )

    def _groups_of(self, worded: Worded) -> frozenset[GroupId]:
        named = [self._groups.get(fold(word)) for word in worded.named]
        if None in named:
            word = worded.named[named.index(None)]
            hint = similar(word, self._reading.groups, "add it to the mapping")
            row, column = worded.event.line, "X-ATTENDANCE-GROUP"
            self._problems.add(self._file, quoted(word), "a group of this school", hint, row=row, column=column)
        if worded.named:
            return frozenset(group for group in named if group is not None)
        for words in (worded.categories, (worded.calendar,), (PurePath(self._file).stem,)):
            if found := frozenset(self._groups[fold(word)] for word in words if fold(word) in self._groups):
                return found
        return frozenset()

    def _is_holiday(self, worded: Worded) -> bool:
        return not self._holidays.isdisjoint(fold(text) for text in (*worded.categories, worded.summary))

    def _remark(self, event: Vevent, problem: str, hint: str) -> None:
        self._remarks.add(self._file, problem, hint, row=event.line)


def _id(found: Occurrence, group: GroupId) -> str:
    """Nothing of the UID is repeated: some programs write an address into it."""
    digest = hashlib.sha256(f"{found.of.uid}\0{group}".encode()).hexdigest()[:16]
    form = "%Y%m%dT%H%M%SZ" if isinstance(found.id, dt.datetime) else "%Y%m%d"
    return f"{digest}-{found.id.strftime(form)}"


def _first(known: Mapping[str, T], words: Sequence[str], otherwise: T) -> T:
    return next((known[fold(word)] for word in words if fold(word) in known), otherwise)
