"""What an operator sees of a running gateway: its log and its health."""

import asyncio
import json
import logging
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from config.load import load
from gateway.app import _Daemon
from gateway.domain.entry import DeviceData, DeviceState, Entry
from gateway.domain.told import Health
from gateway.errors import NotRecorded
from simulators.virtual import Virtual
from tests.broker import Mosquitto
from tests.domain.build import LANE, MIDNIGHT, directory, instant
from tests.gateway.daemon import line_with, running, write_config
from tests.sync.session import journal_at


async def test_health_tells_what_fills_up_and_which_wire_is_bad(tmp_path: Path) -> None:
    first, second = (Virtual(f"unix:{tmp_path}/door-{n}") for n in (1, 2))
    with Mosquitto(tmp_path / "mosquitto") as broker:
        config = write_config(tmp_path, [first.url, second.url], broker.url)
        async with first, second, journal_at(broker) as journal, running(config) as process:
            await first.opened()
            await second.opened()
            told = json.loads((await journal.next("health")).payload)
            await first.garbage(b"nonsense\n" * 3)
            await second.unplug()
            await line_with(process, "device lost")
            while told["lanes"]["lane-2"]["reader"] or told["faults"].get("lane-1", {}).get("bad_frames", 0) < 3:
                told = json.loads((await journal.next("health")).payload)
    assert set(Health.model_validate(told, strict=True).model_extra or {}) == set()
    assert told["faults"]["lane-1"] == {"bad_frames": 3, "noise_bytes": 0}
    assert 0 < told["disk_free"] <= shutil.disk_usage(tmp_path).total
    assert told["queue"] > 0
    assert told["queue_seconds"] >= 0
    assert told["directory_error"] is None


@pytest.mark.parametrize(
    ("file", "said"),
    [("directory.json", "the newest directory is not in use"), ("ledger.db", "the ledger was damaged")],
)
async def test_a_file_that_does_not_serve_is_in_the_log(tmp_path: Path, file: str, said: str) -> None:
    config = write_config(tmp_path, [f"unix:{tmp_path}/nobody"])
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / file).write_bytes(b"nonsense\n" * 1000)
    async with running(config) as process:
        line = await line_with(process, said)
    assert "hint=" in line


async def test_a_failure_that_comes_back_is_told_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    daemon = _Daemon(load(write_config(tmp_path, [f"unix:{tmp_path}/nobody"])))
    entry = Entry(at=instant("08:00"), data=DeviceData(lane=LANE, kind=DeviceState.UP, detail=""))
    async with asyncio.timeout(60), daemon._outbox as outbox:
        with caplog.at_level(logging.ERROR, "gateway"):
            for _ in range(3):
                daemon._report(NotRecorded("the disk is full"))
            assert len(caplog.records) == 1
            await outbox.append([entry])
            for _ in range(3):
                daemon._report(NotRecorded("the disk is full"))
            assert len(caplog.records) == 2


async def test_an_expired_directory_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    daemon = _Daemon(load(write_config(tmp_path, [f"unix:{tmp_path}/nobody"])))
    with caplog.at_level(logging.ERROR, "gateway"):
        await daemon._look()
        assert caplog.records == []
        daemon._directory.current = replace(directory(), valid_until=MIDNIGHT - timedelta(days=3650))
        for _ in range(3):
            await daemon._look()
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["the directory has expired"]
