"""The journal as a process, beside a real broker: started, killed at the worst moments, stopped politely."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gateway.domain.directory import Content
from gateway.domain.handshake import Manifest, topic
from gateway.domain.parts import assemble
from gateway.errors import LinkLost
from journal.keys import Keys
from sync.mqtt import Connection, connect
from tests.broker import Mosquitto
from tests.journal.door import GATEWAY, SITE, Door
from tests.journal.process import PATIENCE, Guard, Process, guarding
from tests.journal.tables import write_school
from tests.journal.test_cli import Desk

pytestmark = pytest.mark.needs("mosquitto")


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    with Mosquitto(tmp_path / "broker") as broker:
        one = Process(Desk(tmp_path, broker.url), broker)
        one.desk.types("directory", "import", SITE, str(write_school(tmp_path / "school")))
        add = ("gateway", "add", SITE, GATEWAY, "--key", Door().signer.public.hex())
        one.desk.types(*add, "--out", str(tmp_path / "door-1.toml"))
        yield one
        one.kill()
        one.notify.close()


async def test_a_morning_of_one_gateway(process: Process) -> None:
    door = Door().taps(30)
    process.start()
    async with guarding(process, door) as guard:
        assert (await guard.born()).session == door.session
        await guard.send(door.message(11, 20), door.message(1, 10), door.message(1, 10), door.message(21, 30))
        receipt = await guard.hears(30)
        assert receipt.head == door.head.hex()
    process.hears("WATCHDOG=1")
    assert process.terminate() == 0
    assert " stopped\n" in process.log
    assert "alembic" not in process.log
    assert process.entries == [(e.seq, e.body) for e in door.ledger]


@pytest.mark.parametrize(
    ("place", "turn"),
    [
        ("journal.inbox:Inbox._commit", "2"),  # verified, nothing written
        ("journal.inbox:Inbox._answer", "2"),  # committed, no receipt
        ("sync.mqtt:Connection.acknowledge", "2"),  # receipt sent, no PUBACK
    ],
)
async def test_killed_at_every_arrow(process: Process, place: str, turn: str) -> None:
    door = Door().taps(20)
    process.start(place, turn)
    async with guarding(process, door) as guard:
        await guard.born()
        await guard.send(door.message(1, 20))
        assert await asyncio.to_thread(process.gone) == -signal.SIGKILL
        assert len(process.entries) == (0 if "commit" in place else 20)
        process.start()
        # The retained birth is answered by the new life; the gateway sends again what has no receipt.
        await guard.hears(len(process.entries))
        await guard.send(door.message(1, 20))
        assert (await guard.hears(20)).head == door.head.hex()
    assert process.entries == [(e.seq, e.body) for e in door.ledger]
    assert process.rows("SELECT count(*) FROM quarantine") == [(0,)]


async def test_the_broker_dies_and_comes_back(process: Process) -> None:
    door = Door().taps(20)
    process.start()
    async with guarding(process, door) as guard:
        await guard.born()
        await guard.send(door.message(1, 10))
        await guard.hears(10)
        process.broker.kill()
        with pytest.raises(LinkLost):
            await guard.hears(20)
    process.broker.start()
    async with guarding(process, door) as guard:
        door.session = "session-2"
        receipt = await guard.born()
        assert (receipt.session, receipt.through) == ("session-2", 10)
        await guard.send(door.message(11, 20))
        await guard.hears(20)
        await _manifest(guard.connection)
    assert "link lost" in process.log
    assert "Context impl" not in process.log
    assert process.terminate() == 0


async def _manifest(connection: Connection) -> Content:
    """The directory, as a gateway fetches it from what the broker retains."""
    async with asyncio.timeout(PATIENCE):
        manifest: Manifest | None = None
        parts: dict[str, bytes] = {}
        await connection.subscribe(topic(SITE, "directory", "#"))
        async for message in connection.messages():
            connection.acknowledge(message)
            if message.topic.endswith("/manifest"):
                manifest = Manifest.parse(message.payload)
            elif "/part/" in message.topic:
                parts[message.topic.rpartition("/")[2]] = message.payload
            if manifest and set(manifest.parts) <= parts.keys():
                return Content.parse(assemble(manifest, [parts[name] for name in manifest.parts]))
    raise AssertionError


async def test_an_import_beside_the_running_journal_is_published(process: Process) -> None:
    process.start()
    async with connect(process.broker.at(GATEWAY)) as connection:
        assert len((await _manifest(connection)).persons) == 2
    people = "id;last_name;first_name;class\np-1;Иванова;Мария;5А\n"
    cards = "technology;uid;person\nem4100;55007EE424;p-1\n"
    folder = write_school(process.desk.folder / "school", people=people, cards=cards)
    await asyncio.to_thread(process.desk.types, "directory", "import", SITE, str(folder))
    async with asyncio.timeout(PATIENCE):
        while True:
            async with connect(process.broker.at(GATEWAY)) as connection:
                if len((await _manifest(connection)).persons) == 1:
                    break
            await asyncio.sleep(0.1)


async def test_a_gateway_that_is_added_while_the_journal_runs_is_heard(process: Process) -> None:
    process.start()
    door = Door(gateway="door-2", secret=b"\5" * 32).taps(5)
    add = ("gateway", "add", SITE, "door-2", "--key", door.signer.public.hex(), "--out", str(process.desk.folder / "d"))
    await asyncio.to_thread(process.desk.types, *add)
    async with connect(process.broker.at("door-2")) as connection:
        await connection.subscribe(topic(SITE, "door-2", "receipt"))
        guard = Guard(connection, door, Keys(process.desk.folder / "state").signer().public)
        await guard.born()
        await guard.send(door.message(1, 5))
        await guard.hears(5)


def test_without_a_broker_it_waits_and_stops_politely(process: Process) -> None:
    process.broker.kill()
    process.start()
    end = time.monotonic() + PATIENCE
    while "no broker" not in process.log:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert process.terminate() == 0


def test_a_wrong_configuration_ends_with_one_sentence(process: Process) -> None:
    process.desk.config.write_text(process.desk.config.read_text().replace("[broker]", '[broker]\nca = "/x"'))
    ran = subprocess.run(
        [sys.executable, "-m", "journal", "run", "--config", str(process.desk.config)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 1
    assert "certificates are given" in ran.stderr
    assert "Traceback" not in ran.stderr


async def test_a_second_journal_on_the_same_file_is_refused_with_a_sentence(process: Process) -> None:
    door = Door().taps(5)
    process.start()
    async with guarding(process, door) as guard:
        await guard.born()
        command = [sys.executable, "-m", "journal", "run", "--config", str(process.desk.config)]
        ran = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)
        assert "another journal runs on" in ran.stderr
        assert "hint: " in ran.stderr
        # Whoever only looks or writes is no second journal, and the first is not disturbed.
        listed = await asyncio.to_thread(process.desk.json, "gateway", "list")
        assert [row["gateway"] for row in listed] == [GATEWAY]
        await guard.send(door.message(1, 5))
        await guard.hears(5)
    assert "link lost" not in process.log
    process.kill()
    process.start()  # whatever ended the one, the next may begin


def words(names: Sequence[str], log: str) -> list[str]:
    return [name for name in names if name in log]


async def test_nothing_personal_is_logged(process: Process) -> None:
    door, clone = Door().taps(5), Door(epoch="epoch-1")
    clone.taps(1).append_bytes(*(e.body.replace(b"north", b"south") for e in door.ledger[1:]))
    process.start()
    async with guarding(process, door) as guard:
        await guard.born()
        await guard.send(door.message(1, 5), clone.message(2, 5), door.message(1, 5, sig="0" * 128))
        while not (await guard.hears(5)).refused:
            pass
    process.terminate()
    assert "code=quarantine" in process.log
    assert words(["Иванова", "Мария", "55007EE424", "families.example", "p-1"], process.log) == []
