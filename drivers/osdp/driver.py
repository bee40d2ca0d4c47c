"""OSDP readers on one RS-485 bus, each in a secure channel under a key of its own: cards in; lamp, buzzer, screen, output.

The bus is the device. A reader that is lost while others answer is told to its lane and comes back by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, ClassVar, Never, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from drivers.cable import LineUrl, open_line
from drivers.channel import Channel, hearing
from drivers.frames import Noise
from drivers.osdp.bus import Bus
from drivers.osdp.codec import Local, Order, Uid, picture, read, rest
from drivers.osdp.keys import KeyFile
from drivers.osdp.provision import install
from drivers.presence import Presence
from drivers.signals import signal
from drivers.steady import Steady
from gateway.domain.answer import Words
from gateway.domain.entry import DeviceState
from gateway.domain.model import Verdict
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import DeviceNotice, Gate, GateEvent, Reader, ReaderEvent

_ROWS = 2
#: Seconds between two looks at what has settled.
_LOOKS = 5.0


def _folder(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise ValueError("begin it with /: a service has no current directory to rely on")
    return path


def _different(readers: tuple[int, ...]) -> tuple[int, ...]:
    if len({*readers}) < len(readers):
        raise ValueError("each reader on a bus has an address of its own")
    return readers


class _Place:
    """One address: a reader and a gate."""

    def __init__(self, address: int, silence: float) -> None:
        self.address = address
        self.seen: Channel[ReaderEvent] = Channel()
        self.passed: Channel[GateEvent] = Channel()
        self.presence = Presence(silence)
        self.seen.faults = self.presence.faults
        self.steady = Steady(f"reader {address}: ")
        self.stand(Local(), float("-inf"))

    def stand(self, local: Local, now: float) -> list[DeviceNotice]:
        """What is to be told of how the reader stands."""
        said = local.said(f"reader {self.address}")
        return [told for notice, usual in said for told in self.steady.hear(notice, now, usual=usual)]


class Osdp:
    """Up to eight readers by their addresses; each has a lamp."""

    #: What says `calibrate`.
    by_hand: ClassVar = (
        'whole UIDs are its setting uid: write uid = "air", hold the card to it and compare, '
        'and uid = "reversed" where the bytes run backwards'
    )

    class Settings(BaseModel):
        """The keys of its [[devices]] table."""

        model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

        #: Where the bus is.
        url: LineUrl
        #: What the readers are set to.
        baudrate: int = Field(default=9600, ge=300, le=921600, description="300 to 921600", examples=[9600])
        #: Their addresses on the bus.
        readers: Annotated[tuple[Annotated[int, Field(ge=0, le=126)], ...], AfterValidator(_different)] = Field(
            default=(1,),
            strict=False,
            min_length=1,
            max_length=8,
            description="1 to 8 addresses from 0 to 126",
            examples=[[1]],
        )
        #: Where their keys are.
        keys: Annotated[str, AfterValidator(_folder)] = Field(
            default="/var/lib/attendance-gateway/osdp",
            description="an absolute path of a folder",
            examples=["/var/lib/attendance-gateway/osdp"],
        )
        #: What 32, 56 or 80 bits without parity are.
        uid: Uid = Field(
            default=Uid.REFUSED, strict=False, description='"refused", "air" or "reversed"', examples=["air"]
        )
        #: Seconds without a reading after which the card has left.
        silence: float = Field(default=0.5, ge=0.1, le=10, description="seconds from 0.1 to 10", examples=[0.5])
        #: Whether the buzzers stay quiet.
        silent: bool = Field(default=False, description="true or false", examples=[False])
        #: Whether they have a screen.
        text: bool = Field(default=False, description="true or false", examples=[False])
        #: Which of their outputs opens the bolt; -1 is none.
        output: int = Field(default=-1, ge=-1, le=255, description="-1 (none) to 255", examples=[0])
        #: Seconds for which it does.
        opens: float = Field(default=3.0, ge=0.1, le=60, description="seconds from 0.1 to 60", examples=[3.0])

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places = {address: _Place(address, settings.silence) for address in settings.readers}
        self._bus: Bus | None = None
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        keys, lacking = self._keys()
        url = self._settings.url
        async with AsyncExitStack() as stack:
            line = await stack.enter_async_context(open_line(url, baudrate=self._settings.baudrate))
            if not keys:
                error = next(iter(lacking.values()))
                raise DeviceLost(f"no reader of {url} can be used: {error}", hint=error.hint)
            bus = await stack.enter_async_context(Bus(url, line, keys, self))
            channels = [channel for place in self._places.values() for channel in (place.seen, place.passed)]
            await stack.enter_async_context(hearing(bus.watch, *channels))
            await stack.enter_async_context(hearing(self._settle, *channels))
            for address, error in lacking.items():
                await self.stands(address, f"{error} ({error.hint})")
            self._open, self._bus = stack.pop_all(), bus
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def reader(self, address: str) -> Reader:
        """By its address on the bus; "" where there is one."""
        return self._place(address).seen

    def gate(self, address: str) -> Gate:
        """The lamp, buzzer, screen and output of that reader."""
        return _OsdpGate(self._place(address), self)

    async def provision(self, address: str, seconds: float) -> Path:
        """Give one reader a key of its own; it must be ready to be given one. Returns the file of the key.

        Raises ConfigError where the key cannot be kept, DeviceLost where it did not arrive within `seconds`.
        """
        place = self._place(address)
        file = KeyFile(self._settings.keys, place.address)
        async with open_line(self._settings.url, baudrate=self._settings.baudrate) as line:
            await asyncio.to_thread(install, line, place.address, file, seconds)
        return file.path

    def tell(self, address: int, orders: list[Order]) -> None:
        """Raises DeviceLost where that reader or the whole bus is not there."""
        self._places[address].passed.check()
        if self._bus is None:
            raise DeviceLost("the device is not open")
        self._bus.tell(address, orders)

    async def event(self, address: int, event: Mapping[str, Any] | Noise) -> None:
        """As the bus tells it."""
        place, now = self._places[address], asyncio.get_running_loop().time()
        match event if isinstance(event, Noise) else read(event, self._settings.uid):
            case None:
                pass
            case Local() as local:
                for notice in place.stand(local, now):
                    await place.seen.put(notice)
            case frame:
                if seen := place.presence.event(frame, now):
                    await place.seen.put(seen)

    async def _settle(self) -> Never:
        """A cover that chattered is closed only when it has stayed so, and nothing tells that but time."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOKS)
            for place in self._places.values():
                for notice in place.steady.settle(loop.time()):
                    await place.seen.put(notice)

    async def stands(self, address: int, why: str | None) -> None:
        """As the bus tells it: a lane whose reader is away is blind, and its lamp is dark."""
        place = self._places[address]
        kind, told = (DeviceState.UP, "") if why is None else (DeviceState.DOWN, f": {why}")
        await place.seen.put(DeviceNotice(kind=kind, detail=f"reader {address}{told}"))
        await place.passed.put(DeviceNotice(kind=kind, detail=f"gate {address}{told}"))

    @property
    def settings(self) -> "Osdp.Settings":
        """As they were judged."""
        return self._settings

    def _keys(self) -> tuple[dict[int, bytes], dict[int, ConfigError]]:
        keys, lacking = dict[int, bytes](), dict[int, ConfigError]()
        for address in self._places:
            file = KeyFile(self._settings.keys, address)
            try:
                key = file.read()
                if key is None:
                    hint = "give it one with 'attendance-gateway provision', see drivers/osdp/README.md"
                    raise ConfigError(f"it has no key, there is no {file.path}", hint=hint)
                keys[address] = key
            except ConfigError as error:
                lacking[address] = error
        return keys, lacking

    def _place(self, address: str) -> _Place:
        if address == "" and len(self._places) == 1:
            return next(iter(self._places.values()))
        for place in self._places.values():
            if address == str(place.address):
                return place
        known = " or ".join(str(known) for known in self._places)
        raise ConfigError(f'no reader "{address}" on this bus', hint=f"write a slash and its address: {known}")


class _OsdpGate:
    """What a reader shows."""

    def __init__(self, place: _Place, device: Osdp) -> None:
        self._place = place
        self._device = device
        settings = device.settings
        self._output = settings.output if settings.output >= 0 else None

    def events(self) -> AsyncIterator[GateEvent]:
        return self._place.passed.events()

    async def show(self, verdict: Verdict, words: Words) -> None:
        settings = self._device.settings
        shown = signal(words.answer, silent=settings.silent)
        output = self._output if verdict.admit else None
        lines = words.lines if settings.text else ()
        self._device.tell(self._place.address, picture(shown, lines, output=output, opens=settings.opens))

    async def rest(self) -> None:
        rows = _ROWS if self._device.settings.text else 0
        self._device.tell(self._place.address, rest(rows, output=self._output))
