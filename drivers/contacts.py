"""Contacts of a turnstile or a barrier as what they tell: levels with their times go in, passages and notices come out.

No I/O and no clock. Seconds count from anywhere, and never backwards.

    pass contact closes ──held for CLOSES──> Rotation ──held for HELD──> blocked
          └──opens for less than OPENS: the same passage still

A loose wire would fill the disk with alarms: one that chatters is told once, and stands as not usual until it is still.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from drivers.steady import STILL, Chatter, chatters
from gateway.domain.entry import DeviceState, FireAlarm, GateMode, Obstruction
from gateway.domain.model import Direction
from gateway.ports import DeviceNotice, GateEvent, Rotation

#: A shorter change is a bounce.
CLOSES: Final = 0.04
#: A pass contact that opens for a shorter time belongs to the same passage.
OPENS: Final = 0.3
#: Somebody or something stands in the gate.
HELD: Final = 30.0


class Role(StrEnum):
    """What a contact says while its level is the active one."""

    #: The arm was turned that way.
    PASS_A = "pass_a"  # noqa: S105 - no password
    PASS_B = "pass_b"  # noqa: S105 - no password
    #: The gate is at home and works.
    READY = "ready"
    #: An intrusion.
    ALARM = "alarm"
    FIRE_ALARM = "fire_alarm"
    TAMPER = "tamper"
    #: The positions of a key; in neither, the gate lets one through for each permit.
    FREE = "free"
    LOCKED = "locked"


class Level(StrEnum):
    """Of an input that a contact pulls to ground: low is closed, high is open, and so is a broken wire."""

    LOW = "low"
    HIGH = "high"


Side: TypeAlias = Literal["entry", "exit"]

_PASS: Final = (Role.PASS_A, Role.PASS_B)
#: Whoever cuts the wire of one of these gives the alarm.
_NORMALLY_CLOSED: Final = (Role.FIRE_ALARM, Role.TAMPER)
_SAID: Final = {
    Role.ALARM: DeviceNotice(kind=DeviceState.TAMPER, detail="the gate reports an intrusion"),
    Role.TAMPER: DeviceNotice(kind=DeviceState.TAMPER, detail="the housing was opened"),
}


def usual(role: Role) -> Level:
    """The active level where nobody says otherwise."""
    return Level.HIGH if role in _NORMALLY_CLOSED else Level.LOW


@dataclass(slots=True, kw_only=True)
class _Contact:
    """One debounced contact."""

    opens: float
    #: As it settled, and since when.
    active: bool
    settled: float
    #: As it was heard last, and since when.
    heard: bool
    changed: float
    usual: bool
    #: A busy turnstile looks the same: a pass contact has none.
    chatter: Chatter | None

    @property
    def due(self) -> float | None:
        """When what was heard counts, unless it changes before."""
        if self.heard is self.active:
            return None
        if self.chatter and self.heard is self.usual:
            return self.changed + STILL
        return self.changed + (CLOSES if self.heard else self.opens)

    def settle(self, now: float) -> bool:
        """What was heard counts from now on. Whether that is once too often."""
        self.active, self.settled = self.heard, now
        if self.chatter is None or self.active is self.usual:
            return False
        self.chatter.leave(now)
        return bool(self.chatter)


class Contacts:
    """The contacts of one gate. Every method returns what is certain by then, in order."""

    def __init__(self, active: Mapping[Role, Level], *, a_is: Side = "entry") -> None:
        """`active` has the contacts that are there; passing side A is entering or leaving."""
        self._active = active
        first, second = (Direction.IN, Direction.OUT) if a_is == "entry" else (Direction.OUT, Direction.IN)
        self._ways = {Role.PASS_A: first, Role.PASS_B: second}
        self._contacts: dict[Role, _Contact] = {}
        self._told: dict[DeviceState, str] = {}

    def open(self, high: Mapping[Role, bool], now: float) -> list[GateEvent]:
        """How the gate stands. Who was in it already is nobody's passage."""
        self._told.clear()
        for role in self._active:
            active = self._is(role, high=high[role])
            self._contacts[role] = _Contact(
                opens=OPENS if role in _PASS else CLOSES,
                active=active,
                settled=now,
                heard=active,
                changed=now,
                usual=role is Role.READY,
                chatter=None if role in _PASS else Chatter(),
            )
        said: list[GateEvent] = [notice for role, notice in _SAID.items() if self._holds(role)]
        return said + self._stand(now)

    def hear(self, role: Role, *, high: bool, now: float) -> list[GateEvent]:
        """The level of a contact, whether it changed or not."""
        events = self.settle(now)
        self._hear(role, high=high, now=now)
        return events

    def read(self, high: Mapping[Role, bool], now: float, *, lost: int = 0) -> list[GateEvent]:
        """All levels at once; `lost` is how many changes went by unheard: somebody may have passed with them."""
        events = self.settle(now)
        for role in self._active:
            self._hear(role, high=high[role], now=now)
        if lost:
            events.append(DeviceNotice(kind=DeviceState.GARBAGE, detail=f"{lost} changes of contacts were lost"))
        return events

    @property
    def due(self) -> float | None:
        """When `settle` has something to tell although nothing is heard."""
        held = [c.settled + HELD for role, c in self._contacts.items() if role in _PASS and c.active]
        dues = [due for contact in self._contacts.values() if (due := contact.due) is not None]
        blocked = self._told.get(DeviceState.BLOCKED) == Obstruction.BLOCKED
        return min(dues + ([] if blocked else held), default=None)

    def settle(self, now: float) -> list[GateEvent]:
        """What became certain by time alone."""
        events: list[GateEvent] = []
        while (due := self.due) is not None and due <= now:
            for role, contact in self._contacts.items():
                if contact.due == due:
                    too_often = contact.settle(due)
                    events += self._closed(role) if contact.active else []
                    events += [chatters(f"the contact {role}")] if too_often else []
            events += self._stand(due)
        return events

    def _hear(self, role: Role, *, high: bool, now: float) -> None:
        contact, active = self._contacts[role], self._is(role, high=high)
        if contact.heard is not active:
            contact.heard, contact.changed = active, now

    def _closed(self, role: Role) -> list[GateEvent]:
        if role in self._ways:
            return [Rotation(direction=self._ways[role])]
        return [_SAID[role]] if role in _SAID else []

    def _stand(self, now: float) -> list[GateEvent]:
        """The words that differ from those told before."""
        words: dict[DeviceState, str] = {}
        if {Role.FREE, Role.LOCKED} & self._active.keys():
            words[DeviceState.MODE] = self._mode
        if Role.FIRE_ALARM in self._active:
            words[DeviceState.FIRE_ALARM] = FireAlarm.ALARM if self._holds(Role.FIRE_ALARM) else FireAlarm.ALL_CLEAR
        if {Role.READY, *_PASS} & self._active.keys():
            stuck = any(self._holds(role) and now >= self._contacts[role].settled + HELD for role in _PASS)
            unready = Role.READY in self._active and not self._holds(Role.READY)
            words[DeviceState.BLOCKED] = Obstruction.BLOCKED if stuck or unready else Obstruction.CLEAR
        new = {kind: word for kind, word in words.items() if self._told.get(kind) != word}
        self._told |= new
        return [DeviceNotice(kind=kind, detail=word) for kind, word in new.items()]

    @property
    def _mode(self) -> GateMode:
        if self._holds(Role.FREE):
            return GateMode.FREE
        return GateMode.LOCKED if self._holds(Role.LOCKED) else GateMode.SINGLE

    def _holds(self, role: Role) -> bool:
        return role in self._contacts and self._contacts[role].active

    def _is(self, role: Role, *, high: bool) -> bool:
        return high is (self._active[role] is Level.HIGH)
