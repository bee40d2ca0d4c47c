"""The journal's inbox, from signed batches to receipts, into SQLite and PostgreSQL; and two workers beside one.

The limit of a database is the same rows in the same transactions from the same language, without anything that a journal
does: nothing verified, nothing read, no segment, no watermark, no day to judge, no receipt.
"""

import asyncio
import gc
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure, over_rounds
from bench.ledgers import BATCH, Gateway, furnish
from bench.outbox import TAP
from gateway.domain.handshake import Receipt
from gateway.domain.model import ClockState, Instant
from gateway.errors import LinkLost
from journal import tables
from journal.batch import ROW
from journal.database import PRAGMAS
from journal.holding import holding
from journal.inbox import MAX_GROUP, Inbox
from journal.ledger import stream_key
from journal.shard import WHOLE, Shard
from journal.store import Store, add_rows, opened
from sync.packets import Publication
from sync.signing import Signer
from tests.postgres import PROGRAMS, Postgres

_ROUNDS = 3
_AIM = 20_000.0
_GATEWAYS, _BATCHES = 16, 40
_COLUMNS = (*ROW, "received")
_COLLECT = 50_000, 20, 20


class Feed:
    """A connection on which everything waits already; it breaks after the last message."""

    def __init__(self, gateways: Sequence[Gateway]) -> None:
        # As a broker deals them out: the gateways take turns.
        batches = [message for several in zip(*(g.messages for g in gateways), strict=True) for message in several]
        self._all = [*(gateway.birth for gateway in gateways), *batches]
        self.through: dict[str, int] = {}

    async def subscribe(self, *filters: str) -> None:
        """Everything comes anyway."""

    async def messages(self) -> AsyncIterator[Publication]:
        for message in self._all:
            yield message
        raise LinkLost

    def acknowledge(self, message: Publication) -> None:
        """Nobody waits for it."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        del topic, retain
        receipt = Receipt.parse(payload)
        self.through[receipt.gateway] = receipt.through
        return 0


class _Clock:
    def now(self) -> Instant:
        return Instant(at=datetime.now(UTC), boot="b", boottime=1, clock=ClockState.SYNCED)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run() -> Sequence[Figure]:
    """Takes a minute. PostgreSQL is left out, and said to be, where it is missing."""
    gateways = [Gateway(number, _BATCHES) for number in range(1, _GATEWAYS + 1)]
    sqlite, figures = [], []
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as name:
            ours = asyncio.run(_ingest(f"sqlite+aiosqlite:///{Path(name).absolute()}/ours.db", gateways, WHOLE))
            sqlite.append((ours, _plain_sqlite(Path(name) / "plain.db", gateways)))
    figures.append(over_rounds("ingest_sqlite", "entries/s", sqlite, "plain executemany, FULL", at_least=0.25))
    if shutil.which("postgres") is None and not PROGRAMS:
        print("not run: ingest into PostgreSQL (apt install postgresql)", file=sys.stderr)
        return figures
    with Postgres() as server:
        rounds = [_round(server, gateways) for _ in range(_ROUNDS)]
    core = 1e6 / _AIM
    return [
        *figures,
        over_rounds("ingest_postgresql", "entries/s", [(r.ours, _AIM) for r in rounds], "budget", at_least=1),
        over_rounds(
            "ingest_postgresql_of_limit", "entries/s", [(r.ours, r.plain) for r in rounds], "plain COPY", at_least=0.4
        ),
        # So much of a core's time is there for each of as many entries as are aimed at, whoever else uses the machine.
        over_rounds("ingest_worker_cpu", "µs", [(r.worker, core) for r in rounds], "a core at the aim", at_most=1),
        over_rounds("ingest_server_cpu", "µs", [(r.server, core) for r in rounds], "a core at the aim", at_most=1),
        over_rounds("ingest_two_shards", "entries/s", [(r.two, r.ours) for r in rounds], "one worker"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """Entries a second, and microseconds of processor for an entry."""

    ours: float
    plain: float
    two: float
    worker: float
    server: float


def _round(server: Postgres, gateways: Sequence[Gateway]) -> _Round:
    """One worker, the database alone, two workers together."""
    entries = sum(len(gateway.envelopes) for gateway in gateways)
    spent: list[float] = []

    def measured() -> None:
        spent[0] += time.process_time()
        spent.append(_spent_by(server))

    async def one() -> float:
        async with opened(server.url(server.fresh())) as store:
            await furnish(store, gateways)
            spent[:] = [-time.process_time(), _spent_by(server)]
            return await _feed(store, gateways, WHOLE, measured)

    ours = asyncio.run(one())
    worker, before, after = spent
    return _Round(
        ours=ours,
        plain=asyncio.run(_plain_copy(server.url(server.fresh()), gateways)),
        two=_two(server.url(server.fresh()), gateways),
        worker=worker / entries * 1e6,
        server=(after - before) / entries * 1e6,
    )


def _spent_by(server: Postgres) -> float:
    """Seconds of processor of every process of the server that lives."""
    first = (server.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0]
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12]) if fields[1] == first else 0
    return ticks / os.sysconf("SC_CLK_TCK")


async def _ingest(url: str, gateways: Sequence[Gateway], shard: Shard) -> float:
    async with opened(url) as store:
        await furnish(store, gateways)
        return await _feed(store, gateways, shard)


async def _feed(
    store: Store, gateways: Sequence[Gateway], shard: Shard, measured: Callable[[], None] = lambda: None
) -> float:
    """As a running worker does it, without a broker; `measured` is called while its connections still live."""
    async with holding(store, shard, lambda: None) as mine:
        inbox, feed = Inbox(mine, Signer(bytes(32)), _Clock(), print), Feed(gateways)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT)  # as journal.app does
        start = time.perf_counter()
        with suppress(LinkLost):
            await inbox.serve(feed)
        took = time.perf_counter() - start
        measured()
    if feed.through != {gateway.stream.gateway: len(gateway.envelopes) for gateway in gateways}:
        raise RuntimeError("an entry was not receipted")
    return sum(feed.through.values()) / took


def _groups(gateways: Sequence[Gateway]) -> Sequence[list[tuple[object, ...]]]:
    """The rows of each transaction."""
    told = (TAP.type, 1, 1, "b1", "north-1", "1:" + "5a" * 16, None, None, 0)
    batches = [
        [(*stream_key(g.stream).values(), e.seq, e.body, e.hash, *told) for e in g.envelopes[start : start + BATCH]]
        for start in range(0, len(gateways[0].envelopes), BATCH)
        for g in gateways
    ]
    several = [batches[start : start + MAX_GROUP] for start in range(0, len(batches), MAX_GROUP)]
    return [[row for batch in group for row in batch] for group in several]


async def _plain_copy(url: str, gateways: Sequence[Gateway]) -> float:
    async with opened(url) as store:
        await furnish(store, gateways)
        groups = _groups(gateways)
        start = time.perf_counter()
        for group in groups:
            async with store.begin() as connection:
                await add_rows(connection, tables.entries, _COLUMNS, group)
        return sum(map(len, groups)) / (time.perf_counter() - start)


def _plain_sqlite(path: Path, gateways: Sequence[Gateway]) -> float:
    groups = _groups(gateways)
    asyncio.run(_shape(f"sqlite+aiosqlite:///{path.absolute()}", gateways))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for name, value in PRAGMAS.items():
            database.execute(f"PRAGMA {name}={value}")
        sql = f"INSERT INTO entries ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
        start = time.perf_counter()
        for group in groups:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(sql, group)
            database.execute("COMMIT")
        return sum(map(len, groups)) / (time.perf_counter() - start)


async def _shape(url: str, gateways: Sequence[Gateway]) -> None:
    async with opened(url) as store:
        await furnish(store, gateways)


def _two(url: str, gateways: Sequence[Gateway]) -> float:
    """Two processes that begin together; the slower one counts."""
    asyncio.run(_shape(url, gateways))
    shards = [Shard(1, 2), Shard(2, 2)]
    numbers = [[n for n, g in enumerate(gateways, 1) if shard.owns(g.stream.site)] for shard in shards]
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.ingest", url, str(shard), json.dumps(mine)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for shard, mine in zip(shards, numbers, strict=True)
    ]
    pipes = [(worker.stdin, worker.stdout) for worker in workers]
    for _, out in pipes:
        if out is None or out.readline() != b"ready\n":
            raise RuntimeError("a worker did not start")
    start = time.perf_counter()
    for into, _ in pipes:
        if into is not None:
            into.close()
    if any(worker.wait() for worker in workers):
        raise RuntimeError("a worker failed")
    return sum(len(gateway.envelopes) for gateway in gateways) / (time.perf_counter() - start)


async def _worker(url: str, shard: str, numbers: Sequence[int]) -> None:
    gateways = [Gateway(number, _BATCHES) for number in numbers]
    async with opened(url) as store:
        print("ready", flush=True)
        sys.stdin.read()
        await _feed(store, gateways, Shard.parse(shard))


if __name__ == "__main__":
    asyncio.run(_worker(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
