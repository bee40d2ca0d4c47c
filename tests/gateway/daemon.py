"""A real gateway process with virtual lanes, for tests that look at it from the outside."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from gateway.domain.entry import TapData
from gateway.domain.wire import Event, decode
from tests.domain.build import KEY

JOURNAL_KEY = "0f" * 32
READY = 60.0


def write_config(folder: Path, urls: Sequence[str], uplink: str = "none") -> Path:
    """A gateway with one virtual device and one lane for each url."""
    enrolment = folder / "enrolment.toml"
    enrolment.write_text(
        f'site = "school-1"\ngateway = "north"\njournal_keys = ["{JOURNAL_KEY}"]\n'
        f'[site_keys]\n1 = "{KEY.secret.hex()}"\n'
    )
    enrolment.chmod(0o600)
    devices = "".join(
        f'[[devices]]\nid = "door-{n}"\nkind = "virtual"\nurl = "{url}"\n'
        f'[[lanes]]\nid = "lane-{n}"\ndirection = "arrival_only"\nreader = "door-{n}"\ngate = "door-{n}"\n'
        for n, url in enumerate(urls, 1)
    )
    config = folder / "gateway.toml"
    config.write_text(
        f'site = "school-1"\ngateway = "north"\n[state]\ndirectory = "{folder}/state"\n'
        f'[enrolment]\nfile = "{enrolment}"\n[uplink]\nurl = "{uplink}"\n{devices}'
    )
    return config


@asynccontextmanager
async def running(config: Path, stop: signal.Signals = signal.SIGTERM) -> AsyncIterator[asyncio.subprocess.Process]:
    """The daemon, from ready to stopped."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway", "run", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        await asyncio.wait_for(line_with(process, " ready "), READY)
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(stop)
        await process.communicate()


async def line_with(process: asyncio.subprocess.Process, words: str) -> str:
    """The next line of output that has these words."""
    assert process.stdout is not None
    seen = []
    while line := (await process.stdout.readline()).decode():
        seen.append(line)
        if words in line:
            return line
    raise AssertionError("".join(seen))


def events(config: Path) -> list[Event]:
    """Everything in the ledger."""
    with closing(sqlite3.connect(f"file:{config.parent}/state/ledger.db?mode=ro", uri=True)) as database:
        return [decode(body) for (body,) in database.execute("SELECT body FROM entry ORDER BY key")]


def taps(config: Path) -> list[TapData]:
    """The taps in the ledger."""
    return [event.data for event in events(config) if isinstance(event.data, TapData)]


def status(text: str) -> dict[str, object]:
    """What `status --json` printed."""
    found: dict[str, object] = json.loads(text)
    return found
