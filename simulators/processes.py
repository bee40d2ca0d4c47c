"""Child processes that never outlive their parent: started by list, stopped by process group, killed on purpose."""

import asyncio
import contextlib
import ctypes
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway.errors import AttendanceError

_PR_SET_PDEATHSIG = 1


class ChildFailed(AttendanceError):
    """A process of the simulation ended by itself."""

    hint = "read its log; run again with --keep to keep the folder"


class Child:
    """One program that can be started again after it was killed."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        #: How often it was started.
        self.starts = 0
        #: Most memory that any of its lives was seen with, bytes.
        self.peak_rss = 0
        #: True from the moment somebody wants it gone.
        self.unwanted = False
        self.command = list(command)
        #: Everything that all its lives said.
        self.log = log
        self._environment = dict(environment)
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """The process id of its newest life."""
        if self._process is None:
            raise ChildFailed(f"{self.name} was never started")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Starts it in a process group of its own, so that Ctrl-C reaches only the parent, which stops it in order."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
                preexec_fn=leash(),
            )
        self.unwanted = False
        self.starts += 1

    async def kill(self) -> None:
        """By SIGKILL, so that nothing can be tidied up; returns when it is gone."""
        self.unwanted = True
        self.weigh()
        self._signal(signal.SIGKILL)
        await self._gone()

    async def stop(self, patience: float = 5.0) -> None:
        """Asks it to end, and kills what does not within so many seconds."""
        self.unwanted = True
        self.weigh()
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._gone(), patience)
        except TimeoutError:
            await self.kill()

    def check(self) -> None:
        """Raises ChildFailed, with the end of its log, when it ended by itself."""
        if self._process is not None and not self.alive and not self.unwanted:
            raise ChildFailed(f"{self.name} ended with status {self._process.returncode}:\n{self.last_words()}")

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def weigh(self) -> None:
        """Looks at its resident memory, highest so far."""
        if not self.alive:
            return
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
                if line.startswith("VmHWM:"):
                    self.peak_rss = max(self.peak_rss, int(line.split()[1]) * 1024)

    def _signal(self, number: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def _gone(self) -> None:
        if self._process is not None:
            await self._process.wait()


async def output(command: Sequence[str], *, environment: Mapping[str, str], patience: float = 60.0) -> str:
    """What a command that ends by itself prints. Raises ChildFailed when it fails or takes longer than `patience` s."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environment),
        start_new_session=True,
        preexec_fn=leash(),
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), patience)
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if process.returncode != 0:
        told = (err or out).decode(errors="replace").strip()
        raise ChildFailed(f"{' '.join(command[-6:])} ended with status {process.returncode}: {told[-1500:]}")
    return out.decode()


async def listening(port: int, *, child: Child, patience: float = 20.0) -> None:
    """Waits until a child accepts connections. Raises ChildFailed."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            child.check()
            if loop.time() > deadline:
                raise ChildFailed(f"{child.name} does not listen on port {port}:\n{child.last_words()}") from None
            await asyncio.sleep(0.02)
        else:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return


def leash() -> Callable[[], None]:
    """What a child does before its program begins (`preexec_fn`): the kernel kills it when this process dies, however.

    Set before the fork returns, so that no moment is left in which a parent may die unnoticed (prctl(2), PR_SET_PDEATHSIG).
    """
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)

    return tie
