"""The clock of one simulated machine: wall time that may be wrong, a boot, and how well the machine knows the time."""

import asyncio
from datetime import datetime, timedelta

from gateway.domain.model import ClockState, Instant
from tests.faults.chance import Chance, Fault
from tests.journal.school import at

START = at("08:25")
UNSET = datetime(1970, 1, 1, tzinfo=START.tzinfo)
_NEVER_MIND = timedelta(0)


def true_time() -> datetime:
    """What an honest clock would say."""
    return START + timedelta(seconds=asyncio.get_running_loop().time())


class MachineClock:
    """`gateway.ports.Clock`; `pace` stretches its sleeps, for machines that only poll; a server has a `battery`."""

    def __init__(self, name: str, chance: Chance, *, pace: float = 1.0, battery: bool = False) -> None:
        self._name, self._chance, self._pace, self._battery = name, chance, pace, battery
        self.off = _NEVER_MIND
        self.state = ClockState.SYNCED
        self._boots, self._booted = 1, -60.0

    def now(self) -> Instant:
        seconds = asyncio.get_running_loop().time()
        return Instant(
            at=true_time() + self.off,
            boot=f"{self._name}-{self._boots}",
            boottime=int((seconds - self._booted) * 1000),
            clock=self.state,
        )

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0) * self._pace)

    def jump(self, off: timedelta) -> None:
        """Somebody sets the wall clock wrong by that much."""
        self._chance.note(Fault.CLOCK_JUMP, f"{self._name} by {off}")
        self.off = off

    def boot(self) -> None:
        """Without a battery the time is that of the file system at best, until a server tells it."""
        self._boots += 1
        self._booted = asyncio.get_running_loop().time()
        if not self._battery and self._chance.strikes(0.7):
            self._chance.note(Fault.UNSET_CLOCK, self._name)
            wrong = [UNSET - true_time(), timedelta(hours=-1), timedelta(seconds=-30), timedelta(days=1)]
            self.off, self.state = self._chance.dice.choice(wrong), ClockState.UNSYNCED
            asyncio.get_running_loop().call_later(self._chance.dice.uniform(5, 100), self.set)

    def set(self) -> None:
        """A time server has answered."""
        self.off, self.state = _NEVER_MIND, ClockState.SYNCED
