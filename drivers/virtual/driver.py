"""The virtual device: one reader and one gate whose other end is a program, for rehearsals, demonstrations and tests."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from drivers.cable import Line, LineUrl, open_line
from drivers.channel import Channel, hearing
from drivers.presence import Presence
from drivers.steady import STILL, Steady
from drivers.virtual.codec import REST, Codec, encode_show
from gateway.domain.answer import Words
from gateway.domain.entry import DeviceState, FireAlarm, GateMode, Obstruction
from gateway.domain.model import Verdict
from gateway.errors import DeviceLost
from gateway.ports import DeviceNotice, Gate, GateEvent, Reader, ReaderEvent, Rotation

_USUAL = (GateMode.SINGLE, FireAlarm.ALL_CLEAR, Obstruction.CLEAR)


class Virtual:
    """Connects to whoever plays the device; see codec.py for what is said."""

    codec: ClassVar = Codec

    class Settings(BaseModel):
        """The keys of its [[devices]] table."""

        model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

        #: Where the program that plays the device listens.
        url: LineUrl

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: Channel[ReaderEvent] = Channel()
        self._passed: Channel[GateEvent] = Channel()
        self._line: Line | None = None
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            line = await stack.enter_async_context(open_line(self._settings.url))
            await stack.enter_async_context(hearing(lambda: self._hear(line), self._seen, self._passed))
            self._open, self._line = stack.pop_all(), line
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def reader(self, address: str) -> Reader:
        """The reader, at ""."""
        return self._seen.at(address)

    def gate(self, address: str) -> Gate:
        """The gate, at ""."""
        return _VirtualGate(self._passed.at(address), self)

    def tell(self, data: bytes) -> None:
        """Say something to the device. Raises DeviceLost."""
        self._passed.check()
        if self._line is None:
            raise DeviceLost("the device is not open")
        try:
            self._line.write(data)
        except DeviceLost as error:
            # Who watches the device hears of it too: a lamp that is gone is opened again.
            for channel in (self._seen, self._passed):
                channel.end(error)
            raise

    async def _hear(self, line: Line) -> None:
        # Every line of this reader is a presentation: what plays the device knows what a held card is.
        codec, presence = Codec(), Presence(silence=0)
        self._seen.faults = presence.faults
        seen, passed = Steady(), Steady()
        loop = asyncio.get_running_loop()
        async for chunk in line.chunks(pause=STILL):
            now = loop.time()
            await self._tell(seen.settle(now), passed.settle(now))
            for told in codec.feed(chunk):
                match told:
                    case Rotation():
                        await self._passed.put(told)
                    case DeviceNotice(kind=DeviceState.TAMPER):
                        await self._tell(seen.happen(told, now), [])
                    case DeviceNotice(detail=detail):
                        await self._tell([], passed.hear(told, now, usual=detail in _USUAL))
                    case _:
                        if event := presence.event(told, now):
                            await self._seen.put(event)

    async def _tell(self, seen: Iterable[DeviceNotice], passed: Iterable[DeviceNotice]) -> None:
        for notice in seen:
            await self._seen.put(notice)
        for notice in passed:
            await self._passed.put(notice)


class _VirtualGate:
    """The gate's half."""

    def __init__(self, passed: Channel[GateEvent], device: Virtual) -> None:
        self._passed = passed
        self._device = device

    def events(self) -> AsyncIterator[GateEvent]:
        return self._passed.events()

    async def show(self, verdict: Verdict, words: Words) -> None:
        self._device.tell(encode_show(verdict, words))

    async def rest(self) -> None:
        self._device.tell(REST)
