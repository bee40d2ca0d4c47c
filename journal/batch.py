"""A batch as it arrived: read, verified against the registered key, cut into exact bytes; or refused with a code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.domain.handshake import Hash, KeyId, Name, Position, Refusal, Signature
from gateway.domain.model import Seq
from gateway.domain.wire import Envelope, Event, Stream, batch_statement, chain, split
from gateway.errors import BadSignature, MalformedMessage
from journal.reading import PlainTap, columns_of, read_event, read_lines
from sync.signing import BATCH_TAG, Keyring, key_id

#: Of `Received.rows`.
ROW = (
    "site",
    "gateway",
    "epoch",
    "seq",
    "body",
    "hash",
    "type",
    "at",
    "recorded",
    "boot",
    "lane",
    "token",
    "flag",
    "origin",
)


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
        read = zip(self.envelopes, self.lines, strict=True)
        return [read_event(self.stream, e) if isinstance(line, PlainTap) else line for e, line in read]

    @cached_property
    def lines(self) -> Sequence[PlainTap | Event | str]:
        """The same, of most taps only what their columns need."""
        return read_lines(self.stream, self.envelopes)

    @cached_property
    def rows(self) -> Sequence[tuple[object, ...]]:
        """Their rows in `entries`, but for `received`."""
        key = (self.stream.site, self.stream.gateway, self.stream.epoch)
        read = zip(self.envelopes, self.lines, strict=True)
        return [(*key, e.seq, e.body, e.hash, *columns_of(line)) for e, line in read]

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


def _cut(claim: Claim, prev: bytes, payload: bytes) -> Sequence[Envelope]:
    bodies = split(payload)
    if len(bodies) != claim.last - claim.first + 1:
        raise MalformedMessage(f"a batch of {claim.first} to {claim.last} has {len(bodies)} events")
    return chain(prev, Seq(claim.first), bodies)
