"""What is heard on the bus to answers of the reader that was asked: libosdp is given nothing else, and noise is counted.

    53 | address, 80 set | length, 2 bytes, of all from 53 on | control | … | CRC-16, or a sum of one byte

Source: SIA OSDP 2.2. No I/O, no clock. libosdp itself shouts on standard error where noise overruns its buffer.
"""

import binascii
from typing import Final

_START: Final = 0x53
_REPLY: Final = 0x80
_HAS_CRC: Final = 0x04
#: Start, address, length, control.
_HEAD: Final = 5
#: A converter that turns its direction hears some; an echo is more.
_GLITCH: Final = 4
#: libosdp's buffer.
LONGEST: Final = 256


class Answers:
    """Holds one answer at the most."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._noise = 0
        self._answered = False

    def feed(self, data: bytes, address: int) -> bytes:
        """The whole answers of this address that these bytes complete; never raises."""
        self._heard += data
        found = bytearray()
        while (frame := self._next()) is not None:
            if frame[1] == address | _REPLY:
                found += frame
                self._answered = True
        return bytes(found)

    @property
    def noise(self) -> int:
        """How many bytes were heard since the last question that answer none."""
        noise = self._noise + len(self._heard)
        return 0 if self._answered and noise <= _GLITCH else noise

    def end(self) -> int:
        """The next question is asked. Returns the noise until then."""
        noise = self.noise
        self._heard.clear()
        self._noise, self._answered = 0, False
        return noise

    def _next(self) -> bytes | None:
        while (start := self._heard.find(_START)) >= 0:
            self._skip(start)
            if len(self._heard) < _HEAD:
                return None
            size = int.from_bytes(self._heard[2:4], "little")
            if self._heard[1] & _REPLY and _HEAD < size <= LONGEST:
                if len(self._heard) < size:
                    return None
                frame = bytes(self._heard[:size])
                if _is_whole(frame):
                    del self._heard[:size]
                    return frame
            self._skip(1)
        self._skip(len(self._heard))
        return None

    def _skip(self, size: int) -> None:
        self._noise += size
        del self._heard[:size]


def _is_whole(frame: bytes) -> bool:
    if frame[4] & _HAS_CRC:
        return binascii.crc_hqx(frame[:-2], 0x1D0F) == int.from_bytes(frame[-2:], "little")
    return sum(frame) % 256 == 0
