"""What people say about one another's attendance: excuses, releases, manual entries, corrections. Said once, never edited."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.domain.model import MarkReason, PersonId, Source, Status, utc


class StatementKind(StrEnum):
    """What is said of a person."""

    #: Came in at `at`: let in by hand, a forgotten card, one name of a bulk entry.
    CAME = "came"
    #: Went out at `at`.
    LEFT = "left"
    #: The slots that begin in [at, until) have this status, whatever the doors saw.
    MARK = "mark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A member of the staff says where a person was. Of two of one source about one slot the later said one counts."""

    person: PersonId
    kind: StatementKind
    #: The moment that it is about.
    at: datetime
    #: mark: the first moment that it is not about any more.
    until: datetime | None = None
    #: mark: present, late, absent or left_early.
    status: Status | None = None
    #: mark late: minutes after the start.
    minutes_late: int = 0
    reason: MarkReason | None = None
    #: Teacher or office.
    source: Source
    #: When it was said.
    said: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at))
        object.__setattr__(self, "said", utc(self.said))
        if self.until is not None:
            object.__setattr__(self, "until", utc(self.until))


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse:
    """A person need not be inside during [since, until). A release is an excuse from the moment of leaving."""

    person: PersonId
    since: datetime
    until: datetime
    reason: MarkReason
    #: Teacher or office.
    source: Source = Source.OFFICE
    #: Where it was read, `file:row`.
    origin: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", utc(self.since))
        object.__setattr__(self, "until", utc(self.until))
