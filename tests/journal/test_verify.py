"""What the journal holds is proven, or the first bad entry of each ledger is named."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from journal.cli import main
from tests.journal.conftest import furnished
from tests.journal.door import Door
from tests.journal.receiver import Journal

Spoil = Callable[[sqlite3.Connection], object]


def whole(_database: sqlite3.Connection) -> object:
    return None


def missing(database: sqlite3.Connection) -> object:
    return database.execute("DELETE FROM entries WHERE seq = 4")


def changed(database: sqlite3.Connection) -> object:
    return database.execute(
        "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'att.tap', 'att.tip') AS BLOB) WHERE seq = 4"
    )


def cut(database: sqlite3.Connection) -> object:
    return database.execute("DELETE FROM entries WHERE seq >= 4")


def forged(database: sqlite3.Connection) -> object:
    return database.execute("UPDATE segments SET sig = replace(sig, substr(sig, 1, 2), '00') WHERE first = 4")


def swapped(database: sqlite3.Connection) -> object:
    for old, new in ((4, 99), (5, 4), (99, 5)):
        database.execute("UPDATE entries SET seq = ? WHERE seq = ?", (new, old))
    return None


def flipped(database: sqlite3.Connection) -> object:
    [[body]] = database.execute("SELECT body FROM entries WHERE seq = 4").fetchall()
    middle = len(body) // 2
    spoilt = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
    return database.execute("UPDATE entries SET body = ? WHERE seq = 4", (spoilt,))


def another_head(database: sqlite3.Connection) -> object:
    return database.execute("UPDATE segments SET head = zeroblob(32) WHERE first = 4")


def another_key(database: sqlite3.Connection) -> object:
    return database.execute("UPDATE gateways SET public_key = zeroblob(32)")


async def fill(path: Path) -> None:
    async with furnished(path) as store:
        journal, door = Journal(store), Door().taps(6)
        await journal.takes(door.birth(), door.message(1, 3), door.message(4, 6))


def types(folder: Path, spoil: Spoil) -> tuple[int, dict[str, Any], str]:
    (folder / "state").mkdir()
    asyncio.run(fill(folder / "state" / "journal.db"))
    with closing(sqlite3.connect(folder / "state" / "journal.db", isolation_level=None)) as database:
        spoil(database)
    config = folder / "journal.toml"
    config.write_text(f'[state]\ndirectory = "{folder}/state"\n[broker]\nurl = "mqtt://127.0.0.1:9"\n')
    result = CliRunner().invoke(main, ["verify", "--json", "--config", str(config)])
    return result.exit_code, json.loads(result.stdout), result.stderr


@pytest.mark.parametrize("spoil", [missing, changed, swapped, flipped, cut, forged, another_head])
def test_the_first_bad_entry_is_named(tmp_path: Path, spoil: Spoil) -> None:
    code, told, said = types(tmp_path, spoil)
    assert (code, told["flaw"]["seq"]) == (1, 4)
    assert "hint:" in said


@pytest.mark.parametrize(("spoil", "earlier"), [(whole, 0), (another_key, 2)])
def test_a_whole_ledger_is_proven(tmp_path: Path, spoil: Spoil, earlier: int) -> None:
    code, told, _ = types(tmp_path, spoil)
    assert (code, told["flaw"], told["through"], told["earlier_key"]) == (0, None, 6, earlier)
