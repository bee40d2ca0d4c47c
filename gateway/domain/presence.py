"""Where one person was, as far as the doors of the site tell."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.domain.coverage import Interval
from gateway.domain.model import Doubt, DoubtKind


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class EntryRef:
    """The entry that a fact stands on."""

    gateway: str
    epoch: str
    seq: int


class FactKind(StrEnum):
    """What an entry says about where a person is."""

    #: Inside from now on; the lane tells no exits.
    ARRIVAL = "arrival"
    IN = "in"
    OUT = "out"
    #: Inside at this instant, through whichever door; nothing else is known.
    CHECKPOINT = "checkpoint"
    #: A gate that reports rotations let the person in and reported none.
    PERMIT = "permit"
    #: A tap at a lane that tells no direction: in and out in turn, over the whole site; only judge() takes turns.
    ALTERNATING = "alternating"


_HINTS = {FactKind.PERMIT: DoubtKind.PERMIT, FactKind.CHECKPOINT: DoubtKind.CHECKPOINT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One person, one moment."""

    at: datetime
    kind: FactKind
    ref: EntryRef
    #: `gateway/lane`.
    lane: str = ""
    #: The clock was not set and could not be repaired since.
    uncertain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Where one person was, as far as the doors tell."""

    #: Disjoint, in order of time.
    inside: tuple[Interval, ...]
    #: What spoke against an absence without proving presence.
    hints: tuple[Doubt, ...]
    #: Moments that nobody may be blamed for.
    uncertain: frozenset[datetime]

    def first_inside(self, since: datetime) -> datetime | None:
        """The earliest moment from `since` on at which the person was inside."""
        return next((max(since, i.since) for i in self.inside if i.until >= since), None)

    def outside(self, since: datetime, until: datetime) -> timedelta:
        """Time of [since, until] not spent inside."""
        spent = (min(i.until, until) - max(i.since, since) for i in self.inside if i.until > since and i.since < until)
        return (until - since) - sum(spent, timedelta(0))


def presence(facts: Iterable[Fact], ends: datetime) -> Presence:
    """Presence without an exit ends at `ends`. In after in and out after out: the missing side is taken at the later time."""
    ordered = sorted(set(facts), key=lambda f: (f.at, f.ref, f.kind))
    inside: list[Interval] = []
    hints: list[Doubt] = []
    entered: datetime | None = None
    for fact in ordered:
        if fact.kind in (FactKind.ARRIVAL, FactKind.IN):
            entered = entered if entered is not None else fact.at
        elif fact.kind is FactKind.OUT and entered is not None:
            inside.append(Interval(since=entered, until=fact.at))
            entered = None
        elif fact.kind in _HINTS and entered is None:
            hints.append(Doubt(kind=_HINTS[fact.kind], lane=fact.lane, since=fact.at))
    if entered is not None:
        inside.append(Interval(since=entered, until=max(ends, entered)))
    return Presence(
        inside=tuple(inside),
        hints=tuple(hints),
        uncertain=frozenset(f.at for f in ordered if f.uncertain),
    )
