"""Contacts, lamps, a buzzer and a bolt on the GPIO lines of the machine itself: a turnstile with dry contacts, or a door."""

import asyncio
import contextlib
import re
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from drivers.channel import Channel, hearing
from drivers.contacts import Contacts, Level, Role, usual
from drivers.gpio.chip import Ask, Wired, request
from drivers.lamp import Lamp, LampGate, Output
from drivers.wiring import Wiring
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import Gate, GateEvent, Reader

_LINE = re.compile(r"([A-Za-z0-9_.-]{1,32})(?: (low|high))?")
#: On a Raspberry Pi "GPIO17" is line 17.
_NUMBER = re.compile(r"(?:GPIO)?([0-9]+)")
_EXAMPLES = ["GPIO17", "GPIO17 high"]


def _line(text: str) -> str:
    if text and not _LINE.fullmatch(text):
        raise ValueError("'gpioinfo' lists the lines by name and number")
    return text


Line = Annotated[
    str,
    AfterValidator(_line),
    Field(
        description='the name or number of a line, and "low" or "high" where its active level is another',
        examples=_EXAMPLES,
    ),
]


def _where(text: str, otherwise: Level) -> tuple[str, Level]:
    line, _, level = text.partition(" ")
    return line, Level(level) if level else otherwise


class Gpio:
    """One gate."""

    class Settings(Wiring[Line]):
        """The keys of its [[devices]] table."""

        #: Which chip; labels stay the same from kernel to kernel.
        chip: str = Field(
            pattern=r"^[A-Za-z0-9_./:-]{1,64}$",
            description="the label, name or path of a GPIO chip",
            examples=["pinctrl-rp1"],
        )
        #: Of the inputs.
        bias: Literal["pull_up", "pull_down", "none"] = Field(
            default="pull_up", description='"pull_up", "pull_down" or "none"', examples=["pull_up"]
        )
        #: How long the bolt's relay is on.
        opens: float = Field(default=0.2, ge=0.1, le=60, description="seconds from 0.1 to 60", examples=[0.2])

        @classmethod
        def place(cls, text: str) -> frozenset[str | int]:
            """The line, by its number where that is known."""
            line, _ = _where(text, Level.LOW)
            number = _NUMBER.fullmatch(line)
            return frozenset({int(number[1]) if number else line})

        @property
        def inputs(self) -> dict[Role, tuple[str, Level]]:
            """The contacts that are there, each with its line and active level."""
            return {role: _where(text, usual(role)) for role, text in self.wired(Role).items()}

        @property
        def outputs(self) -> dict[Output, tuple[str, Level]]:
            """The same of what can be switched."""
            return {output: _where(text, Level.HIGH) for output, text in self.wired(Output).items()}

    def __init__(self, settings: Settings, *, ask: Ask = request) -> None:
        """`ask` requests lines of a chip."""
        if not settings.inputs and not settings.outputs:
            raise ConfigError("a gpio device without a line", hint=f"name one of {', '.join([*Role, *Output])}")
        self._settings = settings
        self._ask = ask
        self._passed: Channel[GateEvent] = Channel()
        self._wired: Wired | None = None
        self._lamp = Lamp(self._switch, settings.outputs.keys(), opens=settings.opens, silent=settings.silent)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            s = self._settings
            wired = stack.enter_context(Wired(self._ask, s.chip, s.inputs, s.outputs, s.bias))
            await stack.enter_async_context(hearing(lambda: self._hear(wired), self._passed))
            stack.callback(self._lamp.stop)
            self._open, self._wired = stack.pop_all(), wired
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def reader(self, address: str) -> Reader:  # noqa: ARG002 - no address has one
        """Raises ConfigError: it has none."""
        raise ConfigError("gpio has no reader", hint="name the device of the cards as the lane's reader")

    def gate(self, address: str) -> Gate:
        """The gate, at ""."""
        return LampGate(self._passed.at(address), self._lamp)

    def _switch(self, on: AbstractSet[Output]) -> None:
        self._passed.check()
        if self._wired is None:
            raise DeviceLost("the device is not open")
        try:
            self._wired.switch(on)
        except DeviceLost as error:
            # Who watches the gate hears of it too: a lamp that is gone is opened again.
            self._passed.end(error)
            raise

    async def _hear(self, wired: Wired) -> None:
        contacts = Contacts(
            {role: level for role, (_, level) in self._settings.inputs.items()}, a_is=self._settings.a_is
        )
        loop = asyncio.get_running_loop()
        events = contacts.open(wired.levels(), loop.time())
        while True:
            for event in events:
                await self._passed.put(event)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(contacts.due):
                    await wired.changed()
            changes, missed = wired.changes()
            events = [event for role, high, at in changes for event in contacts.hear(role, high=high, now=at)]
            if missed:
                events += contacts.read(wired.levels(), loop.time(), lost=missed)
            events += contacts.settle(loop.time())
