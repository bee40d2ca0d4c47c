"""The values everything speaks in: taps, verdicts, entries, slots, marks. Frozen, keyword-only, times aware and in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NewType

from gateway.domain.credential import Credential

LaneId = NewType("LaneId", str)
PersonId = NewType("PersonId", str)
GroupId = NewType("GroupId", str)
SlotId = NewType("SlotId", str)
Seq = NewType("Seq", int)


def utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for a naive datetime: a time without a zone is not a time."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no meaning here; attach a zone")
    return moment.astimezone(UTC)


def timestamp(moment: datetime) -> str:
    """As the contract writes times: `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    return utc(moment).isoformat(timespec="milliseconds")[:-6] + "Z"


class ClockState(StrEnum):
    """How far the wall clock of the gateway can be believed."""

    SYNCED = "synced"
    HOLDOVER = "holdover"
    UNSYNCED = "unsynced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A moment as the gateway knew it: wall time, and what is needed to correct that wall time later."""

    #: Wall time, UTC.
    at: datetime
    #: The kernel's boot id: boottime counts from this boot. Or clocks.TERMINAL.
    boot: str
    #: CLOCK_BOOTTIME in milliseconds; of a terminal its wall time.
    boottime: int
    #: How far `at` can be believed.
    clock: ClockState

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))


class Direction(StrEnum):
    """Which way a person goes."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"


class LaneDirection(StrEnum):
    """What a tap at this lane says about the way."""

    IN = "in"
    OUT = "out"
    BOTH = "both"
    ARRIVAL_ONLY = "arrival_only"
    ALTERNATING = "alternating"
    CHECKPOINT = "checkpoint"

    @property
    def tells_exits(self) -> bool:
        """Whether somebody who leaves is seen leaving."""
        return self in (LaneDirection.OUT, LaneDirection.BOTH, LaneDirection.ALTERNATING)

    @property
    def of_tap(self) -> Direction:
        """The direction a tap gets where the device itself tells none."""
        match self:
            case LaneDirection.IN | LaneDirection.ARRIVAL_ONLY:
                return Direction.IN
            case LaneDirection.OUT:
                return Direction.OUT
            case _:
                return Direction.UNKNOWN


class Assurance(StrEnum):
    """How hard the credential is to copy."""

    UID = "uid"
    SUN = "sun"
    SECURE = "secure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A card was read at a lane."""

    #: The lane whose reader saw it.
    lane: LaneId
    #: The card.
    credential: Credential
    #: When the reader's bytes were complete.
    at: Instant
    #: From the device, or else from the lane.
    direction: Direction = Direction.UNKNOWN
    #: How hard the credential is to copy.
    assurance: Assurance = Assurance.UID


class Reason(StrEnum):
    """Why a verdict is what it is."""

    KNOWN = "known"
    UNKNOWN_CARD = "unknown_card"
    BLOCKED = "blocked"
    LOST = "lost"
    EXPIRED = "expired"
    UNREADABLE = "unreadable"
    NOT_RECORDED = "not_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the lane tells the pupil and the bolt."""

    #: True opens the bolt.
    admit: bool
    #: Why.
    reason: Reason


class Mode(StrEnum):
    """Who takes attendance for a slot."""

    GATE = "gate"
    TEACHER = "teacher"
    NONE = "none"


class SlotKind(StrEnum):
    """What the slot is; only lessons and exams are judged."""

    LESSON = "lesson"
    CARE = "care"
    CLUB = "club"
    EXAM = "exam"


#: The number of a slot that no lesson of the day is counted by: an event between two bells.
UNCOUNTED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A dated lesson of a group, [start, end) in UTC."""

    #: Stable for (group, date, number).
    id: SlotId
    #: Who has it.
    group: GroupId
    #: Counted as the school counts its lessons; 0 exists, UNCOUNTED is none of them.
    number: int
    #: First moment of the lesson.
    start: datetime
    #: First moment after the lesson.
    end: datetime
    #: What it is.
    kind: SlotKind = SlotKind.LESSON
    #: Who takes attendance.
    mode: Mode = Mode.GATE
    #: Where it is held; empty is the site of the directory. The doors of one site say nothing about another.
    site: str = ""
    #: Whether everybody of the group must come; what is free to choose never decides whether a day began on time.
    obligatory: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", utc(self.start))
        object.__setattr__(self, "end", utc(self.end))
        if self.end <= self.start:
            raise ValueError(f"slot {self.id} ends before it starts")


class Status(StrEnum):
    """The fact of a mark; the reason and the source are other fields."""

    PRESENT = "present"
    LATE = "late"
    ABSENT = "absent"
    LEFT_EARLY = "left_early"
    UNKNOWN = "unknown"
    PENDING = "pending"


class MarkReason(StrEnum):
    """Why somebody was not there or late, as a person explained it; it never changes the status."""

    UNEXPLAINED = "unexplained"
    ILL_REPORTED = "ill_reported"
    ILL_CERTIFIED = "ill_certified"
    #: A written application of the parents.
    APPLICATION = "application"
    #: An order of the school: a trip, a duty.
    ORDER = "order"
    OLYMPIAD = "olympiad"
    FROST = "frost"
    #: Late without blame.
    TRANSPORT = "transport"
    #: Late without blame: waited at the gate.
    QUEUE = "queue"
    #: Let go by the nurse, a teacher or the office.
    RELEASED = "released"
    #: Not a good one; for the eyes of the staff only.
    INVALID = "invalid"


class Source(StrEnum):
    """Who says so; the office outweighs a teacher, and a teacher the gate."""

    GATE = "gate"
    TEACHER = "teacher"
    OFFICE = "office"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The door's own guess at what a tap means for the timetable."""

    #: The slot that the tap falls to.
    slot: SlotId
    #: Present or late.
    status: Status
    #: Minutes after the start, rounded up; 0 when present.
    minutes: int


class DoubtKind(StrEnum):
    """What keeps a mark from being sure. Every kind of outage of a lane is one of them."""

    #: Nothing was heard of the lane from `since` on.
    SILENT = "silent"
    DOWN = "down"
    BACKLOG = "backlog"
    BLIND = "blind"
    UNSYNCED = "unsynced"
    FREE = "free"
    FIRE_ALARM = "fire_alarm"
    OPENED = "opened"
    #: From `since` on no lane was in service, so nobody could be seen.
    NO_LANE = "no_lane"
    #: Let in at `since` by a gate that reported no rotation.
    PERMIT = "permit"
    #: Seen inside at `since` without having come in.
    CHECKPOINT = "checkpoint"
    #: The time of the tap at `since` is a guess.
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One thing that keeps a mark from being sure."""

    kind: DoubtKind
    #: `gateway/lane`; empty where it is about no lane in particular.
    lane: str = ""
    #: From when on, or when it happened.
    since: datetime | None = None

    def __str__(self) -> str:
        """`silent north/main since 2026-09-01T05:00:00.000Z`: equal doubts, equal words."""
        since = f"since {timestamp(self.since)}" if self.since is not None else ""
        return " ".join(part for part in (self.kind.value, self.lane, since) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The judgement of one person in one slot; a later fact gives a new revision, never an edit."""

    person: PersonId
    slot: SlotId
    status: Status
    #: Minutes between the start and the arrival, rounded up.
    minutes_late: int
    #: Minutes of the slot outside the building.
    minutes_missed: int
    #: Whether everything that serves the slot was heard of up to the deciding instant.
    complete: bool
    #: What speaks against it; empty when complete.
    doubts: tuple[Doubt, ...] = ()
    #: Whether nothing but a late fact can change it.
    final: bool = False
    #: As a person explained it.
    reason: MarkReason | None = None
    #: Who says so.
    source: Source = Source.GATE
