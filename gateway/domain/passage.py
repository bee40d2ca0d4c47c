"""Permits and rotations of one gate: what a rotation is follows from how the gate stands and which permit it finds.

    permit ──a rotation its way, the oldest permit first──> confirmed; free, where it was given by hand
       └─────nobody within its time───────────────────────> not_used
    rotation without a permit ────────────────────────────> PASSAGES

A tap is not a passage. Every permit ends in exactly one passage, and every rotation is exactly one.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto

from gateway.domain.decide import elapsed
from gateway.domain.entry import DeviceState, Entry, FireAlarm, GateMode, Obstruction, PassageData, PassageKind
from gateway.domain.model import Direction, Instant, LaneId, Seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How a gate stands, as far as it told, and which devices of its lane are away."""

    mode: GateMode = GateMode.SINGLE
    alarm: bool = False
    blocked: bool = False
    #: What was told of each that is; the first word is the device: reader, gate.
    away: tuple[str, ...] = ()

    @property
    def missing(self) -> set[str]:
        """The devices that are away."""
        return set(map(_device, self.away))

    def told(self, kind: DeviceState, detail: str) -> "Stand":
        """After this word of the device. A mode that nobody knows is taken for free, so that nothing is claimed of it."""
        match kind:
            case DeviceState.MODE:
                return replace(self, mode=next((mode for mode in GateMode if mode == detail), GateMode.FREE))
            case DeviceState.FIRE_ALARM:
                return replace(self, alarm=detail != FireAlarm.ALL_CLEAR)
            case DeviceState.BLOCKED:
                return replace(self, blocked=detail != Obstruction.CLEAR)
            case DeviceState.DOWN:
                return replace(self, away=(*self._without(detail), detail))
            case DeviceState.UP:
                return replace(self, away=self._without(detail))
            case _:
                return self

    def _without(self, detail: str) -> tuple[str, ...]:
        return tuple(one for one in self.away if _device(one) != _device(detail))

    @property
    def opened_for(self) -> GateMode:
        """The mode that holds: in a fire alarm the gate is open, whatever it is set to."""
        return GateMode.FREE if self.alarm else self.mode

    @property
    def words(self) -> list[tuple[DeviceState, str]]:
        """What the device told to stand like this; nothing for a gate that stands as usual."""
        said = [
            (DeviceState.MODE, self.mode, self.mode is not GateMode.SINGLE),
            (DeviceState.FIRE_ALARM, FireAlarm.ALARM, self.alarm),
            (DeviceState.BLOCKED, Obstruction.BLOCKED, self.blocked),
        ]
        stands = [(kind, word.value) for kind, word, holds in said if holds]
        return [*((DeviceState.DOWN, detail) for detail in self.away), *stands]


def _device(detail: str) -> str:
    return detail.partition(" ")[0]


#: What the clock of a boot can tell apart.
_TICK = timedelta(milliseconds=1)


class Found(Enum):
    """What a rotation finds."""

    #: An open permit of its direction, given to a card.
    PERMIT = auto()
    #: An open permit of its direction, given by a guard.
    BY_HAND = auto()
    #: A permit of its direction that was used already, within its time.
    USED = auto()
    #: Open permits of the other direction only.
    OTHER_WAY = auto()
    NOTHING = auto()


#: What a rotation is.
PASSAGES: Mapping[GateMode, Mapping[Found, PassageKind]] = {
    GateMode.SINGLE: {
        Found.PERMIT: PassageKind.CONFIRMED,
        Found.BY_HAND: PassageKind.FREE,
        Found.USED: PassageKind.TAILGATING,
        Found.OTHER_WAY: PassageKind.WRONG_DIRECTION,
        Found.NOTHING: PassageKind.FORCED,
    },
    GateMode.FREE: {
        Found.PERMIT: PassageKind.CONFIRMED,
        Found.BY_HAND: PassageKind.FREE,
        Found.USED: PassageKind.FREE,
        Found.OTHER_WAY: PassageKind.FREE,
        Found.NOTHING: PassageKind.FREE,
    },
    # A permit may be older than the lock; whatever else turns a locked gate is force.
    GateMode.LOCKED: {
        Found.PERMIT: PassageKind.CONFIRMED,
        Found.BY_HAND: PassageKind.FREE,
        Found.USED: PassageKind.FORCED,
        Found.OTHER_WAY: PassageKind.FORCED,
        Found.NOTHING: PassageKind.FORCED,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The bolt opens for one passage."""

    #: The recorded tap that it was given to; None where a guard gave it.
    tap: Seq | None
    #: UNKNOWN is good for either way.
    direction: Direction
    at: Instant


class Passages:
    """One gate that reports rotations. Moments are told in order."""

    def __init__(self, lane: LaneId, lasts: timedelta) -> None:
        """A permit is good for as long as it `lasts`."""
        self._lane = lane
        self._lasts = lasts
        self._open: deque[Permit] = deque()
        #: The last permit that was used, by its direction.
        self._used: dict[Direction, Permit] = {}

    @property
    def waits(self) -> bool:
        """Whether a permit is open, as far as the time was told."""
        return bool(self._open)

    def left(self, now: Instant) -> timedelta:
        """How long until `expire` ends the oldest permit; without one, for as long as the next would last."""
        spent = elapsed(self._open[0].at, now) if self._open else timedelta(0)
        return max(self._lasts - spent, timedelta(0)) + _TICK

    def grant(self, permit: Permit) -> list[Entry]:
        """The bolt is about to open. The permits that ran out until then."""
        ended = self.expire(permit.at)
        self._open.append(permit)
        return ended

    def rotate(self, direction: Direction, stand: Stand, now: Instant) -> list[Entry]:
        """Somebody goes through. The permits that ran out until then, and the passage itself, which is the last."""
        ended = self.expire(now)
        found, permit = self._find(direction, now)
        kind = PASSAGES[stand.opened_for][found]
        if permit is None:
            return [*ended, self._entry(now, kind, direction, None)]
        self._open.remove(permit)
        self._used[permit.direction] = permit
        way = permit.direction if direction is Direction.UNKNOWN else direction
        return [*ended, self._entry(now, kind, way, permit.tap)]

    def expire(self, now: Instant) -> list[Entry]:
        """A `not_used` for every permit that ran out."""
        ended = []
        while self._open and elapsed(self._open[0].at, now) > self._lasts:
            permit = self._open.popleft()
            ended.append(self._entry(now, PassageKind.NOT_USED, permit.direction, permit.tap))
        return ended

    def _find(self, direction: Direction, now: Instant) -> tuple[Found, Permit | None]:
        if permit := next((permit for permit in self._open if _agree(permit.direction, direction)), None):
            return (Found.BY_HAND if permit.tap is None else Found.PERMIT), permit
        if any(_agree(way, direction) and elapsed(p.at, now) <= self._lasts for way, p in self._used.items()):
            return Found.USED, None
        return (Found.OTHER_WAY if self._open else Found.NOTHING), None

    def _entry(self, at: Instant, kind: PassageKind, direction: Direction, tap: Seq | None) -> Entry:
        return Entry(at=at, data=PassageData(lane=self._lane, direction=direction, kind=kind, tap=tap))


def _agree(one: Direction, other: Direction) -> bool:
    return one is other or Direction.UNKNOWN in (one, other)
