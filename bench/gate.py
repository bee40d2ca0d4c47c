"""A gateway's process whose taps are numbers on its standard input; each is told again once it is on the disk."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Never

from bench.drain import NAME, SITE, session
from bench.outbox import TAP, Clock
from gateway.domain.credential import Token
from gateway.domain.entry import Entry
from sync.outbox import SqliteOutbox
from sync.reconnect import keep_link
from sync.relay import LinkStatus, relay
from sync.uplink import MqttUplink


async def _offered() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main(path: Path, url: str) -> Never:
    """Until it is killed; each tap on its own, as if each came at a lane of its own."""
    clock, status = Clock(), LinkStatus()
    async with SqliteOutbox(path, site=SITE, gateway=NAME, clock=clock) as outbox, asyncio.TaskGroup() as tasks:

        async def relaying(uplink: MqttUplink) -> None:
            await relay(outbox, uplink, status)

        async def tap(line: bytes) -> None:
            told = replace(TAP, token=Token(f"1:{int(line):032x}"))
            await outbox.append([Entry(at=clock.now(), data=told)])
            sys.stdout.write(line.decode("ascii"))
            sys.stdout.flush()

        tasks.create_task(keep_link(lambda: session(outbox, url), [relaying], status))
        print("ready", flush=True)
        async for line in await _offered():
            tasks.create_task(tap(line))
    raise EOFError("nobody offers anything any more")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
