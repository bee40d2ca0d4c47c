"""A reader that only speaks: no address, no gate, no thread. What it says is for the codec of its kind."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from drivers.cable import Line, LineUrl, open_line
from drivers.channel import Channel, hearing
from drivers.frames import Codec, Frame
from drivers.presence import Presence
from gateway.errors import ConfigError
from gateway.ports import Gate, Reader, ReaderEvent

#: Seconds of silence, or bytes where a card lies on the reader: then enough was heard of it.
_AFTER_A_CARD, _MOST = 0.7, 4096


class CableSettings(BaseModel):
    """The keys that every kind on a serial line has in its [[devices]] table."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: Where the serial line is.
    url: LineUrl
    #: A converter behind tcp:// has its own.
    baudrate: int = Field(default=9600, ge=300, le=921600, description="300 to 921600", examples=[9600])
    #: Seconds without a word of it after which a card has left.
    silence: float = Field(default=0.5, ge=0.1, le=10, description="seconds from 0.1 to 10", examples=[0.5])

    def opening(self) -> AbstractAsyncContextManager[Line]:
        """The line, opened by `async with`."""
        return open_line(self.url, baudrate=self.baudrate)


class OneWay:
    """Has the shape of a Device; the class of a kind says from which settings."""

    def __init__(
        self,
        opening: Callable[[], AbstractAsyncContextManager[Line]],
        codec: Callable[[], Codec[Frame]],
        *,
        silence: float,
        pause: float | None = None,
    ) -> None:
        """What was begun and is not continued for `pause` seconds has ended."""
        self._opening = opening
        self._codec = codec
        self._silence = silence
        self._pause = pause
        self._events: Channel[ReaderEvent] = Channel()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            line = await stack.enter_async_context(self._opening())
            await stack.enter_async_context(hearing(lambda: self._hear(line), self._events))
            self._open = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def reader(self, address: str) -> Reader:
        """The antenna, at ""."""
        return self._events.at(address)

    def gate(self, address: str) -> Gate:  # noqa: ARG002 - no address has one
        """Raises ConfigError: it has none."""
        raise ConfigError("this device has no gate", hint="name the device of the lamp or bolt as the lane's gate")

    async def one_card(self) -> bytes:
        """Instead of opening it: everything that the reader says for the next card. Raises DeviceLost."""
        heard = b""
        async with self._opening() as line:
            async for chunk in line.chunks(_AFTER_A_CARD):
                heard += chunk
                if not chunk or len(heard) > _MOST:
                    break
        return heard

    async def _hear(self, line: Line) -> None:
        codec, presence = self._codec(), Presence(self._silence)
        self._events.faults = presence.faults
        loop = asyncio.get_running_loop()
        async for chunk in line.chunks(self._pause):
            now = loop.time()
            for frame in codec.feed(chunk) if chunk else codec.end():
                if event := presence.event(frame, now):
                    await self._events.put(event)
