"""Every kind of gate with the device side of its wire."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from drivers.gpio.driver import Gpio
from drivers.lamp import Output
from drivers.registry import build
from drivers.signals import SIGNALS, Colour
from gateway.domain.entry import DeviceState, FireAlarm, GateMode, Obstruction
from gateway.domain.model import Direction
from gateway.ports import Device, DeviceNotice
from simulators.gpio import Turnstile
from simulators.modbus import Turnstile as Board
from simulators.virtual import Virtual


@dataclass(frozen=True)
class Stand:
    """How a simulated gate stands before anybody opens it."""

    mode: GateMode = GateMode.SINGLE
    alarm: bool = False
    blocked: bool = False

    @property
    def told(self) -> list[DeviceNotice]:
        return [
            DeviceNotice(kind=DeviceState.MODE, detail=self.mode),
            DeviceNotice(kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALARM if self.alarm else FireAlarm.ALL_CLEAR),
            DeviceNotice(kind=DeviceState.BLOCKED, detail=Obstruction.BLOCKED if self.blocked else Obstruction.CLEAR),
        ]


class Plug(Protocol):
    """A simulated gate that is there for as long as the block lasts."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def opened(self) -> None: ...
    async def unplug(self) -> None: ...
    async def replug(self) -> None: ...
    async def mode(self, mode: GateMode) -> object: ...
    async def fire_alarm(self, *, on: bool = True) -> object: ...
    async def blocked(self, *, on: bool = True) -> object: ...


class Bench(Protocol):
    """One kind with its simulator."""

    @property
    def sim(self) -> Plug: ...
    def device(self) -> Device: ...
    async def stand(self, stand: Stand) -> None:
        """How the gate stands, whether anybody has opened it or not."""
        ...

    async def connected(self, stand: Stand) -> None:
        """Returns when a driver has opened it and was told how it stands, once."""
        ...

    async def rotate(self, direction: Direction) -> None: ...
    @property
    def light(self) -> tuple[Colour | None, bool]:
        """The colour that is lit, and whether the bolt is open."""
        ...


@dataclass
class VirtualBench:
    sim: Virtual

    def device(self) -> Device:
        return build("virtual", {"url": self.sim.url})

    async def stand(self, stand: Stand) -> None:
        for said in (
            self.sim.mode(stand.mode),
            self.sim.fire_alarm(on=stand.alarm),
            self.sim.blocked(on=stand.blocked),
        ):
            await said

    async def connected(self, stand: Stand) -> None:
        await self.sim.opened()
        await self.stand(stand)  # a virtual gate says so to whoever connects

    async def rotate(self, direction: Direction) -> None:
        assert await self.sim.rotate(direction)

    @property
    def light(self) -> tuple[Colour | None, bool]:
        colour = SIGNALS[self.sim.screen.answer].colour if self.sim.screen else None
        return colour, self.sim.unlocked


@dataclass
class GpioBench:
    sim: Turnstile = field(default_factory=Turnstile)

    def device(self) -> Device:
        return Gpio(Gpio.Settings.model_validate({**self.sim.settings, "opens": 60.0}), ask=self.sim.ask)

    async def stand(self, stand: Stand) -> None:
        await self.sim.mode(stand.mode)
        await self.sim.fire_alarm(on=stand.alarm)
        await self.sim.blocked(on=stand.blocked)

    async def connected(self, stand: Stand) -> None:
        await self.sim.opened()

    async def rotate(self, direction: Direction) -> None:
        assert await self.sim.push(direction, force=True)

    @property
    def light(self) -> tuple[Colour | None, bool]:
        lit = [Colour(output) for output in self.sim.on if output in [*Colour]]
        assert len(lit) <= 1
        return next(iter(lit), None), Output.UNLOCK in self.sim.on


@dataclass
class ModbusBench:
    sim: Board

    def device(self) -> Device:
        return build("modbus", {**self.sim.settings, "opens": 60.0, "interval": 0.02})

    async def stand(self, stand: Stand) -> None:
        await self.sim.mode(stand.mode)
        await self.sim.fire_alarm(on=stand.alarm)
        await self.sim.blocked(on=stand.blocked)

    async def connected(self, stand: Stand) -> None:
        await self.sim.opened()

    async def rotate(self, direction: Direction) -> None:
        await self.sim.rotate(direction)

    @property
    def light(self) -> tuple[Colour | None, bool]:
        lit = [Colour(output) for output in self.sim.on if output in [*Colour]]
        return next(iter(lit), None), Output.UNLOCK in self.sim.on


BENCHES: Mapping[str, Callable[[Path], Bench]] = {
    "virtual-tcp": lambda _: VirtualBench(Virtual("tcp://127.0.0.1:0")),
    "virtual-unix": lambda tmp: VirtualBench(Virtual(f"unix:{tmp}/gate")),
    "gpio": lambda _: GpioBench(),
    "modbus-rtu": lambda tmp: ModbusBench(Board(str(tmp / "board"))),
    "modbus-tcp": lambda _: ModbusBench(Board("tcp://127.0.0.1:0")),
}
