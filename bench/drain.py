"""A gateway's process with nothing but a backlog and the way to the journal; tells how long it took, and what it grew by."""

import asyncio
import json
import os
import sys
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bench.outbox import Clock
from gateway.domain.handshake import Birth
from sync.broker import Broker
from sync.outbox import SqliteOutbox
from sync.relay import LinkStatus, relay
from sync.signing import Keyring, Signer
from sync.uplink import MqttUplink, open_uplink

JOURNAL, GATEWAY = Signer(bytes(32)), Signer(b"\1" * 32)
SITE, NAME = "school-1", "gate-1"


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def session(outbox: SqliteOutbox, url: str) -> AbstractAsyncContextManager[MqttUplink]:
    """One connection with the receiver of bench.uplink."""

    def birth(session: str) -> Birth:
        place = outbox.position
        name = {"site": SITE, "gateway": NAME, "session": session, "epoch": outbox.stream.epoch}
        return Birth.model_validate(name | {"last": place.last, "head": place.head.hex(), "floor": place.floor})

    broker = Broker.parse(url, client_id=NAME, username=NAME)
    return open_uplink(broker, birth_of=birth, signer=GATEWAY, keys=lambda: Keyring([JOURNAL.public]))


async def main(path: Path, url: str) -> dict[str, float]:
    async with SqliteOutbox(path, site=SITE, gateway=NAME, clock=Clock()) as outbox:
        before, start, most = _resident_mib(), time.perf_counter(), 0.0
        async with session(outbox, url) as uplink:
            sending = asyncio.create_task(relay(outbox, uplink, LinkStatus()))
            while outbox.position.through < outbox.position.last:
                await asyncio.sleep(0.02)
                most = max(most, _resident_mib())
            took = time.perf_counter() - start
            sending.cancel()
        return {"entries": outbox.position.last, "seconds": took, "grown": most - before}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))))
