"""A relay and input board with a turnstile behind it, played by pymodbus's own server on a pseudo-terminal or over TCP."""

import asyncio
import contextlib
import os
import tty
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from pymodbus import FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import WriteSingleCoilRequest
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.contacts import OPENS, Role
from drivers.lamp import Output
from gateway.domain.entry import GateMode
from gateway.domain.model import Direction
from simulators.ports import free_port

UNIT: Final = 1
_CHUNK: Final = 512
_TURNS: Final = 0.15
#: Seconds after which somebody has passed a board that nobody asks.
_UNSEEN: Final = 2.0
_DISCRETE_INPUTS: Final = 2
_INPUT_REGISTERS: Final = 4
#: The register that has all contacts as its bits.
_MASK: Final = 7
#: Functions that read: coils, discrete inputs, holding registers, input registers.
_READS: Final = (1, 2, 3, 4)
_NORMALLY_CLOSED: Final = (Role.FIRE_ALARM, Role.TAMPER)


class _Wire:
    """Two pseudo-terminals back to back: the board is at one, `path` leads to the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        ends = [os.openpty(), os.openpty()]
        self._fds = [fd for end in ends for fd in end]
        for fd in self._fds:
            tty.setraw(fd)
            os.set_blocking(fd, False)
        (board, board_end), (driver, driver_end) = ends
        self.board = os.ttyname(board_end)
        if path.is_symlink():
            path.unlink()
        path.symlink_to(os.ttyname(driver_end))
        self._pumps = (board, driver)
        #: What was said, by whom.
        self.said: list[tuple[str, bytes]] = []
        loop = asyncio.get_running_loop()
        loop.add_reader(board, self._pump, board, driver, "board")
        loop.add_reader(driver, self._pump, driver, board, "driver")

    def close(self) -> None:
        for fd in self._pumps:
            asyncio.get_running_loop().remove_reader(fd)
        self._path.unlink(missing_ok=True)
        for fd in self._fds:
            os.close(fd)

    def _pump(self, source: int, target: int, who: str) -> None:
        with contextlib.suppress(OSError):
            data = os.read(source, _CHUNK)
            self.said.append((who, data))
            os.write(target, data)


class Turnstile:
    """Contacts at 0 and up, by the order of Role; coils at 0 and up, by the order of Output."""

    def __init__(self, url: str, *, framer: FramerType = FramerType.SOCKET) -> None:
        """By the url that a driver will open: a path, or tcp://127.0.0.1:port, port 0 for a free one.

        The framer of TCP is RTU where the board is behind a serial server.
        """
        self.url = url
        self._framer = framer
        self._contacts = [role in (Role.READY, *_NORMALLY_CLOSED) for role in Role]
        self._on: set[Output] = set()
        self._asked, self._read = asyncio.Event(), asyncio.Event()
        self._server: ModbusSerialServer | ModbusTcpServer | None = None
        #: The serial line, while it is plugged in.
        self.wire: _Wire | None = None

    @property
    def settings(self) -> dict[str, object]:
        """What a driver is told of it."""
        inputs = {role.value: str(number) for number, role in enumerate(Role)}
        return {"url": self.url, **inputs, **{output.value: str(number) for number, output in enumerate(Output)}}

    async def __aenter__(self) -> Self:
        await self.replug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.unplug()

    async def replug(self) -> None:
        """It has power and is connected; its outputs are off."""
        bits = [SimData(0, count=16, values=False, datatype=DataType.BITS)]
        words = [SimData(0, count=16, values=0, datatype=DataType.REGISTERS)]
        device = SimDevice(id=UNIT, simdata=(bits, [*bits], words, [*words]))
        self._on.clear()
        if self.url.startswith("tcp:"):
            parts = urlsplit(self.url)
            address = parts.hostname or "127.0.0.1", parts.port or free_port()
            self.url = "tcp://{}:{}".format(*address)
            self._server = ModbusTcpServer(device, framer=self._framer, address=address, trace_pdu=self._hear)
        else:
            self.wire = _Wire(Path(self.url))
            self._server = ModbusSerialServer(
                device, framer=FramerType.RTU, port=self.wire.board, baudrate=115200, trace_pdu=self._hear
            )
        await self._server.serve_forever(background=True)
        await self._tell()

    async def unplug(self) -> None:
        """Pull the plug."""
        self._on.clear()
        self._asked.clear()
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown()  # type: ignore[no-untyped-call]
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.close()

    async def opened(self) -> None:
        """Returns when it was asked something."""
        await self._asked.wait()

    async def asked_again(self) -> None:
        """Returns when it was asked something that it had not been asked yet."""
        self._asked.clear()
        await self._asked.wait()

    @property
    def on(self) -> frozenset[Output]:
        """What is on now."""
        return frozenset(self._on)

    async def rotate(self, direction: Direction) -> None:
        """Somebody goes through, as slowly as people do, and more slowly where the one who asks is slow."""
        side = Role.PASS_A if direction is Direction.IN else Role.PASS_B
        for closed, seconds in ((True, _TURNS), (False, OPENS + _TURNS)):
            await self.contact(side, closed=closed)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_UNSEEN):
                    await self._seen()
            await asyncio.sleep(seconds)

    async def mode(self, mode: GateMode) -> None:
        """Somebody turns the gate's key."""
        await self.contact(Role.FREE, closed=mode is GateMode.FREE)
        await self.contact(Role.LOCKED, closed=mode is GateMode.LOCKED)

    async def fire_alarm(self, *, on: bool = True) -> None:
        """The fire alarm opens its contact, or closes it again."""
        await self.contact(Role.FIRE_ALARM, closed=not on)

    async def blocked(self, *, on: bool = True) -> None:
        """The arm is not at home; or is again."""
        await self.contact(Role.READY, closed=not on)

    async def contact(self, role: Role, *, closed: bool) -> None:
        """A contact closes or opens."""
        self._contacts[[*Role].index(role)] = closed
        await self._tell()

    async def _seen(self) -> None:
        """Returns when the contacts were read: who asks once more has taken the answer before."""
        for _ in range(2):
            self._read.clear()
            await self._read.wait()

    def _hear(self, sends: bool, pdu: ModbusPDU) -> ModbusPDU:
        self._asked.set()
        if not sends and pdu.function_code in _READS:
            self._read.set()
        if not sends and isinstance(pdu, WriteSingleCoilRequest) and pdu.address < len(Output):
            output = [*Output][pdu.address]
            (self._on.add if pdu.bits[0] else self._on.discard)(output)
        return pdu

    async def _tell(self) -> None:
        if self._server is not None:
            mask = sum(closed << bit for bit, closed in enumerate(self._contacts))
            await self._server.context.async_setValues(UNIT, _DISCRETE_INPUTS, 0, [*self._contacts])
            await self._server.context.async_setValues(UNIT, _INPUT_REGISTERS, _MASK, [mask])

    def forget(self) -> None:
        """Its power fails for a moment: every output is off."""
        self._on.clear()
