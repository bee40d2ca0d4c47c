"""A running gateway changes its key: the journal hears of it under the old one, and nothing is lost on the way."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.domain.entry import KeyData
from gateway.domain.model import Seq
from gateway.domain.wire import decode
from gateway.errors import ConfigError, LinkLost
from gateway.rekeying import next_key
from sync.signing import Signer
from tests.broker import Mosquitto
from tests.gateway.daemon import write_config
from tests.gateway.keys import rekeying
from tests.gateway.test_clone import Device, until
from tests.journal.process import Process
from tests.journal.test_cli import Desk
from tests.sync.ledgers import everything, ledger, note, receipt
from tests.sync.session import GATEWAY


def announced(bodies: list[bytes]) -> list[KeyData]:
    return [data for body in bodies if isinstance(data := decode(body).data, KeyData)]


async def test_it_is_told_once_and_used_when_the_journal_has_it(tmp_path: Path) -> None:
    async with ledger(tmp_path / "ledger.db") as outbox:
        keys = rekeying(tmp_path, outbox)
        await keys.look()
        assert outbox.position.last == 1
        following = Signer.load(next_key(tmp_path / "gateway.key"))
        for _ in range(3):
            await keys.look()
        assert announced([e.body for e in await everything(outbox)]) == [
            KeyData(kid=GATEWAY.kid, key=following.public.hex())
        ]
        assert keys.signer.kid == GATEWAY.kid
        session = asyncio.create_task(keys.session(None))
        await asyncio.sleep(0)
        await outbox.apply(receipt(outbox, 2))
        await keys.look()
        assert (keys.signer.kid, Signer.load(tmp_path / "gateway.key").kid) == (following.kid, following.kid)
        assert not next_key(tmp_path / "gateway.key").exists()
        with pytest.raises(LinkLost, match="new key is in use"):
            await session


async def test_after_a_crash_or_in_a_new_epoch_it_is_told_again(tmp_path: Path) -> None:
    async with ledger(tmp_path / "ledger.db") as outbox:
        Signer.load(next_key(tmp_path / "gateway.key"))
        keys = rekeying(tmp_path, outbox)
        await keys.look()
        await rekeying(tmp_path, outbox).look()
        assert outbox.position.last == 3
        await outbox.begin_again(Seq(3), "another one")
        await outbox.apply(receipt(outbox, outbox.position.last))
        await keys.look()
        assert keys.signer.kid == GATEWAY.kid
        assert len(announced([e.body for e in await everything(outbox)])) == 1


async def test_a_key_that_does_not_serve_is_told_and_nothing_changes(tmp_path: Path) -> None:
    async with ledger(tmp_path / "ledger.db") as outbox:
        keys = rekeying(tmp_path, outbox)
        next_key(tmp_path / "gateway.key").write_text("no key")
        with pytest.raises(ConfigError, match=r"gateway\.key\.next"):
            await keys.look()
        assert outbox.position.last == 1


def test_the_command_makes_it_once(tmp_path: Path) -> None:
    config = str(write_config(tmp_path, ["unix:/nowhere"]))
    CliRunner().invoke(main, ["enroll", config])
    said = [CliRunner().invoke(main, ["enroll", config, "--new-key"]).output for _ in range(2)]
    assert said[0] == said[1]
    assert Signer.load(tmp_path / "state" / "gateway.key.next").kid in said[0]


@pytest.mark.needs("mosquitto")
@pytest.mark.slow
async def test_a_gateway_and_its_journal_change_over(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        desk = Desk(tmp_path, broker.url)
        words = ("gateway", "add", "school-1", "north", "--key", GATEWAY.public.hex(), "--out", str(tmp_path / "n"))
        await asyncio.to_thread(desk.types, *words)
        journal = Signer.load(tmp_path / "state" / "journal.key").public
        process = Process(desk, broker)
        try:
            await asyncio.to_thread(process.start)
            async with AsyncExitStack() as stack:
                device = Device(tmp_path / "door", broker, journal)
                await stack.enter_async_context(device.outbox)
                await device.outbox.append([note("before")])
                following = Signer.load(next_key(tmp_path / "door" / "gateway.key"))
                await device.rekeying.look()
                device.links(stack)  # now, so that all of this is one batch
                await until(lambda: device.settled)
                await device.rekeying.look()
                await device.outbox.append([note("after")])
                await until(lambda: device.settled and "changed its key" in process.log)
            [row] = await asyncio.to_thread(desk.json, "gateway", "list")
            assert (row["kid"], row["epochs"]) == (following.kid, {device.outbox.stream.epoch: 4})
            proven = await asyncio.to_thread(desk.json, "verify")
            assert (proven["flaw"], proven["earlier_key"]) == (None, 1)
        finally:
            process.kill()
            process.notify.close()
