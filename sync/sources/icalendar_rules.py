"""Recurrence rules (RFC 5545, 3.3.10) as the days that they meet, with a known effort.

A general library steps through a rule until something matches: one that never matches (30 February) takes it seconds, a
file of them hours. Here a day is asked whether the rule meets it, only days of the wanted span are, and each is paid for.
"""

import calendar
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sync.sources.cells import CellRefused, quoted

#: Days that all rules of a file may ask about.
MAX_DAYS: Final = 3_000_000
_DAY: Final = dt.timedelta(days=1)
_WEEKDAYS: Final = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
#: Lowest and highest of the parts that are lists of numbers; those whose lowest is negative have no 0.
_NUMBERS: Final[Mapping[str, tuple[int, int]]] = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
}
_NOT_WITH: Final[Mapping[str, frozenset[str]]] = {
    "DAILY": frozenset({"BYWEEKNO", "BYYEARDAY"}),
    "WEEKLY": frozenset({"BYWEEKNO", "BYYEARDAY", "BYMONTHDAY"}),
    "MONTHLY": frozenset({"BYWEEKNO", "BYYEARDAY"}),
    "YEARLY": frozenset(),
}
_OFTEN: Final = ("SECONDLY", "MINUTELY", "HOURLY")
_HINT: Final = "mend the rule in the calendar's own program"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule whose steps are days or longer."""

    #: DAILY, WEEKLY, MONTHLY or YEARLY.
    every: str
    interval: int = 1
    count: int | None = None
    #: As it is written: a date, or a time with or without Z.
    until: str | None = None
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    weeks: frozenset[int] = frozenset()
    positions: frozenset[int] = frozenset()
    #: (which, weekday): which of the month or year, from its end if negative, 0 for each; 0 is Monday.
    weekdays: frozenset[tuple[int, int]] = frozenset()
    week_starts: int = 0
    #: The time of the day, if it is said once more.
    clock: tuple[int | None, int | None, int | None] = (None, None, None)


class Effort:
    """How many days may still be asked about."""

    def __init__(self, days: int = MAX_DAYS) -> None:
        self._left = days

    def spend(self, days: int) -> None:
        """Raises CellRefused when too much is asked."""
        self._left -= days
        if self._left < 0:
            raise CellRefused("fewer repetitions in one file", "export one school year")


def parse_rule(text: str) -> Rule:
    """Raises CellRefused."""
    parts: dict[str, str] = {}
    for part in text.strip().upper().rstrip(";").split(";"):
        name, _, value = part.partition("=")
        if name in parts:
            raise CellRefused(f"{quoted(name)} once", _HINT)
        parts[name] = value
    every = parts.pop("FREQ", "")
    if every in _OFTEN:
        raise CellRefused("FREQ=DAILY, WEEKLY, MONTHLY or YEARLY", "no lesson repeats within a day")
    if every not in _NOT_WITH or _NOT_WITH[every] & parts.keys():
        raise CellRefused("FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, with parts that go with it", _HINT)
    numbers = {name: _numbers(name, parts.pop(name)) for name in _NUMBERS if name in parts}
    hour, minute, second = (_only(numbers.get(name)) for name in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    rule = Rule(
        every=every,
        interval=_number("INTERVAL", parts.pop("INTERVAL", "1")),
        count=_number("COUNT", parts.pop("COUNT")) if "COUNT" in parts else None,
        until=parts.pop("UNTIL", None),
        months=numbers.get("BYMONTH", frozenset()),
        month_days=numbers.get("BYMONTHDAY", frozenset()),
        year_days=numbers.get("BYYEARDAY", frozenset()),
        weeks=numbers.get("BYWEEKNO", frozenset()),
        positions=numbers.get("BYSETPOS", frozenset()),
        weekdays=_weekdays(parts.pop("BYDAY", ""), every),
        week_starts=_week_starts(parts.pop("WKST", "MO")),
        clock=(hour, minute, second),
    )
    if parts:
        raise CellRefused("only parts of RFC 5545", _HINT)
    return rule


def days(rule: Rule, start: dt.date, first: dt.date, last: dt.date, effort: Effort) -> Iterator[dt.date]:
    """The days of [first, last] that a rule meets which begins on `start`; its `until` is the caller's business.

    Raises CellRefused when the effort is spent.
    """
    first = max(first, start)
    met = _met(_completed(rule, start), start, start if rule.count is not None else first, last, effort)
    for day in islice(met, rule.count):
        if day >= first:
            yield day


def _met(rule: Rule, start: dt.date, first: dt.date, last: dt.date, effort: Effort) -> Iterator[dt.date]:
    for begin, end in _periods(rule, start, first, last):
        effort.spend(1 if rule.every == "DAILY" else (end - begin).days)
        found = [day for day in _span(begin, end) if _meets(rule, day)]
        if rule.positions:
            found = [
                day
                for position, day in enumerate(found, 1)
                if position in rule.positions or position - len(found) - 1 in rule.positions
            ]
        yield from (day for day in found if start <= day <= last)


def _span(begin: dt.date, end: dt.date) -> Iterator[dt.date]:
    return map(dt.date.fromordinal, range(begin.toordinal(), end.toordinal()))


def _periods(rule: Rule, start: dt.date, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """The steps [begin, end) of the rule that touch [first, last]."""
    step = rule.interval
    if rule.every in ("DAILY", "WEEKLY"):
        length = 1 if rule.every == "DAILY" else 7
        begin = start.toordinal() - ((start.weekday() - rule.week_starts) % 7 if length == 7 else 0)
        skipped = max(0, first.toordinal() - begin) // (length * step)
        for ordinal in range(begin + skipped * length * step, last.toordinal() + 1, length * step):
            yield dt.date.fromordinal(ordinal), dt.date.fromordinal(min(ordinal + length, dt.date.max.toordinal()))
        return
    months = step if rule.every == "MONTHLY" else 12 * step
    begin = start.year * 12 + (start.month - 1 if rule.every == "MONTHLY" else 0)
    skipped = max(0, first.year * 12 + first.month - 1 - begin) // months
    for month in range(begin + skipped * months, last.year * 12 + last.month, months):
        yield _month(month), _month(month + (1 if rule.every == "MONTHLY" else 12))


def _month(number: int) -> dt.date:
    year, month = divmod(number, 12)
    return dt.date(year, month + 1, 1) if year <= dt.MAXYEAR else dt.date.max


def _completed(rule: Rule, start: dt.date) -> Rule:
    """With what the rule leaves to its start."""
    if rule.weekdays or rule.month_days or rule.year_days or rule.weeks or rule.every == "DAILY":
        return rule
    weekly, yearly = rule.every == "WEEKLY", rule.every == "YEARLY"
    return Rule(
        every=rule.every,
        interval=rule.interval,
        months=rule.months or (frozenset({start.month}) if yearly else frozenset()),
        month_days=frozenset() if weekly else frozenset({start.day}),
        weekdays=frozenset({(0, start.weekday())}) if weekly else frozenset(),
        positions=rule.positions,
        week_starts=rule.week_starts,
    )


def _meets(rule: Rule, day: dt.date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    if rule.weekdays and not _meets_weekday(rule, day):
        return False
    if rule.month_days and rule.month_days.isdisjoint((day.day, day.day - _month_length(day) - 1)):
        return False
    if rule.year_days and rule.year_days.isdisjoint(_of_year(day)):
        return False
    return not rule.weeks or not rule.weeks.isdisjoint(_week(day, rule.week_starts))


def _meets_weekday(rule: Rule, day: dt.date) -> bool:
    if (0, day.weekday()) in rule.weekdays:
        return True
    if rule.every == "YEARLY" and not rule.months:
        number, from_end = _of_year(day)
        which = ((number - 1) // 7 + 1, -((-from_end - 1) // 7 + 1))
    else:
        which = ((day.day - 1) // 7 + 1, -((_month_length(day) - day.day) // 7 + 1))
    return any((number, day.weekday()) in rule.weekdays for number in which)


def _month_length(day: dt.date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _of_year(day: dt.date) -> tuple[int, int]:
    number = day.timetuple().tm_yday
    return number, number - (366 if calendar.isleap(day.year) else 365) - 1


def _week(day: dt.date, starts: int) -> tuple[int, int]:
    """The number of its week in the year that has most of the week, and the same counted from that year's end."""
    middle = day - _DAY * ((day.weekday() - starts) % 7) + _DAY * 3
    last = dt.date(middle.year, 12, 31)
    last_middle = last - _DAY * ((last.weekday() - starts - 3) % 7)
    number, weeks = ((one.timetuple().tm_yday - 1) // 7 + 1 for one in (middle, last_middle))
    return number, number - weeks - 1


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) == 0:
        raise CellRefused(f"{name} from 1 to 999999", _HINT)
    return int(text)


def _numbers(name: str, text: str) -> frozenset[int]:
    lowest, highest = _NUMBERS[name]
    words = text.split(",")
    if not all(re.fullmatch(r"[+-]?[0-9]{1,3}", word) and lowest <= int(word) <= highest for word in words):
        raise CellRefused(f"{name} from {lowest} to {highest}", _HINT)
    numbers = frozenset(map(int, words))
    if lowest != 0 and 0 in numbers:
        raise CellRefused(f"{name} without 0", _HINT)
    return numbers


def _only(numbers: frozenset[int] | None) -> int | None:
    if numbers is None:
        return None
    if len(numbers) > 1:
        raise CellRefused("one time of the day", "no lesson repeats within a day")
    return next(iter(numbers))


def _week_starts(text: str) -> int:
    if text not in _WEEKDAYS:
        raise CellRefused("WKST=MO or another day", _HINT)
    return _WEEKDAYS[text]


def _weekdays(text: str, every: str) -> frozenset[tuple[int, int]]:
    found = [re.fullmatch(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", word) for word in text.split(",") if text]
    days_: Sequence[tuple[int, int]] = [(int(day[1] or 0), _WEEKDAYS[day[2]]) for day in found if day is not None]
    if len(days_) < len(found) or (every in ("DAILY", "WEEKLY") and any(number for number, _ in days_)):
        raise CellRefused("BYDAY=MO,TU,…, with a number in front only in a month or a year", _HINT)
    return frozenset(days_)
