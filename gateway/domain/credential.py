"""A card as an identity: technology and UID in air order, never shown whole, never stored except as a keyed token.

Canonical form `technology:UID`, upper-case hex, UID0 first, full length: `14443a:04DE5F1EACC040`, `em4100:55007EE424`.
Sources: ISO/IEC 14443-3 (UID sizes, cascade tag 88, random UID 08), NXP AN10927 (4-byte UIDs are not unique), EM4100.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from gateway.errors import CredentialRefused

Token = NewType("Token", str)

_TOKEN_HEX_DIGITS = 32
_HALF_READ_TAIL = 4
_PRINTED = "what is printed on a card may leave bytes out: read it at a reader, systemd/install.md, step 7"


class Technology(StrEnum):
    """What the card speaks on the air; the same digits on two technologies are two cards."""

    EM4100 = "em4100"
    ISO14443A = "14443a"
    FELICA = "felica"
    # What a reader with Wiegand wires makes of a card: cut, so nobody completes it to the card's own UID.
    WIEGAND26 = "wiegand26"
    WIEGAND34 = "wiegand34"
    WIEGAND37 = "wiegand37"
    #: The number under which a terminal knows a person, whatever was held to it: decimal digits in pairs.
    ZKTECO = "zkteco"


#: Lengths in bytes that a complete UID of each technology may have.
UID_LENGTHS: Mapping[Technology, frozenset[int]] = {
    Technology.EM4100: frozenset({5}),
    Technology.ISO14443A: frozenset({4, 7, 10}),
    Technology.FELICA: frozenset({8}),
    Technology.WIEGAND26: frozenset({3}),
    Technology.WIEGAND34: frozenset({4}),
    Technology.WIEGAND37: frozenset({5}),
    Technology.ZKTECO: frozenset(range(2, 10)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A complete, fixed UID. Raises CredentialRefused for anything that cannot name one card for ever."""

    #: What the card speaks on the air.
    technology: Technology
    #: Air order, UID0 first.
    uid: bytes

    def __post_init__(self) -> None:
        if why := _why_refused(self.technology, self.uid):
            raise CredentialRefused(why, hint=None if len(self.uid) in UID_LENGTHS[self.technology] else _PRINTED)

    def __str__(self) -> str:
        return f"{self.technology}:{self.uid.hex().upper()}"

    def __repr__(self) -> str:
        return f"Credential({self.masked})"

    @property
    def masked(self) -> str:
        """Enough for a guard to tell two cards apart, too little to clone one."""
        shown = 4 if len(self.uid) > 2 else 2
        return f"{self.technology}:…{self.uid.hex().upper()[-shown:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteKey:
    """The secret under which one site's cards become tokens."""

    #: Counts rotations; stands in front of every token.
    version: int
    #: At least 32 random bytes.
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) < 32:
            raise CredentialRefused("a site key needs at least 32 bytes", hint="make one with 'attendance-journal'")

    def __repr__(self) -> str:
        return f"SiteKey(version={self.version})"

    def token(self, credential: Credential) -> Token:
        """`version:` and HMAC-SHA-256(key, canonical form) cut to 128 bit: a plain hash of a 4-byte UID falls in an hour."""
        digest = hmac.new(self.secret, str(credential).encode("ascii"), hashlib.sha256).hexdigest()
        return Token(f"{self.version}:{digest[:_TOKEN_HEX_DIGITS]}")


def _why_refused(technology: Technology, uid: bytes) -> str | None:
    if len(uid) not in UID_LENGTHS[technology]:
        expected = " or ".join(str(length) for length in sorted(UID_LENGTHS[technology]))
        return f"a UID of {technology} has {expected} bytes, got {len(uid)}"
    if uid in (bytes(len(uid)), b"\xff" * len(uid)):
        return "the UID is all zeros or all ones"
    if technology is Technology.ZKTECO:
        return _why_no_pin(uid)
    if len(uid) > _HALF_READ_TAIL and uid[-_HALF_READ_TAIL:] in (bytes(4), b"\xff" * 4):
        return "the end of the UID is missing (half read)"
    return _why_not_fixed(uid) if technology is Technology.ISO14443A and len(uid) == 4 else None


def _why_not_fixed(uid: bytes) -> str | None:
    if uid[0] == 0x08:
        return "the UID is random: the card shows another one each time (ISO/IEC 14443-3)"
    if uid[0] == 0x88:
        return "the UID begins with the cascade tag 88 (half read)"
    return None


def _why_no_pin(uid: bytes) -> str | None:
    if not uid.hex().isdecimal():
        return "a PIN is written in decimal digits"
    if len(uid) > 2 and uid[0] == 0:
        return "a PIN is written without needless zeros in front"
    return None
