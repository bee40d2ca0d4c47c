"""Kinds of a serial line, with their simulators, for the contract suite of the readers."""

from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.domain.credential import Credential, Technology
from simulators.ironlogic import Ironlogic
from simulators.keyboard import Keyboard, Typist
from simulators.text import TextReader
from tests.contracts.osdp import OsdpBench
from tests.contracts.pcsc import PcscBench

#: What devices need beside a url.
SETTINGS: Mapping[str, Mapping[str, object]] = {
    "line": {"technology": "em4100", "length": 5, "pause": 0.05},
    "zkteco": {"terminals": [{"serial": "CJDE193560001", "zone": "UTC"}]},
    "keyboard": {"technology": "em4100", "length": 5},
}


def em4100(uid: str) -> Credential:
    return Credential(technology=Technology.EM4100, uid=bytes.fromhex(uid))


class IronlogicBench:
    kind = "ironlogic"
    first = em4100("55007EE424")
    second = Credential(technology=Technology.ISO14443A, uid=bytes.fromhex("0456463AAC2280"))

    def __init__(self, sim: Ironlogic) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        assert await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        await self.sim.present(bytes.fromhex("08112233"))

    async def storm(self) -> None:
        await self.sim.garbage((b"Mifare[" * 300 + b"Em-Marine[5500] 126,58404,1\r\n" + b"\xff\x00junk" * 40) * 100)


class LineBench:
    kind = "line"
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


class KeyboardBench:
    kind = "keyboard"
    first = em4100("62E3086CED")
    second = em4100("55007EE424")

    def __init__(self, sim: Keyboard) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        assert await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        await self.sim.present(bytes(5))

    async def storm(self) -> None:
        # Something lies on the keys, long ago.
        await self.sim.garbage(Typist().text("12345" * 80, None) + b"\xff" * 480)


SERIAL_BENCHES: Mapping[str, Callable[[Path], IronlogicBench | KeyboardBench | LineBench | OsdpBench | PcscBench]] = {
    "ironlogic-pty": lambda tmp: IronlogicBench(Ironlogic(str(tmp / "reader"))),
    "ironlogic-tcp": lambda tmp: IronlogicBench(Ironlogic("tcp://127.0.0.1:0", says_removal=False)),
    "keyboard-unix": lambda tmp: KeyboardBench(Keyboard(f"unix:{tmp}/reader")),
    "line-pty": lambda tmp: LineBench(TextReader(str(tmp / "reader"))),
    "line-tcp": lambda tmp: LineBench(TextReader("tcp://127.0.0.1:0")),
    "osdp-pty": lambda tmp: OsdpBench(tmp, str(tmp / "bus")),
    "pcsc": PcscBench,
}
