"""A reader that types for the contract suite."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from drivers.keyboard.driver import Keyboard as Driver
from gateway.domain.credential import Credential
from gateway.ports import Device
from simulators.keyboard import Keyboard, Typist
from tests.contracts.readers import SILENCE, em4100

CONFORMS: type[Device] = Driver


class KeyboardBench:
    kind = "keyboard"
    settings: ClassVar = {"technology": "em4100", "length": 5, "silence": SILENCE}
    first = em4100("62E3086CED")
    second = em4100("55007EE424")
    #: Keys that nobody ended, long ago.
    banner = Typist().text("12", None)

    def __init__(self, sim: Keyboard) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        assert await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        await self.sim.present(bytes(5))

    async def storm(self) -> None:
        # Something lies on the keys, long ago.
        await self.sim.garbage(Typist().text("12345" * 80, None) + b"\xff" * 480)


READERS: Mapping[str, Callable[[Path], KeyboardBench]] = {
    "keyboard-unix": lambda tmp: KeyboardBench(Keyboard(f"unix:{tmp}/reader")),
}
