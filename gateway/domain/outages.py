"""When a lane could not name everybody who passed it: what its devices and its guard told, as spans of time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.domain.coverage import Interval, Outage, OutageKind
from gateway.domain.entry import Data, DeviceData, DeviceState, GateMode, ManualAction, ManualData, UnknownData
from gateway.domain.passage import Stand
from gateway.domain.presence import NEVER

_AT_ONCE = {DeviceState.GARBAGE: OutageKind.BLIND, DeviceState.STORAGE: OutageKind.DOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told of a lane, and when."""

    at: datetime
    data: Data | UnknownData


def outages(told: Iterable[Told], *, rotations: bool) -> list[Outage]:
    """The spans, of what was `told` of one lane in order; without `rotations` nothing depends on the gate's own device."""
    state, open_, found = _State(), dict[OutageKind, datetime](), list[Outage]()
    for one in told:
        if (at_once := _at_once(one.data)) is not None:
            found.append(Outage(kind=at_once, since=one.at, until=one.at))
        state.hear(one.data)
        holding = state.kinds(rotations=rotations)
        for kind in [kind for kind in open_ if kind not in holding]:
            found.append(Outage(kind=kind, since=open_.pop(kind), until=one.at))
        for kind in holding:
            open_.setdefault(kind, one.at)
    return found + [Outage(kind=kind, since=since) for kind, since in open_.items()]


def locked(told: Iterable[Told], heard: datetime) -> list[Interval]:
    """When the lane was locked for certain, with its devices there to tell otherwise; nothing is missing up to `heard`."""
    state, since, found = _State(), None, list[Interval]()
    for one in told:
        state.hear(one.data)
        if state.locked and since is None:
            since = one.at
        elif not state.locked and since is not None:
            found.append(Interval(since=since, until=one.at))
            since = None
    return [*found, Interval(since=since, until=heard)] if since is not None else found


def ended(spans: Iterable[Outage], end: datetime) -> Iterator[Outage]:
    """What of them was before a lane went, or its day was over: nobody tells here when the rest ends."""
    for outage in spans:
        if outage.since < end:
            yield outage if (outage.until or NEVER) <= end else replace(outage, until=end)


@dataclass(slots=True, kw_only=True)
class _State:
    """A lane as it was told to be."""

    stand: Stand = field(default_factory=Stand)
    held: bool = False

    def hear(self, data: Data | UnknownData) -> None:
        match data:
            case DeviceData(kind=kind, detail=detail):
                self.stand = self.stand.told(kind, detail)
            case ManualData(action=ManualAction.HOLD):
                self.held = True
            case ManualData(action=ManualAction.RELEASE):
                self.held = False

    def kinds(self, *, rotations: bool) -> list[OutageKind]:
        causes = {
            OutageKind.DOWN: self.stand.missing - (set() if rotations else {"gate"}),
            OutageKind.FREE: self.stand.mode is GateMode.FREE,
            OutageKind.FIRE_ALARM: self.stand.alarm,
            OutageKind.BLIND: self.stand.blocked,
            OutageKind.OPENED: self.held,
        }
        return [kind for kind, holds in causes.items() if holds]

    @property
    def locked(self) -> bool:
        return self.stand.opened_for is GateMode.LOCKED and not self.stand.away and not self.held


def _at_once(data: Data | UnknownData) -> OutageKind | None:
    match data:
        case DeviceData(kind=kind):
            return _AT_ONCE.get(kind)
        case ManualData(action=ManualAction.OPEN):
            return OutageKind.OPENED
        case _:
            return None
