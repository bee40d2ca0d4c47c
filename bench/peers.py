"""The peers' work: an offer, a broker that is killed and comes back, a gateway that is killed meanwhile; ours beside ThingsBoard's.

Three rates, and for each: nothing happens; the broker is away; the broker is away and the gateway is killed -9 meanwhile.
Both gateways get the same offer at the same time, and lose the same broker. An event counts as accepted once the gateway has
said so; lost is what was accepted and did not arrive, doubled what arrived again.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bench.figure import Figure
from bench.offer import Peer, Tally, interpreter
from bench.uplink import Receiver
from gateway.errors import LinkError
from journal.batch import Received
from sync.mqtt import connect
from tests.broker import Mosquitto

_PACKAGES = ("thingsboard-gateway==3.8.5", "tb-paho-mqtt-client==2.1.2")
#: What bench.thingsboard publishes under.
_TELEMETRY = "v1/gateway/telemetry"
_RATES = 10, 100, 1000
#: In seconds.
_OFFER, _OUTAGE, _DEATH = 20.0, (3.5, 10.0), (6.5, 7.0)
#: How long nothing may arrive before the rest counts as lost, and how long repetitions are waited for.
_PATIENCE, _REST = 20.0, 2.0
_BROKER = ("persistence true", "autosave_interval 1", "max_queued_messages 1000000", "log_type error")


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    outage: bool = False
    death: bool = False


_CASES = _Case("steady"), _Case("outage", outage=True), _Case("killed", outage=True, death=True)


def run() -> Sequence[Figure]:
    """Takes three minutes. Theirs is left out, and said to be, where it cannot be installed."""
    if shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin") is None:
        print("not run: the peers' work (apt install mosquitto)", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as name:
        folder = Path(name).absolute()
        return asyncio.run(_run(folder, interpreter(folder / "thingsboard", *_PACKAGES)))


async def _run(folder: Path, python: str | None) -> Sequence[Figure]:
    """The slow offers beside each other, the fastest alone."""
    figures: list[Figure] = []
    for rate in _RATES:
        cells = [_cell(folder / f"{case.name}-{rate}", rate, case, python) for case in _CASES]
        several = [[await cell] for cell in cells] if rate == max(_RATES) else [await asyncio.gather(*cells)]
        done = [peers for group in several for peers in group]
        for case, (ours, theirs) in zip(_CASES, done, strict=True):
            figures += _figures(f"{case.name}_{rate}", ours, theirs)
    return figures


def _figures(cell: str, ours: Peer, theirs: Peer | None) -> Sequence[Figure]:
    return [
        *(
            Figure(
                name=f"{cell}_{what}",
                value=getattr(ours, what),
                unit=f"of {len(ours.accepted)}",
                against=f"of {len(theirs.accepted)} ThingsBoard" if theirs else "ThingsBoard",
                limit=getattr(theirs, what) if theirs else None,
                ratio=getattr(ours, what) / len(ours.accepted),
                at_most=0,
            )
            for what in ("lost", "doubled")
        ),
        *(
            Figure(
                name=f"{cell}_{what}",
                value=getattr(ours, what),
                unit=unit,
                against="its storage alone",
                limit=getattr(theirs, what) if theirs else None,
                ratio=getattr(ours, what) / getattr(theirs, what) if theirs else None,
            )
            for what, unit in (("rss", "MiB"), ("cpu", "s"))
        ),
    ]


async def _cell(folder: Path, rate: int, case: _Case, python: str | None) -> tuple[Peer, Peer | None]:
    async with AsyncExitStack() as stack:
        lines = [*_BROKER, f"persistence_location {folder / 'broker'}/"]
        broker = stack.enter_context(Mosquitto(folder / "broker", lines=lines))
        ours = Peer([sys.executable, "-m", "bench.gate", str(folder / "ours" / "ledger"), broker.url], Tally())
        (folder / "ours").mkdir()
        await stack.enter_async_context(_receiving(broker, ours.tally))
        peers, theirs = [ours], None
        if python is not None:
            script = str(Path(__file__).with_name("thingsboard.py"))
            theirs = Peer([python, "-I", script, str(folder / "theirs"), str(broker.port)], Tally())
            await stack.enter_async_context(_collecting(broker, theirs.tally))
            peers.append(theirs)
        for peer in peers:
            await peer.start()
            stack.push_async_callback(peer.kill)
        offers = [peer.offer(rate, _OFFER) for peer in peers]
        await asyncio.gather(*offers, _break(case, broker, peers))
        await asyncio.gather(*map(_arrived, peers))
    return ours, theirs


async def _break(case: _Case, broker: Mosquitto, peers: Sequence[Peer]) -> None:
    if not case.outage:
        return
    (away, back), (dies, lives) = _OUTAGE, _DEATH
    await asyncio.sleep(away)
    broker.kill()
    await asyncio.sleep(dies - away)
    if case.death:
        await asyncio.gather(*(peer.kill() for peer in peers))
        await asyncio.sleep(lives - dies)
        await asyncio.gather(*(peer.start() for peer in peers))
    await asyncio.sleep(back - lives)
    await asyncio.to_thread(broker.start)


async def _arrived(peer: Peer) -> None:
    """Returns when everything has, or nothing does any more."""
    with suppress(TimeoutError):
        while peer.lost:
            peer.tally.news.clear()
            async with asyncio.timeout(_PATIENCE):
                await peer.tally.news.wait()
    await asyncio.sleep(_REST)


@asynccontextmanager
async def _receiving(broker: Mosquitto, tally: Tally) -> AsyncIterator[None]:
    """A journal for ours, as far as the contract asks for one."""

    def counted(batch: Received) -> None:
        tokens = (json.loads(envelope.body)["data"].get("token") for envelope in batch.envelopes)
        tally.count([int(token.partition(":")[2], 16) for token in tokens if token])

    async def serve() -> None:
        receiver = Receiver(counted)
        while True:
            with suppress(LinkError):
                async with connect(broker.at("journal"), receive_maximum=32) as connection:
                    await receiver.serve(connection)
            await asyncio.sleep(1)

    serving = asyncio.create_task(serve())
    try:
        yield
    finally:
        serving.cancel()


@asynccontextmanager
async def _collecting(broker: Mosquitto, tally: Tally) -> AsyncIterator[None]:
    """Somebody for whom the broker keeps what theirs sends; a pack that it delivers twice is not theirs."""
    packs: set[str] = set()

    loop, subscribed = asyncio.get_running_loop(), asyncio.Event()

    def on_connect(client: Client, *_: object) -> None:
        client.subscribe(_TELEMETRY, qos=1)

    def on_subscribe(*_: object) -> None:
        loop.call_soon_threadsafe(subscribed.set)

    def on_message(_client: Client, _userdata: object, message: MQTTMessage) -> None:
        pack = json.loads(message.payload)
        if pack["pack"] not in packs:
            packs.add(pack["pack"])
            loop.call_soon_threadsafe(tally.count, [event["event"] for event in pack["events"]])

    client = Client(CallbackAPIVersion.VERSION2, client_id="collector", clean_session=False)
    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        await subscribed.wait()
        yield
    finally:
        client.disconnect()
        client.loop_stop()
