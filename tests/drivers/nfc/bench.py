"""nfcpy for the contract suite: its UDP reader, and a PN532 on a serial line."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from drivers.nfc.driver import Nfc
from gateway.domain.credential import Credential
from gateway.ports import Device
from simulators.nfc import NfcField
from simulators.pn532 import Fault, Pn532
from tests.contracts.readers import SILENCE, type_a

CONFORMS: type[Device] = Nfc


class FieldBench:
    kind = "nfc"
    settings: ClassVar = {"silence": SILENCE, "interval": 0.001}
    first = type_a("04DE5F1EACC040")
    second = type_a("04112233445566778899")

    def __init__(self, sim: NfcField) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        # A phone: another random UID each time the field is switched on.
        for last in range(6):
            await self.sim.present(bytes([0x08, 1, 2, last]))

    async def storm(self) -> None:
        for answer in (b"106A", b"106A zz", b"\xff\xff \xff", b"106A 0") * 8:
            await self.sim.garbage(answer)


class ChipBench:
    kind = "nfc"
    settings: ClassVar = {"silence": SILENCE, "interval": 0.001}
    first = type_a("04DE5F1EACC040")
    second = type_a("DEADBEEF")

    def __init__(self, sim: Pn532) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        for last in range(6):
            await self.sim.present(bytes([0x08, 1, 2, last]))

    async def storm(self) -> None:
        for fault in (Fault.CHECKSUM, Fault.ERROR) * 10:
            await self.sim.spoil(fault)
            for _ in range(2):  # the second look says that the round of the first went well
                self.sim.chip.asked.clear()
                await self.sim.chip.asked.wait()

    @asynccontextmanager
    async def asleep(self) -> AsyncIterator[None]:
        self.sim.fault = Fault.SILENT
        yield
        self.sim.fault = None


READERS: Mapping[str, Callable[[Path], FieldBench | ChipBench]] = {
    "nfc-udp": lambda _: FieldBench(NfcField()),
    "nfc-pn532-pty": lambda tmp: ChipBench(Pn532(str(tmp / "reader"), pace=0.0001)),
}
#: nfcpy waits for an answer as long as a chip needs, in milliseconds, not a machine that plays one.
PATIENCE: Mapping[str, object] = {"drivers.nfc.transport._LEAST": 1000}
#: UDP knows no connection: a field that is gone is a field without a card.
UNNOTICED = {"nfc-udp"}
