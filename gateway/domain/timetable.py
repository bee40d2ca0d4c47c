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

from gateway.domain.model import GroupId, Mode, PersonId, Slot, SlotId, SlotKind, utc
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
    #: Picks the row among the bells of one name, where stages ring differently: primary, middle, senior.
    stage: str = ""
    #: The class that this is a part of; what befalls the class befalls it.
    part_of: GroupId | None = None
    #: Where it was read, `file:row`.
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """When a lesson begins and ends by the wall clock; start < end."""

    #: The schedule: normal, short, …
    bells: str
    #: None serves every shift that has no row of its own.
    shift: int | None = None
    #: Empty serves every stage that has no row of its own.
    stage: str = ""
    lesson: int
    start: dt.time
    end: dt.time
    origin: str = field(default="", compare=False)


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
    #: Only in weeks of this name; empty is every week.
    week: str = ""
    #: The first and the last date on which it is taught: a quarter, a trimester.
    first: dt.date | None = None
    last: dt.date | None = None
    #: The site where it is held; empty is the school's own.
    site: str = ""
    obligatory: bool = True
    origin: str = field(default="", compare=False)


class DayKind(StrEnum):
    """What the calendar says of a date."""

    HOLIDAY = "holiday"
    SCHOOL_DAY = "school_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """Dates that are not like their weekdays. Of several that meet a group on a date, the narrowest counts."""

    date: dt.date
    #: The last of a run of dates, itself included; None is that one date.
    last: dt.date | None = None
    #: Only those dates of the run that fall on these weekdays; empty is all.
    on: frozenset[int] = frozenset()
    kind: DayKind
    #: The bells of that date; None leaves each class its own.
    bells: str | None = None
    #: The weekday whose lessons are taught; None is the date's own.
    weekday: int | None = None
    #: The name of the week; None leaves the turn that weeks take.
    week: str | None = None
    #: For these grades and groups; both empty is everybody.
    grades: frozenset[int] = frozenset()
    groups: frozenset[GroupId] = frozenset()
    origin: str = field(default="", compare=False)


class Change(StrEnum):
    """What a substitution does to the lessons that it names."""

    #: They are not held; afterwards this can be said, too.
    CANCELLED = "cancelled"
    #: They are held by somebody else or in another room: no door cares.
    REPLACED = "replaced"
    #: They are held at another number, on another date, or at another time.
    MOVED = "moved"
    #: A lesson that the week does not have.
    ADDED = "added"
    #: The group takes the lessons of another group (`with_group`).
    MERGED = "merged"
    #: Another way to take attendance: remote, a trip, a stadium, first-graders led in.
    MODE = "mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitution:
    """A change of the timetable for some dates. A later one of a list outweighs an earlier one."""

    change: Change
    date: dt.date
    #: The last of a run of dates, itself included; None is that one date.
    last: dt.date | None = None
    #: Whom it concerns, with the parts of each class; empty is the whole school.
    groups: frozenset[GroupId] = frozenset()
    #: The numbers of the lessons; empty is all of the date.
    lessons: frozenset[int] = frozenset()
    #: moved: where to; what is None stays. added: `start` and `end` where no bell tells them.
    to_date: dt.date | None = None
    to_lesson: int | None = None
    start: dt.time | None = None
    end: dt.time | None = None
    #: mode, moved, added: the new one; None leaves it.
    mode: Mode | None = None
    #: moved, mode, added: the new one; None leaves it.
    site: str | None = None
    #: added: what it is, and whether everybody of the group must come.
    kind: SlotKind = SlotKind.LESSON
    obligatory: bool = True
    #: merged: whose lessons.
    with_group: GroupId | None = None
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something dated that no bell rings for: an entry of a calendar. Holidays do not drop it, substitutions may."""

    #: Stable for one occurrence in its source.
    id: str
    group: GroupId
    start: dt.datetime
    end: dt.datetime
    #: Counted among the lessons of its date; None is no lesson of the count.
    number: int | None = None
    kind: SlotKind = SlotKind.LESSON
    mode: Mode = Mode.GATE
    site: str = ""
    obligatory: bool = True
    origin: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", utc(self.start))
        object.__setattr__(self, "end", utc(self.end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One person whose attendance is taken otherwise: home schooling, an individual plan, an olympiad elsewhere."""

    person: PersonId
    mode: Mode
    first: dt.date
    #: Itself included; None is until further notice.
    last: dt.date | None = None
    #: ISO 8601 weekdays and lesson numbers that it holds for; empty is all.
    weekdays: frozenset[int] = frozenset()
    lessons: frozenset[int] = frozenset()
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """Everything that the slots of a site follow from."""

    #: The zone of the site, by IANA rules.
    zone: dt.tzinfo
    classes: Sequence[SchoolClass]
    bells: Sequence[Bell]
    lessons: Sequence[Lesson]
    calendar: Sequence[CalendarDay] = ()
    substitutions: Sequence[Substitution] = ()
    events: Sequence[Event] = ()
    #: The names that weeks take in turn, and the Monday of a week of the first name.
    weeks: Sequence[str] = ()
    weeks_from: dt.date | None = None
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
