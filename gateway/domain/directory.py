"""The directory: who holds which card, which slots are on, and the rules, as one immutable value at one version."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from gateway.domain.credential import Token
from gateway.domain.handshake import Name
from gateway.domain.model import GroupId, LaneDirection, LaneId, PersonId, Slot
from gateway.domain.policy import Policy
from gateway.errors import MalformedMessage

#: Slots lie between these years, so that no sum with a duration of the policy overflows.
_YEARS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))

K = TypeVar("K")
V = TypeVar("V")


class CredentialState(StrEnum):
    """What the office says of a card."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    LOST = "lost"


class Row(BaseModel):
    """One row of the content; unknown keys are kept out so that two versions cannot misread each other."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LaneRow(Row):
    """A lane that serves the site."""

    id: LaneId
    direction: LaneDirection
    #: Local wall time `HH:MM` from which the lane is in service.
    opens: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] = "07:00"
    #: Local wall time `HH:MM` at which its service ends.
    closes: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] = "20:00"
    #: Its gate reports rotations, so that a tap alone is no passage.
    rotations: bool = False


class GatewayRow(Row):
    """A gateway of the site."""

    id: Name
    lanes: tuple[LaneRow, ...]


class PersonRow(Row):
    """A person, by an opaque id; a name only where a guard's screen needs one."""

    id: PersonId
    groups: tuple[GroupId, ...]
    display: str | None = None


class CredentialRow(Row):
    """Whose token it is, [valid_from, valid_to)."""

    token: Token
    person: PersonId
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = None
    state: CredentialState = CredentialState.ACTIVE


class Content(Row):
    """What the parts of a directory spell when joined."""

    site: Name
    zone: str
    gateways: tuple[GatewayRow, ...]
    persons: tuple[PersonRow, ...]
    credentials: tuple[CredentialRow, ...]
    slots: tuple[Slot, ...]
    policy: Policy = Policy()

    @field_validator("slots")
    @classmethod
    def _in_these_years(cls, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
        for slot in slots:
            if slot.start < _YEARS[0] or slot.end > _YEARS[1]:
                raise ValueError(f"slot {slot.id} is not between {_YEARS[0].year} and {_YEARS[1].year}")
        return slots

    @classmethod
    def parse(cls, raw: bytes) -> "Content":
        """Raises MalformedMessage."""
        try:
            return cls.model_validate_json(raw)
        except ValidationError as error:
            first = error.errors()[0]
            raise MalformedMessage(f"directory: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        except ArithmeticError as error:
            raise MalformedMessage(f"directory: a time in it is none: {error}") from error

    def raw(self) -> bytes:
        """The canonical bytes: equal content gives equal bytes."""
        plain = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(plain, separators=(",", ":"), sort_keys=True).encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The content, indexed for a tap."""

    version: int | None
    valid_until: datetime | None
    #: Whose doors these are; empty while it is not known.
    site: str
    zone: str
    policy: Policy
    _credentials: Mapping[Token, Sequence[CredentialRow]] = field(repr=False)
    _groups: Mapping[PersonId, tuple[GroupId, ...]] = field(repr=False)
    _slots: Mapping[GroupId, Sequence[Slot]] = field(repr=False)

    @classmethod
    def empty(cls) -> "Directory":
        """Knows nobody: every card is unknown, every tap is still recorded."""
        return cls(
            version=None, valid_until=None, site="", zone="UTC", policy=Policy(), _credentials={}, _groups={}, _slots={}
        )

    @classmethod
    def of(
        cls,
        content: Content,
        *,
        version: int | None,
        valid_until: datetime,
        days: tuple[datetime, datetime] | None = None,
    ) -> "Directory":
        """Index a content, without a version where no journal made it; with `days` only slots that touch [first, second) are kept in memory."""
        slots = content.slots if days is None else [s for s in content.slots if s.start < days[1] and s.end > days[0]]
        return cls(
            version=version,
            valid_until=valid_until,
            site=content.site,
            zone=content.zone,
            policy=content.policy,
            _credentials=_grouped((row.token, row) for row in content.credentials),
            _groups={row.id: row.groups for row in content.persons},
            _slots=_grouped((slot.group, slot) for slot in sorted(slots, key=lambda s: s.start)),
        )

    def expired(self, at: datetime) -> bool:
        """An expired directory still identifies, and matches nothing."""
        return self.valid_until is not None and at >= self.valid_until

    def credential(self, tokens: Iterable[Token], at: datetime) -> CredentialRow | None:
        """The row of the first token that is known at that time; else a row that is not valid any more or not yet."""
        rows = [row for token in tokens for row in self._credentials.get(token, ())]
        valid = [row for row in rows if covers(row, at)]
        return next(iter(valid or rows), None)

    @property
    def slots(self) -> list[Slot]:
        """Every slot that is kept in memory."""
        return [slot for slots in self._slots.values() for slot in slots]

    def slots_of(self, person: PersonId) -> list[Slot]:
        """The person's slots in order of time."""
        slots = {slot.id: slot for group in self._groups.get(person, ()) for slot in self._slots.get(group, ())}
        return sorted(slots.values(), key=lambda slot: (slot.start, slot.id))


def covers(row: CredentialRow, at: datetime) -> bool:
    """Whether the card belongs to its person at that time."""
    lowest, highest = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return (row.valid_from or lowest) <= at < (row.valid_to or highest)


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    groups: dict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)
