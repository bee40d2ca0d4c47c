"""A reader that types: `struct input_event` of Linux to keys, keys to a number, by the times that the events carry.

    seconds, microseconds (long each) | type, code (16 bit each) | value (32 bit)

A number is typed within milliseconds and ends with Enter. What a person, a stuck key or lost events may have touched is
discarded as a whole: the rest of a number would be another card. Source: input.h and input-event-codes.h of Linux.
"""

import struct
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from drivers.frames import BadFrame, Frame, Noise
from drivers.printed import Printed

EVENT = struct.Struct("@llHHi")
EV_SYN, EV_KEY = 0, 1
SYN_REPORT, SYN_DROPPED = 0, 3
LEFT_SHIFT = 42

_TYPES, _SECONDS, _MICROSECONDS = 0x20, 2**34, 1_000_000
_PRESSED = 1
_SHIFTS, _LOCKS = {LEFT_SHIFT, 54}, {58, 69, 70}
#: As they lie on an American keyboard, which is what these readers are; letters count as capitals.
KEYS = {
    **dict(zip(range(2, 14), "1234567890-=", strict=True)),
    **dict(zip(range(16, 26), "QWERTYUIOP", strict=True)),
    **dict(zip(range(30, 40), "ASDFGHJKL;", strict=True)),
    **dict(zip(range(44, 54), "ZXCVBNM,./", strict=True)),
    **dict(zip((71, 72, 73, 75, 76, 77, 79, 80, 81, 82, 83), "7894561230.", strict=True)),
    57: " ",
}
_SHIFTED = {"3": "#", ";": ":", "-": "_", "=": "+"}
TERMINATORS = {"enter": {28, 96}, "tab": {15}, "none": set[int]()}

_LONGEST = 64
#: Seconds after half a number in which its other half may follow.
_NEAR = 1.0


class Format(Printed):
    """How a number is typed."""

    terminator: Literal["enter", "tab", "none"] = Field(
        default="enter", description='"enter", "tab" or "none"', examples=["enter"]
    )
    #: Between two keys of one number.
    gap: float = Field(default=0.15, ge=0.02, le=1, description="at most so many seconds, 0.02 to 1", examples=[0.15])


class Codec:
    """Holds one event and the keys of one number; `raw` of its frames are the keys as text, `?` for an unknown one, or part of an event."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._ends = TERMINATORS[form.terminator]
        self._begun = bytearray()
        self._keys = ""
        self._last = float("-inf")
        #: Why the keys of this burst are no number.
        self._doubt = ""
        self._shifted = False
        self._dropping = False

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete; never raises."""
        frames: list[Frame] = []
        for byte in data:
            self._begun.append(byte)
            if len(self._begun) == EVENT.size:
                frames += self._event()
        return frames

    def end(self) -> list[Frame]:
        """What was begun and will not be completed; a number, where only a pause ends one."""
        frames = [*self._ended(by_pause=True)]
        self._doubt = ""
        if self._begun:
            why = f"an event of Linux has {EVENT.size} bytes: text that was typed is none"
            frames.append(BadFrame(raw=bytes(self._begun), why=why))
        self._begun.clear()
        return frames

    def _event(self) -> Iterator[Frame]:
        seconds, micro, kind, code, value = EVENT.unpack(self._begun)
        if kind >= _TYPES or not (0 <= seconds < _SECONDS and 0 <= micro < _MICROSECONDS):
            # The kernel hands over whole events; a program that plays a reader may not.
            del self._begun[0]
            yield Noise(size=1)
            return
        self._begun.clear()
        if kind == EV_SYN:
            self._synchronised(code)
        elif kind == EV_KEY and not self._dropping:
            if code in _SHIFTS:
                self._shifted = bool(value)
            elif value == _PRESSED and code not in _LOCKS:
                yield from self._pressed(code, seconds + micro / _MICROSECONDS)

    def _synchronised(self, code: int) -> None:
        if code == SYN_DROPPED:
            self._dropping, self._shifted = True, False
            self._doubt = "the system lost some of its keys"
        elif code == SYN_REPORT:
            self._dropping = False

    def _pressed(self, code: int, now: float) -> Iterator[Frame]:
        waited, self._last = now - self._last, now
        if not 0 <= waited <= self._form.gap:
            half = bool(self._keys) and not self._doubt and bool(self._ends)
            yield from self._ended(by_pause=True)
            self._doubt = "it may be the rest of a number" if half and waited <= _NEAR else ""
        if code in self._ends:
            yield from self._ended(by_pause=False)
            self._doubt = ""
            return
        key = KEYS.get(code)
        if self._shifted and key is not None and not key.isalpha():
            key = _SHIFTED.get(key)
        if key is None:
            self._doubt = self._doubt or "a key that no number has"
        self._keys += key or "?"
        if len(self._keys) == _LONGEST:
            self._doubt = self._doubt or "more keys than a number has"
            yield from self._ended(by_pause=False)

    def _ended(self, *, by_pause: bool) -> Iterator[Frame]:
        keys, self._keys = self._keys, ""
        raw = keys.encode("ascii")
        if not keys:
            return
        if self._doubt:
            yield BadFrame(raw=raw, why=self._doubt)
        elif by_pause and self._ends:
            yield BadFrame(raw=raw, why="no key ends the number")
        else:
            yield self._form.read(keys, raw)
