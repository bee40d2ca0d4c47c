"""What a school says of its time: classes, bells, lessons of the week, calendar, substitutions, events, plans.

`gateway.domain.compiler` makes dated slots of it. Wall times are the site's; none reaches over midnight.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.model import GroupId, Mode, PersonId, SlotKind, utc


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
    """Dates that are not like their weekdays.

    A school day outweighs a holiday that it lies inside of: no more dates, no more groups, and not the same of both.
    Any other holiday counts. Bells, weekday and week are each told by the school day that has the fewest dates, and of
    those by the one for the fewest groups.
    """

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
    #: They are held, by somebody else or in another room: no door cares. It takes back what was cancelled before.
    REPLACED = "replaced"
    #: They are held at another number, on another date, or at another time.
    MOVED = "moved"
    #: A lesson that the week does not have; not for the parts of a class, and in a run on days with lessons only.
    ADDED = "added"
    #: The group takes the lessons of another group (`with_group`) instead of its own and those of its parts.
    MERGED = "merged"
    #: Another way to take attendance: remote, a trip, a stadium, first-graders led in.
    MODE = "mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitution:
    """A change of the timetable for some dates. A later one of a list outweighs an earlier one.

    A number names the lesson that the week has there; where that has gone, the one that an earlier substitution put
    there; and where there is none, the one that has gone. So two lessons change places in two rows.
    """

    change: Change
    date: dt.date
    #: The last of a run of dates, itself included; None is that one date.
    last: dt.date | None = None
    #: Whom it concerns, with the parts of each class; empty is the whole school.
    groups: frozenset[GroupId] = frozenset()
    #: The numbers of the lessons; empty is all of the date.
    lessons: frozenset[int] = frozenset()
    #: moved: where to; what is None stays. Of several lessons the first goes to `to_lesson`, the next to the one after;
    #: of several dates each goes as far as the first. added: `start` and `end` where no bell tells them.
    to_date: dt.date | None = None
    to_lesson: int | None = None
    start: dt.time | None = None
    end: dt.time | None = None
    #: The new one; None leaves it.
    mode: Mode | None = None
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
    """One person whose attendance is taken otherwise: home schooling, an individual plan, an olympiad elsewhere.

    A later plan of a list outweighs an earlier one. `gate` is as the group has it: it takes back an earlier plan.
    """

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
    #: The names that weeks take in turn, and a day of a week of the first name.
    weeks: Sequence[str] = ()
    weeks_from: dt.date | None = None
    _class: Mapping[GroupId, SchoolClass] = field(init=False, repr=False, compare=False)
    _parts: Mapping[GroupId, Sequence[GroupId]] = field(init=False, repr=False, compare=False)
    _bell: Mapping[tuple[str, int | None, str, int], Bell] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts: dict[GroupId, list[GroupId]] = {}
        for group in self.classes:
            if group.part_of is not None:
                parts.setdefault(group.part_of, []).append(group.id)
        # Of two rows for one lesson the earlier time counts, whatever their order.
        rows = sorted((row for row in self.bells if row.start < row.end), key=lambda row: (row.start, row.end))
        bells = {(row.bells, row.shift, row.stage, row.lesson): row for row in reversed(rows)}
        object.__setattr__(self, "_class", {group.id: group for group in self.classes})
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "_bell", bells)

    def group(self, name: GroupId) -> SchoolClass | None:
        """The class of that name."""
        return self._class.get(name)

    def members(self, names: Iterable[GroupId]) -> frozenset[GroupId]:
        """Those of these groups that exist, with all their parts."""
        found: set[GroupId] = set()
        ahead = list(names)
        while ahead:
            name = ahead.pop()
            if name in self._class and name not in found:
                found.add(name)
                ahead += self._parts.get(name, ())
        return frozenset(found)

    def lineage(self, name: GroupId) -> tuple[GroupId, ...]:
        """The group, the class that it is a part of, and so on."""
        found: list[GroupId] = []
        ahead: GroupId | None = name
        while ahead is not None and ahead in self._class and ahead not in found:
            found.append(ahead)
            ahead = self._class[ahead].part_of
        return tuple(found)

    def ring(self, group: GroupId, number: int, bells: str | None = None) -> Bell | None:
        """When the group has the lesson of that number, by its own bells or by those of this name.

        The row of its shift and stage counts, else that of its shift, else that of its stage, else the one for all.
        None where there is no such row.
        """
        known = self._class.get(group)
        if known is None:
            return None
        name = bells or known.bells
        for shift, stage in ((known.shift, known.stage), (known.shift, ""), (None, known.stage), (None, "")):
            if row := self._bell.get((name, shift, stage, number)):
                return row
        return None
