"""What is known of one pupil's day at one moment, in the words that notices are decided in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.domain.model import Doubt, DoubtKind, Mark, MarkReason, Slot, Source, Status
from gateway.domain.presence import Fact, FactKind, presence
from gateway.domain.reasons import ruling
from gateway.domain.register import first_obligatory, judged, taken
from gateway.domain.statement import Statement, StatementKind
from journal.notify.notice import PupilDay, Window

QUIET_FROM, QUIET_UNTIL = time(21), time(7)
#: They explain nothing and excuse nobody.
_NO_EXPLANATION = frozenset({None, MarkReason.UNEXPLAINED, MarkReason.INVALID})
_THERE = frozenset({Status.PRESENT, Status.LATE, Status.LEFT_EARLY})


def obligatory(slots: Iterable[Slot]) -> list[Slot]:
    """The lessons that somebody takes attendance of and nobody may leave out, in order of time."""
    return [slot for slot in taken(slots) if slot.obligatory]


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
    """One pupil's day as it is known at `as_of`; every sequence is in order of time, and an unset clock proves nothing."""

    day: PupilDay
    as_of: datetime
    began: datetime
    #: The pupil was inside when the day began.
    slept: bool
    #: From when on the doors alone can tell: of a boarder who was outside when the day began, from the last exit.
    since: datetime
    #: The first obligatory slot; None where no gate decides whether the day began on time.
    first: Slot | None
    #: Of this day alone, as whatever follows.
    facts: Sequence[Fact]
    #: What the staff said.
    statements: Sequence[Statement]
    #: When the pupil came in, by the doors.
    entered: Sequence[datetime]
    #: When the staff let the pupil in by hand.
    let_in: Sequence[datetime]
    exits: Sequence[datetime]

    @classmethod
    def of(cls, day: PupilDay, as_of: datetime) -> "Episode":
        """What later moments will tell is not known yet."""
        date = min((s.start for s in day.slots), default=as_of).astimezone(day.zone).date()
        began = datetime.combine(date, time(), day.zone)
        facts = sorted((f for f in day.facts if f.at <= as_of), key=lambda f: f.at)
        said = [s for s in day.statements if s.said <= as_of]
        where = presence(
            [*(f for f in facts if not f.uncertain), *said],
            as_of=as_of,
            ends=max((s.end for s in day.slots), default=as_of) + day.policy.presence_after,
            alarms=day.coverage.alarms,
            policy=day.policy,
        )
        first = first_obligatory(day.slots)
        slept = any(stay.since < began <= stay.until for stay in where.stays)
        stays = [stay for stay in where.stays if stay.since >= began]
        return cls(
            day=day,
            as_of=as_of,
            began=began,
            slept=slept,
            since=where.left(began) if day.policy.overnight and not slept else began,
            first=first if first is not None and judged([first], day.site) else None,
            facts=[fact for fact in facts if fact.at >= began],
            statements=said,
            entered=[stay.since for stay in stays if stay.entry.source is Source.GATE],
            let_in=[stay.since for stay in stays if stay.entry.source is not Source.GATE],
            exits=[exited for exited in where.exits if exited >= began],
        )

    @property
    def fire_alarm(self) -> bool:
        """Whether one is on."""
        return any(alarm.meets(self.as_of, self.as_of) for alarm in self.day.coverage.alarms)

    @property
    def unseen(self) -> bool:
        """Whether the pupil was outside, no door saw the card today, whatever it did with it, and nobody moved the pupil."""
        moved = any(s.kind is not StatementKind.MARK and self.began <= s.at <= self.as_of for s in self.statements)
        return not (self.slept or self.facts or moved)

    @property
    def checked(self) -> list[datetime]:
        """When a checkpoint proved that the pupil was inside."""
        return [f.at for f in self.facts if f.kind is FactKind.CHECKPOINT and not f.uncertain]

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

    def ruling(self, slot: Slot) -> Statement | None:
        """What the staff says of that lesson."""
        return ruling(slot, (s for s in self.statements if s.status is not None))

    def vouched(self, slot: Slot | None) -> datetime | None:
        """When the staff said that the pupil is in that lesson; None where they do not."""
        word = self.ruling(slot) if slot is not None else None
        return word.said if word is not None and word.status in _THERE else None

    def doubts(self, until: datetime) -> tuple[Doubt, ...]:
        """What keeps the doors from telling where the pupil was at that moment."""
        gaps = self.day.coverage.gaps(self.since, until)
        seen = [f for f in self.day.facts if self.since <= f.at <= until]
        permits = (f for f in seen if f.kind is FactKind.PERMIT)
        guesses = (f for f in seen if f.uncertain)
        return (
            *gaps,
            *(Doubt(kind=DoubtKind.PERMIT, lane=f.lane, since=f.at) for f in permits),
            *(Doubt(kind=DoubtKind.UNCERTAIN, lane=f.lane, since=f.at) for f in guesses),
        )

    def excused(self, since: datetime, until: datetime) -> bool:
        """Whether the pupil need not have been inside at some time of [since, until)."""
        mine = (e for e in self.day.excuses if e.person == self.day.pupil.person and e.reason not in _NO_EXPLANATION)
        return any(e.since < until and e.until > since for e in mine)


def explained(mark: Mark) -> bool:
    """Whether somebody gave a reason that parents need not be told."""
    return mark.reason not in _NO_EXPLANATION
