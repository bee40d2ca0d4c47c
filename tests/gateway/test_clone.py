"""Two devices with the same key and the same ledger, as after copying a card: both sides notice, and nothing is lost."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from config.model import UplinkConfig
from gateway.domain.wire import decode
from gateway.link import Link
from sync.directory import DirectoryReceiver
from sync.outbox import SqliteOutbox
from tests.broker import Mosquitto
from tests.gateway.fakes import HandClock
from tests.gateway.keys import rekeying
from tests.journal.process import Process
from tests.journal.test_cli import Desk
from tests.sync.ledgers import note
from tests.sync.session import GATEWAY, JOURNAL


class Device:
    """A ledger and its link; `keys` are those of the journal."""

    def __init__(self, folder: Path, broker: Mosquitto, key: bytes = JOURNAL.public) -> None:
        clock = HandClock()
        self.outbox = SqliteOutbox(folder / "ledger.db", site="school-1", gateway="north", clock=clock)
        directory = DirectoryReceiver(folder / "directory.json", site="school-1", keys=[key], clock=clock)
        self.rekeying = rekeying(folder, self.outbox)
        self.link = Link(UplinkConfig(url=broker.url, keepalive=5), self.outbox, directory, self.rekeying, self._health)

    async def _health(self) -> dict[str, object]:
        return {"link": self.link.status.summary}

    async def enter(self, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(self.outbox)
        self.links(stack)

    def links(self, stack: AsyncExitStack) -> None:
        """From now on it looks for its journal."""
        stack.push_async_callback(ended, asyncio.create_task(self.link.keep()))

    @property
    def settled(self) -> bool:
        return self.outbox.position.through == self.outbox.position.last


async def ended(task: "asyncio.Task[object]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.mark.needs("mosquitto")
async def test_each_of_two_devices_notices_the_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        async with AsyncExitStack() as stack:
            devices = [Device(tmp_path / name, broker) for name in ("card", "copy")]
            for device in devices:
                await device.enter(stack)
            await until(lambda: all(device.link.status.clones for device in devices))
    told = [record.getMessage() for record in caplog.records if "another device is this gateway" in record.getMessage()]
    assert len(told) == 2
    assert all(device.link.status.summary["clones"] for device in devices)


@pytest.mark.needs("mosquitto")
async def test_a_device_that_starts_again_or_loses_its_link_is_no_clone(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        for _ in range(2):
            await live(tmp_path / "card", broker)


async def live(folder: Path, broker: Mosquitto) -> None:
    async with AsyncExitStack() as stack:
        device = Device(folder, broker)
        status = device.link.status
        await device.enter(stack)
        await until(lambda: status.connected)
        session = status.session
        broker.kill()
        await until(lambda: not status.connected)
        broker.start()
        await until(lambda: status.session not in (None, session))
        assert status.clones == 0


@pytest.mark.needs("mosquitto")
@pytest.mark.slow
async def test_the_journal_notices_too_and_has_what_both_of_them_saw(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        desk = Desk(tmp_path, broker.url)
        words = ("gateway", "add", "school-1", "north", "--key", GATEWAY.public.hex(), "--out", str(tmp_path / "n"))
        await asyncio.to_thread(desk.types, *words)
        key = bytes.fromhex((tmp_path / "n").read_text().split('journal_keys = ["')[1][:64])
        process = Process(desk, broker)
        try:
            await asyncio.to_thread(process.start)
            async with AsyncExitStack() as stack:
                card = Device(tmp_path / "card", broker, key)
                await card.enter(stack)
                await card.outbox.append([note("before the copy")])
                await until(lambda: card.settled)
            shutil.copytree(tmp_path / "card", tmp_path / "copy")
            async with AsyncExitStack() as stack:
                both = [Device(tmp_path / name, broker, key) for name in ("card", "copy")]
                for number, device in enumerate(both):
                    await device.enter(stack)
                    await device.outbox.append([note(f"seen by {number}")])
                await until(lambda: all(device.settled for device in both))
                await until(lambda: "two devices are this gateway" in process.log)
                await until(lambda: all(device.link.status.clones for device in both))
        finally:
            process.kill()
            process.notify.close()
        rows = process.rows("SELECT body FROM entries WHERE flag IS NULL AND type = 'att.device.v1'")
    details = sorted(getattr(decode(body).data, "detail", "") for (body,) in rows)
    assert details == ["before the copy", "seen by 0", "seen by 1"]
