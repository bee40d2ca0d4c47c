"""Modbus boards for the contract suite of the gates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from drivers.lamp import Output
from drivers.modbus.driver import Modbus
from drivers.registry import build
from drivers.signals import Colour
from gateway.domain.model import Direction
from gateway.ports import Device
from simulators.modbus import Turnstile as Board
from tests.contracts.gates import Stand

CONFORMS: type[Device] = Modbus


@dataclass
class ModbusBench:
    sim: Board

    def device(self) -> Device:
        return build("modbus", {**self.sim.settings, "opens": 60.0, "interval": 0.02, "patience": 1.0})

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


GATES: Mapping[str, Callable[[Path], ModbusBench]] = {
    "modbus-rtu": lambda tmp: ModbusBench(Board(str(tmp / "board"))),
    "modbus-tcp": lambda _: ModbusBench(Board("tcp://127.0.0.1:0")),
}
