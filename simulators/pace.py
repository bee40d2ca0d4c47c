"""One clock for all processes of a simulated morning: wall time that runs `speed` times as fast as CLOCK_MONOTONIC."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Wall time = start + (monotonic - origin) * speed. CLOCK_MONOTONIC is the same in every process of a machine."""

    #: Wall time at `origin`, UTC.
    start: datetime
    #: Seconds of CLOCK_MONOTONIC.
    origin: float
    #: Seconds of the simulated morning for each real one.
    speed: float

    @property
    def variable(self) -> str:
        """The value of ATTENDANCE_CLOCK that gives another process the same time."""
        return f"{self.start.isoformat()}|{self.origin!r}|{self.speed!r}"

    def wall(self, monotonic: float) -> datetime:
        """The simulated time at a real one."""
        return self.start + timedelta(seconds=(monotonic - self.origin) * self.speed)

    def real(self, wall: datetime) -> float:
        """The real time, of CLOCK_MONOTONIC, at a simulated one."""
        return self.origin + (wall - self.start).total_seconds() / self.speed

    def now(self) -> datetime:
        """The simulated time now."""
        return self.wall(time.monotonic())

    async def until(self, wall: datetime) -> None:
        """Waits for a simulated time; returns at once when it has passed."""
        await asyncio.sleep(max(0.0, self.real(wall) - time.monotonic()))
