"""The register: what present, late and absent mean. One pure function, used at the door and in the journal.

    facts, statements ──> presence ──┐
    coverage ────────────────────────┼──> one mark for each slot that somebody takes attendance for
    excuses ─────────────────────────┘

Same inputs, same marks: order, batching and repetition of facts change nothing; only a late *in* never worsens a mark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter

from gateway.domain.coverage import Coverage, Interval, LaneCoverage, Outage, OutageKind
from gateway.domain.model import (
    Doubt,
    DoubtKind,
    Mark,
    MarkReason,
    Mode,
    PersonId,
    Slot,
    SlotKind,
    Source,
    Status,
)
from gateway.domain.policy import Policy
from gateway.domain.presence import NEVER, EntryRef, Fact, FactKind, Presence, Stay, presence
from gateway.domain.reasons import RANK, explanations, reason_of, released, ruling
from gateway.domain.statement import Excuse, Statement

__all__ = [
    "Coverage",
    "Day",
    "DayMark",
    "EntryRef",
    "Fact",
    "FactKind",
    "Interval",
    "LaneCoverage",
    "Outage",
    "OutageKind",
    "Presence",
    "day_mark",
    "first_obligatory",
    "judge",
    "judged",
    "presence",
]

_MINUTE = timedelta(minutes=1)
_BY_TIME = attrgetter("start", "id")
_JUDGED = (SlotKind.LESSON, SlotKind.EXAM)
_THERE = frozenset({Status.PRESENT, Status.LATE, Status.LEFT_EARLY})
#: These rest on the exit, too.
_WENT = (Status.LEFT_EARLY, Status.ABSENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One person's school day."""

    person: PersonId
    date: date
    #: The site whose doors the facts are of; its slots may name it, or nothing.
    site: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMark:
    """A day in one line: its status, and `missed` of `lessons`."""

    #: Present whoever came at all; unknown where nobody can tell; absent only who missed every obligatory slot.
    status: Status
    #: At the first obligatory slot.
    minutes_late: int
    #: Obligatory slots that the person was absent from.
    missed: int
    #: Obligatory slots that have a mark.
    lessons: int


def taken(slots: Iterable[Slot]) -> list[Slot]:
    """The slots that somebody takes attendance for, in order of time."""
    return sorted((slot for slot in slots if slot.kind in _JUDGED and slot.mode is not Mode.NONE), key=_BY_TIME)


def judged(slots: Iterable[Slot], site: str) -> list[Slot]:
    """The slots that the doors of this site give marks for, in order of time."""
    return [slot for slot in taken(slots) if _at_the_doors(slot, site)]


def first_obligatory(slots: Iterable[Slot]) -> Slot | None:
    """The slot that decides whether the day began on time, whoever takes its attendance."""
    return next((slot for slot in taken(slots) if slot.obligatory), None)


def judge(
    day: Day,
    slots: Sequence[Slot],
    facts: Iterable[Fact | Statement],
    excuses: Sequence[Excuse],
    coverage: Coverage,
    as_of: datetime,
    policy: Policy,
) -> list[Mark]:
    """A mark for each slot of the person's day that the doors judge, or a person did, as far as it is known at `as_of`."""
    lessons = taken(slots)
    if not lessons:
        return []
    known = [f for f in facts if isinstance(f, Fact) or (f.person == day.person and f.said <= as_of)]
    said = [f for f in known if isinstance(f, Statement)]
    ends = NEVER if policy.overnight else max(s.end for s in slots) + policy.presence_after
    where = presence(known, as_of=as_of, ends=ends, alarms=coverage.alarms, policy=policy)
    mine = [excuse for excuse in excuses if excuse.person == day.person]
    case = (_Boarder if policy.overnight else _Case)(
        day=day,
        where=where,
        excuses=[*mine, *explanations(said, where.stays)],
        said=said,
        coverage=coverage,
        watched_from=lessons[0].start - policy.coverage_before,
        as_of=as_of,
        policy=policy,
    )
    return [mark for slot in lessons if (mark := case.mark(slot)) is not None]


def day_mark(slots: Sequence[Slot], marks: Iterable[Mark]) -> DayMark:
    """The day of one person from its marks; what has no mark does not count."""
    by_slot = {mark.slot: mark for mark in marks}
    marked = [slot for slot in taken(slots) if slot.id in by_slot]
    counted = [by_slot[slot.id] for slot in marked if slot.obligatory] or [by_slot[slot.id] for slot in marked]
    first = first_obligatory(slots)
    began = by_slot.get(first.id) if first is not None else None
    late = began is not None and began.status is Status.LATE
    return DayMark(
        status=Status.LATE if late else _day_status({mark.status for mark in counted}),
        minutes_late=began.minutes_late if began is not None and late else 0,
        missed=sum(mark.status is Status.ABSENT for mark in counted),
        lessons=len(counted),
    )


def _day_status(seen: set[Status]) -> Status:
    if seen & _THERE:
        return Status.PRESENT
    if Status.UNKNOWN in seen:
        return Status.UNKNOWN
    return Status.ABSENT if seen == {Status.ABSENT} else Status.PENDING


def _at_the_doors(slot: Slot, site: str) -> bool:
    return slot.mode is Mode.GATE and slot.site in ("", site)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """Everything that is known of one person on one day."""

    day: Day
    where: Presence
    excuses: Sequence[Excuse]
    said: Sequence[Statement]
    coverage: Coverage
    watched_from: datetime
    as_of: datetime
    policy: Policy

    def mark(self, slot: Slot) -> Mark | None:
        """What a person said of the slot, or else what the doors saw of it."""
        word = None
        if self.said and self.as_of >= slot.start:
            word = ruling(slot, (one for one in self.said if one.status is not None))
        if word is not None and word.status is not None:
            return self._told(slot, word, word.status)
        return self._seen(slot) if _at_the_doors(slot, self.day.site) else None

    def _told(self, slot: Slot, word: Statement, status: Status) -> Mark:
        ended = self.as_of >= slot.end
        late = word.minutes_late if status is Status.LATE else 0
        missed = {
            Status.LATE: late,
            Status.ABSENT: _minutes(slot.end - slot.start),
            Status.LEFT_EARLY: _minutes(self.where.outside(slot.start, slot.end)),
        }.get(status, 0)
        return Mark(
            person=self.day.person,
            slot=slot.id,
            status=status,
            minutes_late=late,
            minutes_missed=missed if ended else 0,
            complete=True,
            final=ended,
            reason=None if status is Status.PRESENT else self._reason(slot),
            source=word.source,
        )

    def _seen(self, slot: Slot) -> Mark:
        ended = self.as_of >= slot.end
        deadline = slot.start + self.policy.grace
        stay = self.where.stay(deadline)
        came = max(stay.since, deadline) if stay is not None else slot.end
        if self.as_of < deadline or (came >= slot.end and not ended):
            return self._pending(slot)
        missed = self.where.outside(slot.start, slot.end) if ended else max(came - deadline, timedelta(0))
        status, decided = self._status(slot, came, missed)
        gaps = self._gaps(slot, decided)
        if gaps and came >= slot.end and self.as_of < slot.end + self.policy.patience:
            return self._pending(slot)
        hints = self._hints(slot, decided) if status is not Status.PRESENT else ()
        if hints or (gaps and status is Status.ABSENT):
            status = Status.UNKNOWN
        return Mark(
            person=self.day.person,
            slot=slot.id,
            status=status,
            minutes_late=_minutes(came - slot.start) if deadline < came < slot.end else 0,
            minutes_missed=_minutes(missed) if ended else 0,
            complete=not gaps and not hints,
            doubts=gaps + hints,
            final=ended,
            reason=self._reason(slot) if missed else None,
            source=_source(stay, status) if came < slot.end else Source.GATE,
        )

    def _status(self, slot: Slot, came: datetime, missed: timedelta) -> tuple[Status, datetime]:
        """By what was seen alone; and the moment up to which everything must have been heard for that."""
        if not missed:
            return Status.PRESENT, came
        length, policy = slot.end - slot.start, self.policy
        if came >= slot.end or (came - slot.start) * 100 > length * policy.absent_percent:
            return Status.ABSENT, min(came, slot.end)
        if missed * 100 > length * policy.absent_percent:
            return Status.ABSENT, slot.end
        if came > slot.start + policy.grace:
            return Status.LATE, came
        if missed - released(slot, self.excuses, self.where.outside) >= policy.left_early:
            return Status.LEFT_EARLY, slot.end
        return Status.PRESENT, came

    def _gaps(self, slot: Slot, until: datetime) -> tuple[Doubt, ...]:
        return self.coverage.gaps(self.where.left(slot.start), until, self.watched_from)

    def _hints(self, slot: Slot, decided: datetime) -> tuple[Doubt, ...]:
        """What was seen of the person while the doors say outside; a guessed time may be any time of the day."""
        left, late = self.where.left(slot.start), decided < slot.end
        found = []
        for hint in self.where.hints:
            at = hint.since
            if at is None or (late and at > decided):
                continue
            following = self.where.stay(at)
            open_still = following is None or following.since > slot.start + self.policy.grace
            if hint.kind is DoubtKind.UNCERTAIN or (left < at < slot.end and open_still):
                found.append(hint)
        return tuple(found)

    def _reason(self, slot: Slot) -> MarkReason | None:
        word = ruling(slot, (one for one in self.said if one.reason is not None))
        return word.reason if word is not None else reason_of(slot, self.excuses, self.where.outside)

    def _pending(self, slot: Slot) -> Mark:
        return Mark(
            person=self.day.person,
            slot=slot.id,
            status=Status.PENDING,
            minutes_late=0,
            minutes_missed=0,
            complete=False,
        )


class _Boarder(_Case):
    """Where a boarder was when a slot began was certain at the last exit, or at the coming in after it."""

    __slots__ = ()

    def _gaps(self, slot: Slot, until: datetime) -> tuple[Doubt, ...]:
        left, stay = self.where.left(slot.start), self.where.stay(slot.start)
        if stay is None or stay.since > slot.start:
            return self.coverage.gaps(left, until)
        return self.coverage.gaps(max(left, stay.since), until, self.watched_from)


def _source(stay: Stay | None, status: Status) -> Source:
    """The strongest of those who told what the status rests on."""
    if stay is None:
        return Source.GATE
    if stay.exit is None or status not in _WENT:
        return stay.entry.source
    return max(stay.entry.source, stay.exit.source, key=RANK.__getitem__)


def _minutes(span: timedelta) -> int:
    return -(-span // _MINUTE)
