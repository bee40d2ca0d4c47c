"""The whole way from the ledger's file over a real broker to a journal, while the broker is killed, frozen, or mute."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from gateway.domain.entry import DeviceData, DeviceState, Entry
from gateway.domain.handshake import Birth, Receipt
from gateway.domain.model import Seq
from gateway.domain.wire import Stream, link, split
from gateway.errors import LinkError
from sync.mqtt import connect
from sync.outbox import SqliteOutbox
from sync.reconnect import keep_link
from sync.relay import Limits, LinkStatus, relay
from sync.signing import Keyring
from sync.uplink import open_uplink
from tests.broker import Mosquitto
from tests.domain.build import LANE, instant
from tests.gateway.fakes import HandClock
from tests.sync.session import GATEWAY, JOURNAL, Journal, journal_at

ENTRY = Entry(at=instant("08:00"), data=DeviceData(lane=LANE, kind=DeviceState.UP, detail=""))


class Ingest:
    """A journal that commits what links and answers everything, over the broker."""

    def __init__(self, stream: Stream) -> None:
        self.stream, self.session = stream, ""
        self.seen: list[int] = []
        self.head, self.through = stream.genesis, 0
        self.commits = True

    async def serve(self, broker: Mosquitto) -> None:
        """Like any journal it connects again, for ever."""
        while True:
            try:
                async with journal_at(broker) as journal:
                    await self._listen(journal)
            except LinkError:
                await asyncio.sleep(0.01)

    async def _listen(self, journal: Journal) -> None:
        async for message in journal.connection.messages():
            if message.topic.endswith("state") and b"online" in message.payload:
                self.session = Birth.parse(message.payload).session
            elif message.topic.endswith("events"):
                self._commit(int(message.properties["first"]), split(message.payload))
            else:
                journal.connection.acknowledge(message)
                continue
            await journal.say(self.receipt().payload())
            journal.connection.acknowledge(message)

    def _commit(self, first: int, bodies: list[bytes]) -> None:
        for seq, body in enumerate(bodies, first):
            if self.commits and seq == self.through + 1:
                self.seen.append(seq)
                self.head, self.through = link(self.head, body), seq

    def receipt(self) -> Receipt:
        return JOURNAL.seal(
            Receipt(
                site=self.stream.site,
                gateway=self.stream.gateway,
                session=self.session,
                epoch=self.stream.epoch,
                through=self.through,
                head=self.head.hex(),
                issued=1,
            )
        )


class Gateway:
    """A ledger, and the link that empties it; one that is `hasty` soon takes a silent broker for a lost one."""

    def __init__(self, outbox: SqliteOutbox, broker: Mosquitto, *, hasty: bool) -> None:
        self.outbox, self.broker, self.status = outbox, broker, LinkStatus()
        self._patience: dict[str, Any] = {"keepalive": 1, "timeout": 0.5} if hasty else {}

    def birth(self, session: str) -> Birth:
        position, stream = self.outbox.position, self.outbox.stream
        return Birth(
            site=stream.site,
            gateway=stream.gateway,
            session=session,
            epoch=stream.epoch,
            last=position.last,
            head=position.head.hex(),
            floor=position.floor,
        )

    async def run(self) -> None:
        def keys() -> Keyring:
            return Keyring([JOURNAL.public])

        await keep_link(
            lambda: open_uplink(
                self.broker.at("north"),
                birth_of=self.birth,
                signer=GATEWAY,
                keys=keys,
                dropped=self.status.dropped,
                **self._patience,
            ),
            [lambda uplink: relay(self.outbox, uplink, self.status, Limits(patience=0.2))],
            self.status,
            longest=0.1,
        )

    def settled(self) -> bool:
        return self.outbox.position.through == self.outbox.position.last


@asynccontextmanager
async def running(mosquitto: Mosquitto, folder: Path, *, hasty: bool = False) -> AsyncIterator[tuple[Gateway, Ingest]]:
    async with SqliteOutbox(folder / "ledger.db", site="school-1", gateway="north", clock=HandClock()) as outbox:
        gateway, ingest = Gateway(outbox, mosquitto, hasty=hasty), Ingest(outbox.stream)
        tasks = [asyncio.create_task(gateway.run()), asyncio.create_task(ingest.serve(mosquitto))]
        try:
            yield gateway, ingest
            assert ingest.seen == list(range(1, outbox.position.last + 1))
            assert ingest.head == await outbox.hash_of(Seq(outbox.position.last))
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_broker_killed_in_the_middle_loses_and_doubles_nothing(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with running(mosquitto, tmp_path) as (gateway, ingest):
        for _ in range(3):
            before = ingest.through
            await gateway.outbox.append([ENTRY] * 1000)
            await until(lambda before=before: ingest.through > before)  # type: ignore[misc]
            mosquitto.kill()
            await gateway.outbox.append([ENTRY] * 10)
            assert not gateway.settled()
            mosquitto.start()
        await until(gateway.settled)
        assert gateway.status.connected
        assert gateway.status.error is None
    async with connect(mosquitto.at("door")) as later:
        await later.subscribe("att/v1/+/+/state")
        assert b"offline" in (await anext(later.messages())).payload


async def test_a_frozen_broker_is_left_and_found_again(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with running(mosquitto, tmp_path, hasty=True) as (gateway, _):
        await until(gateway.settled)
        mosquitto.freeze()
        await gateway.outbox.append([ENTRY] * 5)
        await until(lambda: not gateway.status.connected)
        assert gateway.status.error
        mosquitto.thaw()
        await until(gateway.settled)


async def test_a_denied_topic_is_told_and_mended_without_a_restart(tmp_path: Path) -> None:
    denied = "user journal\ntopic #\nuser north\ntopic read #\ntopic write att/v1/school-1/north/state\n"
    with Mosquitto(tmp_path / "mosquitto", acl=denied) as broker:
        async with running(broker, tmp_path) as (gateway, ingest):
            await until(lambda: "0x87" in (gateway.status.error or ""))
            assert "broker-acl" in (gateway.status.hint or "")
            assert ingest.seen == []
            assert gateway.outbox.position.through == 0
            broker.allow(denied + "topic write att/v1/school-1/north/events\n")
            await until(gateway.settled)


async def test_forged_receipts_settle_nothing(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with running(mosquitto, tmp_path) as (gateway, ingest):
        await until(gateway.settled)
        async with journal_at(mosquitto, "forger") as forger:
            ingest.commits = False
            last = await gateway.outbox.append([ENTRY] * 5)
            head = gateway.outbox.position.head.hex()
            lie = Receipt.model_validate(ingest.receipt().model_dump() | {"through": last, "head": head})
            for forged in (lie, GATEWAY.seal(lie), JOURNAL.seal(lie.model_copy(update={"session": "session-x"}))):
                await forger.say(forged.payload())
            await forger.say(JOURNAL.seal(ingest.receipt()).payload())
            await until(lambda: gateway.status.dropped["session"] == 1)
            assert gateway.status.dropped["signature"] == 2
            assert gateway.outbox.position.through == 1
            ingest.commits = True
            await until(gateway.settled)
