"""Any reader that prints a card's number as text between delimiters, or as bytes in a frame that tells its length.

    55007EE424 CR LF        whatever the settings say: hex or decimal, facility and number, prefix, checksum
    02 | 0A | 02 06 00 8E 6D 5D | B0 | 03        `length`: length of the frame, content, XOR of both, in STX and ETX

Source of the second form: captures of a maker who says 02 for EM4100 and 01 for Mifare as the first byte of the content.
"""

from collections.abc import Callable, Iterator
from functools import reduce
from operator import xor
from typing import Literal

from pydantic import Field

from drivers.frames import BadFrame, Frame, Noise
from drivers.lines import Lines
from drivers.printed import Printed

_STX, _ETX = 0x02, 0x03
_DELIMITERS = {"crlf": b"\r\n", "cr": b"\r", "lf": b"\n", "etx": b"\x03", "idle": b""}
_SHORTEST, _LONGEST = 6, 64


class Format(Printed):
    """How a line ends, and what stands in it."""

    delimiter: Literal["crlf", "cr", "lf", "etx", "idle", "length"] = Field(
        default="crlf", description='"crlf", "cr", "lf", "etx", "idle" or "length"', examples=["cr"]
    )


class Codec:
    """Holds at most two of the longest lines, or one frame."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._delimiter = _DELIMITERS.get(form.delimiter, b"")
        framing = _Counted(self._counted) if form.delimiter == "length" else Lines(self._delimiter, self._line)
        #: The frames that these bytes complete; never raises.
        self.feed = framing.feed
        #: What was begun and will not be completed.
        self.end = framing.end

    def _line(self, raw: bytes, whole: bool) -> Iterator[Frame]:
        text = raw.removesuffix(self._delimiter).decode("latin-1")
        if whole or (self._form.prefix and self._form.prefix in text):
            yield self._form.read(text if self._form.base == "bytes" else text.strip(), raw)
        else:
            yield BadFrame(raw=raw, why="the line is too long")

    def _counted(self, raw: bytes) -> Frame:
        return self._form.read(raw[2:-2].decode("latin-1"), raw)


class _Counted:
    """Looks for a frame at every STX; one that fails is told byte by byte, as another may begin in it."""

    def __init__(self, read: Callable[[bytes], Frame]) -> None:
        self._read = read
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        for byte in data:
            self._begun.append(byte)
            frames += self._settled()
        return frames

    def end(self) -> list[Frame]:
        frames: list[Frame] = []
        while self._begun:
            frames += [self._stray(), *self._settled()]
        return frames

    def _settled(self) -> Iterator[Frame]:
        """Everything that is decided by what was heard so far."""
        while self._begun:
            length = self._begun[1] if len(self._begun) > 1 else _LONGEST
            if self._begun[0] != _STX or not _SHORTEST <= length <= _LONGEST:
                yield self._stray()
            elif len(self._begun) < length:
                return
            elif self._begun[length - 1] == _ETX and reduce(xor, self._begun[1 : length - 1]) == 0:
                yield self._read(bytes(self._begun[:length]))
                del self._begun[:length]
            else:
                yield self._stray()

    def _stray(self) -> Noise:
        del self._begun[0]
        return Noise(size=1)
