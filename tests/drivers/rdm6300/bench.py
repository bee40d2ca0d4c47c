"""RDM6300 for the contract suite."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from drivers.rdm6300.driver import Rdm6300 as Driver
from gateway.domain.credential import Credential
from gateway.ports import Device
from simulators.rdm6300 import Rdm6300
from tests.contracts.readers import HELD, SILENCE, em4100

CONFORMS: type[Device] = Driver


class Rdm6300Bench:
    kind = "rdm6300"
    settings: ClassVar = {"silence": SILENCE}
    first = em4100("62E3086CED")
    second = em4100("55007EE424")

    def __init__(self, sim: Rdm6300) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        assert await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        await self.sim.present(bytes(5), HELD * 1.5)

    async def storm(self) -> None:
        await self.sim.garbage((b"\x02" * 700 + b"0123456789ABCDEF" * 40 + b"\xff\x00junk\x03") * 200)


READERS: Mapping[str, Callable[[Path], Rdm6300Bench]] = {
    "rdm6300-pty": lambda tmp: Rdm6300Bench(Rdm6300(str(tmp / "reader"))),
    "rdm6300-tcp": lambda tmp: Rdm6300Bench(Rdm6300("tcp://127.0.0.1:0")),
}
