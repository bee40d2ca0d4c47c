"""A device that is not there yet when the daemon opens it, and the daemon that goes on asking."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Protocol, TypeAlias

from gateway.errors import DeviceLost
from gateway.ports import Device
from gateway.supervisor import keep_open
from simulators.line import device_end
from tests.gateway.fakes import LoopClock

#: What bootloaders say, in no language of a card.
BANNER = b"\xff\x00boot 1.2\r\n"
#: How a bench is connected says the end of its name.
_ON_A_LINE = {"pty", "rtu", "tcp", "unix"}


class Bench(Protocol):
    """Of a reader or a gate."""

    @property
    def sim(self) -> Any: ...


class Kept:
    """A device that supervision keeps open."""

    def __init__(self) -> None:
        #: Why it is away, or None, for each time that was told.
        self.told: list[DeviceLost | None] = []
        #: How often it was tried.
        self.begun = 0
        self.serving = False

    async def until(self, true: Callable[[], bool]) -> None:
        """Returns when it is so."""
        while not true():
            await asyncio.sleep(0.002)

    async def tell(self, error: DeviceLost | None) -> None:
        """As supervision does."""
        self.told.append(error)


class _Hurried(LoopClock):
    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 20)


@asynccontextmanager
async def kept(build: Callable[[], Device], serve: Callable[[Device], Awaitable[None]]) -> AsyncIterator[Kept]:
    """Opened again and again, each time served by `serve`."""
    state = Kept()

    def begun() -> Device:
        state.begun += 1
        return build()

    async def served(device: Device) -> None:
        state.serving = True
        try:
            await serve(device)
        finally:
            state.serving = False

    keeping = asyncio.create_task(keep_open(begun, served, state.tell, _Hurried()))
    try:
        yield state
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


@asynccontextmanager
async def absent(bench: Bench, _: Kept | None = None) -> AsyncIterator[None]:
    """Its cable or its converter is not there yet."""
    await bench.sim.unplug()
    yield
    await bench.sim.replug()


@asynccontextmanager
async def another(bench: Bench, state: Kept) -> AsyncIterator[None]:
    """A bootloader has the port, answers nothing, says its banner and goes; the device comes under the same path."""
    await bench.sim.unplug()
    await state.until(lambda: not state.serving)
    boot = device_end(bench.sim.url)
    await boot.plug()
    # Who was told that the port is away before the bootloader had it has not met the bootloader yet.
    before = state.begun
    await state.until(lambda: state.serving or state.begun > before + 1)
    yield
    boot.send(BANNER)
    await boot.unplug()
    await state.until(lambda: not state.serving)
    await bench.sim.replug()


@asynccontextmanager
async def asleep(bench: Bench, _: Kept) -> AsyncIterator[None]:
    """Its port is there and it is not ready: it answers nothing, or says a banner first where nobody asks it anything."""
    own: Callable[[], AbstractAsyncContextManager[None]] | None = getattr(bench, "asleep", None)
    if own is not None:
        async with own():
            yield
    else:
        yield
        await bench.sim.garbage(getattr(bench, "banner", BANNER))


Start: TypeAlias = Callable[[Bench, Kept], AbstractAsyncContextManager[None]]


def starts(benches: Mapping[str, object], *more: Start) -> list[tuple[str, Start]]:
    """Each bench with every start that its kind of connection can have; what has no line is there or not."""
    ways: list[tuple[str, Start]] = [(name, absent) for name in benches]
    return ways + [(name, start) for name in benches if name.rpartition("-")[2] in _ON_A_LINE for start in more]
