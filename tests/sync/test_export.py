"""A ledger that no journal hears: carried away as a file, and settled by that or by age."""

import asyncio
import json
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.domain.model import Seq
from gateway.errors import NotRecorded
from sync.export import Exported, export
from sync.status import ledger_summary
from tests.gateway.daemon import running, write_config
from tests.sync.ledgers import CLOCK, everything, ledger, note, receipt


async def test_what_nobody_confirmed_is_written_byte_for_byte(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        await outbox.append([note(str(n)) for n in range(2, 8)])
        await outbox.apply(receipt(outbox, 3))
        bodies = [envelope.body for envelope in await everything(outbox)]
        done = export(tmp_path / "o", tmp_path / "out", everything=False)
        assert (done.count, done.through, done.epoch) == (4, 7, outbox.stream.epoch)
        assert (tmp_path / "out").read_bytes().splitlines() == bodies[3:]
        assert export(tmp_path / "o", tmp_path / "all", everything=True).count == 7
        assert (tmp_path / "all").read_bytes().splitlines() == bodies


async def test_the_next_one_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        await outbox.append([note("a")])
        export(tmp_path / "o", tmp_path / "first", everything=False).leave(tmp_path / "o")
        await outbox.append([note("b")])
        assert export(tmp_path / "o", tmp_path / "second", everything=False).count == 1


async def test_a_note_that_makes_no_sense_is_none(tmp_path: Path) -> None:
    (tmp_path / "exported.json").write_text('{"epoch": 7}')
    assert Exported.read(tmp_path / "o") is None


def test_without_a_ledger_or_a_place_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotRecorded, match="o: "):
        export(tmp_path / "o", tmp_path / "out", everything=False)


async def test_age_settles_where_nobody_can_confirm(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        await outbox.append([note("old")] * 3)
        CLOCK.move(3600)
        await outbox.append([note("new")])
        await outbox.expire(CLOCK.now().at - timedelta(minutes=30))
        assert (outbox.position.through, outbox.position.last) == (4, 5)
        await outbox.prune(CLOCK.now().at)
        assert [envelope.seq for envelope in await outbox.after(Seq(0), 10)] == [5]
        await outbox.expire(CLOCK.now().at + timedelta(seconds=1))
        assert outbox.position.through == 5


@pytest.mark.slow
async def test_a_daemon_without_an_uplink_takes_an_export_over(tmp_path: Path) -> None:
    config = write_config(tmp_path, [f"unix:{tmp_path}/door"])
    async with running(config, signal.SIGKILL):
        words = ["export", str(config), str(tmp_path / "out")]
        done = await asyncio.to_thread(CliRunner().invoke, main, words)
        assert done.exit_code == 0, done.output
        count = len((tmp_path / "out").read_bytes().splitlines())
        assert json.loads((tmp_path / "out").read_bytes().splitlines()[0])["sequence"] == "000000000001"
        async with asyncio.timeout(60):
            while ledger_summary(tmp_path / "state" / "ledger.db")["confirmed"] != count:
                await asyncio.sleep(0.05)
            while (tmp_path / "state" / "exported.json").exists():
                await asyncio.sleep(0.05)
    _, again = [await asyncio.to_thread(CliRunner().invoke, main, words) for _ in range(2)]
    assert ": 0 entries of epoch " in again.stdout
    assert "--all writes it again" in again.stderr
