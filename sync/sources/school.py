"""A school as it is imported: who, with which cards, to tell whom, in which lessons, through which lanes."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from gateway.domain.credential import Credential
from gateway.domain.directory import CredentialState, GatewayRow, LaneRow
from gateway.domain.model import GroupId, LaneDirection, LaneId, PersonId
from gateway.domain.statement import Excuse
from gateway.domain.timetable import (
    Bell,
    CalendarDay,
    Event,
    Lesson,
    Plan,
    SchoolClass,
    Substitution,
    Timetable,
)


class Role(StrEnum):
    """Who somebody is at school. Staff come and go like everybody, and are never judged."""

    PUPIL = "pupil"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who comes and goes."""

    id: PersonId
    last_name: str = field(repr=False)
    first_name: str = field(repr=False)
    #: ru or en; empty is the site's own, until the parts are joined.
    language: str
    #: The class first; none for staff without one.
    groups: tuple[GroupId, ...]
    role: Role = Role.PUPIL
    #: Where it was read, `file:row`.
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where messages about a person go."""

    person: PersonId
    #: An e-mail address, or a URL of the notifier.
    address: str = field(repr=False)
    #: ru or en; empty is the site's own, until the parts are joined.
    language: str
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Whose card it is, [valid_from, valid_to) in UTC."""

    credential: Credential
    person: PersonId
    valid_from: dt.datetime | None
    valid_to: dt.datetime | None
    state: CredentialState
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedLane:
    """A lane, and when it is in service by the clock on the wall."""

    gateway: str
    id: LaneId
    direction: LaneDirection
    opens: dt.time
    closes: dt.time
    #: Whether its gate reports who went through.
    rotations: bool = False
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something in a source that was understood, but perhaps not as it was meant; nothing personal in it."""

    #: `file:row:column`, as far as it is known.
    place: str
    problem: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one source tells of a school; None is what it does not tell. Parts that fit together make a School."""

    name: str | None = None
    language: str | None = None
    #: The IANA name.
    zone: str | None = None
    people: Sequence[Person] | None = None
    contacts: Sequence[Contact] | None = None
    cards: Sequence[Card] | None = None
    lanes: Sequence[ServedLane] | None = None
    classes: Sequence[SchoolClass] | None = None
    bells: Sequence[Bell] | None = None
    lessons: Sequence[Lesson] | None = None
    calendar: Sequence[CalendarDay] | None = None
    substitutions: Sequence[Substitution] | None = None
    events: Sequence[Event] | None = None
    excuses: Sequence[Excuse] | None = None
    plans: Sequence[Plan] | None = None
    #: The names that weeks take in turn, and a day of a week of the first name.
    weeks: Sequence[str] | None = None
    weeks_from: dt.date | None = None
    remarks: Sequence[Remark] = ()
    #: Of (file, column): what the file itself calls the column, where that is another word.
    headers: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """Everything that a source tells; its parts fit together."""

    #: As parents read it.
    name: str
    #: ru or en.
    language: str
    #: The IANA name of the site's zone.
    zone: str
    people: Sequence[Person]
    contacts: Sequence[Contact]
    cards: Sequence[Card]
    lanes: Sequence[ServedLane]
    #: Classes, bells, lessons, calendar and substitutions.
    timetable: Timetable
    excuses: Sequence[Excuse] = ()
    plans: Sequence[Plan] = ()
    #: What the sources said beside it.
    remarks: Sequence[Remark] = ()

    @property
    def gateways(self) -> tuple[GatewayRow, ...]:
        """The lanes as the directory lists them."""
        lanes = sorted(self.lanes, key=lambda lane: lane.gateway)
        return tuple(
            GatewayRow(id=gateway, lanes=tuple(_lane_row(lane) for lane in its_lanes))
            for gateway, its_lanes in groupby(lanes, key=lambda lane: lane.gateway)
        )


def _lane_row(lane: ServedLane) -> LaneRow:
    return LaneRow(
        id=lane.id,
        direction=lane.direction,
        opens=f"{lane.opens:%H:%M}",
        closes=f"{lane.closes:%H:%M}",
        rotations=lane.rotations,
    )
