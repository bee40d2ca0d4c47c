"""A real journal database of one site with one registered gateway, of its own for each test, on SQLite and on PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from sqlalchemy import make_url

from gateway.domain.policy import Policy
from journal import tables
from journal.migrate import migrate
from journal.store import Store, opened
from tests.journal.bureau import Office
from tests.journal.door import CARD, GATEWAY, KEY, SITE, Door
from tests.journal.receiver import Journal
from tests.postgres import Postgres


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


async def furnish(store: Store) -> None:
    """Site, gateway, and one pupil who holds one card."""
    await migrate(store)
    policy = TypeAdapter(Policy).dump_json(Policy()).decode()
    card = {"token": KEY.token(CARD), "technology": "em4100", "uid_encrypted": b"-", "person": "p-1", "state": "active"}
    async with store.begin() as connection:
        for table, row in (
            (
                tables.sites,
                {"site": SITE, "name": "Школа 1", "zone": "Europe/Moscow", "language": "ru", "policy": policy},
            ),
            (tables.gateways, {"gateway": GATEWAY, "public_key": Door().signer.public, "added": 0, "site": SITE}),
            (tables.cards, card | {"site": SITE}),
        ):
            await connection.execute(table.insert().values(row))


@asynccontextmanager
async def furnished(path: Path) -> AsyncIterator[Store]:
    async with opened(url_of(path)) as store:
        await furnish(store)
        yield store


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgres"))])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind: what holds on one holds on the other."""
    if request.param == "sqlite":
        return url_of(tmp_path / "journal.db")
    server: Postgres = request.getfixturevalue("postgres")
    return server.url(server.fresh())


async def _furnish_once(url: str) -> None:
    async with opened(url) as store:
        await furnish(store)


@pytest.fixture(scope="session")
def furnished_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "furnished.db"
    asyncio.run(_furnish_once(url_of(path)))
    return path


@pytest.fixture(scope="session")
def furnished_name(postgres: Postgres) -> str:
    name = postgres.fresh()
    asyncio.run(_furnish_once(postgres.url(name)))
    return name


@pytest.fixture
def furnished_database(request: pytest.FixtureRequest, database: str) -> str:
    """The same address, with site, gateway and pupil: made once and copied, as migrating takes most of a test."""
    name = str(make_url(database).database)
    if database.startswith("sqlite"):
        shutil.copy(request.getfixturevalue("furnished_file"), name)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        server.copy(request.getfixturevalue("furnished_name"), name)
    return database


@pytest.fixture
async def store(furnished_database: str) -> AsyncIterator[Store]:
    async with opened(furnished_database) as one:
        yield one


@pytest.fixture
def journal(store: Store) -> Journal:
    return Journal(store)


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Office:
    return Office(store, tmp_path / "school")
