"""An OSDP reader for the contract suite: alone on its bus, with a key in a folder."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from drivers.osdp.driver import Osdp
from drivers.wiegand import encode
from gateway.domain.credential import Credential, Technology
from gateway.ports import Device
from simulators.osdp import OsdpBus
from tests.contracts.readers import SILENCE

CONFORMS: type[Device] = Osdp
KEY = bytes.fromhex("7D1F0B6A93C24E58A1B2C3D4E5F60718")


def keyed(folder: Path, address: int, key: bytes = KEY) -> str:
    """The folder, with the key of that reader in it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"{address}.key"
    file.write_text(key.hex())
    file.chmod(0o600)
    return str(folder)


def device(sim: OsdpBus, folder: Path, keys: Mapping[int, bytes], **settings: object) -> Osdp:
    for address, key in keys.items():
        keyed(folder, address, key)
    folder.mkdir(exist_ok=True)
    readers = (*sim.readers,)
    return Osdp(Osdp.Settings.model_validate({"url": sim.url, "keys": str(folder), "readers": readers} | settings))


class OsdpBench:
    kind = "osdp"
    #: A reader on a bus may be away while the bus is there.
    comes_and_goes = True
    first = Credential(technology=Technology.WIEGAND26, uid=bytes.fromhex("7EE424"))
    second = Credential(technology=Technology.WIEGAND34, uid=bytes.fromhex("04DE5F1E"))

    def __init__(self, folder: Path, url: str) -> None:
        self.settings = {"keys": keyed(folder / "keys", 1), "silence": SILENCE}
        self.sim = OsdpBus(url, {1: KEY})

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        loop = asyncio.get_running_loop()
        leaves = loop.time() + hold
        assert self.sim.readers[1].bits(*encode(card))
        while loop.time() < leaves:
            # Some say a card again for as long as it is there.
            await asyncio.sleep(0.1)
            assert self.sim.readers[1].bits(*encode(card))

    async def unfit(self) -> None:
        assert self.sim.readers[1].bits(26, bytes.fromhex("00000040"))

    async def storm(self) -> None:
        await self.sim.garbage((b"\x53\x81\xff\xff" + b"junk" * 50) * 20)

    @asynccontextmanager
    async def asleep(self) -> AsyncIterator[None]:
        self.sim.readers[1].powered = False
        yield
        self.sim.readers[1].powered = True


READERS: Mapping[str, Callable[[Path], OsdpBench]] = {"osdp-pty": lambda tmp: OsdpBench(tmp, str(tmp / "bus"))}
