"""The way to the broker beside raw paho and a C program with the same window; a long backlog drained; the log of a tap."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from bench.drain import GATEWAY, JOURNAL, NAME, SITE
from bench.figure import Figure, over_rounds
from bench.ledgers import BATCH, Gateway
from bench.outbox import TAP, Clock
from gateway.domain.entry import Entry
from gateway.domain.handshake import Birth, Receipt, topic
from gateway.domain.wire import Stream
from journal.batch import Received, Registered, claimed, examine
from sync.mqtt import MAX_IN_FLIGHT, Connection, connect
from sync.outbox import SqliteOutbox
from sync.packets import Publication
from tests.broker import Mosquitto

_ROUNDS = 3
_BATCHES = 500
_BACKLOG, _DRAIN_AIM, _GROWTH_AIM, _LOG_AIM = 100_000, 10_000.0, 20.0, 6144.0
_TAPS = 200


def run() -> Sequence[Figure]:
    """Takes a minute. What needs a broker or a compiler is left out, and said to be, where there is none."""
    log = [(asyncio.run(_log_of_a_tap()), _LOG_AIM) for _ in range(_ROUNDS)]
    figures = [over_rounds("wal_bytes_per_tap", "B", log, "budget", at_most=1)]
    if shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin") is None:
        print("not run: everything over a broker (apt install mosquitto)", file=sys.stderr)
        return figures
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as name:
        folder = Path(name).absolute()
        raw = _compiled(folder)
        with Mosquitto(folder / "broker", lines=["max_inflight_messages 0", "log_type error"]) as broker:
            message = Gateway(1, 1).messages[0]
            rounds = [_round(broker, message, raw) for _ in range(_ROUNDS)]
            drained = [asyncio.run(_drain(broker, folder / f"ledger-{n}")) for n in range(_ROUNDS)]
    ours_paho = [(ours, paho) for ours, paho, _ in rounds]
    figures.append(over_rounds("uplink_of_paho", "events/s", ours_paho, "raw paho", at_least=0.5))
    if raw:
        ours_raw = [(ours, limit) for ours, _, limit in rounds]
        figures.append(over_rounds("uplink_of_limit", "events/s", ours_raw, "C without a library"))
    return [
        *figures,
        over_rounds("drain", "entries/s", [(rate, _DRAIN_AIM) for rate, _ in drained], "budget", at_least=1),
        over_rounds("drain_rss_growth", "MiB", [(grown, _GROWTH_AIM) for _, grown in drained], "budget", at_most=1),
    ]


def _round(broker: Mosquitto, message: Publication, raw: Sequence[str]) -> tuple[float, float, float]:
    """Events a second, one way after the other."""
    limit = 0.0
    if raw:
        words = (str(broker.port), str(_BATCHES), str(len(message.payload)), str(MAX_IN_FLIGHT))
        done = subprocess.run([*raw, *words], check=True, capture_output=True, text=True)
        limit = float(done.stdout) * BATCH
    return asyncio.run(_ours(broker, message)), _paho(broker, message), limit


async def _ours(broker: Mosquitto, message: Publication) -> float:
    async with connect(broker.at("ours")) as connection:
        start = time.perf_counter()
        todo = iter(range(_BATCHES))

        async def sender() -> None:
            for _ in todo:
                await connection.publish(message.topic, message.payload, properties=message.properties)

        await asyncio.gather(*(sender() for _ in range(MAX_IN_FLIGHT)))
        return _BATCHES * BATCH / (time.perf_counter() - start)


def _paho(broker: Mosquitto, message: Publication) -> float:
    """The library as its documentation shows it: its own thread, its own window."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="paho", protocol=MQTTv5)
    client.max_inflight_messages_set(MAX_IN_FLIGHT)
    acknowledged, left = threading.Event(), _BATCHES

    def on_publish(*_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            acknowledged.set()

    client.on_publish = on_publish
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    start = time.perf_counter()
    for _ in range(_BATCHES):
        client.publish(message.topic, message.payload, qos=1)
    acknowledged.wait()
    took = time.perf_counter() - start
    client.disconnect()
    client.loop_stop()
    return _BATCHES * BATCH / took


async def _log_of_a_tap() -> float:
    """What the write-ahead log grows by for a tap that comes alone."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as name:
        path, clock = Path(name) / "ledger", Clock()
        log = path.with_name("ledger-wal")
        async with SqliteOutbox(path, site=SITE, gateway=NAME, clock=clock) as outbox:
            before = log.stat().st_size
            for _ in range(_TAPS):
                await outbox.append([Entry(at=clock.now(), data=TAP)])
            return (log.stat().st_size - before) / _TAPS


async def _drain(broker: Mosquitto, ledger: Path) -> tuple[float, float]:
    """Entries a second from the first batch to the last receipt, and what the gateway's process grew by in MiB."""
    clock = Clock()
    async with SqliteOutbox(ledger, site=SITE, gateway=NAME, clock=clock) as outbox:
        for _ in range(_BACKLOG // 500):
            await outbox.append([Entry(at=clock.now(), data=TAP)] * 500)
    async with connect(broker.at("journal"), receive_maximum=32) as connection:
        receiving = asyncio.create_task(Receiver().serve(connection))
        command = [sys.executable, "-m", "bench.drain", str(ledger), broker.url]
        gateway = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        told, _ = await gateway.communicate()
        receiving.cancel()
    answer = json.loads(told)
    return answer["entries"] / answer["seconds"], answer["grown"]


class Receiver:
    """A journal that verifies every signature and every link, answers, and keeps only how far it has come."""

    def __init__(self, counted: Callable[[Received], None] = lambda _batch: None) -> None:
        self._counted = counted
        self._registered = Registered(site=SITE, gateway=NAME, public_key=GATEWAY.public)
        self._stream, self._through, self._head = Stream(site=SITE, gateway=NAME, epoch=""), 0, b""
        self._birth: Birth | None = None

    async def serve(self, connection: Connection) -> None:
        """Until the connection ends; on the next one it goes on where it stood."""
        await connection.subscribe(topic(SITE, NAME, "events"), topic(SITE, NAME, "state"))
        async for message in connection.messages():
            if message.topic.endswith("/events"):
                batch = examine(claimed(message.properties), message.payload, site=SITE, registered=self._registered)
                if isinstance(batch, Received) and (batch.first, batch.prev) == (self._through + 1, self._head):
                    self._through, self._head = batch.last, batch.head
                    self._counted(batch)
                await self._answer(connection)
            elif b'"online"' in message.payload:
                self._birth = Birth.parse(message.payload)
                if self._birth.epoch != self._stream.epoch:
                    self._stream = Stream(site=SITE, gateway=NAME, epoch=self._birth.epoch)
                    self._through, self._head = 0, self._stream.genesis
                await self._answer(connection)
            connection.acknowledge(message)

    async def _answer(self, connection: Connection) -> None:
        if self._birth is not None:
            receipt = Receipt(
                site=SITE,
                gateway=NAME,
                session=self._birth.session,
                epoch=self._birth.epoch,
                through=self._through,
                head=self._head.hex(),
                issued=time.time_ns() // 1_000_000,
            )
            await connection.publish(topic(SITE, NAME, "receipt"), JOURNAL.seal(receipt).payload())


def _compiled(folder: Path) -> Sequence[str]:
    compiler = shutil.which("cc")
    if compiler is None:
        print("not run: the C client (apt install gcc)", file=sys.stderr)
        return ()
    program = str(folder / "publish")
    subprocess.run([compiler, "-O2", "-o", program, str(Path(__file__).with_name("publish.c"))], check=True)
    return (program,)
