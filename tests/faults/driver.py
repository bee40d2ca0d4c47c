"""aiosqlite as SQLAlchemy asks it, in fewer steps of the event loop.

A transaction takes a moment to begin and to end, and so does every statement that writes: there others come in between,
and there a process dies. What only reads sees the picture of its transaction whenever it runs, so it runs at once.
"""

from collections.abc import Iterable
from typing import Any, Self

import aiosqlite

from tests.faults.engine import Cursor


class Driver(aiosqlite.Connection):
    """One connection."""

    def cursor(self) -> "DriverCursor":  # type: ignore[override]
        return DriverCursor(self)


class DriverCursor:
    """Of one statement."""

    arraysize = 1

    def __init__(self, connection: Driver) -> None:
        self._connection = connection
        self._real: Cursor = connection._conn.cursor()  # type: ignore[assignment]

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> tuple[tuple[Any, ...], ...] | None:
        return self._real.description

    @property
    def rowcount(self) -> int:
        return self._real.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._real.lastrowid

    async def execute(self, sql: str, parameters: Any = ()) -> None:
        if sql.startswith("SELECT"):
            self._real.execute(sql, parameters)
        else:
            await self._connection._execute(self._real.execute, sql, parameters)  # type: ignore[no-untyped-call]

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> None:
        await self._connection._execute(self._real.executemany, sql, parameters)  # type: ignore[no-untyped-call]

    async def fetchall(self) -> list[Any]:
        return self._real.fetchall()

    async def close(self) -> None: ...
