"""A process and the machine under it: it runs, dies at any step, loses its power, and is started again."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from tests.faults.chance import Chance, Fault
from tests.faults.clock import MachineClock
from tests.faults.disk import Disk
from tests.faults.network import Network

#: What a dead process needs to come back at most, in seconds.
_RESTART: Final = 8.0


class Bug(Exception):
    """What must never happen has happened."""


class Machine:
    """Runs `main` again and again. What a dead process still wants to do reaches neither disk, network nor lamp."""

    def __init__(
        self,
        name: str,
        folder: Path,
        network: Network,
        chance: Chance,
        clock: MachineClock,
        *,
        gives_up: tuple[type[Exception], ...],
    ) -> None:
        """`gives_up` is what the process may end with for an operator or systemd; anything else is a bug."""
        self.name, self.network, self.chance, self.clock = name, network, chance, clock
        self.disk = Disk(folder / name, chance)
        self.disk.crash = self.crash
        self.alive = False
        #: What is done while it is down, if anything.
        self.repair: Callable[[], None] | None = None
        self.starts = 0
        self._gives_up = gives_up
        self._died = asyncio.Event()
        self._power = False

    def crash(self, *, power: bool | None = None) -> None:
        """Dead from this moment on; with or without its power, by chance where that is not said."""
        if self.alive:
            self._power = self.chance.dice.random() < 0.6 if power is None else power
            self.alive = False
            self.disk.end_life()
            self.network.fuses.pop(self.name, None)
            self._died.set()

    def kill(self, *, power: bool) -> None:
        """From outside."""
        if self.alive:
            self.chance.note(Fault.KILL, self.name)
            self.crash(power=power)

    async def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """For ever. Raises what is a bug."""
        while True:
            self._died.clear()
            self.alive, self.starts = True, self.starts + 1
            self.chance.tell(f"{self.name} starts")
            process = asyncio.create_task(main(), name=self.name)
            death = asyncio.create_task(self._died.wait())
            await asyncio.wait({process, death}, return_when=asyncio.FIRST_COMPLETED)
            killed = not self.alive
            if wire := self.network.wires.get(self.name):
                wire.cut("the process is gone")
            if not killed:
                self.alive = False
                self.disk.end_life()
            process.cancel(), death.cancel()
            [ended, _] = await asyncio.gather(process, death, return_exceptions=True)
            if not killed:
                self._judge(ended)
            await self._down(power=killed and self._power)

    def _judge(self, ended: object) -> None:
        if not isinstance(ended, BaseException):
            raise Bug(f"{self.name} ended by itself")
        leaves = _leaves(ended)
        if not all(isinstance(leaf, self._gives_up) for leaf in leaves):
            raise ended
        self.chance.tell(f"{self.name} gives up: {leaves[0]}")

    async def _down(self, *, power: bool) -> None:
        if power:
            self.disk.power_cut()
        await asyncio.sleep(self.chance.dice.uniform(0.2, _RESTART))
        if self.repair is not None:
            repair, self.repair = self.repair, None
            repair()
        if power:
            self.clock.boot()


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [error]
