"""Bytes to lines for codecs of readers that print text: bounded, and cut anywhere with the same result."""

from collections.abc import Callable, Iterable

from drivers.frames import BadFrame, Frame, Noise

#: No reader prints a longer line.
LONGEST = 128


class Lines:
    """A codec whose `read` judges every line, with its delimiter and the blank lines before it; holds two of the longest."""

    def __init__(self, delimiter: bytes, read: Callable[[bytes, bool], Iterable[Frame]]) -> None:
        """`read` is also told whether the line is whole: of one that was too long it gets the end."""
        self._delimiter = delimiter
        self._read = read
        self._line = bytearray()
        self._whole = True

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete; never raises."""
        frames: list[Frame] = []
        for byte in data:
            self._line.append(byte)
            if self._delimiter and self._line.endswith(self._delimiter) and self._line.strip():
                frames += self._take()
            elif len(self._line) == 2 * LONGEST:
                # Half of it, so that the next line is not lost where garbage has no end of its own.
                frames.append(BadFrame(raw=bytes(self._line[:LONGEST]), why="the line is too long"))
                del self._line[:LONGEST]
                self._whole = False
        return frames

    def end(self) -> list[Frame]:
        """What was begun and will not be completed; a line, where only a pause ends one."""
        raw = bytes(self._line)
        if not self._delimiter and raw.strip():
            return self._take()
        self._line.clear()
        self._whole = True
        if raw.strip():
            return [BadFrame(raw=raw, why="the line has no end")]
        return [Noise(size=len(raw))] if raw else []

    def _take(self) -> list[Frame]:
        frames = [*self._read(bytes(self._line), self._whole)]
        self._line.clear()
        self._whole = True
        return frames
