"""Readers: how fast codecs are beside a serial line, how soon a card is with its lane, what eight of them cost while nobody comes."""

import asyncio
import os
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figure import Figure, over_rounds, percentiles
from drivers.frames import Card
from drivers.ironlogic.codec import encode as ironlogic
from drivers.pcsc.child import encode_card as pcsc
from drivers.rdm6300.codec import encode as rdm6300
from drivers.registry import build
from drivers.virtual.codec import encode_card as virtual
from drivers.zkteco.codec import attlog
from gateway.domain.credential import Credential, Technology
from gateway.ports import CardRead, Device
from simulators.desk import OnDesk, Reader, kinds, on_desk, plugged
from simulators.keyboard import Typist
from simulators.pcsc import ATR
from simulators.text import ten_hex_digits
from tests.fuzz.codecs import codec_makers
from tests.gateway.daemon import running
from tests.journeys.doors import configured, doors, gates

_ROUNDS = 3
_CARDS, _CHUNK = 1000, 4096
#: The fastest serial line of a reader that prints: 115,200 baud, ten bits a byte.
_WIRE = 0.01152
#: Where such a line never rests, a codec takes no more than a tenth of a core.
_SPARE = 10
_TAPS = 40
#: Nobody notices less.
_SOON_MS = 100.0
_PATIENCE = 10.0
_SETTLES, _IDLE_SECONDS, _IDLE_PERCENT = 5.0, 20.0, 1.0
#: A terminal asks for commands every ten seconds.
_PACE = 10.0
_FIRST = datetime(2026, 9, 1, 8)  # noqa: DTZ001 - the clock of a terminal has no zone


def run() -> Sequence[Figure]:
    """Takes about two minutes."""
    figures = [_codec(kind, says) for kind, says in _says().items()]
    figures += [asyncio.run(_latency(kind)) for kind in _told_at_once()]
    figures += [asyncio.run(_idle(with_gates=with_gates)) for with_gates in (False, True)]
    return figures


def _uids(size: int, count: int) -> list[bytes]:
    return [b"\x04" + number.to_bytes(size - 1) for number in range(1, count + 1)]


def _says() -> Mapping[str, bytes]:
    """What each kind says for a thousand cards; a reader that types with the events of its keys."""
    five, seven, typist = _uids(5, _CARDS), _uids(7, _CARDS), Typist()
    # As the samples of these kinds have it: ten hex digits, and ten decimal ones of a card with four bytes, backwards.
    decimal = [f"{int.from_bytes(uid[::-1]):010}" for uid in _uids(4, _CARDS)]
    said: Mapping[str, Sequence[bytes]] = {
        "rdm6300": [rdm6300(uid) for uid in five],
        "ironlogic": [ironlogic(Technology.EM4100, uid) for uid in five],
        "line": [ten_hex_digits(uid) for uid in five],
        "keyboard": [typist.text(text) for text in decimal],
        "virtual": [virtual(Credential(technology=Technology.EM4100, uid=uid)) for uid in five],
        "pcsc": [pcsc(ATR, uid + b"\x90\x00", b"\x6a\x81") for uid in seven],
        "zkteco": [attlog(str(1000 + number), _FIRST) for number in range(_CARDS)],
    }
    return {kind: b"".join(lines) for kind, lines in said.items()}


def _codec(kind: str, says: bytes) -> Figure:
    make, rounds = codec_makers()[kind], []
    for _ in range(_ROUNDS):
        codec = make()
        begun = time.perf_counter()
        found = [frame for at in range(0, len(says), _CHUNK) for frame in codec.feed(says[at : at + _CHUNK])]
        taken = time.perf_counter() - begun
        if sum(isinstance(frame, Card) for frame in found) < _CARDS - 1:
            raise RuntimeError(f"{kind}: {len(found)} frames for {_CARDS} cards")
        rounds.append((len(says) / 1e6 / taken, _WIRE))
    return over_rounds(f"codec_{kind}", "MB/s", rounds, "115,200 baud", at_least=_SPARE)


def _told_at_once() -> list[str]:
    """Readers whose cards nobody has to look for."""
    with tempfile.TemporaryDirectory() as name:
        desks = {kind: on_desk(kind, None, Path(name)) for kind in kinds()}
    return [kind for kind, desk in desks.items() if desk.lengths and desk.at_once]


async def _latency(kind: str) -> Figure:
    """From a card that comes to the event that its lane gets, in milliseconds: the 99th of a hundred."""
    async with plugged(kind, None) as desk, AsyncExitStack() as stack:
        settings = {"url": desk.device.url, **tomllib.loads(desk.settings)}
        device = await stack.enter_async_context(build(kind, settings))
        async with asyncio.timeout(_PATIENCE):
            await desk.device.opened()
        samples = await _samples(desk, device)
    _, last = percentiles(samples)
    return over_rounds(f"tap_to_lane_{kind}", "ms p99", [(last, _SOON_MS)], "nobody notices", at_most=1)


async def _samples(desk: OnDesk, device: Device) -> list[float]:
    events, samples = aiter(device.reader("").events()), []
    for uid in _uids(desk.lengths[-1], _TAPS):
        begun = time.perf_counter()
        presenting = asyncio.create_task(_present(desk, uid))
        async with asyncio.timeout(_PATIENCE):
            while not isinstance(await anext(events), CardRead):
                pass
        samples.append((time.perf_counter() - begun) * 1000)
        await presenting
    return samples


async def _present(desk: OnDesk, uid: bytes) -> None:
    assert isinstance(desk.device, Reader)
    await desk.device.present(uid, 0.0)


async def _idle(*, with_gates: bool) -> Figure:
    """Percent of one core of a daemon that has them all and nobody comes."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lamps = gates(folder)
        here = doors(folder, lamps, now, pace=_PACE)
        async with AsyncExitStack() as stack:
            for sim in (lamps.lamp, lamps.board, lamps.relays, *(door.sim for door in here)):
                await stack.enter_async_context(sim)
            if not with_gates:
                for door in here:
                    door.lane = {key: value for key, value in door.lane.items() if key == "reader"}
            config = configured(folder, here, lamps if with_gates else None, now + timedelta(days=1))
            daemon = await stack.enter_async_context(running(config))
            # Readers on a bus are given their keys first.
            await asyncio.sleep(_SETTLES)
            begun, before = time.monotonic(), _cpu_seconds(daemon.pid)
            await asyncio.sleep(_IDLE_SECONDS)
            percent = 100 * (_cpu_seconds(daemon.pid) - before) / (time.monotonic() - begun)
    what = "eight_readers_five_gates" if with_gates else "eight_readers"
    return over_rounds(f"idle_{what}", "% of a core", [(percent, _IDLE_PERCENT)], "budget", at_most=1)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
