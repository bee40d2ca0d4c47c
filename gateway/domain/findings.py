"""What a compiler of slots could not place, told once for each place and problem, and never more than a person will read."""

import datetime as dt
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from gateway.domain.model import GroupId

MAX_UNPLACED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """A row of a source that gives no slot, or not the one that was meant."""

    #: Where it was read, `file:row`.
    origin: str
    #: As it was written; empty is the whole school.
    group: str
    #: The first date that it is about; None is every date.
    date: dt.date | None
    #: How many dates it is about; 0 is every date.
    dates: int
    problem: str
    hint: str

    def __str__(self) -> str:
        """Whom and when it is about, and the problem; without the place and the hint."""
        when = "" if self.date is None else f" on {self.date}"
        more = f" and {self.dates - 1} more" if self.dates > 1 else ""
        return f"{self.group or 'school'}{when}{more}: {self.problem}"


@dataclass(slots=True, kw_only=True)
class Findings:
    """Collects what is about these groups and dates; equal problems of one row become one."""

    #: None is every group, those too that no class is called by.
    groups: AbstractSet[GroupId] | None
    first: dt.date
    last: dt.date
    _found: dict[tuple[str, str, str, str], set[dt.date]] = field(default_factory=dict)

    def tell(self, origin: str, group: str, date: dt.date | None, problem: str, hint: str) -> None:
        """Note a problem; what is about other groups or dates is left out."""
        if self.groups is not None and group not in self.groups:
            return
        if date is None:
            self._found.setdefault((origin, group, problem, hint), set())
        elif self.first <= date <= self.last:
            self._found.setdefault((origin, group, problem, hint), set()).add(date)

    def all(self) -> tuple[Unplaced, ...]:
        """What is about every date first, then by the first date."""
        found = [
            Unplaced(
                origin=origin, group=group, date=min(dates, default=None), dates=len(dates), problem=problem, hint=hint
            )
            for (origin, group, problem, hint), dates in self._found.items()
        ]
        return tuple(sorted(found, key=lambda one: (one.date or dt.date.min, one.origin, one.group, one.problem)))
