"""The lessons of one group on some dates while substitutions move them about."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from gateway.domain.model import GroupId, Mode, SlotKind
from gateway.domain.timetable import Change, Substitution


@dataclass(slots=True, kw_only=True)
class Held:
    """A lesson of one group, and where substitutions have brought it so far."""

    #: The row that put it there.
    origin: str
    #: The date and the number that it had before any substitution; an added one was nowhere.
    home: tuple[dt.date, int | None] | None
    date: dt.date
    number: int | None
    kind: SlotKind = SlotKind.LESSON
    mode: Mode = Mode.GATE
    site: str = ""
    obligatory: bool = True
    #: Times by the clock on the wall; None is the bell's.
    start: dt.time | None = None
    end: dt.time | None = None
    #: Of an event that nothing moved, in UTC.
    span: tuple[dt.datetime, dt.datetime] | None = None
    #: Whose bells ring.
    bells_of: GroupId
    #: Stands for the number in the slot's id where it has none.
    key: str = ""
    #: The substitution that last put it there, counted from 1; 0 is an event, -1 the week.
    said: int = -1
    cancelled: bool = False

    @property
    def at_home(self) -> bool:
        """Whether it is held where it always was."""
        return not self.cancelled and self.home == (self.date, self.number)

    def move(self, one: Substitution, number: int | None, date: dt.date, place: int, zone: dt.tzinfo) -> None:
        """Bring it, named by this number and date, to where the substitution at that place in its list says."""
        if self.span is not None:
            walls = (moment.astimezone(zone).timetz() for moment in self.span)
            self.start, self.end = (wall.replace(tzinfo=None, fold=0) for wall in walls)
            self.span = None
        if one.to_lesson is not None and number is not None:
            self.number = one.to_lesson + number - min(one.lessons)
            self.start = self.end = None
        self.date = target(one, date)
        if one.start is not None and one.end is None and self.start is not None and self.end is not None:
            self.end = later(one.start, length(self.start, self.end))
        self.start, self.end = one.start or self.start, one.end or self.end
        self.origin, self.said, self.cancelled = one.origin, place, False


def target(one: Substitution, date: dt.date) -> dt.date:
    """Where a lesson of that date goes; each date of a run goes as far as the first."""
    return date if one.to_date is None else date + (one.to_date - one.date)


def sources(substitutions: Iterable[Substitution], dates: Iterable[dt.date]) -> set[dt.date]:
    """These dates, and those from which lessons are moved to them, by however many steps."""
    needed = set(dates)
    ahead = list(needed)
    moves = [one for one in substitutions if one.change is Change.MOVED]
    while moves and ahead:
        date = ahead.pop()
        for one in moves:
            source = date - (target(one, one.date) - one.date)
            if source not in needed and one.date <= source <= (one.last or one.date):
                needed.add(source)
                ahead.append(source)
    return needed


def length(start: dt.time, end: dt.time) -> dt.timedelta:
    """By the clock on the wall."""
    return dt.datetime.combine(dt.date.min, end) - dt.datetime.combine(dt.date.min, start)


def later(start: dt.time, by: dt.timedelta) -> dt.time:
    """By the clock on the wall, less than a day later; before `start` where midnight lies between."""
    return (dt.datetime.combine(dt.date.min, start) + by).timetz()


@dataclass(slots=True, kw_only=True)
class Days:
    """The lessons of one group on some dates."""

    #: Of every date that is asked for.
    homes: dict[dt.date, list[Held]]
    #: What substitutions put on a date; it may have gone on since.
    arrived: defaultdict[dt.date, list[Held]] = field(default_factory=lambda: defaultdict(list))

    def live(self, date: dt.date) -> list[Held]:
        """What is held on a date."""
        stayed = [held for held in self.homes[date] if held.at_home]
        arrived = self.arrived.get(date, ())
        return stayed + [held for held in arrived if held.date == date and not held.cancelled and not held.at_home]

    def numbered(self, date: dt.date, number: int) -> list[Held]:
        """What a number means: the lesson of the week, else what was put there, else what has gone from there."""
        live = [held for held in self.live(date) if held.number == number]
        gone = [held for held in self.homes[date] if held.home == (date, number)]
        lost = [held for held in self.arrived.get(date, ()) if (held.date, held.number) == (date, number)]
        return [held for held in live if held.at_home] or live or gone or lost

    def whole(self, date: dt.date) -> list[Held]:
        """All of a date; where nothing is left, all that was cancelled."""
        return self.live(date) or [held for held in self.homes[date] if held.cancelled]

    def named(self, date: dt.date, numbers: Collection[int]) -> list[Held]:
        """What these numbers mean; none is all of the date."""
        if not numbers:
            return self.whole(date)
        return [held for number in sorted(numbers) for held in self.numbered(date, number)]

    def put(self, held: Held) -> None:
        """Note a lesson where a substitution has brought it."""
        if not any(held is other for other in self.arrived[held.date]):
            self.arrived[held.date].append(held)
