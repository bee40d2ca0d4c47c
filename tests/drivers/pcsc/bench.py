"""A PC/SC reader for the contract suite: the real pcscd with its virtual reader, unplugged by stopping the service."""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import ClassVar

from drivers.pcsc.driver import Pcsc
from gateway.domain.credential import Credential, Technology
from gateway.ports import Device
from simulators.pcsc import Card, PcscReader
from tests.contracts.readers import SILENCE
from tests.needs import PCSC, require

CONFORMS: type[Device] = Pcsc


class PcscBench:
    kind = "pcsc"
    settings: ClassVar = {"silence": SILENCE}
    first = Credential(technology=Technology.ISO14443A, uid=bytes.fromhex("04DE5F1EACC040"))
    second = Credential(technology=Technology.ISO14443A, uid=bytes.fromhex("DEADBEEF"))

    def __init__(self, folder: Path) -> None:
        for need in PCSC:
            require(need)
        self.sim = PcscReader(folder)
        os.environ["PCSCLITE_CSOCK_NAME"] = str(self.sim.service.socket)

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        await self.sim.present(card.uid, hold)

    def lying(self, card: Credential) -> AbstractAsyncContextManager[None]:
        return self.sim.lying(card.uid)

    async def unfit(self) -> None:
        await self.sim.present(bytes.fromhex("08112233"))

    async def storm(self) -> None:
        card = Card(b"")
        card.answers = dict.fromkeys(card.answers, b"junk" * 64)
        await self.sim.hold(card, 0.0)


READERS: Mapping[str, Callable[[Path], PcscBench]] = {"pcsc": PcscBench}
