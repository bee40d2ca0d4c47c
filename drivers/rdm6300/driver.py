"""A 125 kHz reader of the RDM6300 or ID-12LA family on a serial line, or behind a serial server."""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from drivers.cable import Line, LineUrl, open_line
from drivers.channel import Channel, hearing
from drivers.presence import Presence
from drivers.rdm6300.codec import Codec
from gateway.errors import ConfigError
from gateway.ports import Gate, Reader, ReaderEvent


class Rdm6300:
    """One antenna; it cannot be told anything, so it has no gate."""

    codec: ClassVar = Codec

    class Settings(BaseModel):
        """The keys of its [[devices]] table."""

        model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

        #: Where the serial line is.
        url: LineUrl
        #: The modules know one rate; a converter behind tcp:// has its own.
        baudrate: int = Field(default=9600, ge=300, le=921600, description="300 to 921600", examples=[9600])
        #: Seconds without a frame after which the card has left; the module repeats about every 65 ms.
        silence: float = Field(default=0.5, ge=0.1, le=10, description="seconds from 0.1 to 10", examples=[0.5])

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._events: Channel[ReaderEvent] = Channel()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            line = await stack.enter_async_context(open_line(self._settings.url, baudrate=self._settings.baudrate))
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
        raise ConfigError("an rdm6300 has no gate", hint="name the device of the lamp or bolt as the lane's gate")

    async def _hear(self, line: Line) -> None:
        codec, presence = Codec(), Presence(self._settings.silence)
        self._events.faults = presence.faults
        loop = asyncio.get_running_loop()
        async for chunk in line.chunks():
            now = loop.time()
            for frame in codec.feed(chunk):
                if event := presence.event(frame, now):
                    await self._events.put(event)
