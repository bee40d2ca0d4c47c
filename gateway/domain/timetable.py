"""From bells, lessons and the calendar to dated slots in UTC.

    lesson (group, weekday, number) --calendar: named bells of the date--> bell (start, end) --zone of the site--> slot

Wall times are the site's. One that a spring change skips is taken as much later as the clock jumps; of one that
an autumn change repeats the first is meant (PEP 495, fold 0).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.model import GroupId, Mode, Slot, SlotId, SlotKind
from gateway.errors import SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolClass:
    """A group with a timetable: a class, or a part of one."""

    id: GroupId
    #: Years at school; 0 is before the first.
    grade: int
    #: Picks the row among the bells of one name.
    shift: int
    #: The bells of an ordinary day.
    bells: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """When a lesson begins and ends by the wall clock; start < end."""

    #: The schedule: normal, short, …
    bells: str
    #: None serves every shift that has no row of its own.
    shift: int | None = None
    lesson: int
    start: dt.time
    end: dt.time


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A lesson of the week."""

    group: GroupId
    #: 1 is Monday (ISO 8601).
    weekday: int
    #: Counted as the school counts its lessons; 0 exists.
    lesson: int
    subject: str = ""
    kind: SlotKind = SlotKind.LESSON
    mode: Mode = Mode.GATE


class DayKind(StrEnum):
    """What the calendar says of a date."""

    HOLIDAY = "holiday"
    SCHOOL_DAY = "school_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """A date that is not like its weekday."""

    date: dt.date
    kind: DayKind
    #: The bells of that date for everybody; None leaves each class its own.
    bells: str | None = None
    #: The weekday whose lessons are taught; None is the date's own.
    weekday: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """Everything that the slots of a site follow from."""

    #: The zone of the site, by IANA rules.
    zone: dt.tzinfo
    classes: Sequence[SchoolClass]
    bells: Sequence[Bell]
    lessons: Sequence[Lesson]
    calendar: Sequence[CalendarDay] = ()
    _class: Mapping[GroupId, SchoolClass] = field(init=False, repr=False, compare=False)
    _bell: Mapping[tuple[str, int | None, int], Bell] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_class", {group.id: group for group in self.classes})
        object.__setattr__(self, "_bell", {(bell.bells, bell.shift, bell.lesson): bell for bell in self.bells})

    def bell(self, lesson: Lesson, bells: str | None = None) -> Bell | None:
        """When the lesson is, by the bells of its class or of this name; None where there is no such row."""
        group = self._class.get(lesson.group)
        if group is None:
            return None
        name = bells or group.bells
        return self._bell.get((name, group.shift, lesson.lesson)) or self._bell.get((name, None, lesson.lesson))


def compile_slots(timetable: Timetable, first: dt.date, last: dt.date) -> list[Slot]:
    """The slots of the local dates first to last, both included, in order of time.

    Raises SourceError where a lesson has no bell.
    """
    calendar = {day.date: day for day in timetable.calendar}
    lessons = defaultdict(list)
    for lesson in timetable.lessons:
        lessons[lesson.weekday].append(lesson)
    slots = []
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        date = dt.date.fromordinal(ordinal)
        day = calendar.get(date, CalendarDay(date=date, kind=DayKind.SCHOOL_DAY))
        if day.kind is not DayKind.HOLIDAY:
            slots += [_slot(timetable, lesson, day) for lesson in lessons[day.weekday or date.isoweekday()]]
    return sorted(slots, key=lambda slot: (slot.start, slot.id))


def _slot(timetable: Timetable, lesson: Lesson, day: CalendarDay) -> Slot:
    bell = timetable.bell(lesson, day.bells)
    if bell is None:
        raise SourceError(f"lesson {lesson.lesson} of {lesson.group} on {day.date} has no bell")
    start, end = (
        dt.datetime.combine(day.date, wall, timetable.zone).astimezone(dt.UTC) for wall in (bell.start, bell.end)
    )
    if end <= start:
        # Only a lesson that begins inside a skipped hour: it moves whole.
        end = start + (dt.datetime.combine(day.date, bell.end) - dt.datetime.combine(day.date, bell.start))
    return Slot(
        id=SlotId(f"{lesson.group}-{day.date:%Y%m%d}-{lesson.lesson}"),
        group=lesson.group,
        number=lesson.lesson,
        start=start,
        end=end,
        kind=lesson.kind,
        mode=lesson.mode,
    )
