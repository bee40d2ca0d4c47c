"""Time as the gateway knows it: wall time, the kernel's boot id and boot time, and whether anything keeps the clock right.

Nothing here waits for time: an unsynchronised clock is a fact that entries carry, not a reason to stop.
"""

import asyncio
import ctypes
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from gateway.domain.model import ClockState, Instant
from gateway.errors import ConfigError
from gateway.ports import Clock

ENVIRONMENT: Final = "ATTENDANCE_CLOCK"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_TIMESYNCD: Final = "/run/systemd/timesync/synchronized"
_STA_UNSYNC: Final = 0x40
_ERROR_STATE: Final = 5
# Opened once: the time is asked at every tap.
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class SystemClock:
    """The machine's own clock."""

    def __init__(self) -> None:
        # A hardened unit hides /proc/sys; it passes the boot id instead.
        self._boot = (os.environ.get("ATTENDANCE_BOOT_ID") or _boot_id()).replace("-", "")
        self._was_synced = False

    def now(self) -> Instant:
        synced = _synchronised()
        self._was_synced = self._was_synced or synced
        held = ClockState.HOLDOVER if self._was_synced else ClockState.UNSYNCED
        return Instant(
            at=datetime.now(UTC),
            boot=self._boot,
            boottime=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
            clock=ClockState.SYNCED if synced else held,
        )

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class PacedClock:
    """A simulated clock that all processes of one simulation share: `start` was at `anchor`, and time runs `speed` times."""

    def __init__(self, start: datetime, anchor: float, speed: float) -> None:
        self._start, self._anchor, self._speed = start, anchor, speed

    def now(self) -> Instant:
        moment = time.monotonic()
        passed = timedelta(seconds=(moment - self._anchor) * self._speed)
        boottime = int(moment * self._speed * 1000)
        return Instant(at=self._start + passed, boot="simulated", boottime=boottime, clock=ClockState.SYNCED)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds / self._speed))


def clock_from_environment() -> Clock:
    """The system clock, or the paced one of `ATTENDANCE_CLOCK="ISO start|monotonic seconds|speed"`. Raises ConfigError."""
    text = os.environ.get(ENVIRONMENT)
    if text is None:
        return SystemClock()
    try:
        start, anchor, speed = text.split("|")
        moment = datetime.fromisoformat(start)
        if moment.tzinfo is None or float(speed) <= 0:
            raise ValueError(text)
        return PacedClock(moment.astimezone(UTC), float(anchor), float(speed))
    except ValueError as error:
        raise ConfigError(
            f"environment {ENVIRONMENT}: got {text!r}, expected 'ISO start with zone|monotonic seconds|speed'",
            hint=f"unset {ENVIRONMENT}: only simulations set it",
        ) from error


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        # Without a boot id no two starts may be taken for one boot.
        return os.urandom(16).hex()


def _synchronised() -> bool:
    return os.path.exists(_TIMESYNCD) or _kernel_synchronised()  # noqa: PTH110 - at every tap


class _Timex(ctypes.Structure):
    """The head of `struct timex`, adjtimex(2), and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def _kernel_synchronised() -> bool:
    timex = _Timex()
    state: int = _LIBC.adjtimex(ctypes.byref(timex))
    return state not in (-1, _ERROR_STATE) and not int(timex.status) & _STA_UNSYNC
