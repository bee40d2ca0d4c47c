"""Permits and rotations: a rotation uses the oldest unexpired permit of its direction. A tap is not a passage."""

from collections import deque
from dataclasses import dataclass
from datetime import timedelta

from gateway.domain.decide import elapsed
from gateway.domain.entry import Entry, PassageData, PassageKind
from gateway.domain.model import Direction, Instant, LaneId, Seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A recorded tap that opened the bolt."""

    seq: Seq
    direction: Direction
    at: Instant


class Permits:
    """The permits of one lane that nobody used yet."""

    def __init__(self, lane: LaneId, lasts: timedelta) -> None:
        self._lane = lane
        self._lasts = lasts
        self._open: deque[Permit] = deque()

    def grant(self, permit: Permit) -> None:
        """The bolt is about to open for this tap."""
        self._open.append(permit)

    def expire(self, now: Instant) -> list[Entry]:
        """A `not_used` passage for every permit that ran out."""
        entries = []
        while self._open and elapsed(self._open[0].at, now) > self._lasts:
            permit = self._open.popleft()
            entries.append(self._entry(now, PassageKind.NOT_USED, permit.direction, permit.seq))
        return entries

    def rotate(self, direction: Direction, now: Instant) -> Entry:
        """The passage that a rotation is."""
        for permit in self._open:
            if Direction.UNKNOWN in (direction, permit.direction) or permit.direction is direction:
                self._open.remove(permit)
                return self._entry(now, PassageKind.CONFIRMED, direction, permit.seq)
        kind = PassageKind.WRONG_DIRECTION if self._open else PassageKind.FORCED
        return self._entry(now, kind, direction, None)

    def _entry(self, at: Instant, kind: PassageKind, direction: Direction, tap: Seq | None) -> Entry:
        return Entry(at=at, data=PassageData(lane=self._lane, direction=direction, kind=kind, tap=tap))
