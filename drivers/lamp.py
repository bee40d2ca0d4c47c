"""A lamp, a buzzer and a bolt that are only on or off, played by the loop's clock."""

import asyncio
import contextlib
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from enum import StrEnum

from drivers.signals import Colour, signal, timeline
from gateway.domain.answer import Answer
from gateway.errors import DeviceLost


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
        self._picture: AbstractSet[Output] = frozenset()
        self._open = False
        self._timers: list[asyncio.TimerHandle] = []

    def show(self, answer: Answer, *, admit: bool) -> None:
        """Begins a picture in place of the last, and opens the bolt or shuts it. Raises DeviceLost."""
        self.stop()
        shown = signal(answer, silent=self._silent)
        light = self._light(shown.colour)
        (_, lit, sounds), *later = timeline(shown)
        self._open = admit
        self._draw(light, lit, sounds)
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timers = [loop.call_at(now + after, self._change, light, lit, sounds) for after, lit, sounds in later]
        if admit:
            self._timers.append(loop.call_at(now + self._opens, self._shut))

    def rest(self) -> None:
        """Dark, still and shut. Raises DeviceLost."""
        self.stop()
        self._open, self._picture = False, frozenset()
        self._switch(frozenset())

    def stop(self) -> None:
        """Nothing changes any more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _light(self, colour: Colour) -> Output:
        output = Output(colour)
        return output if output is not Output.AMBER or output in self._outputs else Output.RED

    def _draw(self, light: Output, lit: bool, sounds: bool) -> None:
        self._picture = {output for output, on in ((light, lit), (Output.BUZZER, sounds)) if on}
        self._apply()

    def _change(self, light: Output, lit: bool, sounds: bool) -> None:
        # Whoever lost the device tells it where it is watched.
        with contextlib.suppress(DeviceLost):
            self._draw(light, lit, sounds)

    def _shut(self) -> None:
        self._open = False
        with contextlib.suppress(DeviceLost):
            self._apply()

    def _apply(self) -> None:
        self._switch((self._picture | ({Output.UNLOCK} if self._open else set())) & self._outputs)
