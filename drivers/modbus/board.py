"""The door to pymodbus: one board on a serial line or behind TCP. Every way in which it fails becomes DeviceLost.

The library connects again by itself, and says that it is connected to a board that is gone: both are switched off or not
believed. What counts is an answer.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from drivers.cable import open_line
from drivers.modbus.codec import Table
from gateway.errors import DeviceLost

# What it logs is raised here as well.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)

Framing = Literal["auto", "rtu", "tcp"]
Parity = Literal["none", "even", "odd"]

_RETRIES: Final = 1
_HINT: Final = "check its power, A to A and B to B, unit, baud rate, parity and framing"


class Board:
    """An open board; one question at a time."""

    def __init__(
        self, url: str, *, unit: int, framing: Framing, baudrate: int, parity: Parity, patience: float
    ) -> None:
        self._url = url
        self._unit = unit
        options: dict[str, Any] = {"timeout": patience, "retries": _RETRIES, "reconnect_delay": 0}
        self._client: AsyncModbusSerialClient | AsyncModbusTcpClient
        if url.startswith("tcp:"):
            parts = urlsplit(url)
            framer = FramerType.RTU if framing == "rtu" else FramerType.SOCKET
            self._client = AsyncModbusTcpClient(parts.hostname or "", port=parts.port or 0, framer=framer, **options)
        else:
            self._client = AsyncModbusSerialClient(
                url, framer=FramerType.RTU, baudrate=baudrate, parity=parity[0].upper(), **options
            )

    async def __aenter__(self) -> Self:
        """Raises DeviceLost."""
        if not await self._client.connect():
            self._client.close()
            async with open_line(self._url):
                # It says why, where there is a reason to be found.
                raise DeviceLost(f"{self._url} does not open", hint=_HINT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    async def read(self, table: Table, asked: range) -> Sequence[int]:
        """The values at these addresses. Raises DeviceLost."""
        read: Callable[..., Awaitable[Any]] = getattr(self._client, f"read_{table}")
        answer = await self._ask(lambda: read(asked.start, count=len(asked), device_id=self._unit))
        values: Sequence[int] = answer.bits if table.has_bits else answer.registers
        return values

    async def write(self, coil: int, *, on: bool) -> None:
        """Raises DeviceLost."""
        await self._ask(lambda: self._client.write_coil(coil, on, device_id=self._unit))

    async def _ask(self, question: Callable[[], Awaitable[Any]]) -> Any:
        try:
            answer = await question()
        except ModbusException as error:
            raise DeviceLost(f"unit {self._unit} at {self._url} does not answer", hint=_HINT) from error
        if answer.isError():
            raise DeviceLost(
                f"unit {self._unit} at {self._url} refuses: {answer}",
                hint="compare the addresses and the table with the board's manual; they are counted from 0",
            )
        return answer
