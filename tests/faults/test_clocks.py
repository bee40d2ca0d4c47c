"""The clock of the machine is wrong, jumps, or nobody knows it; no name is ever resolved: taps are recorded all the same."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulators import ledgers
from tests.faults.ward import Ward, ward

pytestmark = [pytest.mark.slow, pytest.mark.needs("mosquitto"), pytest.mark.timeout(240)]

_WRONG = timedelta(minutes=30)
#: The daemon, on a machine whose resolver never answers.
_NO_NAMES = """
import socket, sys, time
from pathlib import Path
_, config, asked = sys.argv
def waits(*_, **__):
    Path(asked).touch()
    time.sleep(3600)
socket.getaddrinfo = waits
sys.argv = ["gateway", "run", config]
from gateway.cli import main
main()
"""


def faked(at: Ward, told: str) -> dict[str, str]:
    """The environment of a process whose wall clock says this; its boot clock stays right."""
    file = at.folder / "time"
    file.write_text(f"{told}\n")
    program = shutil.which("faketime")
    assert program is not None
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def wrong_times(at: Ward) -> int:
    """Entries that claim a time which is not now."""
    now = datetime.now(UTC)
    return sum(abs(record.at - now) > _WRONG for record in ledgers.of_gateway(at.ledger))


@pytest.mark.needs("faketime")
@pytest.mark.parametrize("told", ["-3600", "+86400", "@1970-01-01 00:00:10"])
async def test_the_wall_clock_jumps_in_the_middle_of_the_morning(tmp_path: Path, told: str) -> None:
    async with ward(tmp_path) as at:
        await at.gateway.stop()
        at.gateway = at.daemon(more=faked(at, "+0"))
        await at.gateway.start()
        assert await at.tap(2) == 2
        (tmp_path / "time").write_text(f"{told}\n")
        assert await at.tap(3) == 3
        (tmp_path / "time").write_text("+0\n")
        assert await at.tap(2) == 2
        assert wrong_times(at) >= 3, "the clock has not jumped: this fault has not happened"
        await at.drained()
        await at.oracle()


@pytest.mark.needs("faketime")
async def test_a_machine_that_starts_in_1970_and_is_set_right_later(tmp_path: Path) -> None:
    async with ward(tmp_path) as at:
        await at.gateway.kill()
        at.gateway = at.daemon(more=faked(at, "@1970-01-01 00:00:10"))
        await at.gateway.start()
        assert await at.tap(3) == 3
        assert wrong_times(at) >= 3, "the clock was right: this fault has not happened"
        (tmp_path / "time").write_text("+0\n")
        assert await at.tap(2) == 2
        await at.drained()
        await at.oracle()


async def test_a_tap_waits_for_no_name_and_no_network(tmp_path: Path) -> None:
    async with ward(tmp_path) as at:
        await at.gateway.stop()
        asked = tmp_path / "asked"
        at.gateway = at.child("north", "-c", _NO_NAMES, str(tmp_path / "north.toml"), str(asked))
        settings = (tmp_path / "north.toml").read_text()
        nowhere = settings.replace(f"127.0.0.1:{at.wire.port}", f"localhost:{at.wire.port}")
        (tmp_path / "north.toml").write_text(nowhere)
        await at.gateway.start()
        assert await at.tap(3) == 3
        async with asyncio.timeout(60):
            while not asked.exists():
                await asyncio.sleep(0.05)
        assert await at.tap(3) == 3
        await at.gateway.kill()
        (tmp_path / "north.toml").write_text(settings)
        at.gateway = at.daemon()
        await at.gateway.start()
        await at.drained()
        await at.oracle()
