"""The journal's database: opened, checked, written by one transaction at a time.

    async with opened("sqlite+aiosqlite:///journal.db") as store:
        async with store.begin() as connection:     write transaction: commits at the end, rolls back on an exception
            await connection.execute(insert_new(connection, tables.marks).values(...))
            await mark_dirty(connection, {Day("school-1", "2026-09-01", "p17")})
        async with store.read() as connection:      a consistent picture; never waits for a writer
            rows = (await connection.execute(select(...))).all()

Tables are in journal.tables; SQLAlchemy Core, the same statements on SQLite and PostgreSQL (journal.database).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import JSON, ColumnElement, Select, Table, Text, cast, func, literal, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.domain.model import Doubt
from gateway.domain.timetable import Plan
from gateway.domain.wire import Stream
from gateway.errors import NotRecorded
from journal import tables
from journal.database import check, engine_of, exclude, is_sqlite
from journal.prepared import Value, prepared
from journal.shard import WHOLE, Shard

EVERYBODY = ""
V = TypeVar("V")
_ANSWER_SECONDS = 10.0
_ONE_MORE = {"stamp": tables.dirty.c.stamp + 1}
_LOST = "the connection that holds this journal's share is gone; another one may write by now"
_STANDS_BY = "nothing: started again, it stands by"


class Day(NamedTuple):
    """What a new fact may change: a person's day, or with EVERYBODY the whole site's."""

    site: str
    date: str
    person: str = EVERYBODY


#: How the tables write a plan of one person.
PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
#: How they write what keeps a mark from being sure.
DOUBTS: TypeAdapter[tuple[Doubt, ...]] = TypeAdapter(tuple[Doubt, ...])


def milliseconds(moment: datetime) -> int:
    """How the tables write a moment."""
    return round(moment.timestamp() * 1000)


def moment(value: int) -> datetime:
    """The moment that the tables wrote."""
    return datetime.fromtimestamp(value / 1000, UTC)


class Store:
    """One database; made by `opened`, and for a worker by `holding`."""

    def __init__(self, engine: AsyncEngine, shard: Shard = WHOLE, writer: AsyncConnection | None = None) -> None:
        self.engine = engine
        #: Whose sites this process serves.
        self.shard = shard
        self._writer = writer
        options = {} if is_sqlite(engine) else {"isolation_level": "REPEATABLE READ"}
        self._readers, self._writers = engine.execution_options(**options), engine.execution_options(writes=True)
        self._writing = asyncio.Lock()
        #: Set whenever days became dirty; whoever judges clears it before it looks.
        self.dirtied = asyncio.Event()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One write transaction at a time in this process; not to be nested. Durable when the block has ended."""
        async with self._writing, self._transaction() as connection:
            if not is_sqlite(self.engine):
                await exclude(connection, worker=self._writer is not None)
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A picture of the database at one moment."""
        async with self._readers.connect() as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        if self._writer is None:
            async with self._writers.begin() as connection:
                yield connection
            return
        if self._writer.invalidated:  # SQLAlchemy would connect again, and that connection holds no lock
            raise NotRecorded(_LOST, hint=_STANDS_BY)
        async with self._writer.begin():
            yield self._writer

    async def alive(self) -> None:
        """Raises NotRecorded once this worker may not write any more."""
        try:
            async with self._writing, asyncio.timeout(_ANSWER_SECONDS), self._transaction() as connection:
                await connection.execute(select(1))
        except (SQLAlchemyError, OSError) as error:  # TimeoutError is one
            raise NotRecorded(f"{_LOST}: {error}", hint=_STANDS_BY) from error


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """Open the database and read its settings back. Raises ConfigError."""
    engine = engine_of(url)
    try:
        await check(engine)
        yield Store(engine)
    finally:
        await engine.dispose()


def insert_new(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that leaves a row alone that exists already."""
    return insert(connection, table).on_conflict_do_nothing()


def insert(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the connection's own dialect: it knows ON CONFLICT."""
    return _insert(connection.dialect.name, table)


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def of(table: Table, stream: Stream) -> list[ColumnElement[bool]]:
    """The rows of one gateway's ledger."""
    return [table.c.site == stream.site, table.c.gateway == stream.gateway, table.c.epoch == stream.epoch]


async def add_rows(
    connection: AsyncConnection, table: Table, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    """Insert rows that are new for certain, as fast as the database takes them."""
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(_added(table, tuple(columns)), list(rows))
        return
    raw: Any = (await connection.get_raw_connection()).driver_connection
    await raw.copy_records_to_table(table.name, records=rows, columns=columns)


@cache
def _added(table: Table, columns: Sequence[str]) -> str:
    return str(table.insert().compile(dialect=sqlite.dialect(), column_keys=columns))


async def upsert(connection: AsyncConnection, table: Table, rows: Collection[Mapping[str, Any]]) -> None:
    """Insert rows; where the primary key exists, replace the other columns that the rows name."""
    if not rows:
        return
    await connection.execute(_upsert(connection.dialect.name, table, tuple(next(iter(rows)))), list(rows))


@cache
def _upsert(dialect: str, table: Table, columns: Sequence[str]) -> sqlite.Insert | postgresql.Insert:
    statement = _insert(dialect, table)
    keys = [column.key for column in table.primary_key]
    changed = {key: statement.excluded[key] for key in columns if key not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


async def mark_dirty(connection: AsyncConnection, days: Iterable[Day]) -> None:
    """Ask for these days to be judged again; part of the caller's transaction. Set Store.dirtied after the commit."""
    named = sorted(set(days))
    if not named:
        return
    if connection.dialect.name == "sqlite":
        await connection.execute(_dirtied(), [{**day._asdict(), "stamp": 1} for day in named])
    else:
        statement = insert(connection, tables.dirty)
        source = statement.from_select([*Day._fields, "stamp"], unnested(*zip(*named, strict=True)).add_columns(1))
        await connection.execute(source.on_conflict_do_update(index_elements=list(Day._fields), set_=_ONE_MORE))


@cache
def _dirtied() -> sqlite.Insert:
    return sqlite.insert(tables.dirty).on_conflict_do_update(index_elements=list(Day._fields), set_=_ONE_MORE)


class Holder(NamedTuple):
    """Who held a card, [since, until) in milliseconds."""

    person: str
    since: int | None
    until: int | None


async def holders(connection: AsyncConnection, site: str, tokens: Collection[str]) -> dict[str, list[Holder]]:
    """The card ledger of these tokens, whatever the state: a lost card still says whose it was."""
    found = await holders_of(connection, {(site, token) for token in tokens})
    return {token: rows for (_, token), rows in found.items()}


async def holders_of(
    connection: AsyncConnection, cards: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[Holder]]:
    """The same for (site, token) of several sites."""
    found: dict[tuple[str, str], list[Holder]] = {}
    for some in chunks(sorted(cards)):
        which = _held(some) if connection.dialect.name == "sqlite" else (_held_by(unnested(*zip(*some, strict=True))),)
        for site, token, person, since, until in await connection.execute(*which):
            found.setdefault((site, token), []).append(Holder(person, since, until))
    return found


def _held_by(cards: Value) -> Select[Any]:
    c = tables.cards.c
    query = select(c.site, c.token, c.person, c.valid_from, c.valid_to).order_by(c.id)
    return query.where(tuple_(c.site, c.token).in_(cards))


_held = prepared(_held_by)


def holder_at(ledger: Iterable[Holder], at: int) -> str | None:
    """The person who held the card at that millisecond; of two, the row written last."""
    fits = [row.person for row in ledger if (row.since or 0) <= at and (row.until is None or at < row.until)]
    return fits[-1] if fits else None


async def revised(connection: AsyncConnection, site: str) -> None:
    """Gateways must hear of what the caller's transaction changes."""
    c = tables.sites.c
    await connection.execute(update(tables.sites).where(c.site == site).values(revision=c.revision + 1))


def unnested(*columns: Collection[str]) -> Select[Any]:
    """On PostgreSQL, rows of texts as a single statement with a parameter for each column, however many there are."""
    # As JSON: the driver looks at every element of an array several times.
    told = (cast(literal(json.dumps(list(column)), Text), JSON) for column in columns)
    return select(*(func.json_array_elements_text(column) for column in told))


def chunks(values: list[V], size: int = 500) -> Iterable[list[V]]:
    """Lists short enough for an IN (...) of any database."""
    return (values[start : start + size] for start in range(0, len(values), size))
