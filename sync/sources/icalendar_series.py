"""The occurrences of one UID: what repeats, minus what was taken out, with what was changed (RFC 5545, 3.8.4.4 and 3.8.5)."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.sources.icalendar_rules import Effort, Rule, days
from sync.sources.icalendar_times import When, date_of, moment, parse_when

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vevent:
    """One VEVENT: a series, a single event, or what was changed of a series."""

    uid: str = field(repr=False)
    line: int
    start: When
    length: dt.timedelta
    rules: tuple[Rule, ...] = ()
    #: Further starts, some with a length of their own.
    also: tuple[tuple[When, dt.timedelta | None], ...] = ()
    #: Moments and dates that are taken out.
    without: frozenset[When] = frozenset()
    #: Which occurrence it changes.
    changes: When | None = None
    #: Whether it changes all that follow, too.
    onward: bool = False
    sequence: int = 0
    cancelled: bool = False

    def repeats(self, other: "Vevent") -> bool:
        """Whether it says the same once more."""
        return self == replace(other, line=self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One event on one date."""

    #: Where the series has it, whatever was changed: it stays the same when the occurrence is moved.
    id: When
    start: When
    length: dt.timedelta
    of: Vevent


def occurrences(series: Sequence[Vevent], first: dt.date, last: dt.date, effort: Effort) -> Iterator[Occurrence]:
    """Everything that touches the dates [first, last], and perhaps some more around them, in no order.

    Raises CellRefused when the effort is spent.
    """
    master = newest([event for event in series if event.changes is None])
    changed: dict[When, Vevent] = {}
    for event in series:
        if event.changes is not None:
            key = moment(event.changes)
            changed[key] = newest([changed.get(key, event), event]) or event
    without = master.without if master is not None else frozenset()
    if master is not None:
        yield from _unchanged(master, changed, (first, last), effort)
    for key, event in changed.items():
        if not event.cancelled and key not in without:
            yield Occurrence(id=key, start=event.start, length=event.length, of=event)


def newest(events: Sequence[Vevent]) -> Vevent | None:
    """The one that counts: of the highest SEQUENCE, the later in the file."""
    return max(events, key=lambda event: (event.sequence, event.line), default=None)


def _unchanged(
    master: Vevent, changed: Mapping[When, Vevent], window: tuple[dt.date, dt.date], effort: Effort
) -> Iterator[Occurrence]:
    onward = sorted(
        ((_instant(event.changes), event) for event in changed.values() if event.onward and event.changes is not None),
        key=lambda pair: pair[0],
    )
    reach = max([master.length, *(abs(_shift(event, master)) + event.length for _, event in onward)]) + 2 * _DAY
    for start, length in _starts(master, window[0] - reach, window[1] + reach, effort).values():
        key = moment(start)
        if not changed.keys().isdisjoint((key, date_of(start))) or not master.without.isdisjoint((key, date_of(start))):
            continue
        past = [event for since, event in onward if since < _instant(start)]
        of = past[-1] if past else master
        if not of.cancelled:
            moved = start if of is master else _moved(start, _shift(of, master))
            yield Occurrence(id=key, start=moved, length=length if of is master else of.length, of=of)


def _starts(master: Vevent, first: dt.date, last: dt.date, effort: Effort) -> Mapping[When, tuple[When, dt.timedelta]]:
    found = {moment(master.start): (master.start, master.length)}
    for rule in master.rules:
        for day in days(rule, date_of(master.start), first, last, effort):
            start = _on(day, master.start)
            if rule.until is not None and _after(start, rule.until):
                break
            found.setdefault(moment(start), (start, master.length))
    for start, length in master.also:
        found[moment(start)] = (start, length if length is not None else master.length)
    return found


def _on(day: dt.date, start: When) -> When:
    return dt.datetime.combine(day, start.timetz()) if isinstance(start, dt.datetime) else day


def _after(start: When, until: str) -> bool:
    """Whether it begins after the last moment of a rule, which itself is met."""
    zone = start.tzinfo if isinstance(start, dt.datetime) else None
    end = parse_when(until, zone or dt.UTC)
    if isinstance(start, dt.datetime) and isinstance(end, dt.datetime):
        return start.astimezone(dt.UTC) > end.astimezone(dt.UTC)
    return date_of(start) > date_of(end)


def _instant(when: When) -> dt.datetime:
    """For an order among dates and times."""
    return when.astimezone(dt.UTC) if isinstance(when, dt.datetime) else dt.datetime.combine(when, dt.time.min, dt.UTC)


def _shift(event: Vevent, master: Vevent) -> dt.timedelta:
    """How far a change moves what follows, by the wall of the series."""
    old, new = (_wall(when, master.start) for when in (event.changes or event.start, event.start))
    return new - old


def _wall(when: When, like: When) -> dt.datetime:
    if isinstance(when, dt.datetime):
        zone = like.tzinfo if isinstance(like, dt.datetime) else when.tzinfo
        return when.astimezone(zone).replace(tzinfo=None)
    clock = like.time() if isinstance(like, dt.datetime) else dt.time.min
    return dt.datetime.combine(when, clock)


def _moved(start: When, shift: dt.timedelta) -> When:
    if isinstance(start, dt.datetime):
        return (start.replace(tzinfo=None) + shift).replace(tzinfo=start.tzinfo)
    return (dt.datetime.combine(start, dt.time.min) + shift).date()
