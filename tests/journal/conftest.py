"""A real journal database of one site with one registered gateway, of its own for each test, on SQLite and on PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from pydantic import TypeAdapter

from gateway.domain.policy import Policy
from journal import tables
from journal.migrate import migrate
from journal.store import Store, opened
from tests.journal.bureau import Office
from tests.journal.door import CARD, GATEWAY, KEY, SITE, Door
from tests.journal.receiver import Journal
from tests.journal.school import School, furnish_school
from tests.postgres import Postgres

#: Makes what an empty database of that address shall have.
Furnish: TypeAlias = Callable[[str], Coroutine[Any, Any, None]]


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


@pytest.fixture(scope="session")
def made() -> dict[tuple[str, Furnish], str]:
    """Where the databases are that every test gets a copy of: to make one takes longer than most tests."""
    return {}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgres"))])
def kind(request: pytest.FixtureRequest) -> str:
    """What holds on one holds on the other."""
    return str(request.param)


@pytest.fixture
def copied(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Callable[[Furnish], str]:
    """The address of a database of this test's own, as `furnish` leaves an empty one."""

    def copy(furnish: Furnish) -> str:
        originals = request.getfixturevalue("made")
        if kind == "sqlite":
            if (kind, furnish) not in originals:
                original = request.getfixturevalue("tmp_path_factory").mktemp("made") / "journal.db"
                asyncio.run(furnish(url_of(original)))
                originals[kind, furnish] = str(original)
            return url_of(Path(shutil.copy(originals[kind, furnish], tmp_path / "journal.db")))
        server: Postgres = request.getfixturevalue("postgres")
        if (kind, furnish) not in originals:
            name = server.fresh()
            asyncio.run(furnish(server.url(name)))
            originals[kind, furnish] = name
        return server.url(server.fresh(originals[kind, furnish]))

    return copy


async def _furnish(url: str) -> None:
    async with opened(url) as store:
        await furnish(store)


async def _leave_empty(url: str) -> None:
    async with opened(url):
        pass


@pytest.fixture
def empty_database(copied: Callable[[Furnish], str]) -> str:
    """Its address, with nothing in it."""
    return copied(_leave_empty)


@pytest.fixture
def database(copied: Callable[[Furnish], str]) -> str:
    """Its address, with site, gateway and pupil."""
    return copied(_furnish)


@pytest.fixture
def school_database(copied: Callable[[Furnish], str]) -> str:
    """Its address, with a school of three pupils."""
    return copied(furnish_school)


@pytest.fixture
async def place(school_database: str) -> AsyncIterator[School]:
    async with opened(school_database) as one:
        yield School(one)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with opened(database) as one:
        yield one


@pytest.fixture
def journal(store: Store) -> Journal:
    return Journal(store)


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Office:
    return Office(store, tmp_path / "school")
