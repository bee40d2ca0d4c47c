"""A backup and what is made of it: the same gateway in a new epoch, so that no number is given twice."""

import asyncio
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.domain.wire import decode
from gateway.errors import AttendanceError, ConfigError, NotRecorded
from sync.backup import LEDGER, backup, restore
from sync.signing import Signer
from tests.gateway.daemon import write_config
from tests.sync.ledgers import CLOCK, everything, files, ledger, note, receipt


async def given(state: Path) -> str:
    """A state directory with a key, five entries confirmed and two not; returns the epoch."""
    Signer.load(state / "gateway.key")
    async with ledger(state / LEDGER) as outbox:
        await outbox.append([note(str(n)) for n in range(2, 8)])
        await outbox.apply(receipt(outbox, 5))
        return outbox.stream.epoch


async def test_what_was_not_confirmed_stands_again_in_a_new_epoch(tmp_path: Path) -> None:
    old = await given(tmp_path / "state")
    async with ledger(tmp_path / "state" / LEDGER):  # beside its daemon
        backup(tmp_path / "state", tmp_path / "file")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    fresh = await restore(tmp_path / "file", tmp_path / "new", site="school-1", gateway="north", clock=CLOCK)
    assert Signer.load(tmp_path / "new" / "gateway.key").public == Signer.load(tmp_path / "state/gateway.key").public
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["gateway.key", LEDGER]
    async with ledger(tmp_path / "new" / LEDGER) as outbox:
        assert outbox.stream.epoch == fresh != old
        events = [decode(envelope.body) for envelope in await everything(outbox)]
    assert getattr(events[0].data, "previous", None) == old
    assert [event.origin.seq for event in events if event.origin] == [6, 7]


async def test_where_a_ledger_is_nothing_is_restored(tmp_path: Path) -> None:
    await given(tmp_path / "state")
    backup(tmp_path / "state", tmp_path / "file")
    before = (tmp_path / "state" / LEDGER).read_bytes()
    with pytest.raises(ConfigError, match="is there already"):
        await restore(tmp_path / "file", tmp_path / "state", site="school-1", gateway="north", clock=CLOCK)
    assert (tmp_path / "state" / LEDGER).read_bytes() == before


async def test_the_key_of_another_gateway_is_not_replaced(tmp_path: Path) -> None:
    await given(tmp_path / "state")
    backup(tmp_path / "state", tmp_path / "file")
    mine = Signer.load(tmp_path / "new" / "gateway.key")
    with pytest.raises(ConfigError, match="another one"):
        await restore(tmp_path / "file", tmp_path / "new", site="school-1", gateway="north", clock=CLOCK)
    assert Signer.load(tmp_path / "new" / "gateway.key").public == mine.public
    assert not (tmp_path / "new" / LEDGER).exists()


async def test_the_backup_of_another_gateway_is_refused(tmp_path: Path) -> None:
    await given(tmp_path / "state")
    backup(tmp_path / "state", tmp_path / "file")
    with pytest.raises(ConfigError, match="which is not configured here"):
        await restore(tmp_path / "file", tmp_path / "new", site="school-1", gateway="south", clock=CLOCK)
    assert list((tmp_path / "new").iterdir()) == []


def nothing(_path: Path) -> None:
    pass


def text(path: Path) -> None:
    path.write_text("no archive")


def empty(path: Path) -> None:
    tarfile.open(path, "w").close()


def elsewhere(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "../ledger.db")
        archive.add(__file__, "/ledger.db")


def half(path: Path) -> None:
    whole = path.with_name("whole")
    asyncio.run(given(path.parent / "state"))
    backup(path.parent / "state", whole)
    path.write_bytes(whole.read_bytes()[:9000])


@pytest.mark.parametrize("spoil", [nothing, text, empty, elsewhere, half])
def test_what_is_no_backup_is_told_and_leaves_nothing(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path / "file")
    with pytest.raises(AttendanceError):
        asyncio.run(restore(tmp_path / "file", tmp_path / "new", site="school-1", gateway="north", clock=CLOCK))
    assert list((tmp_path / "new").iterdir()) == []


async def test_a_damaged_ledger_is_not_put_into_use(tmp_path: Path) -> None:
    await given(tmp_path / "state")
    with closing(sqlite3.connect(tmp_path / "state" / LEDGER)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
    with (tmp_path / "state" / LEDGER).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    with tarfile.open(tmp_path / "file", "w") as archive:
        archive.add(tmp_path / "state" / LEDGER, LEDGER)
    with pytest.raises(ConfigError, match="ledger is damaged"):
        await restore(tmp_path / "file", tmp_path / "new", site="school-1", gateway="north", clock=CLOCK)


async def test_without_a_ledger_there_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(NotRecorded):
        backup(tmp_path, tmp_path / "file")
    assert files(tmp_path) == []


def test_the_commands(tmp_path: Path) -> None:
    asyncio.run(given(tmp_path / "state"))
    config = str(write_config(tmp_path, ["unix:/nowhere"]))
    for code in (0, 1):
        assert CliRunner().invoke(main, ["backup", config, str(tmp_path / "file")]).exit_code == code
    assert CliRunner().invoke(main, ["restore", config, str(tmp_path / "file")]).exit_code == 1
    shutil.rmtree(tmp_path / "state")
    done = CliRunner().invoke(main, ["restore", config, str(tmp_path / "file")])
    assert (done.exit_code, "epoch" in done.output) == (0, True)
