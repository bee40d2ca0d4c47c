"""A backup of the state directory in one file, and a state directory made of it: always the beginning of a new epoch.

The journal may hold more of the old epoch than the backup does, under numbers that a restored ledger would give again.
"""

import os
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from gateway.errors import ConfigError, NotRecorded
from gateway.ports import Clock
from sync.files import ledger_claimed, sync_folder
from sync.outbox import SqliteOutbox

LEDGER: Final = "ledger.db"
#: Everything else that makes a gateway itself, as far as it is there.
OTHERS: Final = ("gateway.key", "gateway.key.next", "directory.json", "directory.json.local", "journal-keys")
_HINT: Final = "name a file that 'attendance-gateway backup' wrote"


def backup(state: Path, out: Path) -> int:
    """Writes one file of mode 0600, beside a running daemon; returns its size. Raises NotRecorded, ConfigError."""
    try:
        archive = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{out} is there already", hint="name a new file: a backup never replaces one") from None
    except OSError as error:
        raise NotRecorded(f"{out}: {error}", hint="name a file in a folder that you may write") from error
    try:
        with open(archive, "wb") as file, TemporaryDirectory(dir=out.absolute().parent) as folder:  # noqa: PTH123 - a descriptor
            _archive(state, Path(folder), file)
            file.flush()
            os.fsync(file.fileno())
    except (sqlite3.Error, OSError) as error:
        out.unlink()
        raise NotRecorded(f"no backup of {state}: {error}", hint="check the state directory and free space") from error
    return out.stat().st_size


async def restore(archive: Path, state: Path, *, site: str, gateway: str, clock: Clock) -> str:
    """A state directory out of a backup; returns the new epoch.

    Raises ConfigError where there is a ledger already, or it is no backup of this gateway; NotRecorded.
    """
    ledger, fresh = state / LEDGER, state / "restoring"
    with ledger_claimed(ledger):
        try:
            if ledger.exists():
                raise ConfigError(
                    f"{ledger} is there already", hint=f"stop the gateway and move {state} out of the way"
                )
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            _unpack(archive, fresh)
            async with SqliteOutbox(fresh / LEDGER, site=site, gateway=gateway, clock=clock) as outbox:
                if outbox.damaged is not None:
                    raise ConfigError(f"{archive}: its ledger is damaged", hint="take an older backup")
                await outbox.begin_again(outbox.position.through, f"restored from {archive.name}"[:100])
                epoch = outbox.stream.epoch
            # The ledger last: without it the gateway is not there yet, and all of this can be done again.
            for name in (*OTHERS, LEDGER):
                _put(fresh / name, state / name)
            sync_folder(state)
        except OSError as error:
            raise NotRecorded(f"{state}: {error}") from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return epoch


def _archive(state: Path, folder: Path, file: BinaryIO) -> None:
    source = f"{(state / LEDGER).absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(source, uri=True)) as live, closing(sqlite3.connect(folder / LEDGER)) as database:
        live.backup(database)
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.add(folder / LEDGER, LEDGER)
        for name in OTHERS:
            if (state / name).exists():
                tar.add(state / name, name)


def _put(fresh: Path, place: Path) -> None:
    if not fresh.exists():
        return
    if place.exists() and place.read_bytes() != fresh.read_bytes():
        raise ConfigError(f"{place} is another one than in the backup", hint=f"move {place} out of the way")
    fresh.rename(place)


def _unpack(archive: Path, folder: Path) -> None:
    """The files that belong into a state directory, and no other. Raises ConfigError."""
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                if member.name in (LEDGER, *OTHERS) and (content := tar.extractfile(member)) is not None:
                    place = os.open(folder / member.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    with open(place, "wb") as file:  # noqa: PTH123 - a descriptor
                        shutil.copyfileobj(content, file)
                        os.fsync(file.fileno())
    except (FileNotFoundError, FileExistsError, tarfile.TarError) as error:
        raise ConfigError(f"{archive}: no backup: {error}", hint=_HINT) from error
    if not (folder / LEDGER).exists():
        raise ConfigError(f"{archive}: no ledger is in it", hint=_HINT)
