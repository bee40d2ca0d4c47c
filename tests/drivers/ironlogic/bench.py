"""IronLogic for the contract suite: firmware that tells of a card's leaving, and one that does not."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from drivers.ironlogic.driver import Ironlogic as Driver
from gateway.domain.credential import Credential
from gateway.ports import Device
from simulators.ironlogic import Ironlogic
from tests.contracts.readers import SILENCE, em4100, type_a

CONFORMS: type[Device] = Driver


class IronlogicBench:
    kind = "ironlogic"
    settings: ClassVar = {"silence": SILENCE}
    first = em4100("55007EE424")
    second = type_a("0456463AAC2280")

    def __init__(self, sim: Ironlogic) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        assert await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        await self.sim.present(bytes.fromhex("08112233"))

    async def storm(self) -> None:
        await self.sim.garbage((b"Mifare[" * 300 + b"Em-Marine[5500] 126,58404,1\r\n" + b"\xff\x00junk" * 40) * 100)


READERS: Mapping[str, Callable[[Path], IronlogicBench]] = {
    "ironlogic-pty": lambda tmp: IronlogicBench(Ironlogic(str(tmp / "reader"))),
    "ironlogic-tcp": lambda _: IronlogicBench(Ironlogic("tcp://127.0.0.1:0", says_removal=False)),
}
