"""A lane that takes what terminals upload, and says of the disk what a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.registry import build
from gateway.errors import DeviceLost
from gateway.ports import CardRead, Device, ReaderEvent, Upload
from simulators.zkteco import Terminal as Simulated

SERIAL = "CJDE193560001"
PATIENCE = 30.0


class Lane:
    """Takes uploads as a lane does, and says what it is told to say."""

    def __init__(self, device: Device, address: str = "") -> None:
        self.events: list[ReaderEvent] = []
        self.disk_works = True
        self._reader = device.reader(address)

    async def serve(self) -> None:
        async for event in self._reader.events():
            self.events.append(event)
            if isinstance(event, Upload):
                event.recorded(self.disk_works)

    @property
    def reads(self) -> list[CardRead]:
        return [read for event in self.events if isinstance(event, Upload) for read in event.reads]


@asynccontextmanager
async def serving(sim: Simulated, **settings: object) -> AsyncIterator[Lane]:
    terminal = {"serial": SERIAL, "zone": "Europe/Moscow", **dict(settings.pop("terminal", {}))}  # type: ignore[call-overload]
    async with build("zkteco", {"url": sim.url, "terminals": [terminal], **settings}) as device:
        lane = Lane(device)
        task = asyncio.create_task(lane.serve())
        async with asyncio.timeout(PATIENCE):
            yield lane
    with pytest.raises(DeviceLost):
        await task
