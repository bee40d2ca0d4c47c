"""A process to which events are offered as numbers at a fixed rate, killed and started again, and what became of them."""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_HERTZ = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Tally:
    """What arrived at the other end."""

    delivered: Counter[int] = field(default_factory=Counter)
    #: Set whenever something arrives.
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, numbers: Sequence[int]) -> None:
        """These arrived now."""
        self.delivered.update(numbers)
        self.news.set()


class Peer:
    """One program over its lives. It says `ready`, then takes a number a line, and answers with the number it accepts."""

    def __init__(self, command: Sequence[str], tally: Tally) -> None:
        self._command, self.tally = command, tally
        self.accepted: set[int] = set()
        #: Peak over its lives, in MiB.
        self.rss = 0.0
        self._ready = asyncio.Event()
        self._spent: list[float] = []

    async def start(self) -> None:
        """Returns when it takes events."""
        pipe = subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe)
        if await self._out.readline() != b"ready\n":
            raise RuntimeError(f"{self._command} did not start")
        if not self._spent:  # what it costs to begin again counts, what it costs to begin does not
            self._spent = [-self._cpu()]
        self._listening = asyncio.create_task(self._listen())
        self._ready.set()

    async def kill(self) -> None:
        """As kill -9 does. What it has not answered by now is not accepted."""
        self._ready.clear()
        self.rss = max(self.rss, self._peak())
        self._spent.append(self._cpu())
        self._process.kill()
        await self._process.wait()
        await self._listening

    async def offer(self, rate: int, seconds: float) -> None:
        """Each number at its time, or as soon after as there is somebody to offer it to."""
        start = time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
            await self._ready.wait()
            if (into := self._process.stdin) is not None:
                into.write(b"%d\n" % number)

    @property
    def cpu(self) -> float:
        """Seconds of all its lives since it first took events."""
        return sum(self._spent)

    @property
    def lost(self) -> int:
        """Accepted, and never delivered."""
        return len(self.accepted - self.tally.delivered.keys())

    @property
    def doubled(self) -> int:
        """Deliveries beyond the first."""
        return self.tally.delivered.total() - len(self.tally.delivered)

    @property
    def _out(self) -> asyncio.StreamReader:
        if self._process.stdout is None:
            raise RuntimeError("a process without a pipe")
        return self._process.stdout

    async def _listen(self) -> None:
        async for line in self._out:
            if line.endswith(b"\n"):
                self.accepted.add(int(line))

    def _peak(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _HERTZ


def interpreter(folder: Path, *packages: str) -> str | None:
    """A Python of its own with these packages alone; None, and said, where they cannot be had."""
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps")
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        [sys.executable, "-m", "pip", "--python", str(folder), "install", *quiet, *packages],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"not run: {' '.join(packages)}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return None
    return str(folder / "bin" / "python")
