"""The register: what present, late and absent mean. One pure function, used at the door and in the journal.

    facts ──> presence intervals ──┐
    coverage ──────────────────────┴──> one mark for each judged slot

Same inputs, same marks: order, batching and repetition of facts change nothing; only a late *in* never worsens a mark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from gateway.domain.model import LaneId, Mark, Mode, PersonId, Slot, SlotKind, Status
from gateway.domain.policy import Policy
from gateway.domain.statement import Excuse

_MINUTE = timedelta(minutes=1)
_JUDGED = frozenset({SlotKind.LESSON, SlotKind.EXAM})


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


_HINTS = {
    FactKind.PERMIT: "let in but not seen going through",
    FactKind.CHECKPOINT: "seen at a checkpoint without having entered",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One person, one moment."""

    at: datetime
    kind: FactKind
    ref: EntryRef
    #: The clock was not set and could not be repaired since.
    uncertain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One person's school day."""

    person: PersonId
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """[since, until]."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCoverage:
    """What was heard of one lane on one day."""

    gateway: str
    lane: LaneId
    #: Service hours of that day; outside them nothing is waited for.
    opens: datetime
    closes: datetime
    #: From contiguous entries only, in any order.
    intervals: tuple[Interval, ...]

    def missing(self, since: datetime, until: datetime) -> datetime | None:
        """The first moment of [since, until] within service hours that no interval covers."""
        reached, end = max(since, self.opens), min(until, self.closes)
        for interval in sorted(self.intervals, key=lambda i: i.since):
            if interval.since > reached:
                break
            reached = max(reached, interval.until)
        return reached if reached < end else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was heard of every lane that serves the site."""

    lanes: tuple[LaneCoverage, ...]

    def gaps(self, since: datetime, until: datetime) -> tuple[str, ...]:
        """Lanes that were not heard of throughout [since, until], each with the moment from which on; empty is complete.

        Where no lane was in service nobody could have been seen: that is a gap too.
        """
        if not any(lane.opens < until and lane.closes > since for lane in self.lanes):
            return (f"no lane in service until {until:%Y-%m-%dT%H:%M:%SZ}",)
        found = ((lane, lane.missing(since, until)) for lane in self.lanes)
        return tuple(
            sorted(f"{lane.gateway}/{lane.lane} since {at:%Y-%m-%dT%H:%M:%SZ}" for lane, at in found if at is not None)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Where one person was, as far as the doors tell."""

    #: Disjoint, in order of time.
    inside: tuple[Interval, ...]
    #: Moments at which something spoke against an absence without proving presence.
    hints: tuple[tuple[datetime, str], ...]
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
    hints: list[tuple[datetime, str]] = []
    entered: datetime | None = None
    for fact in ordered:
        if fact.kind in (FactKind.ARRIVAL, FactKind.IN):
            entered = entered if entered is not None else fact.at
        elif fact.kind is FactKind.OUT and entered is not None:
            inside.append(Interval(since=entered, until=fact.at))
            entered = None
        elif fact.kind in _HINTS and entered is None:
            hints.append((fact.at, _HINTS[fact.kind]))
    if entered is not None:
        inside.append(Interval(since=entered, until=max(ends, entered)))
    return Presence(
        inside=tuple(inside),
        hints=tuple(hints),
        uncertain=frozenset(f.at for f in ordered if f.uncertain),
    )


def judged(slots: Iterable[Slot]) -> list[Slot]:
    """The slots that the doors give marks for, in order of time."""
    return sorted((s for s in slots if s.mode is Mode.GATE and s.kind in _JUDGED), key=lambda s: (s.start, s.id))


def judge(
    day: Day,
    slots: Sequence[Slot],
    facts: Iterable[Fact],
    excuses: Sequence[Excuse],
    coverage: Coverage,
    as_of: datetime,
    policy: Policy,
) -> list[Mark]:
    """One mark for each judged slot of the person's day, as far as it can be told at `as_of`."""
    lessons = judged(slots)
    if not lessons:
        return []
    case = _Case(
        person=day.person,
        where=presence((f for f in facts if f.at <= as_of), max(s.end for s in slots) + policy.presence_after),
        excuses=[e for e in excuses if e.person == day.person],
        coverage=coverage,
        watched_from=lessons[0].start - policy.coverage_before,
        as_of=as_of,
        policy=policy,
    )
    return [case.mark(slot) for slot in lessons]


def day_status(marks: Sequence[Mark]) -> Status:
    """The day in one word: unknown where any slot is unknown and none was attended, absent only if all are."""
    seen = {mark.status for mark in marks}
    if not seen or seen == {Status.PENDING}:
        return Status.PENDING
    if seen & {Status.PRESENT, Status.LATE, Status.LEFT_EARLY}:
        return Status.LATE if marks[0].status is Status.LATE else Status.PRESENT
    if Status.UNKNOWN in seen:
        return Status.UNKNOWN
    return Status.ABSENT if seen == {Status.ABSENT} else Status.PENDING


def cutoffs(slots: Iterable[Slot], policy: Policy, zone: tzinfo) -> list[datetime]:
    """The moments at which something becomes due: each minute while latecomers are watched for, not-seen times, slot ends.

    A day is a day of the site's zone.
    """
    lessons = judged(slots)
    due = {slot.end for slot in lessons}
    first: dict[tuple[str, date], datetime] = {}
    for slot in lessons:
        first.setdefault((slot.group, slot.start.astimezone(zone).date()), slot.start)
    for start in first.values():
        due |= {start + minute * _MINUTE for minute in range(policy.watch // _MINUTE + 1)}
        due |= {start + policy.not_seen_after, start + policy.not_seen_after_primary}
    return sorted(due)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """Everything that is known of one person on one day."""

    person: PersonId
    where: Presence
    excuses: Sequence[Excuse]
    coverage: Coverage
    watched_from: datetime
    as_of: datetime
    policy: Policy

    def mark(self, slot: Slot) -> Mark:
        deadline = slot.start + self.policy.grace
        came = self.where.first_inside(deadline)
        came = came if came is not None and came < slot.end else None
        late = _minutes(came - slot.start) if came is not None and came > deadline else 0
        missed = self.where.outside(slot.start, slot.end)
        absence = came is None or missed * 100 > (slot.end - slot.start) * self.policy.absent_percent
        too_late = late * _MINUTE * 100 > (slot.end - slot.start) * self.policy.absent_percent
        decided_at = came if came is not None and (too_late or not absence) else min(self.as_of, slot.end)
        gaps = self.coverage.gaps(self.watched_from, decided_at)
        doubts = gaps + (self._doubts(slot, came) if absence or late else ())
        awaited = bool(gaps) and came is None and self.as_of < slot.end + self.policy.patience
        status = self._status(slot, came, late=late, missed=missed, absence=absence, doubted=bool(doubts))
        status = Status.PENDING if awaited else status
        return Mark(
            person=self.person,
            slot=slot.id,
            status=status,
            minutes_late=late,
            minutes_missed=_minutes(missed) if self.as_of >= slot.end else 0,
            complete=not doubts,
            gaps=doubts,
            final=self.as_of >= slot.end and status is not Status.PENDING,
        )

    def _status(
        self, slot: Slot, came: datetime | None, *, late: int, missed: timedelta, absence: bool, doubted: bool
    ) -> Status:
        ended = self.as_of >= slot.end
        if self.as_of < slot.start + self.policy.grace or (came is None and not ended):
            return Status.PENDING
        if late and came in self.where.uncertain:
            return Status.UNKNOWN
        if absence and (late or ended):
            return Status.UNKNOWN if doubted else Status.ABSENT
        if late:
            return Status.LATE
        left_early = ended and missed >= self.policy.left_early and not self._excused(slot)
        return Status.LEFT_EARLY if left_early else Status.PRESENT

    def _doubts(self, slot: Slot, came: datetime | None) -> tuple[str, ...]:
        hints = (f"{what} at {at:%H:%M:%SZ}" for at, what in self.where.hints if at < slot.end)
        uncertain = ("the time of the tap is uncertain",) if came in self.where.uncertain else ()
        return (*hints, *uncertain)

    def _excused(self, slot: Slot) -> bool:
        return any(e.since < slot.end and e.until >= slot.end for e in self.excuses)


def _minutes(span: timedelta) -> int:
    return -(-span // _MINUTE)
