"""A key of its own for each reader: by hand, for seconds, on the disk before the reader has it."""

import asyncio
import stat
import sys
import time
from pathlib import Path

import pytest

from drivers.cable import open_line
from drivers.osdp import provision
from drivers.osdp.driver import Osdp
from drivers.osdp.keys import KeyFile
from drivers.osdp.panel import Panel
from gateway.errors import ConfigError, DeviceLost
from simulators.osdp import OsdpBus


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not take a key is known sooner."""
    monkeypatch.setattr(provision, "PATIENCE", 1.0)


def of(sim: OsdpBus, folder: Path) -> Osdp:
    return Osdp(Osdp.Settings(url=sim.url, keys=str(folder), readers=(*sim.readers,)))


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_reader_is_given_a_key_of_its_own_and_speaks_only_under_it(tmp_path: Path) -> None:
    async with asyncio.timeout(30), OsdpBus(str(tmp_path / "bus"), {1: None, 2: None}) as sim:
        keys = [(await of(sim, tmp_path).provision(address, 10)).read_text() for address in ("1", "2")]
        assert len({*keys}) == 2
        assert stat.S_IMODE((tmp_path / "1.key").stat().st_mode) == 0o600
        async with of(sim, tmp_path):
            await sim.opened()
    assert kept(tmp_path) == ["1.key", "2.key"]


async def test_a_reader_that_is_not_ready_is_given_nothing(tmp_path: Path, hasty: None) -> None:
    theirs = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    (tmp_path / "1.key").write_text("ours before")
    async with asyncio.timeout(30), OsdpBus(str(tmp_path / "bus"), {1: theirs}) as sim:
        with pytest.raises(DeviceLost, match="took no key within") as lost:
            await of(sim, tmp_path).provision("1", 0.5)
        assert "installation mode" in lost.value.hint
        assert (tmp_path / "1.key").read_text() == "ours before"


async def test_a_reader_without_a_secure_channel_is_not_there(tmp_path: Path) -> None:
    """Without being enforced, as while a key is given, libosdp talks on in the clear to a reader that has another one."""
    theirs = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    async with asyncio.timeout(30), OsdpBus(str(tmp_path / "bus"), {1: theirs}) as sim, open_line(sim.url) as line:
        panel = Panel(line, {1: bytes(16)}, time.monotonic, installs=True)
        turns, clear = 0, False
        while turns < 100 or not clear:
            await asyncio.sleep(0.005)
            panel.turn()
            turns, clear = turns + 1, clear or bool(panel._panel.status())
            assert not panel.there(1)


async def test_a_bus_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    async with asyncio.timeout(30), OsdpBus(str(tmp_path / "bus"), {1: None}) as sim:
        await of(sim, tmp_path).provision("1", 10)
        async with of(sim, tmp_path):
            with pytest.raises(DeviceLost, match="in use"):
                await of(sim, tmp_path).provision("1", 1)


async def test_a_key_that_arrived_unseen_is_tried_again(tmp_path: Path) -> None:
    """The power failed between the reader's word that it has the key and ours that it is the key."""
    key = KeyFile(str(tmp_path), 1).make()
    async with asyncio.timeout(30), OsdpBus(str(tmp_path / "bus"), {1: key}) as sim:
        path = await of(sim, tmp_path).provision("1", 0.5)
        assert bytes.fromhex(path.read_text()) == key


CONFIG = """site = "school-12"
gateway = "main-entrance"
[state]
directory = "/nowhere"
[enrolment]
file = "/nowhere/enrolment.toml"
[uplink]
url = "none"
[[devices]]
id = "door-bus"
kind = "osdp"
url = "{url}"
keys = "{keys}"
[[devices]]
id = "other"
kind = "virtual"
url = "tcp://127.0.0.1:9"
[[lanes]]
id = "north-in"
direction = "in"
reader = "door-bus/1"
"""


async def provisioned(config: Path, *words: str) -> tuple[int | None, str]:
    program = [sys.executable, "-m", "gateway", "provision", str(config), *words]
    ran = await asyncio.create_subprocess_exec(
        *program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await ran.communicate()
    return ran.returncode, said.decode()


async def test_an_operator_gives_a_key(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    async with asyncio.timeout(60), OsdpBus(str(tmp_path / "bus"), {1: None}) as sim:
        config.write_text(CONFIG.format(url=sim.url, keys=tmp_path))
        code, said = await provisioned(config, "door-bus", "1", "--seconds", "20")
        assert code == 0, said
        assert f"keep {tmp_path}/1.key as secret as the door" in said
        for words, hint in ((("door-bas", "1"), "one of door-bus, other"), (("other", ""), "nothing is to be done")):
            code, said = await provisioned(config, *words)
            assert code == 1
            assert hint in said


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("7D1F0B6A93C24E58A1B2C3D4E5F60718", 0o640, "by others"),
        ("303132333435363738393A3B3C3D3E3F", 0o600, "no key of its own"),
        ("7D1F", 0o600, "no key of its own"),
        ("ключ", 0o600, "cannot be read"),
    ],
)
def test_a_file_that_is_no_secret_key_is_refused(text: str, mode: int, why: str, tmp_path: Path) -> None:
    file = tmp_path / "1.key"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    with pytest.raises(ConfigError, match=why) as error:
        KeyFile(str(tmp_path), 1).read()
    assert text not in str(error.value)
    assert error.value.hint


def test_a_key_that_cannot_be_kept_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be written") as error:
        KeyFile(str(tmp_path / "nothing here"), 1).make()
    assert "install -d" in error.value.hint
