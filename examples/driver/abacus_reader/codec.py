"""Frames of an Abacus reader, which exists nowhere but here.

7E | size | UID of 4 or 7 bytes | sum of size and UID, modulo 256
"""

from typing import Final

from drivers.frames import BadFrame, Frame, Noise, card
from gateway.domain.credential import Technology

_START: Final = 0x7E
_SIZES: Final = (4, 7)
_AROUND: Final = 3


def encode(uid: bytes) -> bytes:
    """What the reader sends for a card."""
    body = bytes([len(uid)]) + uid
    return bytes([_START]) + body + bytes([sum(body) % 256])


class Codec:
    """The same bytes give the same frames however they are cut; holds less than one frame."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete; never raises."""
        frames: list[Frame] = []
        data, at = self._held + data, 0
        while at < len(data):
            size = data[at + 1] if at + 1 < len(data) else _SIZES[0]
            if data[at] != _START or size not in _SIZES:
                frames.append(Noise(size=1))
                at += 1
            elif len(raw := data[at : at + size + _AROUND]) == size + _AROUND:
                frames.append(_judged(raw))
                at += len(raw)
            else:
                break
        self._held = data[at:]
        return frames

    def end(self) -> list[Frame]:
        """What was begun and will not be completed."""
        raw, self._held = self._held, b""
        return [BadFrame(raw=raw, why="the frame has no end")] if raw else []


def _judged(raw: bytes) -> Frame:
    *body, told = raw[1:]
    if told != sum(body) % 256:
        return BadFrame(raw=raw, why=f"the sum is {told:02X}, not {sum(body) % 256:02X}")
    return card(Technology.ISO14443A, raw[2:-1], raw)
