"""A process to be killed: appends for ever, a few at a time, and says on its standard output what was recorded, and what was refused."""

import asyncio
import os
import sys
from pathlib import Path

from gateway.domain.entry import DeviceData, DeviceState, Entry
from gateway.errors import NotRecorded
from sync.outbox import SqliteOutbox
from tests.domain.build import LANE
from tests.gateway.fakes import HandClock

#: In the place of a seq.
REFUSED = "refused"


async def main(path: Path, count: int) -> None:
    clock = HandClock()

    async def record(outbox: SqliteOutbox, text: str) -> None:
        data = DeviceData(lane=LANE, kind=DeviceState.UP, detail=text)
        try:
            seq: object = await outbox.append([Entry(at=clock.now(), data=data)])
        except NotRecorded:
            seq = REFUSED
        os.write(sys.stdout.fileno(), f"{seq} {text}\n".encode())

    async with SqliteOutbox(path, site="school-1", gateway="north", clock=clock) as outbox:
        for n in range(count):
            await asyncio.gather(*(record(outbox, f"{n}-{k}") for k in range(n % 4 + 1)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
