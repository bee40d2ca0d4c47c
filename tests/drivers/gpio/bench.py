"""GPIO for the contract suite of the gates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drivers.gpio.driver import Gpio
from drivers.lamp import Output
from drivers.signals import Colour
from gateway.domain.model import Direction
from gateway.ports import Device
from simulators.gpio import Turnstile
from tests.contracts.gates import Stand

CONFORMS: type[Device] = Gpio


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


GATES: Mapping[str, Callable[[Path], GpioBench]] = {"gpio": lambda _: GpioBench()}
