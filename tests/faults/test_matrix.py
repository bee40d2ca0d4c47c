"""The fault matrix: real processes, a real mosquitto, and after each fault the same oracle within the same minute.

`make test` strikes at a few system calls, `make faults` at many more.
"""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from simulators import ledgers
from sync.mqtt import connect
from tests.faults.firewall import Firewall
from tests.faults.proxy import Proxy
from tests.faults.ward import SITE, Ward, image, put_back, ward

pytestmark = [pytest.mark.slow, pytest.mark.needs("mosquitto"), pytest.mark.timeout(240)]

#: How far the n-th system call goes; `make faults` asks for more.
_MANY = int(os.environ.get("FAULTS", "1"))
WIRES = [Proxy, pytest.param(Firewall, marks=pytest.mark.needs("ip", "nft"))]


def growing(*numbers: int) -> list[int]:
    """These, and with FAULTS=10 ten times as many further on."""
    step = max(numbers) - min(numbers) or 1
    return [number + turn * step for turn in range(_MANY) for number in numbers]


async def rested(at: Ward) -> None:
    """The fault is over."""
    await at.drained()
    await at.oracle()


@pytest.mark.needs("strace")
@pytest.mark.parametrize(
    ("call", "number"),
    [("fdatasync", n) for n in growing(2, 5, 9)]
    + [("pwrite64", n) for n in growing(7, 30)]
    + [("sendto", n) for n in growing(2, 6)],
)
async def test_the_gateway_is_killed_at_its_nth_system_call(tmp_path: Path, call: str, number: int) -> None:
    async with ward(tmp_path) as at:
        await at.gateway.stop()
        inject = f"inject={call}:signal=SIGKILL:when={number}"
        at.gateway = at.daemon("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
        await at.gateway.start()
        for _ in range(300):
            if not at.gateway.alive:
                break
            await at.tap(tries=1)
        assert not at.gateway.alive, "it never came to that call: this fault has not happened"
        at.gateway = at.daemon()
        await at.gateway.start()
        await at.tap(3)
        await rested(at)


async def test_a_frozen_broker(tmp_path: Path) -> None:
    async with ward(tmp_path) as at:
        already = _said(at, "link down")
        at.broker.freeze()
        assert await at.tap(5) == 5
        await _says_again(at, "link down", already)
        at.broker.thaw()
        await rested(at)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("way", ["drops_up", "drops_down"])
async def test_a_wire_that_carries_one_way_only(tmp_path: Path, way: str, wire: type[Proxy | Firewall]) -> None:
    async with ward(tmp_path, wire=wire) as at:
        already = _said(at, "link down")
        at.wire.spoil(way)
        assert await at.tap(5) == 5
        await _says_again(at, "link down", already)
        assert at.wire.dropped > 0
        at.wire.heal()
        await rested(at)


@pytest.mark.parametrize("wire", WIRES)
async def test_connections_that_are_reset(tmp_path: Path, wire: type[Proxy | Firewall]) -> None:
    async with ward(tmp_path, wire=wire) as at:
        for _ in range(3):
            assert await at.tap(2) == 2
            await at.wire.reset()
        await rested(at)


async def test_a_broker_that_comes_back_and_knows_nothing(tmp_path: Path) -> None:
    async with ward(tmp_path) as at:
        at.broker.kill()
        assert await at.tap(5) == 5
        at.broker.start()
        await rested(at)


async def test_a_journal_that_is_away_longer_than_the_queue_of_the_broker_lasts(tmp_path: Path) -> None:
    """mosquitto keeps 1,000 messages for a client that does not take them, and drops what comes then."""
    async with ward(tmp_path) as at:
        os.kill(at.journal.pid, signal.SIGSTOP)
        async with connect(at.broker.at("crowd")) as crowd:
            for _ in range(1200):
                await crowd.publish(f"att/v1/{SITE}/crowd/events", b"[]")
        assert "being dropped" in at.broker.log, "the queue was never full: this fault has not happened"
        assert await at.tap(40) == 40
        os.kill(at.journal.pid, signal.SIGCONT)
        await rested(at)


async def test_a_journal_that_comes_back_from_a_backup(tmp_path: Path) -> None:
    async with ward(tmp_path) as at:
        await at.journal.stop()
        backup = image(tmp_path / "journal", "backup")
        await at.journal.start()
        assert await at.tap(5) == 5
        await at.drained()
        await at.journal.kill()
        put_back(backup, tmp_path / "journal")
        assert await at.tap(2) == 2
        await at.journal.start()
        await rested(at)


async def test_a_gateway_that_comes_back_from_an_old_card(tmp_path: Path) -> None:
    async with ward(tmp_path) as at:
        await at.gateway.stop()
        card = image(tmp_path / "north", "card")
        await at.gateway.start()
        assert await at.tap(5) == 5
        await at.drained()
        await at.gateway.kill()
        put_back(card, tmp_path / "north")
        await at.gateway.start()
        assert await at.tap(3) == 3
        await rested(at)
        epochs = {record.epoch for record in ledgers.of_gateway(at.ledger)}
        assert len(epochs) == 2, "the same numbers with other bytes need a new epoch"


def _said(at: Ward, words: str) -> int:
    """How often the gateway's log has these words."""
    return at.gateway.log.read_text().count(words)


async def _says_again(at: Ward, words: str, already: int) -> None:
    """Waits until it has them once more than before the fault, which may be long since."""
    async with asyncio.timeout(60):
        while _said(at, words) <= already:
            await asyncio.sleep(0.1)
