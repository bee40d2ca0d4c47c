"""A relay and input board that speaks Modbus, in RTU or over TCP: contacts, lamps, a buzzer and a bolt by address."""

import asyncio
import contextlib
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Annotated, ClassVar, Final, Self

from pydantic import AfterValidator, Field

from drivers.cable import LineUrl
from drivers.channel import Channel, hearing
from drivers.contacts import Contacts, Role
from drivers.lamp import Lamp, LampGate, Output
from drivers.modbus.board import Board, Framing, Parity
from drivers.modbus.codec import LONGEST, Point, Table, coils, levels, span
from drivers.wiring import Wiring
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import Gate, GateEvent, Reader

#: A board that lost its power for a moment has forgotten what is on, and another master may have opened the bolt: both
#: are told again.
_AGAIN: Final = 1.0
#: Switching off while closing is tried for so long.
_CLOSING: Final = 1.0


def _point(text: str) -> str:
    if text:
        Point.parse(text)
    return text


def _no_socket(url: str) -> str:
    if url.startswith("unix:"):
        raise ValueError("a serial device or tcp://host:port")
    return url


Where = Annotated[
    str,
    AfterValidator(_point),
    Field(
        description='an address from 0, and "on" or "off" where its active state is another', examples=["3", "3 off"]
    ),
]


class Modbus:
    """One gate."""

    class Settings(Wiring[Where]):
        """The keys of its [[devices]] table."""

        #: An input and a coil may have the same number.
        apart: ClassVar = (frozenset(Role), frozenset(Output))

        #: Where the board is.
        url: Annotated[LineUrl, AfterValidator(_no_socket)]
        #: Which of the boards on the line.
        unit: int = Field(default=1, ge=0, le=247, description="0 to 247", examples=[1])
        #: What is spoken: `auto` is RTU on a serial device and Modbus TCP behind tcp://.
        framing: Framing = Field(default="auto", description='"auto", "rtu" or "tcp"', examples=["rtu"])
        #: Of a serial device.
        baudrate: int = Field(default=9600, ge=300, le=921600, description="300 to 921600", examples=[9600])
        parity: Parity = Field(default="none", description='"none", "even" or "odd"', examples=["none"])
        #: Seconds between two questions.
        interval: float = Field(default=0.05, ge=0.01, le=1, description="seconds from 0.01 to 1", examples=[0.05])
        #: Seconds that an answer may take; one that does not come is asked for once more.
        patience: float = Field(default=0.5, ge=0.05, le=5, description="seconds from 0.05 to 5", examples=[0.5])
        #: Where the contacts are.
        table: Table = Field(
            default=Table.DISCRETE_INPUTS,
            strict=False,
            description='"discrete_inputs", "coils", "input_registers" or "holding_registers"',
            examples=["discrete_inputs"],
        )
        #: How long the bolt's relay is on.
        opens: float = Field(default=0.5, ge=0.1, le=60, description="seconds from 0.1 to 60", examples=[0.5])

        @classmethod
        def place(cls, text: str) -> frozenset[tuple[int, int]]:
            """The bits of its address."""
            return Point.parse(text).bits

        @property
        def inputs(self) -> dict[Role, Point]:
            """The contacts that are there."""
            return {role: Point.parse(text) for role, text in self.wired(Role).items()}

        @property
        def outputs(self) -> dict[Output, Point]:
            """What can be switched."""
            return {output: Point.parse(text) for output, text in self.wired(Output).items()}

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._inputs, self._outputs = settings.inputs, settings.outputs
        _judge(settings)
        self._passed: Channel[GateEvent] = Channel()
        self._lamp = Lamp(self._switch, self._outputs.keys(), opens=settings.opens, silent=settings.silent)
        #: What shall be on, and what each coil was told.
        self._wanted: frozenset[Output] = frozenset()
        self._told: dict[int, bool] = {}
        self._changed = asyncio.Event()
        self._opened = self._leaving = False
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        s = self._settings
        async with AsyncExitStack() as stack:
            board = await stack.enter_async_context(
                Board(
                    s.url,
                    unit=s.unit,
                    framing=s.framing,
                    baudrate=s.baudrate,
                    parity=s.parity,
                    patience=s.patience,
                )
            )
            await self._write(board)
            high = await self._read(board)
            stack.push_async_callback(self._leave, board)
            await stack.enter_async_context(hearing(lambda: self._hear(board, high), self._passed))
            stack.callback(self._lamp.stop)
            self._open, self._opened = stack.pop_all(), True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Where an answer comes in the moment of cancelling, asyncio of Python 3.11 forgets to cancel.
        self._leaving = True
        await self._open.aclose()

    def reader(self, address: str) -> Reader:  # noqa: ARG002 - no address has one
        """Raises ConfigError: it has none."""
        raise ConfigError("a modbus board has no reader", hint="name the device of the cards as the lane's reader")

    def gate(self, address: str) -> Gate:
        """The gate, at ""."""
        return LampGate(self._passed.at(address), self._lamp)

    def _switch(self, on: AbstractSet[Output]) -> None:
        self._passed.check()
        if not self._opened:
            raise DeviceLost("the device is not open")
        self._wanted = frozenset(on)
        self._changed.set()

    async def _hear(self, board: Board, high: dict[Role, bool]) -> None:
        contacts = Contacts({role: point.level(role) for role, point in self._inputs.items()}, a_is=self._settings.a_is)
        bolt = self._outputs[Output.UNLOCK].address if Output.UNLOCK in self._outputs else None
        loop = asyncio.get_running_loop()
        events, again = contacts.open(high, loop.time()), loop.time() + _AGAIN
        while not self._leaving:
            for event in events:
                await self._passed.put(event)
            # Twenty times a second: a timeout that passes would cost as much as the question.
            due = loop.call_later(self._settings.interval, self._changed.set)
            await self._changed.wait()
            due.cancel()
            self._changed.clear()
            if loop.time() >= again:
                # A board that has no contacts is asked nothing: whether it is still there says only its answer to this.
                self._told = {coil: on for coil, on in self._told.items() if self._inputs and not on and coil != bolt}
                again = loop.time() + _AGAIN
            await self._write(board)
            high = await self._read(board)
            events = contacts.read(high, loop.time())

    async def _read(self, board: Board) -> dict[Role, bool]:
        if not self._inputs:
            return {}
        asked = span(self._inputs)
        values = await board.read(self._settings.table, asked)
        try:
            return levels(self._inputs, asked, values)
        except ValueError as error:
            raise DeviceLost(f"{self._settings.url} answers {error}") from error

    async def _write(self, board: Board) -> None:
        for coil, on in coils(self._outputs, self._wanted).items():
            if self._told.get(coil) is not on:
                # Whoever is stopped while it answers does not know what it has done.
                self._told.pop(coil, None)
                await board.write(coil, on=on)
                self._told[coil] = on

    async def _leave(self, board: Board) -> None:
        """Nobody is in charge of the outputs any more."""
        self._opened, self._wanted = False, frozenset()
        with contextlib.suppress(DeviceLost, TimeoutError):
            async with asyncio.timeout(_CLOSING):
                await self._write(board)


def _judge(settings: Modbus.Settings) -> None:
    inputs, outputs = settings.inputs, settings.outputs
    if not inputs and not outputs:
        raise ConfigError("a modbus board without an address", hint=f"name one of {', '.join([*Role, *Output])}")
    if inputs and len(span(inputs)) > LONGEST:
        raise ConfigError(f"contacts more than {LONGEST} addresses apart", hint="one question asks for all of them")
    coils_asked = {point.address: role for role, point in inputs.items() if settings.table is Table.COILS}
    for output, point in outputs.items():
        if point.address in coils_asked:
            both = f"{coils_asked[point.address]} and {output}"
            raise ConfigError(f"{both} are the same coil", hint="the gateway would hear itself: compare the manual")
    bits = [*outputs.values(), *(inputs.values() if settings.table.has_bits else ())]
    if any(point.bit is not None for point in bits):
        raise ConfigError(
            "a bit of what is one bit already", hint="only addresses of registers have bits: remove the dot"
        )
