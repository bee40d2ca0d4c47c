"""Both ends of one session over a real broker: the gateway's uplink, and the journal's connection to look at it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from gateway.domain.entry import DeviceData, DeviceState, Entry
from gateway.domain.handshake import Birth, Receipt, topic
from gateway.domain.model import Seq
from gateway.domain.wire import Batch, Stream, chain, encode
from sync.mqtt import Connection, Publication, connect
from sync.signing import Keyring, Signer
from sync.uplink import MqttUplink, open_uplink
from tests.broker import Mosquitto
from tests.domain.build import LANE, instant

STREAM = Stream(site="school-1", gateway="north", epoch="epoch-a")
SECRET = b"\1" * 32
GATEWAY = Signer(SECRET)
JOURNAL = Signer(b"\2" * 32)


def batch(first: int = 1, count: int = 3) -> Batch:
    """A batch of the one ledger that all of these belong to."""
    entry = Entry(at=instant("08:00"), data=DeviceData(lane=LANE, kind=DeviceState.UP, detail=""))
    bodies = [encode(entry, stream=STREAM, seq=Seq(seq), recorded=entry.at.at) for seq in range(1, first + count)]
    envelopes = chain(STREAM.genesis, Seq(1), bodies)
    prev = envelopes[first - 2].hash if first > 1 else STREAM.genesis
    return Batch(stream=STREAM, prev=prev, envelopes=tuple(envelopes[first - 1 :]))


def birth(session: str) -> Birth:
    head = STREAM.genesis.hex()
    return Birth(site="school-1", gateway="north", session=session, epoch="epoch-a", last=0, head=head, floor=1)


def receipt(session: str, through: int = 0, *, signer: Signer = JOURNAL, **other: Any) -> Receipt:
    fields: dict[str, object] = {"site": "school-1", "gateway": "north", "epoch": "epoch-a", "head": "00" * 32}
    fields |= {"session": session, "through": through, "issued": 1}
    return signer.seal(Receipt.model_validate(fields | other))


@dataclass
class Journal:
    """The other end, by hand."""

    connection: Connection

    async def next(self, leaf: str) -> Publication:
        """The next message of that leaf; others are passed over."""
        async with asyncio.timeout(60):
            async for message in self.connection.messages():
                self.connection.acknowledge(message)
                if message.topic.endswith(leaf):
                    return message
        raise AssertionError(leaf)

    async def say(self, payload: bytes, leaf: str = "receipt") -> None:
        await self.connection.publish(topic("school-1", "north", leaf), payload)


@asynccontextmanager
async def journal_at(broker: Mosquitto, client_id: str = "journal") -> AsyncIterator[Journal]:
    async with connect(broker.at(client_id)) as connection:
        await connection.subscribe("att/v1/+/+/state", "att/v1/+/+/events", "att/v1/+/+/health")
        yield Journal(connection)


@asynccontextmanager
async def uplink_at(broker: Mosquitto, dropped: Counter[str] | None = None) -> AsyncIterator[MqttUplink]:
    def keys() -> Keyring:
        return Keyring([JOURNAL.public])

    async with open_uplink(broker.at("north"), birth_of=birth, signer=GATEWAY, keys=keys, dropped=dropped) as uplink:
        yield uplink
