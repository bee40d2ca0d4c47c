"""What is known of one pupil's day at one moment, in the words that notices are decided in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.domain.coverage import OutageKind
from gateway.domain.model import Doubt, DoubtKind, Mark, MarkReason, Mode, Slot, SlotKind, Source, Status
from gateway.domain.presence import Fact, FactKind, presence
from gateway.domain.register import judged
from gateway.domain.statement import Statement, StatementKind
from journal.notify.notice import PupilDay, Window

QUIET_FROM, QUIET_UNTIL = time(21), time(7)
_OBLIGATORY = frozenset({SlotKind.LESSON, SlotKind.EXAM})
_NO_EXPLANATION = frozenset({None, MarkReason.UNEXPLAINED, MarkReason.INVALID})
_THERE = frozenset({Status.PRESENT, Status.LATE, Status.LEFT_EARLY})


def obligatory(slots: Iterable[Slot]) -> list[Slot]:
    """The lessons that somebody takes attendance of and nobody may leave out, in order of time."""
    expected = (s for s in slots if s.obligatory and s.kind in _OBLIGATORY and s.mode is not Mode.NONE)
    return sorted(expected, key=lambda s: (s.start, s.id))


def first_obligatory(slots: Iterable[Slot]) -> Slot | None:
    """The slot that decides whether the day began on time; None where no gate decides that."""
    first = next(iter(obligatory(slots)), None)
    return first if first is not None and judged([first]) else None


def during(slot: Slot, zone: ZoneInfo) -> Window:
    """The lesson without the quiet hours."""
    return _by_day(slot, zone, slot.start, slot.end)


def after(slot: Slot, zone: ZoneInfo, lasts: timedelta) -> Window:
    """So long after the lesson, without the quiet hours; never another day."""
    return _by_day(slot, zone, slot.end, slot.end + lasts)


def _by_day(slot: Slot, zone: ZoneInfo, since: datetime, until: datetime) -> Window:
    day = slot.start.astimezone(zone).date()
    quiet_until, quiet_from = (datetime.combine(day, at, zone) for at in (QUIET_UNTIL, QUIET_FROM))
    return Window(opens=max(since, quiet_until), expires=min(until, quiet_from))


def minute(moment: datetime | None) -> datetime | None:
    """As a message shows it."""
    return moment and moment - timedelta(seconds=moment.second, microseconds=moment.microsecond)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One pupil's day as it is known at `as_of`; an unset clock proves nothing."""

    day: PupilDay
    as_of: datetime
    #: The first obligatory slot; None where no gate decides whether the day began on time.
    first: Slot | None
    #: In order of time.
    facts: Sequence[Fact]
    #: When the pupil came in, by the doors; in order of time.
    entered: Sequence[datetime]
    #: When the pupil went out, by the doors; in order of time.
    exits: Sequence[datetime]
    #: When the staff let the pupil in by hand; in order of time.
    let_in: Sequence[datetime]
    #: When a checkpoint proved that the pupil was inside; in order of time.
    checked: Sequence[datetime]
    #: When the staff spoke of the pupil.
    spoken_at: Sequence[datetime]

    @classmethod
    def of(cls, day: PupilDay, as_of: datetime) -> "Episode":
        """What later moments will tell is not known yet."""
        facts = sorted((f for f in day.facts if f.at <= as_of), key=lambda f: f.at)
        certain = [f for f in facts if not f.uncertain]
        ends = max((s.end for s in day.slots), default=as_of) + day.policy.presence_after
        inside = presence(certain, ends).inside
        moments = {f.at for f in certain}
        spoken = [s for s in day.statements if s.said <= as_of]
        return cls(
            day=day,
            as_of=as_of,
            first=first_obligatory(day.slots),
            facts=facts,
            entered=[stay.since for stay in inside],
            exits=[stay.until for stay in inside if stay.until in moments],
            let_in=sorted(s.at for s in spoken if s.kind is StatementKind.CAME and s.at <= as_of),
            checked=[f.at for f in certain if f.kind is FactKind.CHECKPOINT],
            spoken_at=[s.said for s in spoken],
        )

    @property
    def fire_alarm(self) -> bool:
        """Whether a fire alarm is on."""
        outages = (outage for lane in self.day.coverage.lanes for outage in lane.outages)
        return any(o.kind is OutageKind.FIRE_ALARM and o.meets(self.as_of, self.as_of) for o in outages)

    @property
    def cutoff(self) -> datetime | None:
        """When a pupil who was not seen is spoken of."""
        policy = self.day.policy
        wait = policy.not_seen_after_primary if self.day.pupil.primary else policy.not_seen_after
        return None if self.first is None else self.first.start + wait

    @property
    def came(self) -> datetime | None:
        """When the day began: for who is late the coming in that was too late, whatever happened before it."""
        mark = self.mark(self.first)
        if self.first is None or mark is None or not mark.minutes_late:
            return min([*self.entered[:1], *self.let_in[:1]], default=None)
        deadline = self.first.start + self.day.policy.grace
        return min((at for at in (*self.entered, *self.let_in) if at > deadline), default=None)

    def mark(self, slot: Slot | None) -> Mark | None:
        """What was judged of that slot."""
        return next((m for m in self.day.marks if slot is not None and m.slot == slot.id), None)

    def beginning(self, moment: datetime | None) -> Slot | None:
        """The obligatory slot that begins at that moment."""
        return next((s for s in obligatory(self.day.slots) if s.start == moment), None)

    def vouched(self, slot: Slot | None) -> list[datetime]:
        """When the staff said that the pupil is in that lesson; empty where they say otherwise now."""
        mark = self.mark(slot)
        if slot is None or mark is None or mark.source is Source.GATE or mark.status not in _THERE:
            return []
        return sorted(s.said for s in self.day.statements if s.said <= self.as_of and _vouches(s, slot))

    def doubts(self, until: datetime) -> tuple[Doubt, ...]:
        """What keeps the doors from telling where the pupil was at that moment: from the opening of the lanes on."""
        day = until.astimezone(self.day.zone).date()
        gaps = self.day.coverage.gaps(datetime.combine(day, time(), self.day.zone), until)
        permits = (f for f in self.facts if f.at <= until and f.kind is FactKind.PERMIT)
        guesses = (f for f in self.facts if f.at <= until and f.uncertain)
        return (
            *gaps,
            *(Doubt(kind=DoubtKind.PERMIT, lane=f.lane, since=f.at) for f in permits),
            *(Doubt(kind=DoubtKind.UNCERTAIN, lane=f.lane, since=f.at) for f in guesses),
        )

    def excused(self, since: datetime, until: datetime) -> bool:
        """Whether the pupil need not have been inside at some time of [since, until)."""
        person = self.day.pupil.person
        return any(e.person == person and e.since < until and e.until > since for e in self.day.excuses)


def explained(mark: Mark) -> bool:
    """Whether somebody gave a reason that parents need not be told."""
    return mark.reason not in _NO_EXPLANATION


def _vouches(said: Statement, slot: Slot) -> bool:
    about = said.at <= slot.start and (said.until is None or slot.start < said.until)
    return said.kind is StatementKind.MARK and said.status in _THERE and about
