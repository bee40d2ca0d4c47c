"""The one connection of this process to its database, in a thread of its own; after any failure it is opened again."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, cast

import aiosqlite

from gateway.errors import NotRecorded
from sync.database import SQL, Connect, Parameters, Work, is_damage, is_full, open_database

Row: TypeAlias = Sequence[Any]


class Storage:
    """Runs statements one after another, each in its own transaction.

    `begin` writes the first rows of a new database, in its thread. `loaded` is told the running epoch each time the
    database was opened; `lost` is told why, the moment a statement failed: what is on the disk is not known until then.
    `make_room` is asked on a full disk, and says whether it made any.
    """

    def __init__(
        self,
        path: Path,
        *,
        connect: Connect,
        begin: Work,
        loaded: Callable[[Row], None],
        lost: Callable[[Exception], None],
        make_room: Callable[[], bool],
    ) -> None:
        self._path = path
        self._connector = partial(open_database, path, connect=connect, begin=begin)
        # Reading every page takes seconds on a large file; a full disk must not cost that at each tap.
        self._suspect = True
        self._renewal: Work | None = None
        self._loaded, self._lost, self._make_room = loaded, lost, make_room
        self._connection: aiosqlite.Connection | None = None
        self._broken: aiosqlite.Connection | None = None
        self._opening: asyncio.Task[aiosqlite.Connection] | None = None

    @property
    def is_open(self) -> bool:
        """False from a failure until the next statement."""
        return self._connection is not None

    async def open(self) -> aiosqlite.Connection:
        """Does nothing while it is open. Raises NotRecorded, ConfigError."""
        if self._connection is not None:
            return self._connection
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open(), name="opening the database")
        # Whoever gives up waiting must not leave a half-opened connection beside the next one.
        return await asyncio.shield(self._opening)

    async def renew(self, work: Work) -> None:
        """Of an open database: open it again, and do this in one transaction first. Raises NotRecorded; then it has not taken place."""
        self._renewal = work
        self._broken, self._connection = self._connection or self._broken, None
        await self.open()

    async def close(self) -> None:
        """Waits for the statements that were begun."""
        if self._opening is not None:
            await asyncio.wait({self._opening})
        self._broken, self._connection = self._connection or self._broken, None
        await self._close_broken()

    async def _open(self) -> aiosqlite.Connection:
        await self._close_broken()  # first, because only one connection may write and checkpoint
        renewal, self._renewal = self._renewal, None
        connector = partial(self._connector, renew=renewal, check=self._suspect)
        connection = aiosqlite.Connection(cast("Any", connector), iter_chunk_size=1)
        try:
            await connection
            [row] = await connection.execute_fetchall(SQL["running"])
            self._loaded(cast("Row", row))
        except BaseException as error:
            await connection.close()
            if isinstance(error, sqlite3.Error | NotRecorded) and self._make_room():
                return await self._open()
            if isinstance(error, sqlite3.Error | OSError):
                raise NotRecorded(f"{self._path}: {error}") from error
            raise
        self._connection, self._suspect = connection, False
        return connection

    async def run(self, sql: str, parameters: Parameters) -> Sequence[Row]:
        """The rows that a statement gives. Raises NotRecorded; then it may have taken place or not.

        On a full disk it has not, and the connection stays: what is there can still be read and sent.
        """
        connection = self._connection or await self.open()
        reliefs = iter((self._fold_log, self._give_reserve))
        while True:
            try:
                return cast("Sequence[Row]", await connection.execute_fetchall(sql, cast("Any", parameters)))
            except sqlite3.Error as error:
                if is_full(error) and (relief := next(reliefs, None)) is not None:
                    await relief(connection)
                    continue
                failure = NotRecorded(f"{self._path}: {error}")
                if not is_full(error):
                    self._suspect = is_damage(error)
                    self._drop(connection, failure)
                raise failure from error
            except Exception as error:
                self._drop(connection, error)
                raise

    async def _fold_log(self, connection: aiosqlite.Connection) -> None:
        """The log of SQLite may hold more room than the next statement needs."""
        with suppress(sqlite3.Error):
            await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")

    async def _give_reserve(self, connection: aiosqlite.Connection) -> None:
        # At once, while the log still finds room in the database file.
        if self._make_room():
            await self._fold_log(connection)

    def _drop(self, connection: aiosqlite.Connection, error: Exception) -> None:
        if self._connection is connection:
            self._broken, self._connection = connection, None
            self._lost(error)

    async def _close_broken(self) -> None:
        if self._broken is not None:
            with suppress(sqlite3.Error):
                await self._broken.close()
            self._broken = None
