"""Tells a card that came from a card that stayed, and a storm on the line from a stray byte. Time is an argument."""

from collections import Counter
from collections.abc import Hashable

from drivers.frames import BadCard, BadFrame, Card, Frame, Noise, Removed
from gateway.domain.entry import DeviceState
from gateway.ports import CardRead, CardRefused, DeviceNotice, ReaderEvent

#: More cards than this are never in one field; the flood of a broken line is forgotten from here on.
_MOST_CARDS = 16
#: A card pulled out of the field leaves part of a frame; this much is a wire, a baud rate or a wrong device.
_STORM_BYTES = 256
_STORM_SECONDS = 60.0


class Presence:
    """What one antenna has in its field."""

    def __init__(self, silence: float) -> None:
        """A card that is not seen for `silence` seconds has left, if the reader does not say so itself."""
        self._silence = silence
        #: Frames that were none, wrong checksums among them, and bytes outside of any: too few for a notice they count as well.
        self.faults = Counter(bad_frames=0, noise_bytes=0)
        self._seen: dict[Hashable, float] = {}
        self._garbage = 0
        self._garbage_since = float("-inf")

    def event(self, frame: Frame, now: float) -> ReaderEvent | None:
        """One event per presentation, one notice per storm and minute; `now` is monotonic, in seconds."""
        match frame:
            case Card(credential=credential, assurance=assurance):
                read = CardRead(credential=credential, assurance=assurance)
                return read if self._came(credential, now) else None
            case BadCard(technology=technology, why=why):
                # Not by its UID: a random one is another each time the same card is asked.
                refused = CardRefused(technology=technology, why=why)
                return refused if self._came(refused, now) else None
            case Removed():
                self._seen.clear()
                return None
            case BadFrame(raw=raw):
                self.faults["bad_frames"] += 1
                return self._storm(len(raw), now)
            case Noise(size=size):
                self.faults["noise_bytes"] += size
                return self._storm(size, now)

    def _came(self, what: Hashable, now: float) -> bool:
        last = self._seen.pop(what, float("-inf"))
        self._seen[what] = now
        if len(self._seen) > _MOST_CARDS:
            del self._seen[next(iter(self._seen))]
        return now - last >= self._silence

    def _storm(self, size: int, now: float) -> DeviceNotice | None:
        if now < self._garbage_since:
            return None
        if now - self._garbage_since >= _STORM_SECONDS:
            self._garbage, self._garbage_since = 0, now
        self._garbage += size
        if self._garbage < _STORM_BYTES:
            return None
        seconds = now - self._garbage_since
        self._garbage_since = now + _STORM_SECONDS
        return DeviceNotice(
            kind=DeviceState.GARBAGE, detail=f"{self._garbage} bytes that are no card within {seconds:.0f} s"
        )
