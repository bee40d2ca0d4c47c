"""A lamp, a buzzer and a bolt that are only on or off, played by the loop's clock."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from collections.abc import Set as AbstractSet
from enum import StrEnum

from drivers.channel import Channel
from drivers.signals import signal, timeline
from gateway.domain.answer import Answer, Words
from gateway.domain.model import Verdict
from gateway.errors import DeviceLost
from gateway.ports import GateEvent


class Output(StrEnum):
    """What can be switched."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    BUZZER = "buzzer"
    #: The gate lets somebody through while it is on, or once for each time it was.
    UNLOCK = "unlock"


class Lamp:
    """One picture at a time, and one opening."""

    def __init__(
        self,
        switch: Callable[[AbstractSet[Output]], None],
        outputs: AbstractSet[Output],
        *,
        opens: float,
        silent: bool = False,
    ) -> None:
        """`switch` is told all that shall be on and may raise DeviceLost; the bolt stays open for `opens` seconds.

        A lamp without amber is red instead.
        """
        self._switch = switch
        self._outputs = outputs
        self._opens = opens
        self._silent = silent
        self._light = Output.GREEN
        #: What is left of the picture, since it began.
        self._changes: deque[tuple[float, bool, bool]] = deque()
        self._began = 0.0
        self._next: asyncio.TimerHandle | None = None
        self._picture: AbstractSet[Output] = frozenset()
        self._open = False
        self._shuts: asyncio.TimerHandle | None = None

    def show(self, answer: Answer, *, admit: bool) -> None:
        """Begins a picture in place of the last, and opens the bolt or shuts it. Raises DeviceLost."""
        self.stop()
        shown, loop = signal(answer, silent=self._silent), asyncio.get_running_loop()
        light = Output(shown.colour)
        self._light = light if light is not Output.AMBER or light in self._outputs else Output.RED
        self._changes, self._began = deque(timeline(shown)), loop.time()
        self._open = admit
        self._play()
        if admit:
            self._shuts = loop.call_later(self._opens, self._shut)

    def rest(self) -> None:
        """Dark, still and shut. Raises DeviceLost."""
        self.stop()
        self._open, self._picture = False, frozenset()
        self._switch(frozenset())

    def stop(self) -> None:
        """Nothing changes any more."""
        for timer in (self._next, self._shuts):
            if timer is not None:
                timer.cancel()

    def _play(self) -> None:
        _, lit, sounds = self._changes.popleft()
        self._picture = {output for output, on in ((self._light, lit), (Output.BUZZER, sounds)) if on}
        self._apply()
        if self._changes:
            self._next = asyncio.get_running_loop().call_at(self._began + self._changes[0][0], self._go_on)

    def _go_on(self) -> None:
        # Whoever lost the device tells it where it is watched.
        with contextlib.suppress(DeviceLost):
            self._play()

    def _shut(self) -> None:
        self._open = False
        with contextlib.suppress(DeviceLost):
            self._apply()

    def _apply(self) -> None:
        self._switch((self._picture | ({Output.UNLOCK} if self._open else set())) & self._outputs)


class LampGate:
    """The Gate of a device that hears contacts and switches outputs."""

    def __init__(self, passed: Channel[GateEvent], lamp: Lamp) -> None:
        self._passed = passed
        self._lamp = lamp

    def events(self) -> AsyncIterator[GateEvent]:
        """What the contacts tell. Raises DeviceLost."""
        return self._passed.events()

    async def show(self, verdict: Verdict, words: Words) -> None:
        """The answer of the words, and the bolt. Raises DeviceLost."""
        self._lamp.show(words.answer, admit=verdict.admit)

    async def rest(self) -> None:
        """Dark, still and shut. Raises DeviceLost."""
        self._lamp.rest()
