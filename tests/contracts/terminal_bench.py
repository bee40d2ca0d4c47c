"""Terminals that decide alone, for the contract suite of the readers."""

import asyncio
from types import TracebackType
from typing import Protocol

from gateway.domain.credential import Credential, Technology
from gateway.ports import CardRead, ReaderEvent, Upload
from simulators.zkteco import Terminal


class Simulated(Protocol):
    """The device's side."""

    @property
    def url(self) -> str: ...
    async def __aenter__(self) -> object: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def opened(self) -> None: ...
    async def unplug(self) -> None: ...
    async def replug(self) -> None: ...


def unpacked(event: ReaderEvent) -> ReaderEvent:
    """What was told alone, without its time; the terminal hears that it is recorded."""
    if not isinstance(event, Upload):
        return event
    event.recorded(True)
    [read] = event.reads
    return CardRead(credential=read.credential)


class TerminalBench:
    kind = "zkteco"
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
