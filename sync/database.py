"""One SQLite file: opened, checked, made when there is none, put aside when it is damaged.

    ledger.db              the database, with -wal and -shm beside it
    ledger.db.damaged-1    what an earlier one was when it failed its check, with its -wal and -shm

Everything here is synchronous and runs in the one thread that owns the connection.
"""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from gateway.errors import ConfigError, NotRecorded
from sync.files import sync_folder

SCHEMA_VERSION = 1
#: SQLite maps the shared index of the log (-shm) in regions of this size, and writes into them as memory: a block that
#: the disk has no room for is then no error but the death of the process (SIGBUS).
_REGION = 32 * 1024
#: Less than this and nothing is opened: the region, and what the first statements write.
_LEAST_FREE = 4 * _REGION
_SIDECARS = ("-wal", "-shm")

Parameters: TypeAlias = Sequence[object] | Mapping[str, object]


class Rows(Protocol):
    """What a statement gave."""

    def fetchall(self) -> list[Any]: ...


class Database(Protocol):
    """All that is asked of an SQL engine: SQLite's SQL, and sqlite3.Error when it fails.

    So the same statements run on the standard library, and on an SQLite whose disk loses power on request.
    """

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows: ...

    def close(self) -> None: ...


class Unopened:
    """In the place of a database that could not be opened: every statement raises why."""

    def __init__(self, why: Exception) -> None:
        self._why = why

    def execute(self, _sql: str, _parameters: Parameters = (), /) -> Rows:
        raise self._why

    def close(self) -> None: ...


Connect: TypeAlias = Callable[[Path], Database]
#: Statements of one transaction, in the thread that owns the connection.
Work: TypeAlias = Callable[[Database], None]


def _text(name: str) -> str:
    return files("sync").joinpath(name).read_text(encoding="ascii")


def _named(text: str) -> dict[str, str]:
    _, *parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}


#: The statements of queries.sql by their `-- name:` headings.
SQL: Mapping[str, str] = _named(_text("queries.sql"))


def connect(path: Path) -> Database:
    """The standard library's SQLite, committing each statement by itself."""
    return sqlite3.connect(path, isolation_level=None)


def is_damage(error: Exception) -> bool:
    """Whether the file itself is to blame: the subclasses blame the disk, or the statement."""
    return type(error) is sqlite3.DatabaseError


def is_full(error: Exception) -> bool:
    """Whether there was no room; the statement has not taken place."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def open_database(path: Path, *, connect: Connect, begin: Work, renew: Work | None, check: bool) -> Database:
    """Open a database; `begin` writes the first rows into a new one, in the transaction that makes it.

    `renew` is one more transaction before anything else is done with it. With `check` every page is read. A damaged one is put aside and a new one is made. Of one that cannot be opened the
    first statement raises why: sqlite3.Error, OSError, NotRecorded when it promises less than a durable commit,
    ConfigError when it is not ours.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() and any(_sidecar(path, suffix).exists() for suffix in _SIDECARS):
            _put_aside(path)  # the power went while one was put aside: a stale log must not meet a new file
        try:
            return _prepared(path, connect, begin, renew, check)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            _put_aside(path)
            return _prepared(path, connect, begin, None, check)
    except Exception as error:  # noqa: BLE001 - told by the first statement, to the one who waits for it
        return Unopened(error)


def damaged(path: Path) -> Path | None:
    """The file that was put aside last."""
    number = _put_aside_so_far(path)
    return _aside(path, number) if number else None


def _prepared(path: Path, connect: Connect, begin: Work, renew: Work | None, check: bool) -> Database:
    _check_room(path)
    database = connect(path)
    try:
        _configure(database)
        _settle_index(path)
        if check:
            _check(database)
        _migrate(database, path, begin)
        if not database.execute(SQL["running"]).fetchall():
            raise sqlite3.DatabaseError("the newest entry is missing")
        if renew is not None:
            database.execute("BEGIN IMMEDIATE")
            renew(database)
            database.execute("COMMIT")
        _checkpoint(database)
    except BaseException:
        with suppress(sqlite3.Error):
            database.close()
        raise
    return database


def _check_room(path: Path) -> None:
    if shutil.disk_usage(path.parent).free < _LEAST_FREE:
        raise NotRecorded(f"{path}: the disk is full")


def _settle_index(path: Path) -> None:
    """Gives every block of the mapped index its place on the disk, while there is one."""
    index = str(_sidecar(path.absolute(), "-shm"))
    for descriptor in Path("/proc/self/fd").iterdir():
        # By SQLite's own descriptor: to close another one of that file would drop its locks (fcntl(2)).
        with suppress(OSError):
            if str(descriptor.readlink()) == index:
                os.posix_fallocate(int(descriptor.name), 0, _REGION)


def _configure(database: Database) -> None:
    # A plain write-ahead log and not locking_mode=EXCLUSIVE: `tail`, `status` and `verify` read beside the daemon,
    # mode=ro. What that costs: the -shm file is made at open, so a disk full to the last 32 KiB refuses the start.
    # FULL is one sync per commit; NORMAL would give back numbers after a power cut that the journal has already seen.
    for pragma, value, wanted in (("journal_mode", "WAL", "wal"), ("synchronous", "FULL", 2)):
        database.execute(f"PRAGMA {pragma} = {value}").fetchall()
        if (got := database.execute(f"PRAGMA {pragma}").fetchall()[0][0]) != wanted:
            raise NotRecorded(
                f"the database has {pragma} = {got} where a durable commit needs {value}",
                hint="put the state directory on a local file system (ext4), not on a network share",
            )


def _check(database: Database) -> None:
    complaint = database.execute("PRAGMA quick_check(1)").fetchall()[0][0]
    if complaint != "ok":
        raise sqlite3.DatabaseError(complaint)


def _migrate(database: Database, path: Path, begin: Work) -> None:
    version = database.execute("PRAGMA user_version").fetchall()[0][0]
    if version == SCHEMA_VERSION:
        return
    if version or database.execute("SELECT name FROM sqlite_schema").fetchall():
        raise ConfigError(
            f"{path}: version {version} of the database is not version {SCHEMA_VERSION} of this program",
            hint="install the newer program again, or name another database file",
        )
    database.execute("BEGIN IMMEDIATE")
    for statement in _text("schema.sql").strip().split(";\n\n"):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    begin(database)
    database.execute("COMMIT")


def _checkpoint(database: Database) -> None:
    # After a failed sync the kernel may hold pages of the log that it will never write again and calls clean. Copied
    # into the database file they are written anew, and the next commit does not stand on a log with a hole.
    try:
        busy, *_ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
    except sqlite3.OperationalError as error:
        if is_full(error):
            return  # no sync has failed, and what is here can still be read and sent
        raise
    if busy:
        raise sqlite3.OperationalError("another program reads the database and does not end")


def _put_aside(path: Path) -> None:
    # The database first: a file without its log would look sound and give numbers a second time.
    so_far = _put_aside_so_far(path)
    aside = _aside(path, so_far + 1 if path.exists() else max(so_far, 1))
    for suffix in ("", *_SIDECARS):
        if (part := _sidecar(path, suffix)).exists():
            part.rename(_sidecar(aside, suffix))
            sync_folder(path.parent)


def _put_aside_so_far(path: Path) -> int:
    numbers = (name.name.rpartition("-")[2] for name in path.parent.glob(f"{path.name}.damaged-*"))
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.damaged-{number}")


def _sidecar(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
