"""RDM6300, RDM630, ID-12LA and ID-20LA: EM4100 cards as ASCII frames.

    02 | 10 hex digits: version byte, 4 data bytes | 2 hex digits: XOR of the five | [0D 0A] | 03

The ID-12LA family sends the bracketed pair. Sources: data sheets of the Seeed RDM630 and of the ID Innovations ID-12LA.
"""

import re
from collections.abc import Iterator
from functools import reduce
from operator import xor

from drivers.frames import BadFrame, Frame, Noise, card
from gateway.domain.credential import Technology

_STX, _ETX = 0x02, 0x03
_ALLOWED = frozenset(b"0123456789ABCDEFabcdef\r\n")
_FRAME = re.compile(rb"\x02([0-9A-Fa-f]{10})([0-9A-Fa-f]{2})\r?\n?\x03")
_LONGEST = 16
#: Noise is told in portions: an endless one is told too, and a stray byte costs nothing.
_PORTION = 64


class Codec:
    """Resynchronises at every STX; holds at most one frame."""

    def __init__(self) -> None:
        #: Begins with STX, or is empty outside of a frame.
        self._begun = bytearray()
        self._noise = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete; never raises."""
        return [frame for byte in data for frame in self._take(byte)]

    def end(self) -> list[Frame]:
        """What was begun and will not be completed."""
        frames = [*self._abandon("the frame has no end")]
        if self._noise:
            frames.append(Noise(size=self._noise))
        self._noise = 0
        return frames

    def _take(self, byte: int) -> Iterator[Frame]:
        if byte == _STX:
            yield from self._abandon("another frame begins before its end")
            self._begun.append(byte)
        elif not self._begun:
            yield from self._stray()
        else:
            self._begun.append(byte)
            if byte == _ETX:
                yield _read(bytes(self._begun))
                self._begun.clear()
            elif byte not in _ALLOWED:
                yield from self._abandon("a byte that is no hexadecimal digit")
            elif len(self._begun) == _LONGEST:
                yield from self._abandon("the frame is too long")

    def _abandon(self, why: str) -> Iterator[Frame]:
        if len(self._begun) > 1:
            yield BadFrame(raw=bytes(self._begun), why=why)
        elif self._begun:
            # A lone STX was never a frame.
            yield from self._stray()
        self._begun.clear()

    def _stray(self) -> Iterator[Frame]:
        self._noise += 1
        if self._noise == _PORTION:
            yield Noise(size=_PORTION)
            self._noise = 0


def encode(uid: bytes, *, line_end: bytes = b"") -> bytes:
    """What a reader sends for a card; an ID-12LA ends the digits with CR LF."""
    return b"\x02%s%02X%s\x03" % (uid.hex().upper().encode("ascii"), reduce(xor, uid), line_end)


def _read(raw: bytes) -> Frame:
    found = _FRAME.fullmatch(raw)
    if found is None:
        return BadFrame(raw=raw, why="a frame has 12 hexadecimal digits")
    uid, checksum = (bytes.fromhex(part.decode("ascii")) for part in found.groups())
    if bytes([reduce(xor, uid)]) != checksum:
        return BadFrame(raw=raw, why=f"the checksum is {checksum.hex().upper()}, not {reduce(xor, uid):02X}")
    return card(Technology.EM4100, uid, raw)
