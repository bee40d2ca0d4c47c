"""A ledger is proven, or its first bad entry is named."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.load import load
from gateway.cli import main
from gateway.domain.model import Seq
from gateway.errors import NotRecorded
from sync.verify import prove
from tests.gateway.daemon import write_config
from tests.sync.ledgers import CLOCK, ledger, note, receipt

Spoil = Callable[[sqlite3.Connection], object]


async def fill(path: Path) -> None:
    async with ledger(path) as outbox:
        await outbox.append([note(str(n)) for n in range(2500)])


async def test_a_whole_ledger_is_proven_epoch_by_epoch_and_beside_its_writer(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        await outbox.append([note(str(n)) for n in range(2500)])
        await outbox.apply(receipt(outbox, 1500))
        CLOCK.move(60)
        await outbox.begin_again(Seq(1500), "restored")
        proofs = prove(tmp_path / "o")
    assert [(proof.count, proof.flaw) for proof in proofs] == [(2501, None), (1002, None)]


async def test_a_pruned_ledger_is_proven_from_its_oldest_entry_on(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        await outbox.append([note(str(n)) for n in range(20)])
        await outbox.apply(receipt(outbox, 11))
        CLOCK.move(60)
        await outbox.prune(CLOCK.now().at)
    [proof] = prove(tmp_path / "o")
    assert (proof.count, proof.flaw) == (11, None)


def missing(database: sqlite3.Connection) -> object:
    return database.execute("DELETE FROM entry WHERE key % 1000000000000 = 1700")


def changed(database: sqlite3.Connection) -> object:
    body = "replace(CAST(body AS TEXT), '1698', '1699')"
    return database.execute(f"UPDATE entry SET body = CAST({body} AS BLOB) WHERE key % 1000000000000 = 1700")


def moved(database: sqlite3.Connection) -> object:
    body = "SELECT body FROM entry WHERE key % 1000000000000 = 1699"
    return database.execute(f"UPDATE entry SET body = ({body}) WHERE key % 1000000000000 = 1700")


def swapped(database: sqlite3.Connection) -> object:
    """Two neighbours, whole rows, each under the other's number."""
    for old, new in ((1700, 9999), (1701, 1700), (9999, 1701)):
        database.execute(f"UPDATE entry SET key = key + {new - old} WHERE key % 1000000000000 = {old}")
    return None


def flipped(database: sqlite3.Connection) -> object:
    """One bit of one byte in the middle."""
    [[key, body]] = database.execute("SELECT key, body FROM entry WHERE key % 1000000000000 = 1700").fetchall()
    middle = len(body) // 2
    spoilt = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
    return database.execute("UPDATE entry SET body = ? WHERE key = ?", (spoilt, key))


@pytest.mark.parametrize("spoil", [missing, changed, moved, swapped, flipped])
async def test_the_first_bad_entry_is_named(tmp_path: Path, spoil: Spoil) -> None:
    await fill(tmp_path / "o")
    with closing(sqlite3.connect(tmp_path / "o", isolation_level=None)) as database:
        spoil(database)
    [proof] = prove(tmp_path / "o")
    assert proof.flaw is not None
    assert proof.flaw.seq == 1700


def test_without_a_ledger_there_is_nothing_to_prove(tmp_path: Path) -> None:
    with pytest.raises(NotRecorded):
        prove(tmp_path / "nothing")


async def test_the_command_tells_people_and_machines(tmp_path: Path) -> None:
    config = write_config(tmp_path, [f"unix:{tmp_path}/nobody"])
    path = load(config).state.ledger
    path.parent.mkdir(mode=0o700)
    await fill(path)
    good = CliRunner().invoke(main, ["verify", str(config)])
    assert (good.exit_code, good.output.endswith("2501 entries, proven\n")) == (0, True)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        missing(database)
    bad = CliRunner().invoke(main, ["verify", str(config), "--json"])
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["flaw"] == {"seq": 1700, "why": "is missing; the next one here is 1701"}
    assert "hint:" in bad.stderr
