"""Files that are not ours, damaged files, bad starts, and readers beside the daemon."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from gateway.domain.entry import EpochData
from gateway.domain.model import Seq
from gateway.domain.wire import Stream, decode
from gateway.errors import ConfigError, NotRecorded
from sync.database import connect
from tests.sync.fakes import FaultyDatabase, Plan
from tests.sync.ledgers import everything, files, ledger, note, texts


@pytest.mark.parametrize("sql", ["PRAGMA user_version = 9", "CREATE TABLE something (x)"])
async def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "o")) as foreign:
        foreign.execute(sql)
    with pytest.raises(ConfigError, match="version"):
        await ledger(tmp_path / "o").__aenter__()
    assert files(tmp_path) == ["o"]


async def test_a_database_without_a_write_ahead_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotRecorded, match="journal_mode = memory"):
        await ledger(tmp_path / "o", connect=lambda _: connect(Path(":memory:"))).__aenter__()


async def test_a_start_on_a_bad_disk_says_so_and_a_later_one_works(tmp_path: Path) -> None:
    plan = Plan(["ok", "before"])
    with pytest.raises(NotRecorded, match="disk I/O error"):
        await ledger(tmp_path / "o", connect=lambda path: FaultyDatabase(path, plan)).__aenter__()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotRecorded):
        await ledger(tmp_path / "file" / "o").__aenter__()
    async with ledger(tmp_path / "o") as outbox:
        assert outbox.position.last == 1


async def fill(path: Path) -> Stream:
    async with ledger(path) as outbox:
        await outbox.append([note("x" * 900)] * 60)
        return outbox.stream


def damage(path: Path, how: str) -> bytes:
    data = bytearray(path.read_bytes())
    match how:
        case "scribbled":
            data[3 * 4096 :] = b"\xa5" * (len(data) - 3 * 4096)
        case "truncated":
            del data[5 * 4096 + 100 :]
        case "no database":
            data[:100] = bytes(100)
    path.write_bytes(data)
    return bytes(data)


@pytest.mark.parametrize("how", ["scribbled", "truncated", "no database"])
async def test_a_damaged_file_is_put_aside_and_a_new_epoch_begins(tmp_path: Path, how: str) -> None:
    path = tmp_path / "outbox.sqlite3"
    before = await fill(path)
    data = damage(path, how)
    async with ledger(path) as outbox:
        assert outbox.stream.epoch != before.epoch
        assert outbox.damaged is not None
        assert outbox.damaged.read_bytes()[4096:] == data[4096:]
        first, *salvaged = await everything(outbox)
        previous = None if how == "no database" else before.epoch
        reason = "damaged database put aside as outbox.sqlite3.damaged-1"
        assert decode(first.body).data == EpochData(previous=previous, reason=reason)
        assert bool(salvaged) == (how == "truncated")
        assert all((origin := decode(e.body).origin) and origin.epoch == before.epoch for e in salvaged)
        assert await outbox.append([note("works")]) == 2 + len(salvaged)
    damage(path, "no database")
    async with ledger(path) as outbox:
        assert outbox.damaged == tmp_path / "outbox.sqlite3.damaged-2"


async def test_damage_that_shows_at_work_begins_a_new_epoch_and_wakes_the_relay(tmp_path: Path) -> None:
    damaged = False

    def fails(sql: str, done: bool) -> bool:
        if damaged and not done and not list(tmp_path.glob("*.damaged-1")):
            raise sqlite3.DatabaseError("database disk image is malformed")
        return False

    async with ledger(tmp_path / "o", connect=lambda path: FaultyDatabase(path, fails)) as outbox:
        stream, waiting = outbox.stream, asyncio.create_task(outbox.wait_beyond(Seq(99)))
        await outbox.append([note("a")])
        damaged = True
        with pytest.raises(NotRecorded, match="malformed"):
            await outbox.append([note("b")])
        assert await outbox.append([note("c")]) == 3
        await asyncio.wait_for(waiting, 60)
        assert outbox.stream != stream
        assert texts(await everything(outbox)) == {2: "a", 3: "c"}


async def test_a_log_without_its_database_is_put_aside_too(tmp_path: Path) -> None:
    (tmp_path / "o.damaged-1").write_bytes(b"put aside before the power went")
    (tmp_path / "o-wal").write_bytes(b"its log")
    async with ledger(tmp_path / "o") as outbox:
        assert outbox.damaged == tmp_path / "o.damaged-1"
        assert (tmp_path / "o.damaged-1-wal").read_bytes() == b"its log"


async def test_the_newest_entry_taken_out_by_hand_is_damage(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        stream = outbox.stream
    with contextlib.closing(sqlite3.connect(tmp_path / "o", isolation_level=None)) as database:
        database.execute("DELETE FROM entry")
    async with ledger(tmp_path / "o") as outbox:
        assert outbox.stream != stream


async def test_a_reader_beside_it_sees_what_is_recorded(tmp_path: Path) -> None:
    uri = f"{(tmp_path / 'o').as_uri()}?mode=ro"
    async with ledger(tmp_path / "o") as outbox:
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as reader:
            for n in range(40):
                seq = await outbox.append([note(str(n))])
                assert reader.execute("SELECT max(key) % 1000000000000 FROM entry").fetchone() == (seq,)
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader.execute("DELETE FROM entry")
            open_transaction = reader.execute("SELECT key FROM entry")
            assert open_transaction.fetchone()
            assert await outbox.append([note("beside an open reader")]) == 42
