"""What a codec makes of bytes, whatever the device: cards that come and go, bad cards, bad frames and noise."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

from gateway.domain.credential import Credential, Technology
from gateway.domain.model import Assurance
from gateway.errors import CredentialRefused

F = TypeVar("F")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One good reading of a card."""

    credential: Credential
    #: The bytes that said so.
    raw: bytes = field(repr=False)
    assurance: Assurance = Assurance.UID


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCard:
    """A good reading of a card that cannot serve as an identity."""

    technology: Technology
    raw: bytes = field(repr=False)
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """No card is in the field any more, where a reader says so."""

    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFrame:
    """Something that began like a frame and is none."""

    raw: bytes = field(repr=False)
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """This many bytes outside of any frame."""

    size: int


Frame: TypeAlias = Card | BadCard | Removed | BadFrame | Noise


class Codec(Protocol[F]):
    """Bytes to frames. The same bytes give the same frames however they are cut, and the buffer is bounded."""

    def feed(self, data: bytes) -> list[F]:
        """The frames that these bytes complete; never raises."""
        ...

    def end(self) -> list[F]:
        """What was begun and will not be completed."""
        ...


def card(technology: Technology, uid: bytes, raw: bytes) -> Card | BadCard:
    """Judge a UID that was read without fault."""
    try:
        return Card(credential=Credential(technology=technology, uid=uid), raw=raw)
    except CredentialRefused as refused:
        return BadCard(technology=technology, raw=raw, why=str(refused))


def described(frames: list[F]) -> Iterator[dict[str, str]]:
    """What `attendance-gateway decode` prints: whole UIDs, for the person who holds the capture."""
    for frame in frames:
        match frame:
            case Card(credential=credential, raw=raw):
                uid = credential.uid.hex().upper()
                yield {"technology": credential.technology.value, "uid": uid, "raw": raw.hex().upper()}
            case BadCard(raw=raw, why=why) | BadFrame(raw=raw, why=why):
                yield {"rejected": raw.hex().upper(), "why": why}
