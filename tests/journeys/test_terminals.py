"""A terminal, a real gateway that is killed, and a ledger in which every tap stands once."""

import asyncio
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain.clocks import TERMINAL
from gateway.domain.entry import CoverageData, TapData
from gateway.domain.model import ClockState
from simulators.zkteco import LogServer, Terminal
from tests.gateway.daemon import events, running, write_config

PATIENCE = 100.0


def configured(folder: Path, sim: Terminal, log: LogServer) -> Path:
    config = write_config(folder, [])
    config.write_text(
        config.read_text()
        + f"""
[[devices]]
id = "terminals"
kind = "zkteco"
url = "{sim.url}"
pull_seconds = 0.2
[[devices.terminals]]
serial = "{sim.serial}"
zone = "UTC"
pull = "{log.url}"
[[lanes]]
id = "main"
direction = "arrival_only"
reader = "terminals/{sim.serial}"
"""
    )
    return config


async def test_each_tap_is_one_entry_at_its_own_time_whatever_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clock that is set, whatever this machine says of its own.
    monkeypatch.setenv("ATTENDANCE_CLOCK", f"{datetime.now(UTC).isoformat()}|{time.monotonic()}|1")
    async with Terminal() as sim, LogServer(terminal=sim) as log, asyncio.timeout(PATIENCE):
        # A backlog of the last hours, told before anybody is there to hear it.
        begin = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(minutes=2)
        sim.clock = begin
        config = configured(tmp_path, sim, log)
        for number in range(60):
            sim.tap(str(500 + number), at=begin + timedelta(seconds=number))
        for round_ in range(3):
            async with running(config, stop=signal.SIGKILL):
                await sim.idle()
                sim.tap(str(600 + round_), at=begin + timedelta(seconds=70 + round_))
                # Killed while it is told; the terminal tells it again, and everything else with it.
            sim.taken = 0
        async with running(config):
            await sim.idle()
            while not any(isinstance(event.data, CoverageData) for event in events(config)):
                await asyncio.sleep(0.05)
    told = [event for event in events(config) if isinstance(event.data, TapData)]
    assert sorted(event.at.at.replace(tzinfo=None) for event in told) == sorted(at for _, at, _ in sim.log)
    assert {(event.at.boot, event.at.clock) for event in told} == {(TERMINAL, ClockState.HOLDOVER)}
