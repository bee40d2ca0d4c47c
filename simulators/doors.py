"""Readers and lamps as a pupil meets them, made of the simulated devices that the gateways' drivers talk to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

from gateway.domain.model import Reason, Verdict
from simulators.crowd import Card
from simulators.entrance import Door
from simulators.nfc import NfcField
from simulators.oracle import Lamp
from simulators.rdm6300 import Rdm6300
from simulators.school import KINDS, LANES, LaneFile, lane_id
from simulators.virtual import Virtual

#: Nobody holds a card longer.
_FOR_EVER = 3600.0
_ANY_PORT = "tcp://127.0.0.1:0"


class _Reader(Protocol):
    async def present(self, uid: bytes, hold: float = 0.0) -> object: ...


class Field:
    """The field of a simulated reader: a card is there until it is taken away."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._card: asyncio.Task[object] | None = None

    def put(self, card: Card) -> None:
        """The card comes into the field and stays."""
        self.take()
        self._card = asyncio.ensure_future(self._reader.present(card.uid, _FOR_EVER))

    def take(self) -> None:
        """The field is empty."""
        if self._card is not None:
            self._card.cancel()
        self._card = None


@asynccontextmanager
async def plugged(gateways: Sequence[str], folder: Path) -> AsyncIterator[tuple[list[Door], dict[str, list[LaneFile]]]]:
    """The doors of all gateways, and for each gateway where its devices are; the serial ones are links in the folder."""
    doors: list[Door] = []
    files: dict[str, list[LaneFile]] = {gateway: [] for gateway in gateways}
    async with AsyncExitStack() as stack:
        for gateway in gateways:
            for lane, technology in LANES.items():
                reader: Rdm6300 | NfcField = (
                    Rdm6300(str(folder / f"{gateway}-{lane}")) if lane == "serial" else NfcField()
                )
                lamp = Virtual(_ANY_PORT)
                await stack.enter_async_context(reader)
                await stack.enter_async_context(lamp)
                field = Field(reader)
                stack.callback(field.take)
                door = Door(gateway=gateway, lane=lane_id(gateway, lane), technology=technology, antenna=field)
                watching = asyncio.create_task(_watch(lamp, door), name=f"lamp of {door.lane}")
                stack.push_async_callback(_cancelled, watching)
                doors.append(door)
                files[gateway].append(LaneFile(lane=lane, kind=KINDS[technology], reader=reader.url, gate=lamp.url))
        yield doors, files


async def _watch(lamp: Virtual, door: Door) -> None:
    async for verdict in lamp.shown():
        door.lamps.put_nowait(_colour(verdict))


def _colour(verdict: Verdict) -> Lamp:
    if verdict.reason is Reason.NOT_RECORDED:
        return Lamp.NOT_RECORDED
    return Lamp.GREEN if verdict.admit else Lamp.AMBER


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
