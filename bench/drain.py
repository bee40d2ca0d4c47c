"""A gateway's process with nothing but a backlog and the way to the journal; tells how long it took, and what it grew by."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from bench.outbox import Clock
from bench.uplink import GATEWAY, JOURNAL, NAME, SITE
from gateway.domain.handshake import Birth
from sync.broker import Broker
from sync.outbox import SqliteOutbox
from sync.relay import LinkStatus, relay
from sync.signing import Keyring
from sync.uplink import open_uplink


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def main(path: Path, url: str) -> dict[str, float]:
    async with SqliteOutbox(path, site=SITE, gateway=NAME, clock=Clock()) as outbox:

        def birth(session: str) -> Birth:
            place = outbox.position
            name = {"site": SITE, "gateway": NAME, "session": session, "epoch": outbox.stream.epoch}
            return Birth.model_validate(name | {"last": place.last, "head": place.head.hex(), "floor": place.floor})

        before, start, most = _resident_mib(), time.perf_counter(), 0.0
        opening = open_uplink(
            Broker.parse(url, client_id=NAME, username=NAME),
            birth_of=birth,
            signer=GATEWAY,
            keys=lambda: Keyring([JOURNAL.public]),
        )
        async with opening as uplink:
            sending = asyncio.create_task(relay(outbox, uplink, LinkStatus()))
            while outbox.position.through < outbox.position.last:
                await asyncio.sleep(0.02)
                most = max(most, _resident_mib())
            took = time.perf_counter() - start
            sending.cancel()
        return {"entries": outbox.position.last, "seconds": took, "grown": most - before}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))))
