"""The database: settings that are read back, one writer at a time, a schema that migrations and tables agree on."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event, select, text
from sqlalchemy.exc import IntegrityError

from gateway.errors import ConfigError
from journal import tables
from journal.migrate import alembic_config, migrate
from journal.store import Day, Holder, Store, holder_at, insert_new, mark_dirty, opened, upsert
from tests.journal.conftest import furnished, url_of
from tests.journal.door import SITE


async def dirty(store: Store) -> dict[tuple[str, str], int]:
    async with store.read() as connection:
        rows = (await connection.execute(select(tables.dirty))).all()
    return {(row.date, row.person): row.stamp for row in rows}


async def test_migrations_and_tables_agree(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        def ours(_object: object, name: str | None, *_rest: object) -> bool:
            return not (name or "").startswith("entries_")  # partitions

        opts = {"compare_type": True, "include_object": ours}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, tables.metadata))

    async with store.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_second_migration_changes_nothing(store: Store) -> None:
    assert not await migrate(store)


async def test_lanes_of_an_older_database_have_always_been(empty_database: str) -> None:
    columns = "site, gateway, lane, direction, opens, closes"
    async with opened(empty_database) as store:
        async with store.begin() as connection:
            await connection.run_sync(lambda it: command.upgrade(alembic_config(it), "0008"))
            await connection.exec_driver_sql(
                f"INSERT INTO sites (site, name, zone, language, policy, revision) VALUES ('{SITE}', 'n', 'UTC', 'ru', '{{}}', 1)"
            )
            row = f"'{SITE}', 'door-1', 'north', 'in', '07:00', '20:00'"
            await connection.exec_driver_sql(f"INSERT INTO lanes ({columns}) VALUES ({row})")
        assert await migrate(store)
        async with store.read() as connection:
            kept = (await connection.execute(select(tables.lanes))).one()
        assert tuple(kept) == (SITE, "door-1", "north", 0, None, "in", "07:00", "20:00", 0)


async def test_a_newer_database_is_refused(store: Store) -> None:
    async with store.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="does not know"):
        await migrate(store)


async def test_settings_hold_on_every_connection(tmp_path: Path) -> None:
    async with furnished(tmp_path / "journal.db") as store, store.read() as first, store.read() as second:
        for connection in (first, second):
            for name, expected in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
                assert (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() == expected


async def test_foreign_keys_are_enforced(store: Store) -> None:
    with pytest.raises(IntegrityError):
        async with store.begin() as connection:
            await mark_dirty(connection, [Day("school-9", "2026-09-01")])


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:////nowhere/at/all.db", "sqlite+aiosqlite:///:memory:"])
async def test_a_database_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(ConfigError):
        async with opened(url):
            pass


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ConfigError, match=r"journal\.db"):
        async with opened(url_of(tmp_path / "journal.db")):
            pass


async def test_an_exception_rolls_back(store: Store) -> None:
    async def half() -> None:
        async with store.begin() as connection:
            await mark_dirty(connection, [Day(SITE, "2026-09-01")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half()
    assert await dirty(store) == {}


async def test_a_day_is_of_a_person_of_any_name(store: Store) -> None:
    names = ["Аня", 'a"b', "a\\b", "a\nb", "a,b", "{a}", "🙂", "null", ""]
    for _ in range(2):
        async with store.begin() as connection:
            await mark_dirty(connection, [Day(SITE, "2026-09-01", name) for name in names])
    assert await dirty(store) == {("2026-09-01", name): 2 for name in names}


async def test_writers_take_turns_and_readers_do_not_wait(store: Store) -> None:
    async def write(number: int) -> None:
        async with store.begin() as connection:
            await mark_dirty(connection, [Day(SITE, "2026-09-01", f"p-{number % 3}")])

    async with store.begin() as connection:
        await mark_dirty(connection, [Day(SITE, "2026-09-01")])
        assert await dirty(store) == {}
    await asyncio.gather(*(write(number) for number in range(12)))
    assert await dirty(store) == {("2026-09-01", ""): 1} | {("2026-09-01", f"p-{n}"): 4 for n in range(3)}


async def test_another_process_that_writes_is_waited_for(tmp_path: Path) -> None:
    async with furnished(tmp_path / "journal.db") as store:
        other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.TaskGroup() as tasks:
            async with store.read():
                ours = tasks.create_task(_mark(store))
                assert not ours.done()
            other.execute("COMMIT")
        other.close()
        assert await dirty(store) == {("2026-09-01", ""): 1}


async def _mark(store: Store) -> None:
    async with store.begin() as connection:
        await mark_dirty(connection, [Day(SITE, "2026-09-01")])


async def test_a_stamp_tells_a_new_fact_from_the_one_that_was_judged(store: Store) -> None:
    await _mark(store)
    judged = (await dirty(store))["2026-09-01", ""]
    await _mark(store)
    d = tables.dirty
    async with store.begin() as connection:
        await connection.execute(d.delete().where(d.c.date == "2026-09-01", d.c.stamp == judged))
    assert await dirty(store) == {("2026-09-01", ""): 2}


async def test_insert_new_leaves_and_upsert_replaces(store: Store) -> None:
    group = {"site": SITE, "group": "5a", "title": "5А", "grade": 5}
    async with store.begin() as connection:
        await connection.execute(insert_new(connection, tables.groups), [group])
        await connection.execute(insert_new(connection, tables.groups), [group | {"title": "left alone"}])
        assert (await connection.execute(select(tables.groups.c.title))).scalar() == "5А"
        await upsert(connection, tables.groups, [group | {"title": "replaced"}])
        await upsert(connection, tables.groups, [])
        assert (await connection.execute(select(tables.groups.c.title))).scalar() == "replaced"


async def test_errors_show_no_values(store: Store) -> None:
    row = {"site": "school-9", "person": "p-1", "last_name": "Иванова", "first_name": "Мария"}
    async with store.begin() as connection:
        with pytest.raises(IntegrityError) as refused:
            await connection.execute(tables.people.insert().values(row))
    assert "Иванова" not in str(refused.value)


def test_a_card_has_one_holder_at_a_time() -> None:
    ledger = [Holder("old", None, 100), Holder("new", 100, None), Holder("of-one-day", 200, 300)]
    assert [holder_at(ledger, at) for at in (0, 99, 100, 250, 300)] == ["old", "old", "new", "of-one-day", "new"]
    assert holder_at([Holder("p", 50, 60)], 60) is None


SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT count(*) FROM n"


async def test_a_cancelled_writer_frees_the_lock_though_its_error_is_kept(store: Store) -> None:
    begun = asyncio.Event()

    def watch(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement == SLOW:
            begun.set()

    event.listen(store.engine.sync_engine, "before_cursor_execute", watch)

    async def write() -> None:
        async with store.begin() as connection:
            await connection.execute(tables.sites.update().values(name="x"))
            await connection.execute(text(SLOW))
            await asyncio.Event().wait()  # who comes late cancels after the statement

    writing = asyncio.create_task(write())
    await begun.wait()
    for _ in range(300):  # the statement is under way in the driver's thread
        await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError) as kept:
        await writing
    async with asyncio.timeout(60), store.begin() as connection:
        await connection.execute(tables.sites.update().values(name="y"))
    assert kept.value is not None
