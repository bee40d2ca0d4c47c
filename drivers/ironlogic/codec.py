"""IronLogic Z-2 USB and Matrix III RD-ALL: a line of text when a card comes, another when it leaves.

    Em-Marine[5500] 126,58404              EM4100: the bracket is the begin of the code, facility and number are the rest
    Mifare[BCD14264] 1K (0004,08) 066,53692                UID, perhaps the type, ATQA and SAK, three bytes of the UID again
    19997 Mifare[62D22F80041B4B]  (0144,08) 004,06987      behind an RS-485 network, its number in front; 7 bytes, cascade level 2 first
    No card                                (not by every firmware)

Sources: lines that public programs for these readers expect.
"""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from drivers.frames import BadFrame, Frame, Removed, card
from drivers.lines import Lines
from gateway.domain.credential import Technology

#: How the bracket of a 7-byte card is written: UID3 to UID6, then UID0 to UID2; or as on the air.
Layout = Literal["cl2_first", "air"]

_BEGIN = re.compile(r"(?:\b\d{5} )?(?:em-marine\[|mifare\[)|no card", re.IGNORECASE)
_CARD = re.compile(
    r"(?:\d{5} )?(?:em-marine\[(?P<em>[0-9a-f]{4})|mifare\[(?P<mifare>[0-9a-f]{8}|[0-9a-f]{14}))\]"
    r"(?: \w*)?(?: +\([0-9a-f]{4},[0-9a-f]{2}\))? +(?P<facility>\d{1,3}),(?P<number>\d{1,5})",
    re.IGNORECASE | re.ASCII,
)
_EMPTY = re.compile(r"no card", re.IGNORECASE)
_FOUR = 4


class Format(BaseModel):
    """What differs between readers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    uid_layout: Layout = Field(default="cl2_first", description='"cl2_first" or "air"', examples=["air"])


class Codec(Lines[Frame]):
    """A line begins at the last word that begins one; what stands before is told as a bad frame."""

    def __init__(self, form: Format) -> None:
        super().__init__(b"\n", self._judge)
        self._layout = form.uid_layout

    def _judge(self, raw: bytes, whole: bool) -> Iterator[Frame]:  # noqa: ARG002 - its first word makes a line whole
        text = raw.decode("latin-1")
        begins = [found.start() for found in _BEGIN.finditer(text)]
        begin = begins[-1] if begins else 0
        if text[:begin].strip():
            yield BadFrame(raw=raw[:begin], why="a line that another one interrupts")
        else:
            begin = 0
        yield self._line_of(text[begin:], raw[begin:])

    def _line_of(self, text: str, raw: bytes) -> Frame:
        if _EMPTY.fullmatch(text.strip()):
            return Removed(raw=raw)
        found = _CARD.fullmatch(text.strip())
        if found is None:
            return BadFrame(raw=raw, why="not a line of the grammar: Em-Marine[…], Mifare[…] or No card")
        facility, number = int(found["facility"]), int(found["number"])
        if facility > 0xFF or number > 0xFFFF:
            return BadFrame(raw=raw, why="a facility has at most 255, a number at most 65535")
        if found["em"]:
            return card(Technology.EM4100, bytes.fromhex(found["em"]) + bytes([facility, *number.to_bytes(2)]), raw)
        uid = _air(bytes.fromhex(found["mifare"]), self._layout)
        if (facility, number) != _number(uid):
            return BadFrame(raw=raw, why="the number does not agree with the UID: check uid_layout")
        return card(Technology.ISO14443A, uid, raw)


def encode(technology: Technology, uid: bytes, *, layout: Layout = "cl2_first") -> bytes:
    """The line of a card; `card_left` is the one after it."""
    if technology is Technology.EM4100:
        begin, facility, number = f"Em-Marine[{uid[:2].hex().upper()}]", uid[2], int.from_bytes(uid[3:])
    else:
        written = uid[3:] + uid[:3] if layout == "cl2_first" and len(uid) > _FOUR else uid
        kind = "1K (0004,08)" if len(uid) == _FOUR else "UL (0044,00)"
        begin, (facility, number) = f"Mifare[{written.hex().upper()}] {kind}", _number(uid)
    return f"{begin} {facility:03},{number:05}\r\n".encode("ascii")


def card_left() -> bytes:
    """What is said once when the field is empty."""
    return b"No card\r\n"


def _air(written: bytes, layout: Layout) -> bytes:
    return written[4:] + written[:4] if layout == "cl2_first" and len(written) > _FOUR else written


def _number(uid: bytes) -> tuple[int, int]:
    """Facility and number as the reader prints them: of four bytes the first three backwards, of seven in their order."""
    first, second, third = uid[:3]
    return (third, second << 8 | first) if len(uid) == _FOUR else (first, second << 8 | third)
