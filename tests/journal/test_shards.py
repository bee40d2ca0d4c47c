"""Several workers on one PostgreSQL: each site has one of them, and a dead one's sites another, and never two."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import func, select

from gateway.errors import ConfigError, NotRecorded
from journal import tables
from journal.following import follow
from journal.holding import guard, holding
from journal.shard import WHOLE, Shard, slice_of
from journal.store import Day, Store, mark_dirty, opened
from tests.journal.door import SITE, FakeLink
from tests.journal.receiver import Still

SCHOOLS = [f"school-{number}" for number in range(1000)]


def test_shares_are_disjoint_and_leave_nobody_out() -> None:
    for of in (1, 2, 3, 7, 64):
        owners = [[n for n in range(1, of + 1) if Shard(n, of).owns(site)] for site in SCHOOLS]
        assert all(len(one) == 1 for one in owners)
    assert slice_of("school-1") == 52, "a site stays where it is"


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1/65", "1", "1/2/3", "a/b", "01/2"])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no share"):
        Shard.parse(text)


@pytest.fixture
def kind() -> str:
    return "postgresql"


postgresql = pytest.mark.needs("postgres")


@postgresql
async def test_the_database_deals_sites_alike(store: Store) -> None:
    policy = {"zone": "UTC", "language": "ru", "policy": "{}", "name": "x"}
    async with store.begin() as connection:
        await connection.execute(tables.sites.insert(), [{"site": f"s-{n}", **policy} for n in range(300)])
        for of in (1, 2, 3, 64):
            for number in range(1, of + 1):
                shard = Shard(number, of)
                mine = select(tables.sites.c.site).where(shard.mine(tables.sites.c.site))
                dealt = set((await connection.execute(mine)).scalars())
                every = set((await connection.execute(select(tables.sites.c.site))).scalars())
                assert dealt == {site for site in every if shard.owns(site)}


class Waiting:
    """Whether somebody stands by."""

    def __init__(self) -> None:
        self.seen = asyncio.Event()

    def __call__(self) -> None:
        self.seen.set()


@pytest.fixture
async def other(database: str, store: Store) -> AsyncIterator[Store]:
    """The same database, as another process has it open."""
    async with opened(database) as one:
        yield one


@postgresql
@pytest.mark.parametrize("theirs", [WHOLE, Shard(1, 2), Shard(1, 3)], ids=str)
async def test_whoever_comes_second_stands_by(store: Store, other: Store, theirs: Shard) -> None:
    waiting, taken = Waiting(), asyncio.Event()

    async def second() -> None:
        async with holding(other, theirs, waiting) as mine:
            await _mark(mine)
            taken.set()

    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(holding(store, Shard(1, 2), Waiting()))
        standby = asyncio.create_task(second())
        await waiting.seen.wait()
        await _mark(first)
        await first.alive()
        assert not taken.is_set()
        await stack.aclose()
        async with asyncio.timeout(60):
            await standby


@postgresql
async def test_disjoint_shares_write_beside_each_other(store: Store, other: Store) -> None:
    async with (
        holding(store, Shard(1, 2), Waiting()) as one,
        holding(other, Shard(2, 2), Waiting()) as two,
        one.begin() as connection,
    ):
        await mark_dirty(connection, [Day(SITE, "2026-09-01", "p-1")])
        async with asyncio.timeout(60), two.begin() as beside:
            await mark_dirty(beside, [Day(SITE, "2026-09-01", "p-2")])
    async with store.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(tables.dirty))).scalar() == 2


@postgresql
async def test_a_holder_that_lost_its_connection_writes_nothing_more(store: Store, other: Store) -> None:
    async with holding(store, Shard(1, 2), Waiting()) as old:
        async with other.begin() as connection:
            ending = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> {}"
            me = (await connection.execute(select(func.pg_backend_pid()))).scalar()
            assert (await connection.exec_driver_sql(ending.format(me))).scalar()
        async with asyncio.timeout(60), holding(other, Shard(1, 2), Waiting()) as new:
            with pytest.raises(NotRecorded, match="another one may write"):
                await guard(old)
            with pytest.raises(NotRecorded, match="another one may write"):
                await _mark(old)
            await _mark(new)


@postgresql
async def test_a_command_of_the_office_writes_alone(store: Store, other: Store) -> None:
    async with holding(store, Shard(1, 2), Waiting()) as worker:
        async with other.begin():
            writing = asyncio.create_task(_mark(worker))
            while not (await _waits_for_a_lock(other)):
                await asyncio.sleep(0)
            assert not writing.done()
        async with asyncio.timeout(60):
            await writing


async def test_sqlite_has_one_journal(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('db')}/journal.db"
    async with opened(url) as store:
        async with holding(store, WHOLE, Waiting()) as same:
            assert same is store
        with pytest.raises(ConfigError, match="one journal"):
            async with holding(store, Shard(1, 2), Waiting()):
                pass


class Soon(Still):
    """After two looks the test has seen enough."""

    def __init__(self) -> None:
        self.looks = 0

    async def sleep(self, seconds: float) -> None:
        self.looks += 1
        if self.looks == 2:
            raise TimeoutError


@postgresql
async def test_a_share_hears_its_own_sites(store: Store) -> None:
    mine = Store(store.engine, next(s for s in (Shard(1, 2), Shard(2, 2)) if s.owns(SITE)))
    theirs = Store(store.engine, next(s for s in (Shard(1, 2), Shard(2, 2)) if not s.owns(SITE)))
    link, other = FakeLink(), FakeLink()
    for one, of in ((link, mine), (other, theirs)):
        with pytest.raises(TimeoutError):
            await follow(one, of, Soon())
    assert link.filters == [f"att/v1/{SITE}/+/events", f"att/v1/{SITE}/+/state"]
    assert other.filters == []


async def _mark(store: Store) -> None:
    async with store.begin() as connection:
        await mark_dirty(connection, [Day(SITE, "2026-09-01")])


async def _waits_for_a_lock(store: Store) -> bool:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with store.read() as connection:
        return bool((await connection.exec_driver_sql(waiting)).scalar())
