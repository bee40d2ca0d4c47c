"""One OSDP reader at the address 1 on the desk; its key lies in a folder beside the line, so that it is the same the next time."""

import asyncio
from pathlib import Path

from drivers.osdp.keys import KeyFile
from simulators.desk import OnDesk
from simulators.osdp import OsdpBus


class _Bus(OsdpBus):
    def __init__(self, url: str, keys: Path) -> None:
        keys.mkdir(mode=0o700, exist_ok=True)
        file = KeyFile(str(keys), 1)
        if (key := file.read()) is None:
            key = file.make()
            file.keep()
        super().__init__(url, {1: key})

    async def present(self, uid: bytes, hold: float) -> bool:
        """Holding makes no difference: this device says a card once."""
        heard = self.readers[1].bits(len(uid) * 8, uid)
        await asyncio.sleep(hold)
        return heard


def on_desk(url: str | None, folder: Path) -> OnDesk:
    """At that url, or at one in the folder."""
    keys = Path(f"{url}.keys") if url and url.startswith("/") else folder / "osdp.keys"
    bus = _Bus(url or str(folder / "osdp"), keys)
    return OnDesk(
        bus, lengths=(4, 7, 10), example="04DE5F1EACC040", settings=f'keys = "{keys}"\nuid = "air"\n', says_opened=True
    )
