"""The bounded hand-over from the task or thread that hears a device to whoever iterates its events."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Generic, Self, TypeVar

from gateway.errors import ConfigError, DeviceLost

T = TypeVar("T")

_ROOM = 32


class Channel(Generic[T]):
    """Events in order, then the error that ended the device. Has the shape of a Reader."""

    def __init__(self) -> None:
        self._events: deque[T] = deque()
        self._changed = asyncio.Event()
        self._iterated = False
        self._ended: BaseException | None = None
        #: What was heard since the device was opened and is no card, by name; for health.
        self.faults: Mapping[str, int] = {}

    def at(self, address: str) -> Self:
        """This channel, for a device that has one. Raises ConfigError for any address but ""."""
        if address:
            raise ConfigError(
                f'this device has no address "{address}"', hint="name the device alone, without a slash and an address"
            )
        return self

    async def events(self) -> AsyncIterator[T]:
        """Raises what ended the device after everything that came before."""
        self._iterated = True
        while True:
            while self._events:
                event = self._events.popleft()
                self._change()
                yield event
            self.check()
            await self._changed.wait()

    def check(self) -> None:
        """Raises what ended the device."""
        if self._ended is not None:
            raise self._ended

    async def put(self, event: T) -> None:
        """Waits for room while somebody iterates; for nobody the newest are kept. Raises what ended the device."""
        while self._iterated and len(self._events) >= _ROOM:
            self.check()
            await self._changed.wait()
        self.check()
        if len(self._events) >= _ROOM:
            self._events.popleft()
        self._events.append(event)
        self._change()

    def end(self, error: BaseException) -> None:
        """The first one counts."""
        self._ended = self._ended or error
        self._change()

    def _change(self) -> None:
        # Wakes those who wait now; whoever comes later looks at the state first.
        self._changed.set()
        self._changed.clear()


@asynccontextmanager
async def hearing(hear: Callable[[], Coroutine[None, None, None]], *channels: Channel[Any]) -> AsyncIterator[None]:
    """Run what hears a device for as long as the block lasts; what ends it ends the channels."""

    async def run() -> None:
        try:
            await hear()
        except Exception as error:  # noqa: BLE001 - handed to whoever iterates; DeviceLost or a bug
            for channel in channels:
                channel.end(error)

    task = asyncio.create_task(run(), name="hears a device")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        for channel in channels:
            channel.end(DeviceLost("the device was closed"))
