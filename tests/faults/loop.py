"""Everything in one event loop and one thread, in virtual time: the same seed gives the same run to the last step.

aiosqlite gives each connection a thread; here its queue hands the work to the loop instead, a moment later and in order.
What the code hands to other threads (`asyncio.to_thread`) is done in the loop as well.
"""

import asyncio
import gc
import itertools
import os
import random
import secrets
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiosqlite.core
import pytest

from tests.faults.chance import Chance
from tests.sync.virtual_time import Jump, VirtualLoop

#: What a statement takes at most, in seconds.
SLOWEST = 0.004


class _Blind(Jump):
    """Nobody outside ever wakes this loop, so the kernel is not asked."""

    def ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        return []


class _Task(asyncio.Task[Any]):
    """Sets of tasks (a TaskGroup has one) keep their order from run to run, whatever the addresses are."""

    def __init__(self, number: int, *args: Any, **more: Any) -> None:
        self._number = number
        super().__init__(*args, **more)

    def __hash__(self) -> int:
        return self._number


class SteppingLoop(VirtualLoop):
    """Work for other threads takes a moment, and runs here."""

    def __init__(self, chance: Chance) -> None:
        super().__init__(_Blind())
        self.chance = chance
        numbers = itertools.count()
        self.set_task_factory(lambda loop, work, **more: _Task(next(numbers), work, loop=loop, **more))

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":  # type: ignore[override]
        done = self.create_future()
        self.call_later(self.chance.dice.uniform(0, SLOWEST), _settle, done, lambda: func(*args))
        return done


class _Queue:
    """aiosqlite's, whose reader is the loop."""

    def __init__(self) -> None:
        self._free = 0.0

    def put_nowait(self, task: "tuple[asyncio.Future[Any] | None, Callable[[], Any]]") -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SteppingLoop)
        self._free = max(self._free, loop.time()) + loop.chance.dice.uniform(0, SLOWEST)
        loop.call_at(self._free, _settle, *task)


class _NoThread:
    daemon = True

    def __init__(self, **_: object) -> None: ...
    def start(self) -> None: ...


def _settle(future: "asyncio.Future[Any] | None", work: Callable[[], Any]) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - it belongs to who waits
        if future is not None and not future.done():
            future.set_exception(error)
    else:
        if future is not None and not future.done():
            future.set_result(result)


@contextmanager
def one_thread(chance: Chance) -> Iterator[None]:
    """While it lasts no library makes a thread, waits for the disk of this machine or draws a number of its own.

    Nor is garbage collected: when that happens hangs on everything else in the process, and what is abandoned ends by it.
    """
    before, collects = random.getstate(), gc.isenabled()
    gc.disable()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiosqlite.core, "SimpleQueue", _Queue)
        patch.setattr(aiosqlite.core, "Thread", _NoThread)
        patch.setattr(os, "fsync", lambda _descriptor: None)
        patch.setattr(secrets, "token_hex", lambda size: chance.ids.randbytes(size).hex())
        random.seed(chance.seed)
        try:
            yield
        finally:
            random.setstate(before)
            if collects:
                gc.enable()
