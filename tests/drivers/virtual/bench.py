"""The virtual device for the contract suites: a reader, and a gate."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from drivers.registry import build
from drivers.signals import SIGNALS, Colour
from drivers.virtual.driver import Virtual as Driver
from gateway.domain.credential import Credential, Technology
from gateway.domain.model import Direction
from gateway.ports import Device
from simulators.virtual import Virtual
from tests.contracts.gates import Stand
from tests.contracts.readers import em4100, type_a

CONFORMS: type[Device] = Driver


class ReaderBench:
    kind = "virtual"
    settings: ClassVar[Mapping[str, object]] = {}
    first = em4100("62E3086CED")
    second = type_a("04DE5F1EACC040")

    def __init__(self, sim: Virtual) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        assert await self.sim.card(card)
        await asyncio.sleep(hold)

    async def unfit(self) -> None:
        assert await self.sim.refused(Technology.ISO14443A, "the UID is random")

    async def storm(self) -> None:
        await self.sim.garbage(b"x" * 200_000 + b"\n" + b"card nonsense\n" * 100)


@dataclass
class GateBench:
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


READERS: Mapping[str, Callable[[Path], ReaderBench]] = {
    "virtual-tcp": lambda _: ReaderBench(Virtual("tcp://127.0.0.1:0")),
    "virtual-unix": lambda tmp: ReaderBench(Virtual(f"unix:{tmp}/reader")),
}
GATES: Mapping[str, Callable[[Path], GateBench]] = {
    "virtual-tcp": lambda _: GateBench(Virtual("tcp://127.0.0.1:0")),
    "virtual-unix": lambda tmp: GateBench(Virtual(f"unix:{tmp}/gate")),
}
