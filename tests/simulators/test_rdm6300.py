"""The simulated module on a line that anybody may read."""

import asyncio
from pathlib import Path

import pytest

from drivers.cable import open_line
from simulators.rdm6300 import Rdm6300

UID = bytes.fromhex("62E3086CED")
FRAME = bytes.fromhex("0236324533303836434544303803")


async def heard(sim: Rdm6300, hold: float) -> bytes:
    """Everything that a presentation puts on the line, up to a mark sent after it."""
    received = b""
    async with asyncio.timeout(30), open_line(sim.url) as line:
        await sim.opened()
        assert await sim.present(UID, hold)
        await sim.garbage(b"#")
        async for chunk in line.chunks():
            received += chunk
            if received.endswith(b"#"):
                break
    return received.removesuffix(b"#")


@pytest.mark.parametrize("url", ["pty", "tcp://127.0.0.1:0"])
async def test_a_held_card_is_repeated(url: str, tmp_path: Path) -> None:
    async with Rdm6300(str(tmp_path / "reader") if url == "pty" else url) as sim:
        assert await heard(sim, 0) == FRAME
        received = await heard(sim, 0.2)
        assert received == FRAME * (len(received) // len(FRAME))
        assert 2 <= len(received) // len(FRAME) <= 4


async def test_an_id12la_sends_once_and_ends_the_line(tmp_path: Path) -> None:
    async with Rdm6300(str(tmp_path / "reader"), id12la=True) as sim:
        assert await heard(sim, 0.2) == FRAME[:-1] + b"\r\n\x03"


async def test_the_path_stays_when_it_is_plugged_in_again(tmp_path: Path) -> None:
    path = tmp_path / "reader"
    async with Rdm6300(str(path)) as sim:
        assert path.is_symlink()
        await sim.unplug()
        await sim.unplug()
        assert not path.is_symlink()
        assert not await sim.present(UID)
        await sim.replug()
        assert await heard(sim, 0) == FRAME
    assert not path.is_symlink()


async def test_what_a_killed_simulator_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "reader"
    path.symlink_to("/dev/pts/nothing")
    async with Rdm6300(str(path)) as sim:
        assert await heard(sim, 0) == FRAME


async def test_a_line_that_nobody_reads_loses_what_has_no_room(tmp_path: Path) -> None:
    async with Rdm6300(str(tmp_path / "reader")) as sim:
        for _ in range(20_000):
            if not await sim.present(UID):
                break
        else:
            raise AssertionError("the kernel's buffer has no end")
