"""What the two sides say to each other beside entries: birth, receipt, directory manifest; and how each is signed.

A signature covers a type tag and every field: the tag and `key=value` lines, sorted, as ASCII bytes under Ed25519.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import MalformedMessage

Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
KeyId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Signature = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
Position = Annotated[int, Field(ge=0, lt=10**12)]

MAX_MESSAGE_BYTES = 16 * 1024


def topic(site: str, *rest: str) -> str:
    """A topic below the root of the contract."""
    return "/".join(("att/v1", site, *rest))


def signing_bytes(tag: str, fields: Mapping[str, object]) -> bytes:
    """The bytes under a signature; the same fields give the same bytes whatever their order."""
    lines = [f"{key}={_text(value)}" for key, value in sorted(fields.items())]
    return "\n".join([tag, *lines]).encode("ascii")


def _text(value: object) -> str:
    text = ",".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)
    if "\n" in text:
        raise MalformedMessage("a signed field has no line break")
    return text


class Message(BaseModel):
    """A signed JSON document. Parsing refuses unknown keys, wrong types and anything oversize."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    tag: ClassVar[str]

    kid: KeyId = ""
    sig: Signature = ""

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """Read a message. Raises MalformedMessage; the signature is not looked at."""
        if len(payload) > MAX_MESSAGE_BYTES:
            raise MalformedMessage(f"a {cls.tag} has at most {MAX_MESSAGE_BYTES} bytes, got {len(payload)}")
        try:
            return cls.model_validate_json(payload)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "document"
            raise MalformedMessage(f"{cls.tag}: {place}: {first['msg']}") from error

    def payload(self) -> bytes:
        """What is published."""
        return self.model_dump_json(exclude_none=False).encode("ascii")

    def statement(self) -> dict[str, object]:
        """The fields that the signature covers."""
        return self.model_dump(exclude={"sig"})


class Birth(Message):
    """Gateway → journal, retained on `state`: this session begins; nothing is sent or settled before a receipt echoes it."""

    tag: ClassVar[str] = "att.birth.v1"

    state: Literal["online"] = "online"
    site: Name
    gateway: Name
    #: Random per connection.
    session: Name
    epoch: Name
    #: Newest seq.
    last: Position
    #: h(last).
    head: Hash
    #: Oldest seq still kept; last + 1 when none is.
    floor: Position


class Parting(BaseModel):
    """Gateway → journal, retained on `state`: a clean stop, or the broker's last will. Carries its session, so a late will cannot kill a newer one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    state: Literal["offline", "lost"]
    session: Name


class Span(BaseModel):
    """Seqs that the journal holds beyond `through`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    first: Position
    last: Position

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


class Refusal(BaseModel):
    """A batch that the journal did not count, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    first: Position
    last: Position
    code: Literal["malformed", "key", "signature", "link", "site", "quarantine"]

    def __str__(self) -> str:
        return f"{self.first}-{self.last}:{self.code}"


class Receipt(Message):
    """Journal → gateway: how far the journal has committed. Only this settles an entry."""

    tag: ClassVar[str] = "att.receipt.v1"

    site: Name
    gateway: Name
    #: Echo of the birth.
    session: Name
    epoch: Name
    #: Every seq up to this one is committed.
    through: Position
    #: h(through).
    head: Hash
    held: Annotated[tuple[Span, ...], Field(max_length=16)] = ()
    refused: Annotated[tuple[Refusal, ...], Field(max_length=16)] = ()
    #: Milliseconds since the epoch of UTC, by the journal's clock.
    issued: Annotated[int, Field(ge=0, lt=10**15)]

    def statement(self) -> dict[str, object]:
        """The fields that the signature covers, ranges in words."""
        plain = super().statement()
        return plain | {
            "held": [str(span) for span in self.held],
            "refused": [str(refusal) for refusal in self.refused],
        }


class Manifest(Message):
    """Journal → gateways, retained: which directory is the newest, and where its parts are."""

    tag: ClassVar[str] = "att.directory.v1"

    site: Name
    #: Issue time in milliseconds since the epoch of UTC.
    version: Annotated[int, Field(ge=0, lt=10**15)]
    #: Milliseconds since the epoch of UTC; afterwards it identifies and matches nothing.
    valid_until: Annotated[int, Field(ge=0, lt=10**15)]
    #: Of the whole content.
    sha256: Hash
    #: SHA-256 of each part, in order.
    parts: Annotated[tuple[Hash, ...], Field(min_length=1, max_length=200)]
    #: Hex Ed25519 public keys that may sign from now on.
    next_keys: Annotated[tuple[Hash, ...], Field(max_length=4)] = ()
