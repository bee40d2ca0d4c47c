"""An event loop whose clock jumps to the next timer when nothing else is left to do: an hour of waiting costs nothing."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Jump(selectors.SelectSelector):
    """Instead of sleeping it moves the clock."""

    now = 0.0

    def ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(0)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self.ready()
        if not ready and timeout is None:
            raise RuntimeError("everybody waits and no timer is set: this is a deadlock")
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """For code that waits only for timers and for other tasks: no sockets, no threads."""

    def __init__(self, jump: Jump | None = None) -> None:
        self._jump = jump or Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
