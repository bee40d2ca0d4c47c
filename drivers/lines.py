"""Bytes to lines for codecs of readers that print text: bounded, and cut anywhere with the same result."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

from drivers.frames import BadFrame, Frame, Noise

T = TypeVar("T")
#: Judges a line with its delimiter and the blank lines before it; is also told whether the line is whole.
Read: TypeAlias = Callable[[bytes, bool], Iterable[T]]

#: No reader prints a longer line.
LONGEST = 128
_TOO_LONG = "the line is too long"


class Lines(Generic[T]):
    """A codec whose `read` judges every line; holds two of the longest."""

    def __init__(self, delimiter: bytes, read: Read[T], *, longest: int = LONGEST) -> None:
        """Of a line that was too long `read` gets the end."""
        self._delimiter = delimiter
        self._read = read
        self._longest = longest
        self._line = bytearray()
        self._whole = True

    def feed(self, data: bytes) -> list[T | Frame]:
        """What these bytes complete; never raises."""
        frames: list[T | Frame] = []
        for byte in data:
            self._line.append(byte)
            if self._delimiter and self._line.endswith(self._delimiter) and self._line.strip():
                frames += self._take()
            elif len(self._line) == 2 * self._longest:
                # Half of it, so that the next line is not lost where garbage has no end of its own.
                frames.append(BadFrame(raw=bytes(self._line[: self._longest]), why=_TOO_LONG))
                del self._line[: self._longest]
                self._whole = False
        return frames

    def end(self) -> list[T | Frame]:
        """What was begun and will not be completed; a line, where only a pause ends one."""
        raw = bytes(self._line)
        if not self._delimiter and raw.strip():
            return self._take()
        self._line.clear()
        self._whole = True
        if raw.strip():
            return [BadFrame(raw=raw, why="the line has no end")]
        return [Noise(size=len(raw))] if raw else []

    def _take(self) -> list[T | Frame]:
        frames: list[T | Frame] = [*self._read(bytes(self._line), self._whole)]
        self._line.clear()
        self._whole = True
        return frames


def whole(read: Callable[[bytes], Iterable[T]]) -> Read[T | Frame]:
    """Judges whole lines, without what ends them and the blank ones before; of others there is nothing to be had."""

    def judge(raw: bytes, whole: bool) -> Iterator[T | Frame]:
        line = raw.strip(b"\r\n").rpartition(b"\n")[2]
        return iter(read(line) if whole else [BadFrame(raw=line, why=_TOO_LONG)])

    return judge
