"""The register: what present, late and absent mean. One pure function, used at the door and in the journal.

    facts ──> presence intervals ──┐
    coverage ──────────────────────┴──> one mark for each judged slot

Same inputs, same marks: order, batching and repetition of facts change nothing; only a late *in* never worsens a mark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from gateway.domain.coverage import Coverage, Interval, LaneCoverage, Outage, OutageKind
from gateway.domain.model import Doubt, DoubtKind, Mark, Mode, PersonId, Slot, SlotKind, Status
from gateway.domain.policy import Policy
from gateway.domain.presence import EntryRef, Fact, FactKind, Presence, presence
from gateway.domain.statement import Excuse

__all__ = [
    "Coverage",
    "Day",
    "EntryRef",
    "Fact",
    "FactKind",
    "Interval",
    "LaneCoverage",
    "Outage",
    "OutageKind",
    "Presence",
    "cutoffs",
    "day_status",
    "judge",
    "judged",
    "presence",
]

_MINUTE = timedelta(minutes=1)
_JUDGED = frozenset({SlotKind.LESSON, SlotKind.EXAM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One person's school day."""

    person: PersonId
    date: date


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
            doubts=doubts,
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

    def _doubts(self, slot: Slot, came: datetime | None) -> tuple[Doubt, ...]:
        hints = (hint for hint in self.where.hints if hint.since is not None and hint.since < slot.end)
        uncertain = (Doubt(kind=DoubtKind.UNCERTAIN, since=came),) if came in self.where.uncertain else ()
        return (*hints, *uncertain)

    def _excused(self, slot: Slot) -> bool:
        return any(e.since < slot.end and e.until >= slot.end for e in self.excuses)


def _minutes(span: timedelta) -> int:
    return -(-span // _MINUTE)
