"""Where one person was, as far as the doors of the site and its staff tell.

    facts, statements ──as known at a moment, in order──> steps ──> stays inside, and what is doubtful about them

Order is by corrected time, then by (gateway, seq). In after in and out after out are taken as they come: the missing side
is taken at the later time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.domain.coverage import EVER, Outage
from gateway.domain.model import Doubt, DoubtKind, Source
from gateway.domain.policy import Policy
from gateway.domain.statement import Statement, StatementKind

#: After everything.
NEVER: Final = datetime.max.replace(tzinfo=UTC)


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


class Step(NamedTuple):
    """A fact or a statement in the order in which they count."""

    at: datetime
    #: Of two at one moment, what a person said comes after what a door saw.
    said: bool
    gateway: str
    seq: int
    epoch: str
    kind: FactKind
    lane: str
    source: Source
    uncertain: bool


class FlagKind(StrEnum):
    """What is odd about a step, and was taken all the same."""

    #: The exit between two entries is missing.
    IN_AGAIN = "in_again"
    #: The entry between two exits, or before the first, is missing.
    OUT_AGAIN = "out_again"
    #: The same tap once more: it counts for nothing.
    REPEAT = "repeat"
    #: An exit during a fire alarm: it counts for nothing.
    ALARM = "alarm"


class Flag(NamedTuple):
    """An odd step, for those who look closely."""

    kind: FlagKind
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Inside during [since, until]."""

    since: datetime
    until: datetime
    entry: Step
    #: None where no exit was seen.
    exit: Step | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Where one person was; everything in order of time."""

    #: Disjoint.
    stays: Sequence[Stay]
    #: What speaks against an absence without proving presence.
    hints: Sequence[Doubt]
    #: When the person was certainly seen leaving.
    exits: Sequence[datetime]
    flags: Sequence[Flag]

    def stay(self, since: datetime) -> Stay | None:
        """The stay at `since`, or else the next one."""
        for stay in self.stays:
            if stay.until >= since:
                return stay
        return None

    def outside(self, since: datetime, until: datetime) -> timedelta:
        """Time of [since, until] not spent inside."""
        away = until - since
        for stay in self.stays:
            if stay.until > since and stay.since < until:
                away -= min(stay.until, until) - max(stay.since, since)
        return away

    def left(self, at: datetime) -> datetime:
        """The last exit up to `at`: what was doubtful before it is settled. EVER where there was none."""
        left = EVER
        for exited in self.exits:
            if exited > at:
                break
            left = exited
        return left


def presence(
    facts: Iterable[Fact | Statement],
    *,
    as_of: datetime,
    ends: datetime,
    alarms: Sequence[Outage] = (),
    policy: Policy,
) -> Presence:
    """What is known at `as_of`. A stay without an exit lasts until `ends`. During an alarm no exit counts."""
    walk = _Walk(alarms, policy)
    last = None
    for step in sorted(_steps(facts, as_of)):
        if step != last:
            walk.take(step)
        last = step
    return walk.presence(ends)


def _steps(facts: Iterable[Fact | Statement], as_of: datetime) -> Iterator[Step]:
    for fact in facts:
        if fact.at > as_of:
            continue
        if isinstance(fact, Fact):
            ref = fact.ref
            said, source = False, Source.GATE
            yield Step(fact.at, said, ref.gateway, ref.seq, ref.epoch, fact.kind, fact.lane, source, fact.uncertain)
        elif fact.said <= as_of and fact.kind is not StatementKind.MARK:
            said, uncertain = True, False
            kind = FactKind.IN if fact.kind is StatementKind.CAME else FactKind.OUT
            yield Step(fact.at, said, "", 0, "", kind, "", fact.source, uncertain)


class _Walk:
    """Goes once through the steps of a person, in order."""

    def __init__(self, alarms: Sequence[Outage], policy: Policy) -> None:
        self._alarms = alarms
        self._policy = policy
        self._stays: list[Stay] = []
        self._hints: list[Doubt] = []
        self._exits: list[datetime] = []
        self._flags: list[Flag] = []
        self._inside: Step | None = None
        self._came: dict[str, Step] = {}
        self._went: Step | None = None
        self._turned: Step | None = None
        self._turn = FactKind.IN

    def take(self, step: Step) -> None:
        if step.uncertain:
            self._hints.append(Doubt(kind=DoubtKind.UNCERTAIN, since=step.at))
        match step.kind:
            case FactKind.ARRIVAL | FactKind.IN:
                self._come(step)
            case FactKind.OUT:
                self._go(step)
            case FactKind.ALTERNATING:
                self._alternate(step)
            case FactKind.PERMIT | FactKind.CHECKPOINT:
                self._hint(step)

    def presence(self, ends: datetime) -> Presence:
        if self._inside is not None:
            since = self._inside.at
            self._stays.append(Stay(since=since, until=max(ends, since), entry=self._inside, exit=None))
        return Presence(stays=self._stays, hints=self._hints, exits=self._exits, flags=self._flags)

    def _come(self, step: Step) -> None:
        if self._inside is None:
            self._inside = step
        else:
            again = any(self._repeats(before, step) for before in self._came.values())
            self._flags.append(Flag(FlagKind.REPEAT if again else FlagKind.IN_AGAIN, step))
        self._came[step.lane] = step

    def _go(self, step: Step) -> None:
        if self._alarmed(step):
            self._flags.append(Flag(FlagKind.ALARM, step))
        elif self._bounces(step):
            self._flags.append(Flag(FlagKind.REPEAT, step))
        else:
            if self._inside is not None:
                self._stays.append(Stay(since=self._inside.at, until=step.at, entry=self._inside, exit=step))
            else:
                again = self._went is not None and self._repeats(self._went, step)
                self._flags.append(Flag(FlagKind.REPEAT if again else FlagKind.OUT_AGAIN, step))
            if not step.uncertain:
                self._exits.append(step.at)
            self._inside, self._went = None, step

    def _alternate(self, step: Step) -> None:
        before, self._turned = self._turned, step
        if self._alarmed(step):
            self._turn = FactKind.IN
            self._hint(step._replace(kind=FactKind.PERMIT))
            return
        if before is not None and self._repeats(before, step):
            self._flags.append(Flag(FlagKind.REPEAT, step))
            return
        # Turns are counted among such lanes alone, so that an entry heard late through another one makes no exit of an entry.
        # Whoever went out during an alarm showed no card: the turns begin anew.
        if before is None or any(before.at < alarm.since < step.at for alarm in self._alarms):
            self._turn = FactKind.IN
        if self._turn is FactKind.IN:
            self._turn = FactKind.OUT
            self._come(step)
        else:
            self._turn = FactKind.IN
            self._go(step)

    def _hint(self, step: Step) -> None:
        if self._inside is None:
            self._hints.append(Doubt(kind=DoubtKind(step.kind), lane=step.lane, since=step.at))

    def _alarmed(self, step: Step) -> bool:
        return any(alarm.meets(step.at, step.at) for alarm in self._alarms)

    def _bounces(self, step: Step) -> bool:
        """A card held to one lane is read twice: that is no exit."""
        came = self._came.get(step.lane)
        return came is not None and bool(step.lane) and step.at - came.at <= self._policy.repeat_at_lane

    def _repeats(self, before: Step, step: Step) -> bool:
        """Whether both are one tap: soon after each other at one lane, or in one direction anywhere on the site."""
        window = self._policy.repeat_at_site
        if before.lane == step.lane:
            window = max(window, self._policy.repeat_at_lane)
        return step.at - before.at <= window
