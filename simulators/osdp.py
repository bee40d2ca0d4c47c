"""Readers on an OSDP bus, played by libosdp's own peripheral device on a pseudo-terminal or behind tcp://."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Any, Final, Self

import osdp_sys
from osdp import (
    Capability,
    CardFormat,
    Channel,
    Command,
    Event,
    LibFlag,
    LogLevel,
    PDCapabilities,
    PdId,
    PDInfo,
    StatusReportType,
)

from simulators.line import Plugged, device_end

#: Seconds between two turns where nobody asks: libosdp counts time in them.
_TURN: Final = 0.02
#: A question that waited so long, because this process stood still, was given up: an answer would be lost, and a card in it.
_LATE: Final = 0.15
_UNREAD: Final = 4096
_CAPABILITIES: Final = (
    Capability.OutputControl,
    Capability.ContactStatusMonitoring,
    Capability.LEDControl,
    Capability.AudibleControl,
    Capability.TextOutput,
    Capability.CardDataFormat,
)


class _Drop(Channel):  # type: ignore[misc]
    """Where one reader is connected to the bus."""

    def __init__(self, say: Callable[[bytes], int]) -> None:
        super().__init__()
        self._say = say
        self.heard = bytearray()

    def read(self, max_bytes: int) -> bytes:
        data = bytes(self.heard[:max_bytes])
        del self.heard[:max_bytes]
        return data

    def write(self, buf: bytes) -> int:
        self._say(bytes(buf))
        return len(buf)

    def flush(self) -> None:
        self.heard.clear()


class OsdpReader:
    """One reader. Without a key it is as it left the factory: ready to be given one."""

    def __init__(
        self, address: int, key: bytes | None, say: Callable[[bytes], int], able: Collection[int] = _CAPABILITIES
    ) -> None:
        self._drop = _Drop(say)
        self.address = address
        #: Whether it has power.
        self.powered = True
        #: What it was told, newest last.
        self.told: list[Mapping[str, Any]] = []
        self._key, self._able = key, able
        self.restart()

    def restart(self) -> None:
        """Its power fails for a moment; it keeps its key and forgets the channel."""
        flags = [LibFlag.InstallMode] if self._key is None else [LibFlag.EnforceSecure]
        name = PdId(1, 2, 0xA1B2C3, self.address, 0x010203)
        info = PDInfo(self.address, self._drop, scbk=self._key, flags=flags, id=name)
        able = PDCapabilities([(capability, 1, 1) for capability in self._able])
        self._device = osdp_sys.PeripheralDevice(info.get(), capabilities=able.get())
        self._device.set_command_callback(self._obey)

    @property
    def secure(self) -> bool:
        """Whether a panel talks to it in a secure channel."""
        return bool(self.powered and self._device.is_sc_active())

    def bits(self, length: int, data: bytes, form: int = CardFormat.Wiegand) -> bool:
        """A card comes: `length` bits, left-justified."""
        return self._tell({"event": Event.CardRead, "format": form, "direction": 0, "length": length, "data": data})

    def keys(self, digits: bytes) -> bool:
        """Somebody types."""
        return self._tell({"event": Event.KeyPress, "data": digits})

    def stands(self, *, tamper: bool = False, power: bool = False) -> bool:
        """Its housing or its power changes."""
        return self._tell({"event": Event.Status, "type": StatusReportType.Local, "report": bytes([tamper, power])})

    def hear(self, data: bytes) -> None:
        """What is said on the bus."""
        if self.powered:
            self._drop.heard += data
            del self._drop.heard[:-_UNREAD]
            self.turn()

    def turn(self) -> None:
        """Let it think."""
        if self.powered:
            self._device.refresh()

    def _tell(self, event: Mapping[str, Any]) -> bool:
        return bool(self._device.submit_event({"reader_no": 0, **event}))

    def _obey(self, command: Mapping[str, Any]) -> tuple[int, None]:
        if command["command"] == Command.Keyset:
            self._key = command["data"]
        self.told.append(command)
        return 0, None


class OsdpBus(Plugged):
    """Readers by address. Each hears what is said to any of them."""

    def __init__(self, url: str, keys: Mapping[int, bytes | None], *, able: Collection[int] = _CAPABILITIES) -> None:
        super().__init__(device_end(url, self._hear))
        osdp_sys.set_loglevel(LogLevel.Emergency)
        self.readers = {address: OsdpReader(address, key, self._port.send, able) for address, key in keys.items()}
        self._turning: asyncio.Task[None] | None = None
        self._turned = 0.0
        self._secure = asyncio.Event()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._turning = asyncio.create_task(self._turn(), name="osdp readers")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._turning is not None:
            self._turning.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._turning
        await super().__aexit__(kind, error, trace)

    async def opened(self) -> None:
        """Returns when every reader that has power is in a secure channel."""
        await self._secure.wait()

    async def garbage(self, data: bytes) -> None:
        """Whatever a broken wire says."""
        await self._port.pour(data)

    def _hear(self, data: bytes) -> None:
        if asyncio.get_running_loop().time() - self._turned > _LATE:
            return
        for reader in self.readers.values():
            reader.hear(data)

    async def _turn(self) -> None:
        while True:
            self._turned = asyncio.get_running_loop().time()
            for reader in self.readers.values():
                reader.turn()
            if all(reader.secure for reader in self.readers.values() if reader.powered):
                self._secure.set()
            else:
                self._secure.clear()
            await asyncio.sleep(_TURN)
