"""What is appended: each kind of fact with its data, as the contract names them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, PlainSerializer

from gateway.domain.credential import Technology, Token
from gateway.domain.model import Assurance, Direction, Instant, LaneId, Match, PersonId, Seq, Verdict, timestamp, utc

Moment = Annotated[datetime, PlainSerializer(timestamp, return_type=str)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochData:
    """Entry 1 of every epoch."""

    type: ClassVar[str] = "att.epoch.v1"
    #: The epoch before, if any.
    previous: str | None
    #: Why a new one began.
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TapData:
    """A tap and what the lane answered."""

    type: ClassVar[str] = "att.tap.v1"
    lane: LaneId
    direction: Direction
    #: None when the card could not serve as an identity.
    token: Token | None
    technology: Technology
    assurance: Assurance
    #: The door's guess; the journal resolves the token again.
    person: PersonId | None
    verdict: Verdict
    match: Match | None
    #: Version of the directory that decided.
    directory: int | None


class PassageKind(StrEnum):
    """How a rotation of the gate relates to a permit."""

    CONFIRMED = "confirmed"
    NOT_USED = "not_used"
    WRONG_DIRECTION = "wrong_direction"
    FORCED = "forced"
    FREE = "free"
    TAILGATING = "tailgating"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageData:
    """The gate reported somebody going through, or a permit that nobody used."""

    type: ClassVar[str] = "att.passage.v1"
    lane: LaneId
    direction: Direction
    kind: PassageKind
    #: The entry of the tap that permitted it.
    tap: Seq | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageData:
    """Every tap and passage of the lane in [since, until] has a lower seq than this entry."""

    type: ClassVar[str] = "att.coverage.v1"
    lane: LaneId
    since: Moment
    until: Moment

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", utc(self.since))
        object.__setattr__(self, "until", utc(self.until))


class DeviceState(StrEnum):
    """What happened to a device."""

    UP = "up"
    DOWN = "down"
    TAMPER = "tamper"
    #: The device still works, its supply fails; or it is back.
    POWER = "power"
    FIRE_ALARM = "fire_alarm"
    MODE = "mode"
    GARBAGE = "garbage"
    STORAGE = "storage"
    #: Somebody or something stands in the gate and it does not turn.
    BLOCKED = "blocked"


class GateMode(StrEnum):
    """How a gate stands: the detail of `mode`."""

    #: One passage for each permit.
    SINGLE = "single"
    #: Open for everybody.
    FREE = "free"
    #: For nobody; a lane that is locked is not waited for.
    LOCKED = "locked"


class FireAlarm(StrEnum):
    """The detail of `fire_alarm`."""

    ALARM = "alarm"
    ALL_CLEAR = "all-clear"


class Obstruction(StrEnum):
    """The detail of `blocked`."""

    BLOCKED = "blocked"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceData:
    """Something happened to a lane's device."""

    type: ClassVar[str] = "att.device.v1"
    #: The lane, or the device's own id where it serves several.
    lane: LaneId
    kind: DeviceState
    #: A word of GateMode, FireAlarm or Obstruction where the kind has such; else a sentence without personal data.
    detail: str


class ManualAction(StrEnum):
    """What a guard did by hand."""

    #: Opened once, for somebody without a name.
    OPEN = "open"
    #: Let in the persons of the list.
    ENTER = "enter"
    #: Keeps the gate open from now on, whoever comes.
    HOLD = "hold"
    #: Ends a hold.
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualData:
    """A person of the staff did at a lane what a card or a gate would have told."""

    type: ClassVar[str] = "att.manual.v1"
    lane: LaneId
    #: Who did it, by an opaque id.
    operator: str
    action: ManualAction
    #: enter: everybody who came in, at least one; empty for every other action.
    persons: tuple[PersonId, ...] = ()
    #: In the operator's words; no names.
    reason: str

    def __post_init__(self) -> None:
        if bool(self.persons) is not (self.action is ManualAction.ENTER):
            raise ValueError(
                f"the action {self.action} with {len(self.persons)} persons: only enter has them, and needs one"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockData:
    """The first synchronisation of a boot: repairs the earlier times of that boot."""

    type: ClassVar[str] = "att.clock.v1"
    boot: str
    #: Milliseconds of CLOCK_BOOTTIME at `wall`.
    boottime: int
    wall: Moment
    #: Milliseconds to add to earlier wall times of this boot.
    correction: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "wall", utc(self.wall))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyData:
    """The gateway's next key, under its old one: who counted this entry trusts it from the first birth that it signs."""

    type: ClassVar[str] = "att.key.v1"
    #: The key that is replaced; under any other one this says nothing.
    kid: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    #: The next Ed25519 public key, in hex.
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownData:
    """An event of a type that this version does not know: kept whole, judged by nobody."""

    type: str
    raw: Mapping[str, object] = field(hash=False)


Data = EpochData | TapData | PassageData | CoverageData | DeviceData | ManualData | ClockData | KeyData


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A fact about to be appended."""

    #: When it happened.
    at: Instant
    #: What happened.
    data: Data
    #: After this moment acting on it would harm.
    expires: datetime | None = None
