"""What the calendar says of a date for a group: school or holiday, whose bells, whose weekday, which week."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.domain.findings import Findings
from gateway.domain.model import GroupId
from gateway.domain.timetable import CalendarDay, DayKind, Timetable

_WEEK = 7

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolDay:
    """A date as a group has it."""

    #: False on a holiday.
    open: bool
    #: The name of the bells; None leaves the class its own.
    bells: str | None
    #: Whose lessons are taught; 1 is Monday.
    weekday: int
    #: The name of the week; empty where weeks have none.
    week: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the calendar and how far it reaches."""

    day: CalendarDay
    last: dt.date
    on: frozenset[int]
    groups: frozenset[GroupId]
    #: The number of its dates and of its groups: the less, the narrower.
    width: tuple[int, int]

    @classmethod
    def of(cls, day: CalendarDay, timetable: Timetable) -> "Rule":
        last = day.last or day.date
        length = (last - day.date).days + 1
        reached = {(day.date + dt.timedelta(days=n)).isoweekday(): n for n in reversed(range(min(length, _WEEK)))}
        on = {weekday: first for weekday, first in reached.items() if not day.on or weekday in day.on}
        dates = sum(-((first - length) // _WEEK) for first in on.values())
        named = day.groups | {group.id for group in timetable.classes if group.grade in day.grades}
        everybody = not day.groups and not day.grades
        groups = timetable.members(group.id for group in timetable.classes) if everybody else timetable.members(named)
        return cls(day=day, last=last, on=frozenset(on), groups=groups, width=(dates, len(groups)))

    def meets(self, date: dt.date) -> bool:
        return self.day.date <= date <= self.last and date.isoweekday() in self.on

    def inside(self, other: "Rule") -> bool:
        """Whether it lies inside the other: no more dates, no more groups, and not the same of both."""
        dates = other.day.date <= self.day.date and self.last <= other.last and self.on <= other.on
        return dates and self.groups <= other.groups and self.width != other.width


@dataclass(slots=True, kw_only=True)
class Calendar:
    """Answers for any group and date; groups that the same rules meet share their answers."""

    timetable: Timetable
    findings: Findings
    _rules: Sequence[Rule] = ()
    _of: dict[GroupId, tuple[int, ...]] = field(default_factory=dict)
    _days: dict[tuple[tuple[int, ...], dt.date], SchoolDay] = field(default_factory=dict)

    def __post_init__(self) -> None:
        days = self.timetable.calendar
        self._rules = [Rule.of(day, self.timetable) for day in days if (day.last or day.date) >= day.date]

    def day(self, group: GroupId, date: dt.date) -> SchoolDay:
        """The date as the group has it."""
        numbers = self._of.get(group)
        if numbers is None:
            numbers = tuple(n for n, rule in enumerate(self._rules) if group in rule.groups)
            self._of[group] = numbers
        known = self._days.get((numbers, date))
        if known is None:
            known = self._resolve([self._rules[n] for n in numbers if self._rules[n].meets(date)], date)
            self._days[numbers, date] = known
        return known

    def _resolve(self, rules: Sequence[Rule], date: dt.date) -> SchoolDay:
        closed = [rule for rule in rules if rule.day.kind is DayKind.HOLIDAY]
        opened = [rule for rule in rules if rule.day.kind is DayKind.SCHOOL_DAY]

        bells = self._narrowest("bells", [(rule, rule.day.bells) for rule in opened if rule.day.bells], date)
        weekday = self._narrowest("weekday", [(rule, rule.day.weekday) for rule in opened if rule.day.weekday], date)
        week = self._narrowest("week", [(rule, rule.day.week) for rule in opened if rule.day.week is not None], date)
        return SchoolDay(
            open=all(any(school.inside(holiday) for school in opened) for holiday in closed),
            bells=bells,
            weekday=date.isoweekday() if weekday is None else weekday,
            week=self.turn(date) if week is None else week,
        )

    def _narrowest(self, name: str, said: Sequence[tuple[Rule, T]], date: dt.date) -> T | None:
        """What the narrowest of these rules says; of equally narrow ones that differ, the same one in any order."""
        if not said:
            return None
        said = sorted(said, key=lambda pair: (pair[0].width, str(pair[1])))
        (rule, value), *others = said
        for other, differs in others:
            if other.width == rule.width and differs != value:
                problem = f"says {name} {differs!r} where another row that is as narrow says {value!r}"
                self.findings.tell(other.day.origin, "", date, problem, "remove one of the rows, or name its classes")
        return value

    def turn(self, date: dt.date) -> str:
        """The name of the week by the turn that weeks take."""
        names, since = self.timetable.weeks, self.timetable.weeks_from
        if not names or since is None:
            return ""
        monday = since - dt.timedelta(days=since.weekday())
        return names[(date - monday).days // _WEEK % len(names)]
