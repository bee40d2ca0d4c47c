"""Which notices should stand in the outbox now: one pure decision over one pupil's day.

The answer is what each recipient still has to be told, whatever stands there already; the outbox makes its unspoken rows
equal to it. So a notice that became false before anybody heard it disappears, and one that was heard is followed up:

    nobody seen by the cut-off     -> not_seen          came in afterwards     -> update
                                                        at a checkpoint only   -> seen
    came in late                   -> late              what was said is false -> correction, and then silence
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateway.domain.model import Mark, Mode, PersonId, Slot, SlotKind, Status
from gateway.domain.policy import Policy
from gateway.domain.register import Coverage, Fact, FactKind
from gateway.domain.statement import Excuse

QUIET_FROM, QUIET_UNTIL = time(21), time(7)
_OBLIGATORY = frozenset({SlotKind.LESSON, SlotKind.EXAM})
_CAME_IN = frozenset({FactKind.ARRIVAL, FactKind.IN})


class Template(StrEnum):
    """What a notice says."""

    LATE = "late"
    NOT_SEEN = "not_seen"
    UPDATE = "update"
    SEEN = "seen"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One parent who agreed to be told."""

    #: A mail address or an Apprise URL.
    address: str = field(repr=False)
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    """Whom a notice is about, and who hears it."""

    person: PersonId
    #: First name only.
    name: str = field(repr=False)
    #: Grades 1 to 4.
    primary: bool
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilDay:
    """Everything that is known of one pupil on one day."""

    pupil: Pupil
    slots: Sequence[Slot]
    marks: Sequence[Mark]
    facts: Sequence[Fact]
    excuses: Sequence[Excuse]
    coverage: Coverage
    policy: Policy
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a recipient has heard, or may have heard."""

    address: str = field(repr=False)
    template: Template
    #: The moment that it named.
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one recipient; one per (pupil, day, recipient, template)."""

    person: PersonId
    recipient: Recipient
    template: Template
    name: str = field(repr=False)
    #: not_seen: the cut-off; seen: the checkpoint's. Otherwise when the pupil came in; None where that is not known.
    at: datetime | None
    minutes: int
    #: Not to be sent before this moment.
    opens: datetime
    #: Nor from this moment on.
    expires: datetime


def due(day: PupilDay, told: Iterable[Told], as_of: datetime) -> list[Notice]:
    """At most one notice for each recipient; empty outside the first obligatory slot of the day."""
    slot = first_obligatory(day.slots)
    mark = next((m for m in day.marks if slot is not None and m.slot == slot.id), None)
    if slot is None or mark is None:
        return []
    opens, expires = window(slot, day.zone)
    if not slot.start <= as_of < expires:
        return []
    episode = _Episode(day=day, slot=slot, mark=mark, as_of=as_of)
    heard = list(told)
    found = []
    for recipient in day.pupil.recipients:
        message = episode.message({t.template: t for t in heard if t.address == recipient.address})
        if message is not None:
            template, at = message
            found.append(
                Notice(
                    person=day.pupil.person,
                    recipient=recipient,
                    template=template,
                    name=day.pupil.name,
                    at=at,
                    minutes=mark.minutes_late if template is Template.LATE else 0,
                    opens=opens,
                    expires=expires,
                )
            )
    return found


def first_obligatory(slots: Iterable[Slot]) -> Slot | None:
    """The slot that decides whether the day began on time; None where no gate decides that."""
    expected = [s for s in slots if s.kind in _OBLIGATORY and s.mode is not Mode.NONE]
    first = min(expected, key=lambda s: (s.start, s.id), default=None)
    return first if first is not None and first.mode is Mode.GATE else None


def window(slot: Slot, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """[opens, expires): the lesson without the quiet hours; empty where nothing of it is left."""
    day = slot.start.astimezone(zone).date()
    quiet_until, quiet_from = (datetime.combine(day, at, zone) for at in (QUIET_UNTIL, QUIET_FROM))
    return max(slot.start, quiet_until), min(slot.end, quiet_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Episode:
    """The beginning of one pupil's day."""

    day: PupilDay
    slot: Slot
    mark: Mark
    as_of: datetime

    @property
    def cutoff(self) -> datetime:
        policy = self.day.policy
        return self.slot.start + (policy.not_seen_after_primary if self.day.pupil.primary else policy.not_seen_after)

    @property
    def facts(self) -> list[Fact]:
        return sorted((f for f in self.day.facts if f.at <= self.as_of), key=lambda f: f.at)

    @property
    def came(self) -> datetime | None:
        """When the pupil came in: a late one after the start, whatever happened before it."""
        late = self.mark.minutes_late > 0
        deadline = self.slot.start + self.day.policy.grace
        inside = (f.at for f in self.facts if f.kind in _CAME_IN and not f.uncertain)
        return next((at for at in inside if not late or at > deadline), None)

    @property
    def checked(self) -> list[datetime]:
        """When a checkpoint proved that the pupil was inside, whichever way that came about."""
        return [f.at for f in self.facts if f.kind is FactKind.CHECKPOINT and not f.uncertain]

    def message(self, told: dict[Template, Told]) -> tuple[Template, datetime | None] | None:
        came = self.came
        if Template.CORRECTION in told:
            return None
        if any(self._false(statement) for statement in told.values()):
            return Template.CORRECTION, came
        if Template.NOT_SEEN in told:
            return self._followed() if not told.keys() & {Template.UPDATE, Template.SEEN} else None
        if Template.LATE in told:
            return None
        if came is not None:
            return (Template.LATE, came) if self._late(came) else None
        return (Template.NOT_SEEN, self.cutoff) if self._not_seen() else None

    def _followed(self) -> tuple[Template, datetime] | None:
        if (came := self.came) is not None:
            return Template.UPDATE, came
        return (Template.SEEN, self.checked[0]) if self.checked else None

    def _late(self, came: datetime) -> bool:
        doubtful = any(f.at <= came and (f.uncertain or f.kind is FactKind.PERMIT) for f in self.facts)
        enough = self.mark.minutes_late >= self.day.policy.late_notice_minutes
        return enough and not doubtful and self._covered(came) and not self._excused(came)

    def _not_seen(self) -> bool:
        # Whatever the doors saw of this card today, "not seen" would be false.
        unseen = self.as_of >= self.cutoff and not self.facts
        return unseen and self._covered(self.cutoff) and not self._excused(self.cutoff)

    def _false(self, told: Told) -> bool:
        match told.template:
            case Template.NOT_SEEN:
                return any(not f.uncertain and told.at is not None and f.at <= told.at for f in self.facts)
            case Template.LATE if self.mark.status is Status.PRESENT:
                return True
            case Template.LATE | Template.UPDATE:
                return _minute(told.at) != _minute(self.came)
            case Template.SEEN:
                return _minute(told.at) not in map(_minute, self.checked)
            case Template.CORRECTION:
                return False

    def _covered(self, until: datetime) -> bool:
        day = self.slot.start.astimezone(self.day.zone).date()
        return not self.day.coverage.gaps(datetime.combine(day, time(), self.day.zone), until)

    def _excused(self, until: datetime) -> bool:
        person = self.day.pupil.person
        return any(e.person == person and e.since < until and e.until > self.slot.start for e in self.day.excuses)


def _minute(moment: datetime | None) -> datetime | None:
    return moment and moment - timedelta(seconds=moment.second, microseconds=moment.microsecond)
