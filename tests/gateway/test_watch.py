"""What is shown of a gateway that works: devices of a machine, taps as they come, and never a card."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from gateway.domain.model import Direction, Reason
from simulators.virtual import Virtual
from tests.domain.build import CARD, KEY
from tests.gateway.daemon import running, write_config


def gateway(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_devices_of_this_machine_whatever_they_are() -> None:
    done = gateway("devices", "--json")
    assert done.returncode == 0, done.stderr
    assert all(one.keys() == {"what", "url", "kinds", "held", "fix"} for one in json.loads(done.stdout))
    assert gateway("devices").returncode == 0


async def test_tail_shows_a_tap_while_it_is_recorded_and_never_the_card(tmp_path: Path) -> None:
    async with Virtual(f"unix:{tmp_path}/door") as door, asyncio.timeout(60):
        config = write_config(tmp_path, [door.url])
        async with running(config):
            await door.opened()
            tail = await asyncio.create_subprocess_exec(
                *(sys.executable, "-u", "-m", "gateway", "tail", str(config), "--json"), stdout=asyncio.subprocess.PIPE
            )
            assert tail.stdout is not None
            assert json.loads(await tail.stdout.readline())["device"] == "up"
            await door.card(CARD)
            tap = await tail.stdout.readline()
            tail.terminate()
            await tail.communicate()
    told = json.loads(tap)
    token = KEY.token(CARD)
    assert (told["lane"], told["tap"], told["admit"]) == ("lane-1", Reason.UNKNOWN_CARD, False)
    assert (told["card"], told["person"], told["direction"]) == (f"em4100:{token[:8]}…", None, Direction.IN)
    assert token.encode() not in tap
    assert CARD.uid.hex().upper().encode() not in tap
    shown = gateway("tail", str(config), "--once")
    assert shown.stdout.splitlines()[-1].split()[1:5] == ["lane-1", "tap", "unknown_card", "admit=False"]
    assert len(shown.stdout.splitlines()) == 2
    assert gateway("tail", str(config), "--once", "--lines", "0").stdout == ""


def test_tail_of_a_gateway_that_never_ran(tmp_path: Path) -> None:
    done = gateway("tail", str(write_config(tmp_path, [])), "--once")
    assert (done.returncode, "hint" in done.stderr) == (1, True)
