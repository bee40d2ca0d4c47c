"""The values that notices are decided on: a pupil's day, who hears of it, what they heard, and what they are to hear."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateway.domain.model import Mark, PersonId, Slot
from gateway.domain.policy import Policy
from gateway.domain.register import Coverage, Fact
from gateway.domain.statement import Excuse, Statement


class Template(StrEnum):
    """What a notice says."""

    #: Came in late to the first obligatory slot.
    LATE = "late"
    #: The card was not seen at the entrance by the cut-off.
    NOT_SEEN = "not_seen"
    #: Missed a lesson, and a person of the staff confirmed it.
    ABSENT = "absent"
    #: Came in after not_seen or absent.
    UPDATE = "update"
    #: After not_seen: a checkpoint or the staff saw the pupil; nothing is known of the entrance.
    SEEN = "seen"
    #: What was said before is false.
    CORRECTION = "correction"
    #: Went out during a lesson and was outside when it ended. Only for who asked.
    LEFT_EARLY = "left_early"
    #: When the pupil came in. Only for who asked.
    ARRIVED = "arrived"


#: What nobody is told who did not ask for it.
ON_REQUEST = frozenset({Template.LEFT_EARLY, Template.ARRIVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One parent who agreed to be told."""

    #: A mail address or an Apprise URL.
    address: str = field(repr=False)
    language: str
    #: Which of ON_REQUEST the parent asked for.
    asked: frozenset[Template] = frozenset()


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
    #: Whose doors the facts are of.
    site: str = ""
    #: What the staff said of the pupil.
    statements: Sequence[Statement] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a message may be sent, [opens, expires); empty where quiet hours leave nothing of it."""

    opens: datetime
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a recipient has heard, or may have heard."""

    address: str = field(repr=False)
    template: Template
    #: The moment that it named.
    at: datetime | None
    #: When it might be sent; what follows it up goes no later.
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one recipient; one per (pupil, day, recipient, template)."""

    person: PersonId
    recipient: Recipient
    template: Template
    name: str = field(repr=False)
    #: not_seen: the cut-off; absent: the start of the lesson; seen: when the pupil was seen; left_early: when the pupil went
    #: out. Otherwise when the pupil came in; None where that is not known.
    at: datetime | None
    #: late: minutes after the start, rounded up.
    minutes: int = 0
    window: Window
