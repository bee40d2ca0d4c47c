"""Any serial reader for the contract suite."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from drivers.line.driver import LineReader
from gateway.domain.credential import Credential
from gateway.ports import Device
from simulators.text import TextReader
from tests.contracts.readers import SILENCE, em4100

CONFORMS: type[Device] = LineReader


class LineBench:
    kind = "line"
    settings: ClassVar = {"technology": "em4100", "length": 5, "pause": 0.05, "silence": SILENCE}
    first = em4100("62E3086CED")
    second = em4100("55007EE424")

    def __init__(self, sim: TextReader) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        assert await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        await self.sim.present(bytes(5))

    async def storm(self) -> None:
        await self.sim.garbage((b"0123456789ABCDEF" * 40 + b"\xff\x00junk\r\n") * 100)


READERS: Mapping[str, Callable[[Path], LineBench]] = {
    "line-pty": lambda tmp: LineBench(TextReader(str(tmp / "reader"))),
    "line-tcp": lambda _: LineBench(TextReader("tcp://127.0.0.1:0")),
}
