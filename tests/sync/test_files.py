"""Files that a power cut leaves whole, and a folder that one process has."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from gateway.errors import ConfigError, NotRecorded
from sync.files import make_secret, write_whole
from sync.signing import Signer
from tests.sync.fakes import FaultyDatabase, Plan
from tests.sync.ledgers import files, ledger, note

ROOT = Path(__file__).parents[2]


def full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "file"
    write_whole(path, b"old")
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            write_whole(path, b"new")
    assert (path.read_bytes(), files(path.parent)) == (b"old", ["file"])
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert files(path.parent) == ["file"]


def test_a_key_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "key"
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(ConfigError, match="No space"):
            Signer.load(path)
    assert files(path.parent) == []
    signer = Signer.load(path)
    assert (files(path.parent), path.stat().st_mode & 0o777, path.stat().st_nlink) == (["key"], 0o600, 1)
    assert Signer.load(path).public == signer.public


def test_what_makes_a_key_lasting_is_synced_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, list[str]]] = []

    def note_it(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        synced.append((name, [file for file in files(tmp_path) if file == "key"]))

    monkeypatch.setattr("os.fsync", note_it)
    make_secret(tmp_path / "key", b"secret")
    assert synced == [(f"key.{os.getpid()}.new", []), (tmp_path.name, ["key"])]


def test_a_key_that_is_there_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Signer.load(tmp_path / "key")
    with pytest.raises(FileExistsError):
        make_secret(tmp_path / "key", b"other")
    # Another process makes it between our look and our own.
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert Signer.load(tmp_path / "key").public == first.public
    assert files(tmp_path) == ["key"]


async def test_a_second_ledger_in_one_folder_does_not_start(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        with pytest.raises(ConfigError, match="another gateway process has the ledger") as caught:
            await ledger(tmp_path / "o").__aenter__()
        assert "systemctl status" in caught.value.hint
        assert await outbox.append([note("still ours")]) == 2
    async with ledger(tmp_path / "o") as outbox:
        assert outbox.position.last == 2


async def test_a_start_that_failed_leaves_the_folder_free(tmp_path: Path) -> None:
    plan = Plan(["before"])
    with pytest.raises(NotRecorded):
        await ledger(tmp_path / "o", connect=lambda path: FaultyDatabase(path, plan)).__aenter__()
    async with ledger(tmp_path / "o"):
        pass


async def test_a_killed_process_leaves_the_folder_free(tmp_path: Path) -> None:
    program = (sys.executable, "-m", "tests.sync.recorder", str(tmp_path / "o"), "1000000")
    other = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert other.stdout is not None
    try:
        assert await other.stdout.readline()
        with pytest.raises(ConfigError, match="another gateway process"):
            await ledger(tmp_path / "o").__aenter__()
    finally:
        other.kill()
        await other.communicate()
    async with ledger(tmp_path / "o") as outbox:
        assert outbox.damaged is None
