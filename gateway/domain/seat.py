"""Where the lessons of a group on a date end up: their times in UTC, and which of two that cannot both be.

A wall time that a spring change skips is taken as much later as the clock jumps; of one that an autumn change repeats
the first is meant (PEP 495, fold 0).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.domain.findings import Findings
from gateway.domain.held import Held, later, length
from gateway.domain.mistakes import MEND_TIMES, OVER_MIDNIGHT
from gateway.domain.model import UNCOUNTED, GroupId, Mode, Slot, SlotId, SlotKind
from gateway.domain.schoolday import Calendar
from gateway.domain.timetable import Timetable

Times = tuple[dt.datetime, dt.datetime]
_MUST_NOT_OVERLAP = frozenset({SlotKind.LESSON, SlotKind.EXAM})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A lesson with its times."""

    held: Held
    id: SlotId
    start: dt.datetime
    end: dt.datetime

    @property
    def exclusive(self) -> bool:
        """Whether nobody of the group can be anywhere else at that time."""
        return self.held.obligatory and self.held.kind in _MUST_NOT_OVERLAP

    @property
    def rank(self) -> tuple[object, ...]:
        """What was said last comes first; the rest makes the order of rows mean nothing."""
        held = self.held
        return -held.said, held.mode is Mode.GATE, self.start, self.end, held.kind, held.mode, held.site, held.origin


@dataclass(slots=True, kw_only=True)
class Seats:
    """Gives lessons their times, and tells which have none."""

    timetable: Timetable
    calendar: Calendar
    findings: Findings
    #: Wall times of a date in UTC: a bell rings for many groups.
    _moments: dict[tuple[dt.date, dt.time], dt.datetime] = field(default_factory=dict)

    def slots(self, group: GroupId, held: Iterable[Held]) -> list[Slot]:
        """The slots of one group on one date; of two that cannot both be, the one that was said last."""
        placed = [found for one in held if (found := self.place(group, one)) is not None]
        placed.sort(key=lambda one: one.rank)
        seated: list[_Placed] = []
        for one in placed:
            rival = next((other for other in seated if _clash(one, other)), None)
            if rival is None:
                seated.append(one)
            else:
                self.tell_clash(group, one, rival)
        return [
            Slot(
                id=one.id,
                group=group,
                number=UNCOUNTED if one.held.number is None else one.held.number,
                start=one.start,
                end=one.end,
                kind=one.held.kind,
                mode=one.held.mode,
                site=one.held.site,
                obligatory=one.held.obligatory,
            )
            for one in seated
        ]

    def tell_clash(self, group: GroupId, one: _Placed, rival: _Placed) -> None:
        other = rival.held.origin or "another row"
        problem = f"{_name(one.held)} is at the time of {_name(rival.held)} ({other})"
        if one.id == rival.id:
            problem = f"{_name(one.held)} is there already ({other})"
        hint = "cancel or move one of the two; parts of a class need groups of their own"
        self.findings.tell(one.held.origin, group, one.held.date, problem, hint)

    def place(self, group: GroupId, held: Held) -> _Placed | None:
        """When the lesson is; None, and told, where nothing says so."""
        times = self.own(group, held) if held.span else self.rung(group, held)
        if times is None:
            return None
        suffix = held.key if held.number is None else held.number
        return _Placed(held=held, id=SlotId(f"{group}-{held.date:%Y%m%d}-{suffix}"), start=times[0], end=times[1])

    def own(self, group: GroupId, held: Held) -> Times | None:
        """When an event is, on one local date."""
        if held.span and held.span[0] < held.span[1]:
            last = held.span[1] - dt.datetime.resolution
            if last.astimezone(self.timetable.zone).date() == held.date:
                return held.span
        self.findings.tell(held.origin, group, held.date, OVER_MIDNIGHT, MEND_TIMES)
        return None

    def rung(self, group: GroupId, held: Held) -> Times | None:
        """By its own wall times, or by those of the bell."""
        walls = (held.start, held.end) if held.start and held.end else self.walls(group, held)
        if walls is None:
            return None
        if walls[1] <= walls[0]:
            self.findings.tell(held.origin, group, held.date, OVER_MIDNIGHT, MEND_TIMES)
            return None
        start, end = (self.moment(held.date, wall) for wall in walls)
        if end <= start:
            # Only a lesson that begins inside a skipped hour: it moves whole.
            end = start + length(*walls)
        return start, end

    def moment(self, date: dt.date, wall: dt.time) -> dt.datetime:
        known = self._moments.get((date, wall))
        if known is None:
            known = dt.datetime.combine(date, wall, self.timetable.zone).astimezone(dt.UTC)
            self._moments[date, wall] = known
        return known

    def walls(self, group: GroupId, held: Held) -> tuple[dt.time, dt.time] | None:
        """The bell, with the start or the end that the lesson has of its own."""
        day = self.calendar.day(held.bells_of, held.date)
        number = held.number
        bell = self.timetable.ring(held.bells_of, number, day.bells) if day.open and number is not None else None
        if bell is not None:
            start = held.start or bell.start
            return start, held.end or later(start, length(bell.start, bell.end))
        ringer = self.timetable.group(held.bells_of)
        bells = day.bells or (ringer.bells if ringer else "")
        where = f"the bells {bells!r}" if day.open else "a holiday"
        moved = f"{_name(held)} is put onto nothing: " if held.said > 0 else ""
        hint = (
            "add it to the bells, or mend the day"
            if day.open
            else "give start and end, or open the day in the calendar"
        )
        self.findings.tell(held.origin, group, held.date, f"{moved}{_name(held)} has no bell in {where}", hint)
        return None


def _clash(one: _Placed, other: _Placed) -> bool:
    overlap = one.start < other.end and other.start < one.end
    return one.id == other.id or (overlap and one.exclusive and other.exclusive)


def _name(held: Held) -> str:
    return "an event" if held.number is None else f"lesson {held.number}"
