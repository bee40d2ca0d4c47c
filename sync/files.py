"""Files of the state directory: whole before and after a power cut, and in the hands of one process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from gateway.errors import ConfigError, NotRecorded


def write_whole(path: Path, content: bytes) -> None:
    """Before or after a power cut the file is the old one or the new one. Raises OSError."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        _write(fresh, content, mode=0o666)
        fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)  # half a file on a full disk is room that the ledger needs
    sync_folder(path.parent)


def make_secret(path: Path, content: bytes) -> None:
    """A file of mode 0600, whole or not there. Raises FileExistsError, and leaves it alone, where there is one."""
    # Another process may be making the same one: each writes its own, and the first link wins.
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        _write(fresh, content, mode=0o600)
        path.hardlink_to(fresh)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """What was made, renamed or removed in it outlasts a power cut. Raises OSError."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def claimed(file: Path, *, taken: str, hint: str) -> Iterator[None]:
    """The folder of a file is ours within the block, at the latest until this process ends.

    Raises ConfigError with these words while it is another process's, NotRecorded.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # The folder itself: no file is left over, and closing one can drop none of SQLite's own locks (fcntl(2)).
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise NotRecorded(f"{file}: {error}") from error
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(taken, hint=hint) from None
        except OSError as error:
            raise NotRecorded(f"{file}: {error}") from error
        yield
    finally:
        os.close(folder)


def ledger_claimed(ledger: Path) -> AbstractContextManager[None]:
    """`claimed`, for whoever writes a gateway's ledger or wants its readers."""
    return claimed(
        ledger,
        taken=f"another gateway process has the ledger {ledger}",
        hint="stop it first ('systemctl status attendance-gateway'), or give this one another state directory",
    )


def _write(path: Path, content: bytes, *, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:  # noqa: PTH123 - with a mode
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
