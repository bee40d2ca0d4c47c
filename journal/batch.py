"""A batch as it arrived: read, verified against the registered key, cut into exact bytes; or refused with a code."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.domain.entry import ClockData, CoverageData
from gateway.domain.handshake import Hash, KeyId, Name, Position, Refusal, Signature
from gateway.domain.model import Seq
from gateway.domain.wire import Envelope, Event, Stream, batch_statement, chain, decode, split
from gateway.errors import BadSignature, MalformedMessage
from sync.signing import BATCH_TAG, Keyring, key_id

MALFORMED, IDENTITY = "malformed", "identity"
_MAX_TEXT = 128
#: Nothing of ours happens outside, not even before anybody set a clock; inside, no sum of a time and a correction leaves
#: the calendar.
_CALENDAR = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A gateway as the office added it."""

    site: str
    gateway: str
    public_key: bytes
    #: What it announced to sign with from its next birth on.
    next_key: bytes | None = None


class Claim(BaseModel):
    """The user properties of a batch."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    epoch: Name
    first: Annotated[Position, Field(ge=1)]
    last: Annotated[Position, Field(ge=1)]
    prev: Hash
    head: Hash
    kid: KeyId
    sig: Signature

    def refused(self, code: str) -> Refusal:
        """The refusal that names this batch."""
        return Refusal.model_validate({"first": self.first, "last": self.last, "code": code})


@dataclass(frozen=True, kw_only=True)
class Received:
    """A batch that says what its registered gateway signed; its place in the ledger is another question."""

    stream: Stream
    prev: bytes
    kid: str
    sig: str
    envelopes: Sequence[Envelope]

    @property
    def first(self) -> int:
        """Seq of the oldest envelope."""
        return self.envelopes[0].seq

    @property
    def last(self) -> int:
        """Seq of the newest envelope."""
        return self.envelopes[-1].seq

    @property
    def head(self) -> bytes:
        """h(last)."""
        return self.envelopes[-1].hash

    @cached_property
    def events(self) -> Sequence[Event | str]:
        """Of each envelope the event, or why nobody may judge by it."""
        return [read_event(self.stream, envelope) for envelope in self.envelopes]

    def refused(self, code: str) -> Refusal:
        """The refusal that names this batch."""
        return Refusal.model_validate({"first": self.first, "last": self.last, "code": code})

    def segment(self) -> dict[str, str | int | bytes]:
        """Its row in `segments`."""
        stream: dict[str, str | int | bytes] = {
            "site": self.stream.site,
            "gateway": self.stream.gateway,
            "epoch": self.stream.epoch,
        }
        place: dict[str, str | int | bytes] = {
            "first": self.first,
            "last": self.last,
            "prev": self.prev,
            "head": self.head,
        }
        return stream | place | {"kid": self.kid, "sig": self.sig}


def claimed(properties: Mapping[str, str]) -> Claim:
    """What the batch says of itself. Raises MalformedMessage."""
    try:
        return Claim.model_validate(dict(properties))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise MalformedMessage(f"batch: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def examine(claim: Claim, payload: bytes, *, site: str, registered: Registered) -> Received | Refusal:
    """Check everything that needs no database: site, key, signature, form, count, chain."""
    if registered.site != site:
        return claim.refused("site")
    if claim.kid != key_id(registered.public_key):
        return claim.refused("key")
    stream = Stream(site=site, gateway=registered.gateway, epoch=claim.epoch)
    prev, head = bytes.fromhex(claim.prev), bytes.fromhex(claim.head)
    statement = batch_statement(stream, first=claim.first, last=claim.last, prev=prev, head=head)
    try:
        Keyring([registered.public_key]).verify(BATCH_TAG, statement, kid=claim.kid, sig=claim.sig)
    except BadSignature:
        return claim.refused("signature")
    try:
        envelopes = _cut(claim, prev, payload)
    except MalformedMessage:
        return claim.refused("malformed")
    if envelopes[-1].hash != head:
        return claim.refused("link")
    return Received(stream=stream, prev=prev, kid=claim.kid, sig=claim.sig, envelopes=envelopes)


def read_event(stream: Stream, envelope: Envelope) -> Event | str:
    """The event, or why nobody may judge by it: it does not decode, is of no time of ours, or is another's by its name."""
    try:
        event = decode(envelope.body)
        possible = all(_CALENDAR[0] <= at < _CALENDAR[1] for at in _moments(event))
    except (MalformedMessage, OverflowError, ValueError):
        return MALFORMED
    if event.seq != envelope.seq or event.stream != stream:
        return IDENTITY
    data = event.data
    storable = _storable(data.type) and _storable(event.at.boot) and _storable(getattr(data, "lane", ""))
    return event if possible and storable and _storable(getattr(data, "token", None) or "") else MALFORMED


def _moments(event: Event) -> Iterable[datetime]:
    """Everything that a day could be made of. Raises OverflowError."""
    yield from (event.at.at, event.recorded)
    match event.data:
        case CoverageData(since=since, until=until):
            yield from (since, until)
        case ClockData(wall=wall, correction=correction):
            yield from (wall, event.at.at + timedelta(milliseconds=correction))


def _cut(claim: Claim, prev: bytes, payload: bytes) -> Sequence[Envelope]:
    bodies = split(payload)
    if len(bodies) != claim.last - claim.first + 1:
        raise MalformedMessage(f"a batch of {claim.first} to {claim.last} has {len(bodies)} events")
    return chain(prev, Seq(claim.first), bodies)


def _storable(text: object) -> bool:
    """Ids of the contract are short ASCII words; anything else could not be a column of every database."""
    return isinstance(text, str) and len(text) <= _MAX_TEXT and text.isascii() and text.isprintable()
