"""What the process that holds a PC/SC reader tells, in lines of words and hex, and what a card's answers mean.

    ready ACS ACR122U PICC Interface 00 00    it watches this reader
    idle                                      no card, said again and again: silence is a process that hangs
    card 3B8F80… 04DE5F1EACC0409000 6A81      a card came: its ATR, and the answers to FFCA000000 (UID) and FFCA010000 (ATS)
    still                                     that card is still there
    mute                                      a card is there that does not answer
    lost why|hint                             it gives up

It is told commands for the reader in hex, one a line: the lamp and the buzzer of an ACR122U.

Sources: PC/SC part 3, supplemental document (ATR of contactless cards, GET DATA), ACS API-ACR122U (card names).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from drivers.frames import BadCard, BadFrame, Card, Frame, Noise, card
from drivers.lines import Lines, whole
from gateway.domain.credential import Technology

#: An ATR and two answers of a short APDU, in hex.
_LONGEST = 1200
_ANSWER_BYTES = 16
_HEX = "((?:[0-9A-F]{2})*)"
_CARD = re.compile(f"card {_HEX} {_HEX} {_HEX}")
_READY = re.compile(r"ready ([ -~]{1,200})")
_LOST = re.compile(r"lost ([^|]{1,300})\|([^|]{0,300})")

_DONE = b"\x90\x00"
#: In the historical bytes of a card without a protocol of its own: who registered them, then standard and card name.
_RID = bytes.fromhex("A000000306")
_FELICA_NAMES = (b"\xf0\x11", b"\xf0\x12")
_TOPAZ = b"\xf0\x04"
_FELICA, _TYPE_A = b"\x11", (b"\x00", b"\x01", b"\x02", b"\x03")
_RANDOM_IDM = b"\x01\xfe"


#: An ACR122U beeps no more at each card by itself: whether it was a good one is not known yet.
QUIET = bytes.fromhex("FF00520000")
_LAMP = "FF0040{:02X}04{:02X}00{:02X}{:02X}"
_GREEN, _RED, _BOTH_CHANGE = 0x02, 0x01, 0x0C


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The reader of this name is watched."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Nothing is in the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """That card never left, however late this is heard."""

    frame: Card | BadCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The process ends."""

    why: str
    hint: str


Told: TypeAlias = Frame | Ready | Idle | Still | Lost


class Codec(Lines[Told]):
    """Holds the card that is there as well."""

    def __init__(self) -> None:
        super().__init__(b"\n", whole(self._judge), longest=_LONGEST)
        self._card: Card | BadCard | None = None

    def _judge(self, raw: bytes) -> Iterator[Told]:
        text = raw.decode("utf-8", "replace")
        if text == "still" and self._card is not None:
            yield Still(frame=self._card)
        elif found := _CARD.fullmatch(text):
            frame = judge(*(bytes.fromhex(part) for part in found.groups()))
            self._card = frame if isinstance(frame, Card | BadCard) else None
            yield frame
        elif text in ("idle", "still"):
            self._card = None
            yield Idle()
        elif text == "mute":
            yield Noise(size=_ANSWER_BYTES)
        elif found := _READY.fullmatch(text):
            yield Ready(name=found[1])
        elif found := _LOST.fullmatch(text):
            yield Lost(why=found[1], hint=found[2])
        else:
            yield BadFrame(raw=raw, why="not a line of the grammar: ready, idle, card, still, mute or lost")


def encode_lamp(*, green: bool, red: bool) -> bytes:
    """Both light-emitting diodes of an ACR122U stand like this from now on."""
    return bytes.fromhex(_LAMP.format(_BOTH_CHANGE | (_GREEN if green else 0) | (_RED if red else 0), 0, 0, 0))


def encode_beep(seconds: float) -> bytes:
    """Its buzzer sounds once, for a multiple of 0.1 s up to 25; it does nothing else meanwhile."""
    return bytes.fromhex(_LAMP.format(0, round(seconds * 10), 1, 1))


def judge(atr: bytes, uid: bytes, ats: bytes) -> Card | BadCard | BadFrame:
    """The card behind its ATR and the answers to GET DATA."""
    if len(uid) <= len(_DONE) or not uid.endswith(_DONE):
        return BadFrame(raw=uid, why="the reader does not tell the UID of this card")
    uid = uid.removesuffix(_DONE)
    _, registered, rest = atr.partition(_RID)
    if not registered:
        if len(uid) == 4 and not ats.endswith(_DONE):
            return _refused(uid, "it has four bytes and no ATS: a type B card, whose number is another each time")
        return card(Technology.ISO14443A, uid, uid)
    return _named(uid, standard=rest[:1], name=rest[1:3])


def _named(uid: bytes, *, standard: bytes, name: bytes) -> Card | BadCard:
    """A card whose ATR tells its standard and its name."""
    if standard == _FELICA or name in _FELICA_NAMES:
        if uid.startswith(_RANDOM_IDM):
            return BadCard(technology=Technology.FELICA, raw=uid, why="the IDm is random: this is a phone, not a card")
        return card(Technology.FELICA, uid, uid)
    if name == _TOPAZ:
        return _refused(uid, "a type 1 tag tells only part of its UID")
    if standard not in _TYPE_A:
        return _refused(uid, f"a card of a standard that is not known here: {standard.hex().upper()} in its ATR")
    return card(Technology.ISO14443A, uid, uid)


def _refused(uid: bytes, why: str) -> BadCard:
    return BadCard(technology=Technology.ISO14443A, raw=uid, why=why)
