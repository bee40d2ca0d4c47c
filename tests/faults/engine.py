"""apsw's SQLite in the clothes of the standard library's, because only apsw lets Python be the disk.

It is asked by the gateway's ledger through `Database.execute`, and by SQLAlchemy as a DB-API connection.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw

from sync.database import Parameters
from tests.faults.disk import NAME, disk_of

#: What is told of a statement that has taken place.
Told = Callable[["Engine", str], None]


class Engine:
    """One connection, the only one of its file: shared memory between several is nothing that apsw's VFS has."""

    isolation_level: str | None = None

    def __init__(self, path: Path, told: Told = lambda _engine, _sql: None, *, life: int | None = None) -> None:
        """`life` is that of the process that opens the file: one that is gone opens nothing."""
        self._told, self._disk = told, disk_of(path)
        self._life = self._disk.life if life is None else life
        if self._life != self._disk.life:
            raise sqlite3.OperationalError("the process is gone")
        self.real = apsw.Connection(str(path), vfs=NAME)
        # The process that is gone tidies nothing up, whenever Python closes what it left open.
        self.real.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self.real.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()

    def execute(self, sql: str, parameters: Parameters = (), /) -> "Cursor":
        """Runs it to its end."""
        cursor = self.cursor()
        cursor.execute(sql, parameters)
        return cursor

    def cursor(self) -> "Cursor":
        return Cursor(self, self._told)

    def ask(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """A look from outside, of which nobody is told."""
        return self.real.execute(sql, parameters).fetchall()

    def commit(self) -> None:
        if self.real.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.real.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        with suppress(apsw.Error):  # its disk may be full
            self.real.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, int(self._life != self._disk.life))
            self.real.close(True)

    def create_function(self, name: str, narg: int, func: Any, **_: object) -> None:
        self.real.create_scalar_function(name, func, narg)


#: The columns of each statement: the tables never change.
_described: dict[str, tuple[tuple[Any, ...], ...] | None] = {}


class Cursor:
    """Of one statement."""

    arraysize = 1
    description: tuple[tuple[Any, ...], ...] | None = None
    lastrowid: int | None = None
    rowcount = -1

    def __init__(self, engine: Engine, told: Told) -> None:
        self._engine, self._told = engine, told
        self._rows: list[Any] = []

    def execute(self, sql: str, parameters: Any = (), /) -> "Cursor":
        return self._run(sql, lambda cursor: cursor.execute(sql, parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> "Cursor":
        return self._run(sql, lambda cursor: cursor.executemany(sql, parameters))

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> Sequence[Any]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None: ...

    def setinputsizes(self, *_: object) -> None: ...

    def _run(self, sql: str, run: Callable[[apsw.Cursor], object]) -> "Cursor":
        real, cursor = self._engine.real, None
        try:
            before = real.total_changes()
            cursor = real.cursor()
            if sql not in _described:
                cursor.exec_trace = self._describe
            run(cursor)
            self.description = _described.get(sql)
            self._rows = cursor.fetchall()
            self.rowcount, self.lastrowid = real.total_changes() - before, real.last_insert_rowid()
        except apsw.Error as error:
            raise _translated(error) from error
        self._told(self._engine, sql)
        return self

    def _describe(self, cursor: apsw.Cursor, sql: str, _bindings: object) -> bool:
        columns = cursor.get_description()
        _described[sql] = tuple((name, None, None, None, None, None, None) for name, *_ in columns) or None
        return True


def _translated(error: apsw.Error) -> sqlite3.Error:
    kinds: dict[type[apsw.Error], type[sqlite3.Error]] = {
        apsw.ConstraintError: sqlite3.IntegrityError,
        apsw.CorruptError: sqlite3.DatabaseError,
        apsw.NotADBError: sqlite3.DatabaseError,
        apsw.ConnectionClosedError: sqlite3.ProgrammingError,
    }
    told = kinds.get(type(error), sqlite3.OperationalError)(str(error) or type(error).__name__)
    told.sqlite_errorcode = sqlite3.SQLITE_FULL if isinstance(error, apsw.FullError) else getattr(error, "result", 1)
    return told
