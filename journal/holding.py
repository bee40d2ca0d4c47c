"""One worker for each share of the sites, and any number that stand by for it; of an SQLite file one, and nobody else."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.errors import ConfigError, NotRecorded
from journal.database import LOCKS, is_sqlite
from journal.shard import WHOLE, Shard
from journal.store import Store
from sync.files import claimed

#: How often whoever stands by looks, and whoever serves makes sure.
POLL_SECONDS = 1.0

_SECOND = "stop it first ('systemctl status attendance-journal'); a second one that stands by needs PostgreSQL"

_log = logging.getLogger("journal")


@asynccontextmanager
async def holding(store: Store, shard: Shard, waits: Callable[[], object]) -> AsyncIterator[Store]:
    """The store of the one worker of this shard, as soon as no other process has it; `waits` is called at every look.

    Raises ConfigError for a share of an SQLite database and while another journal has that, NotRecorded when it is gone.
    """
    if is_sqlite(store.engine):
        if shard != WHOLE:
            raise ConfigError(
                f"--shard {shard}: an SQLite database has one journal", hint="set [database] url to PostgreSQL"
            )
        database = Path(str(store.engine.url.database))
        with claimed(database, taken=f"another journal runs on {database}", hint=_SECOND):
            yield store
        return
    try:
        async with store.engine.connect() as writer:
            try:
                await _hold(store.engine, writer, shard, waits)
                yield Store(store.engine, shard, writer)
            finally:
                await writer.invalidate()  # back in the pool it would keep the locks
    except SQLAlchemyError as error:
        raise NotRecorded(f"the journal's database is gone: {error}", hint="start PostgreSQL again") from error


async def guard(store: Store) -> None:
    """Endless. Raises NotRecorded once another worker may have taken over."""
    while True:
        await store.alive()
        await asyncio.sleep(POLL_SECONDS)


async def _hold(engine: AsyncEngine, writer: AsyncConnection, shard: Shard, waits: Callable[[], object]) -> None:
    told = False
    while not await _locked(writer, shard):
        if not told:
            _log.info("standing by", extra={"shard": str(shard), "database": engine.url.render_as_string()})
        told = True
        waits()
        await asyncio.sleep(POLL_SECONDS)


async def _locked(writer: AsyncConnection, shard: Shard) -> bool:
    """All slices or none: two workers of different shares may want some of the same."""
    async with writer.begin():
        wanted = [func.pg_try_advisory_lock(LOCKS, one) for one in shard.slices]
        got = (await writer.execute(select(*wanted))).one()
        if not all(got):
            await writer.execute(select(func.pg_advisory_unlock_all()))
        return all(got)
