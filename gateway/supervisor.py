"""Keeps one device open: a lost one backs off and comes back by itself, and no other device notices."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, Never

from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

from gateway.errors import DeviceLost
from gateway.ports import Clock, Device
from gateway.tasks import apart

#: Every kind has a patience of its own; a driver that has none is not waited for any longer, in seconds.
_OPENING: Final = 60.0
_SHORTEST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 30.0
#: A device that has worked this long, in seconds, is a healthy one: the next outage begins with the shortest wait.
_STEADY: Final = 30.0
#: A plug that was pulled twice is a pulled plug; a device that is lost oftener before it was steady flaps.
_FLAPS: Final = 2
#: What a lane has read is still recorded after its device was lost; a slow disk takes this long, in seconds.
_DRAIN: Final = 2.0


async def keep_open(
    build: Callable[[], Device],
    serve: Callable[[Device], Awaitable[None]],
    tell: Callable[[DeviceLost | None], Awaitable[None]],
    clock: Clock,
) -> Never:
    """Open, serve until DeviceLost, wait, longer each time, and again, for ever.

    Every opening is a fresh object from `build`. `tell` hears why the device is away, and None when it is there, each
    in turn and once; one that comes and goes is away until it stays. Any exception but DeviceLost is a bug and passes through.
    """
    keeper = _Keeper(tell, clock)
    while True:
        try:
            await apart(keeper.serve(build(), serve))
        except* DeviceLost as group:
            await keeper.lost(_first(group))
        await clock.sleep(keeper.pause())


async def together(jobs: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """All jobs on one device, by name. Raises the first DeviceLost, after the others had time to finish; a bug at once."""
    lost: list[DeviceLost] = []

    async def run(job: Coroutine[Any, Any, None]) -> None:
        try:
            await job
        except DeviceLost as error:
            if not lost:
                patience.reschedule(asyncio.get_running_loop().time() + _DRAIN)
            lost.append(error)

    try:
        async with asyncio.timeout(None) as patience, asyncio.TaskGroup() as tasks:
            for name, job in jobs.items():
                tasks.create_task(run(job), name=name)
    except TimeoutError:
        pass  # only ever set for a lost device, which is raised below
    if lost:
        raise lost[0]


class _Keeper:
    """What is known of one device across its openings."""

    def __init__(self, tell: Callable[[DeviceLost | None], Awaitable[None]], clock: Clock) -> None:
        self._tell, self._clock = tell, clock
        self._wait = wait_random_exponential(multiplier=2 * _SHORTEST_WAIT, min=_SHORTEST_WAIT, max=_LONGEST_WAIT)
        self._there: bool | None = None
        self._begin()

    def _begin(self) -> None:
        self._flaps = 0
        self._waits = RetryCallState(AsyncRetrying(), None, (), {})

    async def serve(self, device: Device, serve: Callable[[Device], Awaitable[None]]) -> None:
        """From open to lost."""
        async with _patiently(device) as opened, asyncio.TaskGroup() as tasks:
            await self.opened()
            tasks.create_task(self.settle())
            await serve(opened)

    async def opened(self) -> None:
        """It is there; whether it stays is known later."""
        self._flaps += 1
        if self._flaps <= _FLAPS:
            await self._say(None)

    async def settle(self) -> None:
        """Returns when it has stayed."""
        await self._clock.sleep(_STEADY)
        self._begin()
        await self._say(None)

    async def lost(self, error: DeviceLost) -> None:
        """It is away, or did not come."""
        await self._say(error)

    def pause(self) -> float:
        """Seconds until the next attempt."""
        seconds = self._wait(self._waits)
        self._waits.prepare_for_next_attempt()
        return seconds

    async def _say(self, error: DeviceLost | None) -> None:
        there = error is None
        if self._there is not there:
            self._there = there
            await self._tell(error)


@asynccontextmanager
async def _patiently(device: Device) -> AsyncIterator[Device]:
    """The device, opened; raises DeviceLost too where opening never ends."""
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(_OPENING) as patience:
                opened = await stack.enter_async_context(device)
        except TimeoutError as error:
            if not patience.expired():
                raise
            raise DeviceLost(f"it did not open within {_OPENING:.0f} s", hint="plug it in again") from error
        yield opened


def _first(group: BaseExceptionGroup[DeviceLost]) -> DeviceLost:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
