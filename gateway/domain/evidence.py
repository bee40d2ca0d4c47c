"""From wire events to what judge() takes: facts of persons, and what was heard of the lanes.

    taps ── their rotations ── repaired times ── who held the card then ──> facts
    coverage up to the first hole ── modes, alarms, losses, the guard ────> coverage

Order, batching and repetition of events change nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain.clocks import Clocks, chain_order
from gateway.domain.coverage import EVER, Coverage, Interval, LaneCoverage, Outage, OutageKind
from gateway.domain.credential import Token
from gateway.domain.entry import CoverageData, DeviceData, ManualAction, ManualData, PassageData, PassageKind, TapData
from gateway.domain.model import Direction, LaneDirection, LaneId, PersonId, Reason
from gateway.domain.outages import Told, ended, locked, outages
from gateway.domain.presence import NEVER, EntryRef, Fact, FactKind
from gateway.domain.wire import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedLane:
    """A lane on one day, as it was during [since, until); one that changes is there twice."""

    gateway: str
    lane: LaneId
    direction: LaneDirection
    #: Service hours of that day.
    opens: datetime
    closes: datetime
    #: Its gate reports rotations: whoever was let in and is not seen going through may have stayed outside.
    rotations: bool = False
    since: datetime = EVER
    until: datetime = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one day of a site is judged by."""

    #: [since, until): the day.
    since: datetime
    until: datetime
    #: Of the day, and of the boots and neighbours that tell their times; in any order, and any of them twice.
    events: Iterable[Event]
    #: Newest contiguous seq by (gateway, epoch): an entry beyond a hole proves nothing about silence.
    through: Mapping[tuple[str, str], int]
    lanes: Sequence[ServedLane]
    #: Who held the card of this token at that moment.
    holder: Callable[[Token, datetime], PersonId | None]
    #: Where an entry stands again under a later epoch -> where it stands among the events.
    again: Mapping[EntryRef, EntryRef] = field(default_factory=dict)


def interpret(evidence: Evidence) -> tuple[dict[PersonId, list[Fact]], Coverage]:
    """Facts by person, and what was heard of every lane."""
    known = {(event.stream, event.seq): event for event in evidence.events}
    case = _Case(evidence, sorted(known.values(), key=chain_order))
    return case.facts(), case.coverage()


class _Case:
    """The events of a day in the order of their chains."""

    def __init__(self, evidence: Evidence, events: Sequence[Event]) -> None:
        self._evidence = evidence
        self._events = events
        self._clocks = Clocks(events)
        self._lanes: dict[tuple[str, str], list[ServedLane]] = {}
        for lane in evidence.lanes:
            self._lanes.setdefault((lane.gateway, lane.lane), []).append(lane)
        self._rotations = _rotations(events, evidence.again)

    def facts(self) -> dict[PersonId, list[Fact]]:
        """By person."""
        found: dict[PersonId, list[Fact]] = {}
        for event in self._events:
            match event.data:
                case TapData() as tap:
                    at = self._clocks.of(event).at
                    person = self._evidence.holder(tap.token, at) if tap.token is not None else None
                    if person is not None and self._evidence.since <= at < self._evidence.until:
                        found.setdefault(person, []).append(self._tap(event, tap, at))
                case ManualData(action=ManualAction.ENTER, persons=persons) as manual:
                    fact = self._fact(event, manual.lane, self._entered(event, manual.lane))
                    if self._evidence.since <= fact.at < self._evidence.until:
                        for person in persons:
                            found.setdefault(person, []).append(fact)
        return found

    def coverage(self) -> Coverage:
        """Of every lane that serves the site; without one nobody can be seen, and silence means nothing."""
        heard: dict[tuple[str, str], list[Interval]] = {}
        for event in self._events:
            data = event.data
            if isinstance(data, CoverageData) and self._contiguous(event):
                interval = Interval(since=data.since, until=data.until)
                heard.setdefault((event.stream.gateway, data.lane), []).append(interval)
        return Coverage(lanes=tuple(self._lane(lane, heard) for lane in self._evidence.lanes))

    def _tap(self, event: Event, tap: TapData, at: datetime) -> Fact:
        lane = self._served(event, tap.lane, at)
        direction = lane.direction if lane is not None else LaneDirection.ARRIVAL_ONLY
        kind = _kind(direction, tap.direction) if _counts(tap) else FactKind.PERMIT
        rotation = self._rotations.get(_ref(event)) if kind is not FactKind.CHECKPOINT else None
        if rotation is not None and isinstance(rotation.data, PassageData):
            passage = rotation.data
            kind = _kind(direction, passage.direction) if passage.kind is PassageKind.CONFIRMED else FactKind.PERMIT
        elif lane is not None and lane.rotations and kind is not FactKind.CHECKPOINT:
            kind = FactKind.PERMIT
        if lane is None and kind is FactKind.OUT:
            # Nobody waits for the way back through such a lane.
            kind = FactKind.PERMIT
        return self._fact(event, tap.lane, kind, rotation)

    def _fact(self, event: Event, lane: LaneId, kind: FactKind, rotation: Event | None = None) -> Fact:
        moment = self._clocks.of(rotation or event)
        name = f"{event.stream.gateway}/{lane}"
        return Fact(at=moment.at, kind=kind, ref=_ref(event), lane=name, uncertain=moment.uncertain)

    def _entered(self, event: Event, lane: LaneId) -> FactKind:
        served = self._served(event, lane, self._clocks.of(event).at)
        arrival = served is None or served.direction is LaneDirection.ARRIVAL_ONLY
        return FactKind.ARRIVAL if arrival else FactKind.IN

    def _served(self, event: Event, lane: LaneId, at: datetime) -> ServedLane | None:
        """The lane as it was at that moment."""
        for served in self._lanes.get((event.stream.gateway, lane), ()):
            if served.since <= at < served.until:
                return served
        return None

    def _contiguous(self, event: Event) -> bool:
        return event.seq <= self._evidence.through.get((event.stream.gateway, event.stream.epoch), 0)

    def _lane(self, lane: ServedLane, heard: Mapping[tuple[str, str], Sequence[Interval]]) -> LaneCoverage:
        mine = [event for event in self._events if event.stream.gateway == lane.gateway]
        told = [e for e in mine if isinstance(e.data, DeviceData | ManualData) and e.data.lane == lane.lane]
        unset = [
            Outage(kind=OutageKind.UNSYNCED, since=unset.since or self._evidence.since, until=unset.until)
            for unset in self._clocks.unset
            if unset.stream.gateway == lane.gateway
        ]
        spans = [*outages(self._told(told), rotations=lane.rotations), *unset]
        linked = [event for event in mine if self._contiguous(event)]
        last = max((self._clocks.of(event).at for event in linked), default=self._evidence.since)
        return LaneCoverage(
            gateway=lane.gateway,
            lane=lane.lane,
            opens=lane.opens,
            closes=lane.closes,
            intervals=tuple(heard.get((lane.gateway, lane.lane), ())),
            outages=tuple(ended(spans, lane.until)),
            closed=tuple(locked(self._told(event for event in told if self._contiguous(event)), last)),
        )

    def _told(self, events: Iterable[Event]) -> list[Told]:
        timed = [(self._clocks.of(event).at, event) for event in events]
        timed.sort(key=lambda pair: (pair[0], pair[1].stream.epoch, pair[1].seq))
        return [Told(at=at, data=event.data) for at, event in timed]


def _counts(tap: TapData) -> bool:
    """Let in; or unknown to the door, where the ledger may have learnt since then whose card it is.

    Any other refusal says that the card was there, not its holder, and not where the holder went.
    """
    return tap.verdict.admit or tap.verdict.reason is Reason.UNKNOWN_CARD


def _kind(lane: LaneDirection, told: Direction) -> FactKind:
    """What a tap or a passage says, where it counts."""
    direction = told if told is not Direction.UNKNOWN else lane.of_tap
    if lane is LaneDirection.CHECKPOINT:
        return FactKind.CHECKPOINT
    if direction is Direction.OUT:
        return FactKind.OUT
    if lane is LaneDirection.ARRIVAL_ONLY:
        return FactKind.ARRIVAL
    if direction is Direction.IN:
        return FactKind.IN
    # A way that nobody told proves neither presence nor absence, unless in and out come in turn.
    return FactKind.ALTERNATING if lane is LaneDirection.ALTERNATING else FactKind.PERMIT


def _ref(event: Event) -> EntryRef:
    return EntryRef(gateway=event.stream.gateway, epoch=event.stream.epoch, seq=event.seq)


def _rotations(events: Iterable[Event], again: Mapping[EntryRef, EntryRef]) -> dict[EntryRef, Event]:
    """What the gate reported for each tap; a confirmed passage outweighs anything else, and the first one any other."""
    found: dict[EntryRef, Event] = {}
    for event in events:
        if isinstance(event.data, PassageData) and event.data.tap is not None:
            ref = EntryRef(gateway=event.stream.gateway, epoch=event.stream.epoch, seq=event.data.tap)
            ref = again.get(ref, ref)
            known = found.setdefault(ref, event)
            confirmed = [
                isinstance(e.data, PassageData) and e.data.kind is PassageKind.CONFIRMED for e in (known, event)
            ]
            if confirmed == [False, True]:
                found[ref] = event
    return found
