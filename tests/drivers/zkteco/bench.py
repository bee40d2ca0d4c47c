"""Terminals that decide alone, for the contract suite of the readers."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from drivers.zkteco.driver import Zkteco
from gateway.domain.credential import Credential, Technology
from gateway.ports import Device
from simulators.zkteco import Terminal

CONFORMS: type[Device] = Zkteco


class TerminalBench:
    kind = "zkteco"
    settings: ClassVar = {"terminals": [{"serial": "CJDE193560001", "zone": "UTC"}]}
    first = Credential(technology=Technology.ZKTECO, uid=bytes.fromhex("0501"))
    second = Credential(technology=Technology.ZKTECO, uid=bytes.fromhex("123456789012345678"))

    def __init__(self) -> None:
        self.sim = Terminal(at_once=1)

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        # The terminal itself knows that a card which is held is one tap.
        self.sim.tap(card.uid.hex())
        await asyncio.sleep(hold)

    async def unfit(self) -> None:
        for _ in range(6):
            self.sim.tap("guest")

    async def storm(self) -> None:
        await self.sim.push(b"501\n\xff\x00junk\n" * 200)


READERS: Mapping[str, Callable[[Path], TerminalBench]] = {"zkteco": lambda _: TerminalBench()}
#: A terminal that is silent keeps its taps.
UNNOTICED = {"zkteco"}
