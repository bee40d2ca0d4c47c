"""What comes and goes by itself is told until it chatters: a loose wire would fill the disk with alarms.

What chatters is told once, and stands as not usual until it was still: leaving the usual state counts at once, as ever, and
coming back only then; of several unusual states one is told at a time. No I/O and no clock. Seconds count from anywhere, and never backwards.
"""

from collections import deque
from typing import Final

from gateway.domain.entry import DeviceState
from gateway.ports import DeviceNotice

#: Who leaves the usual state so often within so many seconds chatters, and is there again only when it was still for some.
OFTEN: Final = 10
WITHIN: Final = 60.0
STILL: Final = 30.0
#: What chatters from one unusual state to another is told no oftener than what does not chatter yet.
EACH: Final = WITHIN / OFTEN


class Chatter:
    """How often something left its usual state."""

    def __init__(self) -> None:
        self._left: deque[float] = deque(maxlen=OFTEN)

    def leave(self, now: float) -> None:
        """Once more."""
        self._left.append(now)

    def __bool__(self) -> bool:
        """Whether that was too often of late."""
        return len(self._left) == OFTEN and self._left[-1] - self._left[0] < WITHIN


def chatters(what: str) -> DeviceNotice:
    """What is told of it, once."""
    return DeviceNotice(kind=DeviceState.GARBAGE, detail=f"{what} chatters: {OFTEN} times within {WITHIN:.0f} s")


class Steady:
    """The states of one device, each a kind of notice. Every method returns what is to be told by then, in order."""

    def __init__(self, whose: str = "") -> None:
        """`whose` stands before what chatters."""
        self._whose = whose
        self._states: dict[DeviceState, _State] = {}

    def hear(self, notice: DeviceNotice, now: float, *, usual: bool) -> list[DeviceNotice]:
        """How it stands now, whether that is new or not; without a detail it is not told."""
        if notice.kind not in self._states:
            self._states[notice.kind] = _State(f"{self._whose}{notice.kind}")
        return self.settle(now) + self._states[notice.kind].hear(notice, now, usual=usual)

    def happen(self, notice: DeviceNotice, now: float) -> list[DeviceNotice]:
        """Something that is over at once."""
        over = DeviceNotice(kind=notice.kind, detail="")
        return self.hear(notice, now, usual=False) + self.hear(over, now, usual=True)

    def settle(self, now: float) -> list[DeviceNotice]:
        """What became certain by time alone."""
        return [notice for state in self._states.values() for notice in state.settle(now)]


class _State:
    def __init__(self, name: str) -> None:
        self._name = name
        self._chatter = Chatter()
        #: What was heard and what was told last, and whether it is the usual state.
        self._heard: tuple[DeviceNotice, bool] | None = None
        self._told: tuple[DeviceNotice, bool] | None = None
        self._changed = self._told_at = 0.0
        #: That it chatters was told.
        self._loose = False

    def hear(self, notice: DeviceNotice, now: float, *, usual: bool) -> list[DeviceNotice]:
        if self._heard == (notice, usual):
            return []
        self._heard, self._changed = (notice, usual), now
        if not usual:
            self._chatter.leave(now)
        unusual = self._told is not None and not self._told[1]
        waits = self._chatter and unusual and (usual or now - self._told_at < EACH)
        return [] if waits else self._tell(now)

    def settle(self, now: float) -> list[DeviceNotice]:
        if self._heard is None or self._heard == self._told:
            return []
        since, wait = (self._changed, STILL) if self._heard[1] else (self._told_at, EACH)
        return self._tell(now) if now - since >= wait else []

    def _tell(self, now: float) -> list[DeviceNotice]:
        if self._heard is None or self._heard == self._told:
            return []
        self._told, self._told_at = self._heard, now
        notice, usual = self._told
        told = [notice] if notice.detail else []
        if usual or self._loose or not self._chatter:
            self._loose = self._loose and not usual
            return told
        self._loose = True
        return [*told, chatters(self._name)]
