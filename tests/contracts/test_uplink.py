"""What every uplink promises: the same suite over the fake and over MQTT with a real broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from gateway.domain.handshake import Receipt
from gateway.errors import LinkLost, PublishRefused
from gateway.ports import Uplink
from sync.uplink import MqttUplink
from tests.broker import Mosquitto
from tests.sync.fake_uplink import FakeJournal, FakeUplink
from tests.sync.session import STREAM, Journal, batch, journal_at, receipt, uplink_at

fake: type[Uplink] = FakeUplink
real: type[Uplink] = MqttUplink

DENIED = "user north\ntopic read #\ntopic write att/v1/school-1/north/state\nuser journal\ntopic #\n"


class Rig(Protocol):
    """An uplink, and hands on the world around it."""

    uplink: Uplink
    session: str

    async def arrived(self) -> bytes:
        """The next batch on the journal's side."""
        ...

    async def answer(self, answer: Receipt) -> None: ...

    async def cut(self) -> None: ...


class FakeRig:
    def __init__(self, *, denied: bool) -> None:
        self._uplink = FakeUplink(FakeJournal(STREAM), quiet=True)
        self._uplink.refused = denied
        self.uplink: Uplink = self._uplink
        self.session = self._uplink.session
        self._seen = 0

    async def arrived(self) -> bytes:
        self._seen += 1
        return self._uplink.published[self._seen - 1].payload

    async def answer(self, answer: Receipt) -> None:
        self._uplink.deliver(answer)

    async def cut(self) -> None:
        self._uplink.cut()


class MqttRig:
    def __init__(self, uplink: MqttUplink, journal: Journal, broker: Mosquitto) -> None:
        self.uplink: Uplink = uplink
        self.session = uplink.session
        self._journal, self._broker = journal, broker

    async def arrived(self) -> bytes:
        return (await self._journal.next("events")).payload

    async def answer(self, answer: Receipt) -> None:
        await self._journal.say(answer.payload())

    async def cut(self) -> None:
        self._broker.kill()


@asynccontextmanager
async def rig(kind: str, folder: Path, *, denied: bool = False) -> AsyncIterator[Rig]:
    if kind == "fake":
        yield FakeRig(denied=denied)
        return
    with Mosquitto(folder / "mosquitto", acl=DENIED if denied else None) as broker:
        async with journal_at(broker) as journal:
            try:
                async with uplink_at(broker) as uplink:
                    yield MqttRig(uplink, journal, broker)
            except LinkLost:
                pass  # a broker that was cut off ends the block too


pytestmark = pytest.mark.parametrize("kind", ["fake", "mqtt"])


async def test_a_batch_arrives_byte_for_byte(kind: str, tmp_path: Path) -> None:
    async with rig(kind, tmp_path) as one:
        await one.uplink.send(batch(1))
        await one.uplink.send(batch(4))
        assert [await one.arrived(), await one.arrived()] == [batch(1).payload, batch(4).payload]


async def test_receipts_come_in_order_and_the_newest_always(kind: str, tmp_path: Path) -> None:
    async with rig(kind, tmp_path) as one:
        for through in range(5):
            await one.answer(receipt(one.session, through))
        heard: list[int] = []
        async with asyncio.timeout(30):
            async for answer in one.uplink.receipts():
                heard.append(answer.through)
                if answer.through == 4:
                    break
        assert heard == sorted(heard)


async def test_only_receipts_of_this_session_come(kind: str, tmp_path: Path) -> None:
    async with rig(kind, tmp_path) as one:
        heard = asyncio.ensure_future(anext(one.uplink.receipts()))
        await one.answer(receipt(one.session, 7, site="school-2"))
        await one.answer(receipt(one.session, 7, gateway="south"))
        await one.answer(receipt(one.session, 7, epoch="epoch-b"))
        await one.answer(receipt("session-x", 7))
        await one.answer(receipt(one.session, 3))
        async with asyncio.timeout(30):
            assert (await heard).through == 3


async def test_a_broken_link_is_told_to_everybody_for_ever(kind: str, tmp_path: Path) -> None:
    async with rig(kind, tmp_path) as one:
        waiting = asyncio.ensure_future(anext(one.uplink.receipts()))
        await asyncio.sleep(0)
        await one.cut()
        async with asyncio.timeout(30):
            for _ in range(2):
                with pytest.raises(LinkLost):
                    await one.uplink.send(batch())
                with pytest.raises(LinkLost):
                    await anext(one.uplink.receipts())
            with pytest.raises(LinkLost):
                await waiting


async def test_a_refused_batch_is_told_and_the_session_lives(kind: str, tmp_path: Path) -> None:
    async with rig(kind, tmp_path, denied=True) as one:
        with pytest.raises(PublishRefused) as caught:
            await one.uplink.send(batch())
        assert caught.value.code == 0x87
        await one.answer(receipt(one.session, 3))
        async with asyncio.timeout(30):
            assert (await anext(one.uplink.receipts())).through == 3
