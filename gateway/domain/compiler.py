"""From bells, calendar, lessons, events and substitutions to dated slots in UTC, and what could not be placed.

lesson (group, weekday, number) ──calendar──> dates ──substitutions──> (date, number) ──bells, zone──> slot
"""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.domain.findings import MAX_UNPLACED, Findings, Unplaced
from gateway.domain.held import Held
from gateway.domain.mistakes import find
from gateway.domain.model import GroupId, Mode, PersonId, Slot
from gateway.domain.schoolday import Calendar
from gateway.domain.seat import Seats
from gateway.domain.substitute import Substitutions
from gateway.domain.timetable import Event, Lesson, Plan, Timetable

#: Hex digits of an event's id that stand in the id of its slot.
_KEY = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The slots of some dates, and what a person should look at."""

    #: In order of time, then of their ids.
    slots: tuple[Slot, ...]
    #: At most MAX_UNPLACED.
    unplaced: tuple[Unplaced, ...]
    #: How many more could not be placed.
    untold: int


def compile_days(
    timetable: Timetable, first: dt.date, last: dt.date, groups: Collection[GroupId] | None = None
) -> Compiled:
    """The slots of the local dates first to last, both included, of these groups; None is every group.

    Any part of the dates and groups gives the same slots as the whole.
    """
    names = [
        name for name in dict.fromkeys(group.id for group in timetable.classes) if groups is None or name in groups
    ]
    findings = Findings(groups=None if groups is None else frozenset(groups), first=first, last=last)
    find(timetable, findings)
    slots = _Compiler.of(timetable, findings).slots(names, first, last)
    unplaced = findings.all()
    return Compiled(
        slots=tuple(sorted(slots, key=lambda slot: (slot.start, slot.id))),
        unplaced=unplaced[:MAX_UNPLACED],
        untold=max(0, len(unplaced) - MAX_UNPLACED),
    )


def personal(slots: Iterable[Slot], plans: Iterable[Plan], person: PersonId, zone: dt.tzinfo) -> list[Slot]:
    """The same slots as this person has them: with the modes of the plans that hold on their local dates."""
    own = [plan for plan in plans if plan.person == person]
    return [_planned(slot, own, slot.start.astimezone(zone).date()) for slot in slots]


def _planned(slot: Slot, plans: Sequence[Plan], date: dt.date) -> Slot:
    mode = Mode.GATE
    for plan in plans:
        within = plan.first <= date and (plan.last is None or date <= plan.last)
        weekday = not plan.weekdays or date.isoweekday() in plan.weekdays
        if within and weekday and (not plan.lessons or slot.number in plan.lessons):
            mode = plan.mode
    return slot if mode is Mode.GATE else replace(slot, mode=mode)


@dataclass(slots=True, kw_only=True)
class _Compiler:
    timetable: Timetable
    findings: Findings
    calendar: Calendar
    lessons: dict[tuple[GroupId, int], list[Lesson]]
    events: dict[tuple[GroupId, dt.date], list[Event]]

    @classmethod
    def of(cls, timetable: Timetable, findings: Findings) -> "_Compiler":
        lessons = defaultdict(list)
        for lesson in timetable.lessons:
            lessons[lesson.group, lesson.weekday].append(lesson)
        events = defaultdict(list)
        for event in timetable.events:
            events[event.group, event.start.astimezone(timetable.zone).date()].append(event)
        calendar = Calendar(timetable=timetable, findings=findings)
        return cls(timetable=timetable, findings=findings, calendar=calendar, lessons=lessons, events=events)

    def slots(self, groups: Sequence[GroupId], first: dt.date, last: dt.date) -> list[Slot]:
        dates = [dt.date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1)]
        if not dates:
            return []
        slots: list[Slot] = []
        seats = Seats(timetable=self.timetable, calendar=self.calendar, findings=self.findings)
        substitutions = Substitutions(timetable=self.timetable, base=self.base, findings=self.findings)
        for group in groups:
            days = substitutions.settle(group, dates) if substitutions.concern(group) else None
            for date in dates:
                slots += seats.slots(group, days.live(date) if days is not None else self.base(group, date))
        substitutions.tell_idle(groups, first, last)
        return slots

    def base(self, group: GroupId, date: dt.date) -> list[Held]:
        """What a group has on a date before any substitution."""
        day = self.calendar.day(group, date)
        taught = self.lessons.get((group, day.weekday), ()) if day.open else ()
        held = [_lesson(lesson, date) for lesson in taught if _in_force(lesson, day.week, date)]
        return held + [_event(event, date) for event in self.events.get((group, date), ())]


def _in_force(lesson: Lesson, week: str, date: dt.date) -> bool:
    begun = lesson.first is None or lesson.first <= date
    return begun and (lesson.last is None or date <= lesson.last) and lesson.week in {"", week}


def _lesson(lesson: Lesson, date: dt.date) -> Held:
    return Held(
        origin=lesson.origin,
        home=(date, lesson.lesson),
        date=date,
        number=lesson.lesson,
        kind=lesson.kind,
        mode=lesson.mode,
        site=lesson.site,
        obligatory=lesson.obligatory,
        bells_of=lesson.group,
    )


def _event(event: Event, date: dt.date) -> Held:
    return Held(
        origin=event.origin,
        home=(date, event.number),
        date=date,
        number=event.number,
        kind=event.kind,
        mode=event.mode,
        site=event.site,
        obligatory=event.obligatory,
        span=(event.start, event.end),
        bells_of=event.group,
        key=hashlib.sha256(event.id.encode()).hexdigest()[:_KEY],
        said=0,
    )
