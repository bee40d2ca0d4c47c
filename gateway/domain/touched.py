"""What a change of a timetable touches: the dates and groups to compile again, and what that changes among the slots."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeVar

from gateway.domain.held import sources, target
from gateway.domain.model import GroupId, Slot, SlotId
from gateway.domain.schoolday import Rule
from gateway.domain.timetable import Change, Substitution, Timetable

T = TypeVar("T", bound=Hashable)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two sets of slots beside one another; every tuple in the order of the ids."""

    added: tuple[Slot, ...]
    removed: tuple[Slot, ...]
    #: As they were, and as they are.
    changed: tuple[tuple[Slot, Slot], ...]


def difference(before: Iterable[Slot], after: Iterable[Slot]) -> Difference:
    """What became of the slots; one that keeps its id is the same slot."""
    old: dict[SlotId, Slot] = {slot.id: slot for slot in before}
    new: dict[SlotId, Slot] = {slot.id: slot for slot in after}
    return Difference(
        added=tuple(new[name] for name in sorted(new.keys() - old.keys())),
        removed=tuple(old[name] for name in sorted(old.keys() - new.keys())),
        changed=tuple((old[name], new[name]) for name in sorted(old.keys() & new.keys()) if old[name] != new[name]),
    )


def touched(before: Timetable, after: Timetable, first: dt.date, last: dt.date) -> set[tuple[dt.date, GroupId]]:
    """The dates first to last, both included, with the groups whose slots may differ; all others are the same.

    Other classes, bells, zones or weeks touch everything; they are no change of a morning.
    """
    groups = {group.id for timetable in (before, after) for group in timetable.classes}
    span = {first + n * _DAY for n in range((last - first).days + 1)}
    if _frame(before) != _frame(after):
        return {(date, group) for date in span for group in groups}
    substitutions = [*before.substitutions, *after.substitutions]
    # A lesson may come from a date outside, by way of dates outside.
    dates = sources(substitutions, span)
    found: defaultdict[dt.date, set[GroupId]] = defaultdict(set)
    for date, names in _rows(before, after, dates):
        found[date] |= names
    grown = True
    while grown:
        grown = sum(_follow(one, after, found) for one in substitutions) > 0
    return {(date, group) for date, names in found.items() if date in span for group in names}


def _frame(timetable: Timetable) -> tuple[object, ...]:
    classes, bells = Counter(timetable.classes), Counter(timetable.bells)
    return classes, bells, str(timetable.zone), tuple(timetable.weeks), timetable.weeks_from


def _rows(
    before: Timetable, after: Timetable, dates: AbstractSet[dt.date]
) -> Iterator[tuple[dt.date, AbstractSet[GroupId]]]:
    """The dates and groups of every row that only one of the two has."""
    for lesson in _only_one(before.lessons, after.lessons):
        begins, ends = lesson.first or dt.date.min, lesson.last or dt.date.max
        yield from ((date, {lesson.group}) for date in dates if begins <= date <= ends)
    for day in _only_one(before.calendar, after.calendar):
        rule = Rule.of(day, after)
        yield from ((date, rule.groups) for date in dates if rule.meets(date))
    for event in _only_one(before.events, after.events):
        yield event.start.astimezone(after.zone).date(), {event.group}
    for one in _between(before.substitutions, after.substitutions):
        yield from ((date, _members(one, after)) for date in dates if _on(one, date))


def _only_one(before: Sequence[T], after: Sequence[T]) -> Iterable[T]:
    old, new = Counter(before), Counter(after)
    return ((old - new) + (new - old)).keys()


def _between(before: Sequence[T], after: Sequence[T]) -> Iterator[T]:
    """What stands between the first and the last difference of two lists whose order counts."""
    head = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))))
    old, new = before[head:], after[head:]
    tail = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(reversed(old), reversed(new), strict=False))))
    yield from old[: len(old) - tail]
    yield from new[: len(new) - tail]


def _follow(one: Substitution, timetable: Timetable, found: defaultdict[dt.date, set[GroupId]]) -> bool:
    """Add where a substitution brings what was found; whether that was new."""
    grown = False
    others = timetable.members([one.with_group]) if one.with_group else frozenset()
    for date in [date for date in found if _on(one, date)]:
        if one.change is Change.MOVED:
            goal, names = target(one, date), _members(one, timetable) & found[date]
        elif one.change is Change.MERGED and others & found[date]:
            goal, names = date, _members(one, timetable)
        else:
            continue
        grown = grown or not names <= found[goal]
        found[goal] |= names
    return grown


def _on(one: Substitution, date: dt.date) -> bool:
    return one.date <= date <= (one.last or one.date)


def _members(one: Substitution, timetable: Timetable) -> frozenset[GroupId]:
    return timetable.members(one.groups or [group.id for group in timetable.classes])
