"""What each kind of database needs to keep the store's promises: settings for every connection, and read back."""

import asyncio
import contextlib
import sqlite3
from typing import Any, Protocol

from sqlalchemy import Connection, event, func, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.errors import ConfigError

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
#: A server that lost sight of a worker lets go of its locks within seconds.
SESSION = {
    "application_name": "attendance-journal",
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
    "jit": "off",
}
_ANSWER_SECONDS = 60
#: The first half of the key of every advisory lock of ours; the second is a slice, or this one.
LOCKS, _COMMANDS = 0x617474, -1


def engine_of(url: str) -> AsyncEngine:
    """An engine that nobody has connected with yet."""
    if url.startswith("sqlite"):
        engine = create_async_engine(url, hide_parameters=True, connect_args={"factory": _Connection})
        event.listen(engine.sync_engine, "connect", _settle_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    arguments = {"server_settings": SESSION, "command_timeout": _ANSWER_SECONDS}
    return create_async_engine(url, hide_parameters=True, connect_args=arguments)


def is_sqlite(engine: AsyncEngine) -> bool:
    """One file and one machine; else PostgreSQL."""
    return engine.dialect.name == "sqlite"


async def check(engine: AsyncEngine) -> None:
    """Connect, and read back what durability hangs on. Raises ConfigError."""
    place = engine.url.render_as_string()
    try:
        if is_sqlite(engine) and engine.url.database:
            await asyncio.to_thread(_open_once, engine.url.database)
        async with engine.connect() as connection:
            await (_check_sqlite if is_sqlite(engine) else _check_postgresql)(connection, place)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise ConfigError(
            f"database {place}: {error}", hint="check [database] url and the rights of the file or the user"
        ) from error


async def exclude(connection: AsyncConnection, *, worker: bool) -> None:
    """In a transaction of PostgreSQL: a command of the office writes alone, as on SQLite; workers beside each other."""
    lock = func.pg_advisory_xact_lock_shared if worker else func.pg_advisory_xact_lock
    await connection.execute(select(lock(LOCKS, _COMMANDS)))


async def _check_sqlite(connection: AsyncConnection, place: str) -> None:
    for name, expected in PRAGMAS.items():
        got = (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
        if got != expected:
            hint = "use a local disk, not a network share"
            raise ConfigError(f"{place}: PRAGMA {name} is {got} after setting {expected}", hint=hint)


async def _check_postgresql(connection: AsyncConnection, place: str) -> None:
    for name, expected in (("fsync", "on"), ("synchronous_commit", "on"), ("server_encoding", "UTF8")):
        got = (await connection.exec_driver_sql(f"SHOW {name}")).scalar()
        if got != expected:
            hint = "a commit must be durable: set it in postgresql.conf"
            raise ConfigError(f"{place}: {name} is {got}, and must be {expected}", hint=hint)


def _open_once(path: str) -> None:
    # A file that cannot be opened fails here: aiosqlite's thread would still be speaking of it after the loop is gone.
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version")


class _Connection(sqlite3.Connection):
    """Rolls back before it closes: SQLite keeps a closed connection, and its lock, as long as a cursor of a cancelled task lives."""

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.rollback()
        super().close()


class _Cursor(Protocol):
    def execute(self, sql: str) -> object: ...
    def close(self) -> None: ...


def _settle_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours: see _begin_sqlite
    cursor: _Cursor = connection.cursor()
    for name, value in PRAGMAS.items():
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer fails at once when another process writes; IMMEDIATE waits.
    writes: Any = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
