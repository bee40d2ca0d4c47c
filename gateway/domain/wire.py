r"""Entries as bytes: encoded once, at append; those bytes are hashed, stored, sent and archived.

    batch payload   [\n event ,\n event \n]         each event is one line, so anyone can cut the exact bytes
    chain           h(n) = SHA-256(h(n-1) ‖ bytes(n)),  h(0) = SHA-256("att.v1|site|gateway|epoch")

CloudEvents 1.0 JSON batch format; ASCII, no floats, times with milliseconds and Z.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from gateway.domain.entry import (
    ClockData,
    CoverageData,
    Data,
    DeviceData,
    Entry,
    EpochData,
    KeyData,
    ManualData,
    PassageData,
    TapData,
    UnknownData,
)
from gateway.domain.model import ClockState, Instant, Seq, timestamp, utc
from gateway.errors import MalformedMessage

CONTENT_TYPE = "application/cloudevents-batch+json"
MAX_EVENT_BYTES = 4096
#: Of these, kept free for the origin of an event that is appended again.
ORIGIN_BYTES = 160
MAX_BATCH_EVENTS = 100
MAX_BATCH_BYTES = 48 * 1024

_OPEN, _JOIN, _CLOSE = b"[\n", b",\n", b"\n]"
_DATA: dict[str, TypeAdapter[Data]] = {
    kind.type: TypeAdapter(kind)
    for kind in (EpochData, TapData, PassageData, CoverageData, DeviceData, ManualData, ClockData, KeyData)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Whose ledger: (site, gateway, epoch, seq) names an entry for ever."""

    site: str
    gateway: str
    epoch: str

    @property
    def source(self) -> str:
        """The CloudEvents source of every event of the stream."""
        return f"urn:att:{self.site}:{self.gateway}:{self.epoch}"

    @property
    def genesis(self) -> bytes:
        """h(0)."""
        return hashlib.sha256(f"att.v1|{self.site}|{self.gateway}|{self.epoch}".encode("ascii")).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An entry as it was appended."""

    seq: Seq
    #: The exact bytes.
    body: bytes
    #: h(seq).
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive envelopes of one stream."""

    stream: Stream
    #: h(first - 1).
    prev: bytes
    envelopes: tuple[Envelope, ...]

    @property
    def first(self) -> Seq:
        """Seq of the oldest envelope."""
        return self.envelopes[0].seq

    @property
    def last(self) -> Seq:
        """Seq of the newest envelope."""
        return self.envelopes[-1].seq

    @property
    def head(self) -> bytes:
        """h(last)."""
        return self.envelopes[-1].hash

    @property
    def payload(self) -> bytes:
        """What is published."""
        return join(envelope.body for envelope in self.envelopes)

    def statement(self) -> dict[str, str | int]:
        """The fields that the batch's signature covers."""
        return batch_statement(self.stream, first=self.first, last=self.last, prev=self.prev, head=self.head)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an entry stood that was appended again under a new epoch."""

    epoch: str
    seq: Seq
    #: Its h(seq) there, in hex.
    hash: str

    def __str__(self) -> str:
        return f"{self.epoch}/{self.seq}/{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Origin":
        """Raises ValueError."""
        epoch, seq, digest = text.split("/")
        if len(bytes.fromhex(digest)) != hashlib.sha256().digest_size:
            raise ValueError("an origin ends in a SHA-256")
        return cls(epoch=epoch, seq=Seq(int(seq)), hash=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event as the other side reads it."""

    stream: Stream
    seq: Seq
    at: Instant
    recorded: datetime
    data: Data | UnknownData
    expires: datetime | None
    #: None for one that was appended once.
    origin: Origin | None = None


def batch_statement(stream: Stream, *, first: int, last: int, prev: bytes, head: bytes) -> dict[str, str | int]:
    """What a batch's signature says, for both sides."""
    return {
        "site": stream.site,
        "gateway": stream.gateway,
        "epoch": stream.epoch,
        "first": first,
        "last": last,
        "prev": prev.hex(),
        "head": head.hex(),
    }


def link(prev: bytes, body: bytes) -> bytes:
    """The next hash of the chain."""
    return hashlib.sha256(prev + body).digest()


def chain(prev: bytes, first: Seq, bodies: Iterable[bytes]) -> list[Envelope]:
    """Envelopes with consecutive seqs over exact bytes."""
    envelopes = []
    for seq, body in enumerate(bodies, first):
        prev = link(prev, body)
        envelopes.append(Envelope(seq=Seq(seq), body=body, hash=prev))
    return envelopes


def fit(envelopes: Sequence[Envelope]) -> int:
    """How many of these go into one batch."""
    size = len(_OPEN) + len(_CLOSE)
    for count, envelope in enumerate(envelopes[:MAX_BATCH_EVENTS]):
        size += len(envelope.body) + (len(_JOIN) if count else 0)
        if size > MAX_BATCH_BYTES:
            return count
    return min(len(envelopes), MAX_BATCH_EVENTS)


def join(bodies: Iterable[bytes]) -> bytes:
    """The payload of a batch."""
    return _OPEN + _JOIN.join(bodies) + _CLOSE


def split(payload: bytes) -> list[bytes]:
    """The exact bytes of each event. Raises MalformedMessage."""
    if len(payload) > MAX_BATCH_BYTES:
        raise MalformedMessage(f"a batch has at most {MAX_BATCH_BYTES} bytes, got {len(payload)}")
    if not (payload.startswith(_OPEN) and payload.endswith(_CLOSE) and len(payload) > len(_OPEN + _CLOSE)):
        raise MalformedMessage("a batch is '[', one event a line, ']'")
    bodies = payload[len(_OPEN) : -len(_CLOSE)].split(_JOIN)
    if len(bodies) > MAX_BATCH_EVENTS:
        raise MalformedMessage(f"a batch has at most {MAX_BATCH_EVENTS} events, got {len(bodies)}")
    if (longest := max(len(body) for body in bodies)) > MAX_EVENT_BYTES:
        raise MalformedMessage(f"an event has at most {MAX_EVENT_BYTES} bytes, got {longest}")
    if any(b"\n" in body for body in bodies):
        raise MalformedMessage("an event is one line")
    return bodies


def encode(entry: Entry, *, stream: Stream, seq: Seq, recorded: datetime) -> bytes:
    """One line of ASCII JSON. Raises MalformedMessage when it is longer than an event may be, or holds half a character."""
    digits, at, kind = f"{seq:012d}", entry.at, entry.data.type
    expiry = f'"expirytime":"{timestamp(entry.expires)}",' if entry.expires is not None else ""
    # Spelled out, because encoding a tap is most of what a durable tap costs the processor.
    head = (
        f'{{"specversion":"1.0","source":{_quoted(stream.source)},"id":"{digits}","sequence":"{digits}","type":"{kind}",'
        f'"time":"{timestamp(at.at)}","recordedtime":"{timestamp(recorded)}",'
        f'"boot":{_quoted(at.boot)},"boottime":"{at.boottime}","clock":"{at.clock}",{expiry}"data":'
    )
    try:
        data = _DATA[kind].dump_json(entry.data, ensure_ascii=True)
    except ValueError as error:
        raise MalformedMessage(f"this {kind} cannot be written as JSON: {error}") from error
    body = head.encode("ascii") + data + b"}"
    if len(body) > MAX_EVENT_BYTES - ORIGIN_BYTES:
        most = MAX_EVENT_BYTES - ORIGIN_BYTES
        raise MalformedMessage(f"an event has at most {most} bytes when it is appended, this {kind} has {len(body)}")
    return body


def again(envelope: Envelope, old: Stream, *, new: Stream, seq: Seq, places: Mapping[Seq, Seq]) -> bytes:
    """The bytes of an entry of an old epoch under a new one. Raises MalformedMessage.

    Everything that it says stays, and so does its first origin. A seq that it refers to becomes its new place; what was
    not appended again has none.
    """
    try:
        event = json.loads(envelope.body)
        event["source"], event["id"] = new.source, f"{seq:012d}"
        event["sequence"] = event["id"]
        event.setdefault("origin", str(Origin(epoch=old.epoch, seq=envelope.seq, hash=envelope.hash.hex())))
        if "tap" in event["data"]:
            event["data"]["tap"] = places.get(event["data"]["tap"])
        return json.dumps(event, separators=(",", ":")).encode("ascii")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise MalformedMessage(f"entry {envelope.seq} of {old.epoch} cannot be read: {error}") from error


def decode(body: bytes) -> Event:
    """Read one event of any sender. Raises MalformedMessage."""
    try:
        event = from_json(body)  # a third of the time of json.loads
        _, _, site, gateway, epoch = event["source"].split(":")
        kind = event["type"]
        adapter = _DATA.get(kind)
        expires, origin = event.get("expirytime"), event.get("origin")
        return Event(
            stream=Stream(site=site, gateway=gateway, epoch=epoch),
            seq=Seq(int(event["sequence"])),
            at=Instant(
                at=datetime.fromisoformat(event["time"]),
                boot=event["boot"],
                boottime=int(event["boottime"]),
                clock=ClockState(event["clock"]),
            ),
            recorded=utc(datetime.fromisoformat(event["recordedtime"])),
            data=adapter.validate_python(event["data"]) if adapter else UnknownData(type=kind, raw=dict(event["data"])),
            expires=utc(datetime.fromisoformat(expires)) if expires is not None else None,
            origin=Origin.parse(origin) if origin is not None else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, ValidationError) as error:
        raise MalformedMessage(f"not an event of the contract: {type(error).__name__}: {error}"[:300]) from error


@lru_cache(maxsize=64)
def _quoted(text: str) -> str:
    return json.dumps(text)
