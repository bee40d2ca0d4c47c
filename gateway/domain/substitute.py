"""What substitutions make of the days of a group: lessons cancelled, moved, added, merged, or taken in another mode.

    lessons and events of a date ──in the order of the list──> where each is held ──in the same order──> in which mode

Places come first, so that "remote all week" holds for a lesson too that a later row moves into that week.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from gateway.domain.findings import Findings
from gateway.domain.held import Days, Held, sources
from gateway.domain.mistakes import flaw
from gateway.domain.model import GroupId
from gateway.domain.timetable import Change, Substitution, Timetable

_DAY = dt.timedelta(days=1)
_HINT = "compare the date, the group and the number with the timetable"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A substitution and its place in the list, from 1."""

    place: int
    said: Substitution
    #: Those it concerns, with the parts of each class.
    groups: frozenset[GroupId]

    @property
    def last(self) -> dt.date:
        return self.said.last or self.said.date

    def dates(self, needed: Collection[dt.date]) -> Iterator[dt.date]:
        """Those of its dates that are needed."""
        date, last = max(self.said.date, min(needed)), min(self.last, max(needed))
        while date <= last:
            if date in needed:
                yield date
            date += _DAY


@dataclass(slots=True, kw_only=True)
class Substitutions:
    """Those of a timetable that can be understood, by the groups that they concern."""

    timetable: Timetable
    #: The lessons and events of a group on a date, before any substitution.
    base: Callable[[GroupId, dt.date], list[Held]]
    findings: Findings
    _rows: list[_Row] = field(default_factory=list)
    _of: defaultdict[GroupId, list[_Row]] = field(default_factory=lambda: defaultdict(list))
    #: Which lesson numbers each row found, by its place and the name of the group in it; -1 is any of the date.
    _met: defaultdict[tuple[int, GroupId], set[int]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        everybody = self.timetable.members(group.id for group in self.timetable.classes)
        for place, said in enumerate(self.timetable.substitutions, start=1):
            if flaw(said, self.timetable) is None:
                groups = self.timetable.members(said.groups) if said.groups else everybody
                row = _Row(place=place, said=said, groups=groups)
                self._rows.append(row)
                for group in groups:
                    self._of[group].append(row)

    def concern(self, group: GroupId) -> bool:
        """Whether any of them is about the group."""
        return group in self._of

    def settle(self, group: GroupId, dates: Iterable[dt.date], *, alone: bool = False) -> Days:
        """The days of a group after every substitution; right for these dates, and perhaps not for others.

        `alone` leaves out with whom it is merged.
        """
        rows = [row for row in self._of.get(group, ()) if not (alone and row.said.change is Change.MERGED)]
        needed = sources((row.said for row in rows), dates)
        days = Days(homes={date: self.base(group, date) for date in needed})
        put = {
            row.place: [held for date in row.dates(needed) for held in self._put(group, days, row, date)]
            for row in rows
        }
        for row in rows:
            if row.said.mode is None and row.said.site is None:
                continue
            found = put[row.place] or [
                held for date in row.dates(needed) for held in self._found(group, days, row, date)
            ]
            for held in found:
                held.mode = held.mode if row.said.mode is None else row.said.mode
                held.site = held.site if row.said.site is None else row.said.site
        return days

    def _put(self, group: GroupId, days: Days, row: _Row, date: dt.date) -> list[Held]:
        """Do what a row says for one date, but for the mode. Returns what it put somewhere."""
        match row.said.change:
            case Change.CANCELLED | Change.REPLACED:
                for held in self._found(group, days, row, date):
                    held.cancelled = row.said.change is Change.CANCELLED
            case Change.MOVED:
                return self._move(group, days, row, date)
            case Change.ADDED:
                return self._add(group, days, row, date)
            case Change.MERGED:
                return self._merge(group, days, row, date)
        return []

    def _found(self, group: GroupId, days: Days, row: _Row, date: dt.date) -> list[Held]:
        """What a row names on a date; that it named something is remembered."""
        found = days.named(date, row.said.lessons)
        met = {number for number in row.said.lessons if days.numbered(date, number)} if row.said.lessons else {-1}
        if found:
            for name in (name for name in self.timetable.lineage(group) if name in row.said.groups):
                self._met[row.place, name] |= met
            self._met[row.place, GroupId("")] |= met
        return found

    def _move(self, group: GroupId, days: Days, row: _Row, date: dt.date) -> list[Held]:
        found = self._found(group, days, row, date)
        if len(found) > 1 and row.said.start is not None:
            hint = "give each lesson a row with its own times"
            self.findings.tell(row.said.origin, group, date, "moves several lessons to one time", hint)
            return []
        named: list[tuple[Held, int | None]] = [
            (held, number) for number in row.said.lessons for held in days.numbered(date, number)
        ]
        for held, number in named or [(held, None) for held in found]:
            held.move(row.said, number, date, row.place, self.timetable.zone)
            days.put(held)
        return found

    def _leads(self, group: GroupId, row: _Row) -> bool:
        """Whether a row names the group itself, and not the class that it is a part of."""
        own, *classes = self.timetable.lineage(group)
        return (own in row.said.groups or not row.said.groups) and not row.groups & set(classes)

    def _add(self, group: GroupId, days: Days, row: _Row, date: dt.date) -> list[Held]:
        said = row.said
        if not self._leads(group, row) or (said.last is not None and not days.homes[date]):
            return []
        added = [
            Held(
                origin=said.origin,
                home=None,
                date=date,
                number=number,
                kind=said.kind,
                obligatory=said.obligatory,
                start=said.start,
                end=said.end,
                bells_of=group,
                key=f"t{said.start:%H%M}" if said.start else "",
                said=row.place,
            )
            for number in sorted(said.lessons) or (None,)
        ]
        for held in added:
            days.put(held)
        return added

    def _merge(self, group: GroupId, days: Days, row: _Row, date: dt.date) -> list[Held]:
        """The group takes what the other has before it is merged itself; its parts go with it and leave their own."""
        other = GroupId(row.said.with_group or "")
        names = [other, *sorted(self.timetable.members([other]) - {other})]
        theirs = [self.settle(name, [date], alone=True) for name in names]
        held_there = {held.number for their in theirs for held in their.live(date)}
        numbers = row.said.lessons or {number for number in held_there if number is not None}
        known = {number for number in numbers if any(their.numbered(date, number) for their in theirs)}
        if missing := ", ".join(map(str, sorted(numbers - known))):
            self.findings.tell(row.said.origin, group, date, f"{other} has no lesson {missing} to be merged", _HINT)
        joined = []
        for number in sorted(known) if self._leads(group, row) else ():
            live = (held for their in theirs for held in their.live(date) if held.number == number)
            if (held := next(live, None)) is not None:
                joined.append(replace(held, origin=row.said.origin, home=None, said=row.place))
        own = (
            [held for number in known for held in days.numbered(date, number)] if row.said.lessons else days.live(date)
        )
        for held in own:
            held.cancelled = True
        for held in joined:
            days.put(held)
        return joined

    def tell_idle(self, groups: Collection[GroupId], first: dt.date, last: dt.date) -> None:
        """Tell which rows named no lesson, after all these groups were settled for all these dates."""
        for row in self._rows:
            said = row.said
            if said.change in {Change.ADDED, Change.MERGED} or not first <= said.date <= row.last <= last:
                continue
            for name in sorted(said.groups) or [GroupId("")]:
                # Of the whole school `findings` tells only where every group was asked for.
                if not self.timetable.members([name]) <= set(groups):
                    continue
                met = self._met.get((row.place, name), set())
                if missing := ", ".join(map(str, sorted(said.lessons - met))):
                    problem = f"there is no lesson {missing} to be {_WORDS[said.change]}"
                    self.findings.tell(said.origin, name, said.date, problem, _HINT)
                elif not met:
                    self.findings.tell(
                        said.origin, name, said.date, f"there is nothing to be {_WORDS[said.change]}", _HINT
                    )


_WORDS = {
    Change.CANCELLED: "cancelled",
    Change.REPLACED: "replaced",
    Change.MOVED: "moved",
    Change.MODE: "taken otherwise",
}
