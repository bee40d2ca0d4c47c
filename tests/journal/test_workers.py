"""Two shares and one that stands by, as processes on one PostgreSQL and one broker: nothing lost, nothing twice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.domain.handshake import Receipt, topic
from journal.keys import Keys
from journal.shard import Shard
from sync.mqtt import connect
from sync.signing import Keyring
from tests.broker import Mosquitto
from tests.journal.door import Door
from tests.journal.process import DIES_AT, PATIENCE
from tests.journal.test_cli import Desk
from tests.postgres import Postgres

pytestmark = pytest.mark.needs("mosquitto", "postgres")

ONE, TWO = Shard(1, 2), Shard(2, 2)
SITES = [f"school-{number}" for number in range(1, 7)]
ENTRIES, BATCH = 120, 20


@dataclass
class Place:
    """Everything that workers of one region share."""

    desk: Desk
    broker: Mosquitto
    server: Postgres
    name: str

    @contextmanager
    def worker(self, shard: Shard, name: str, *dies_at: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process until the block ends; `dies_at` = method, turn."""
        program = ["-c", DIES_AT, *dies_at] if dies_at else ["-m", "journal"]
        words = ["run", "--shard", str(shard), "--config", str(self.desk.config)]
        with self.log(name).open("wb") as log:
            process = subprocess.Popen([sys.executable, *program, *words], stdout=log, stderr=log)
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait(PATIENCE)

    def log(self, name: str) -> Path:
        return self.desk.folder / f"{name}.log"

    async def tells(self, name: str, word: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while word not in self.log(name).read_text():
                await asyncio.sleep(0.05)

    def rows(self, sql: str) -> list[list[str]]:
        return self.server.execute(sql, self.name)


@pytest.fixture
def place(tmp_path: Path, postgres: Postgres) -> Iterator[Place]:
    with Mosquitto(tmp_path / "broker") as broker:
        desk, name = Desk(tmp_path, broker.url), postgres.fresh()
        with desk.config.open("a") as config:
            config.write(f'[database]\nurl = "{postgres.url(name)}"\n')
        for door in doors():
            words = ("gateway", "add", door.stream.site, door.stream.gateway, "--key", door.signer.public.hex())
            desk.types(*words, "--out", str(tmp_path / f"{door.stream.gateway}.toml"))
        yield Place(desk, broker, postgres, name)


def doors() -> list[Door]:
    """One for each site."""
    return [Door(f"door-{n}", site=site, secret=bytes([n]) * 32) for n, site in enumerate(SITES, 1)]


async def deliver(place: Place, door: Door) -> Receipt:
    """As a gateway does: after every receipt whatever it does not have yet, until it has everything."""
    keys = Keyring([Keys(place.desk.folder / "state").signer().public])
    async with connect(place.broker.at(door.stream.gateway)) as connection:
        await connection.subscribe(topic(door.stream.site, door.stream.gateway, "receipt"))
        birth = door.birth()
        await connection.publish(birth.topic, birth.payload, retain=True)
        async for message in connection.messages():
            connection.acknowledge(message)
            receipt = Receipt.parse(message.payload)
            keys.check(receipt)
            assert (receipt.session, receipt.refused) == (door.session, ())
            if receipt.through == ENTRIES:
                return receipt
            batch = door.message(receipt.through + 1, min(receipt.through + BATCH, ENTRIES))
            await connection.publish(batch.topic, batch.payload, properties=batch.properties)
    raise AssertionError


@pytest.mark.parametrize(
    ("method", "turn"),
    [
        ("journal.inbox:Inbox._commit", "6"),  # verified, nothing written
        ("journal.inbox:Inbox._answer", "6"),  # committed, no receipt
    ],
)
async def test_a_killed_workers_sites_are_taken_over(place: Place, method: str, turn: str) -> None:
    gates = [door.taps(ENTRIES) for door in doors()]
    assert {ONE.owns(site) for site in SITES} == {True, False}
    with place.worker(ONE, "one", method, turn) as first, place.worker(TWO, "two"):
        await place.tells("one", " ready")
        await place.tells("two", " ready")
        with place.worker(ONE, "standby"):
            await place.tells("standby", "standing by")
            async with asyncio.timeout(3 * PATIENCE):
                receipts = await asyncio.gather(*(deliver(place, door) for door in gates))
            assert await asyncio.to_thread(first.wait, PATIENCE) == -signal.SIGKILL
            await place.tells("standby", " ready")
    assert [receipt.head for receipt in receipts] == [door.head.hex() for door in gates]
    for door in gates:
        sent = [[str(e.seq), e.hash.hex()] for e in door.ledger]
        of = f"WHERE gateway = '{door.stream.gateway}' ORDER BY seq"
        assert place.rows(f"SELECT seq, encode(hash, 'hex') FROM entries {of}") == sent
    assert place.rows("SELECT count(*) FROM quarantine") == [["0"]]
    await asyncio.to_thread(place.desk.types, "verify")
    assert "refused" not in "".join(place.log(name).read_text() for name in ("one", "two", "standby"))


async def test_a_worker_that_loses_the_database_stops_and_another_takes_over(place: Place) -> None:
    door = next(door for door in doors() if ONE.owns(door.stream.site)).taps(ENTRIES)
    with place.worker(ONE, "one") as first:
        await place.tells("one", " ready")
        with place.worker(ONE, "standby"):
            await place.tells("standby", "standing by")
            holders = "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
            place.rows(f"SELECT pg_terminate_backend(pid) FROM ({holders}) AS h")
            assert await asyncio.to_thread(first.wait, PATIENCE) == 1
            assert "Traceback" not in place.log("one").read_text()
            await place.tells("standby", " ready")
            async with asyncio.timeout(PATIENCE):
                assert (await deliver(place, door)).head == door.head.hex()


def test_a_share_of_sqlite_is_refused_with_a_sentence(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    command = [sys.executable, "-m", "journal", "run", "--shard", "1/2", "--config", str(desk.config)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=dict(os.environ))
    assert ran.returncode == 1
    assert "an SQLite database has one journal" in ran.stderr
    assert "Traceback" not in ran.stderr
