"""One known card at a lane's reader: what to write into gateway.toml, or why not."""

import asyncio
import sys
from pathlib import Path

import pytest

from simulators.keyboard import Keyboard
from simulators.line import Plugged
from simulators.rdm6300 import Rdm6300
from simulators.text import TextReader
from sync.files import ledger_claimed
from tests.gateway.daemon import write_config

UID = bytes.fromhex("62E3086CED")
LINE = 'kind = "line"\ntechnology = "em4100"\nlength = 5'


def config(folder: Path, url: str, table: str = LINE) -> Path:
    path = write_config(folder, [url])
    text = path.read_text().replace('gate = "door-1"\n', "").replace('kind = "virtual"', table)
    path.write_text(text)
    return path


async def calibrate(
    config: Path, uid: str, sim: Plugged | None = None, lane: str = "lane-1", wait: str = "20"
) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "gateway", "calibrate", str(config), lane, "--uid", uid, "--wait", wait]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(60):
        if isinstance(sim, TextReader | Keyboard | Rdm6300):
            await sim.opened()
            assert await sim.present(UID)
        said, told = await process.communicate()
    return process.returncode or 0, said.decode(), told.decode()


@pytest.mark.parametrize("state", [False, True], ids=["before the first run", "later"])
async def test_a_reader_that_prints_backwards(tmp_path: Path, state: bool) -> None:
    if state:
        (tmp_path / "state").mkdir()
    async with TextReader("tcp://127.0.0.1:0", lambda uid: uid[::-1].hex().encode() + b"\n") as sim:
        code, said, told = await calibrate(config(tmp_path, sim.url), "em4100:62E3086CED", sim)
    assert (code, said) == (0, 'technology = "em4100"\nlength = 5\norder = "le"\ndelimiter = "lf"\n'), told
    assert "62E3086CED" not in told


async def test_settings_that_are_right_are_told_to_be_so(tmp_path: Path) -> None:
    async with Rdm6300("tcp://127.0.0.1:0") as sim:
        code, said, told = await calibrate(config(tmp_path, sim.url, 'kind = "rdm6300"'), "em4100:62E3086CED", sim)
    assert (code, said) == (0, "")
    assert "right as they are" in told
    assert "[[devices]]" not in told


async def test_a_reader_that_leaves_bytes_out_is_told(tmp_path: Path) -> None:
    table = LINE.replace("line", "keyboard")
    async with Keyboard(f"unix:{tmp_path}/reader", lambda uid: f"{int.from_bytes(uid[1:]):010}") as sim:
        code, said, told = await calibrate(config(tmp_path, sim.url, table), "em4100:62E3086CED", sim)
    assert (code, said) == (0, 'technology = "wiegand34"\nlength = 4\nbase = "dec"\n'), told
    assert "only a part of the card, wiegand34:E3086CED" in told


async def test_another_card_fits_nothing(tmp_path: Path) -> None:
    async with TextReader("tcp://127.0.0.1:0") as sim:
        code, said, told = await calibrate(config(tmp_path, sim.url), "em4100:55007EE424", sim)
    assert (code, said) == (1, "")
    assert "it told em4100:…6CED; is it really that card?" in told
    assert UID.hex() not in told.lower()


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        (b"0123456789\r\n", "it said 12 characters, in the end 6789"),
        (b"\x02\x62\xe3\x08\x6c\xed\x03", "it said 7 bytes that are no text"),
    ],
    ids=["as text", "as bytes"],
)
async def test_what_is_no_card_is_not_shown_whole_either(tmp_path: Path, heard: bytes, told: str) -> None:
    table = LINE.replace("length = 5", 'length = 5\nprefix = "#"')
    async with TextReader("tcp://127.0.0.1:0", lambda _: heard) as sim:
        code, _, error = await calibrate(config(tmp_path, sim.url, table), "em4100:55007EE424", sim)
    assert code == 1
    assert f"{told}; is it really that card?" in error


async def test_not_beside_the_daemon(tmp_path: Path) -> None:
    with ledger_claimed(tmp_path / "state" / "ledger.db"):
        code, _, told = await calibrate(config(tmp_path, "tcp://127.0.0.1:1"), "em4100:62E3086CED")
    assert code == 1
    assert "another gateway process" in told
    assert "stop it first" in told
    assert "Hold" not in told


@pytest.mark.parametrize(
    ("uid", "lane", "table", "sentence"),
    [
        ("62E3086CED", "lane-1", LINE, "technology:UID"),
        ("em4100:62E3", "lane-1", LINE, "5 bytes"),
        ("em4100:62E3086CED", "lane-9", LINE, "lanes of this configuration: lane-1"),
        ("em4100:62E3086CED", "lane-1", 'kind = "virtual"', "needs no such settings"),
        ("em4100:62E3086CED", "lane-1", 'kind = "osdp"', 'uid = "air"'),
        ("em4100:62E3086CED", "lane-1", 'kind = "osdp"', 'uid = "reversed"'),
        ("em4100:62E3086CED", "lane-1", LINE, "nobody listens"),
    ],
)
async def test_mistakes_are_told(tmp_path: Path, uid: str, lane: str, table: str, sentence: str) -> None:
    code, said, told = await calibrate(config(tmp_path, "tcp://127.0.0.1:1", table), uid, lane=lane)
    assert (code, said) == (1, "")
    assert sentence in told
    assert ("Hold" in told) is (sentence == "nobody listens")
    assert "Traceback" not in told


async def test_a_silent_reader_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async with TextReader("tcp://127.0.0.1:0") as sim:
        code, _, told = await calibrate(config(tmp_path, sim.url), "em4100:62E3086CED", wait="1")
    assert code == 1
    assert "said nothing within 1 s" in told
