"""One reader on the desk: what is typed is what a driver reads; mistakes are two lines and an exit status."""

import asyncio
import json
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from drivers.registry import KINDS, build
from gateway.domain.answer import Answer, Words
from gateway.domain.model import Direction, Reason, Verdict
from gateway.ports import CardRead, Rotation
from simulators.cli import main
from simulators.desk import NOT_PLAYED, kinds, on_desk
from tests.contracts.readers import type_a, unpacked
from tests.needs import PCSC

COMMANDS = sorted(main.commands)
SIMULATORS = [sys.executable, "-m", "simulators"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example(command: str) -> None:
    told = CliRunner().invoke(main, [command, "--help"])
    assert told.exit_code == 0
    assert f"Example: attendance-sim {command}" in told.output


@pytest.mark.parametrize(
    ("line", "status", "sentence"),
    [
        (["card", "rdm6300", "55", "--url", "/nowhere/x"], 1, "5 bytes"),
        (["card", "rdm6300", "55007EE424", "--url", "/nowhere/x"], 1, "cannot be served"),
        (["card", "virtual", "55007EE424", "--url", "tcp://127.0.0.1:0", "--wait", "0"], 1, "no gateway opened"),
        (["card", "zk", "55007EE424", "--url", "x"], 2, "rdm6300"),
        (["card", "modbus", "55007EE424", "--url", "tcp://127.0.0.1:0"], 1, "it is a gate"),
        (["reader", "gpio"], 1, "gpio-sim"),
        (["morning", "--scenario", "nowhere"], 1, "nowhere"),
        (["morning", "--speed", "0"], 2, "speed"),
    ],
)
def test_mistakes_are_told(line: list[str], status: int, sentence: str) -> None:
    told = CliRunner().invoke(main, line)
    assert told.exit_code == status
    assert sentence in told.output
    assert "Traceback" not in told.output


def test_every_kind_is_played_or_the_command_says_why_not() -> None:
    assert {*kinds()} | NOT_PLAYED.keys() == KINDS.keys()
    assert not {*kinds()} & NOT_PLAYED.keys()


def test_a_crowd_is_printed() -> None:
    told = CliRunner().invoke(main, ["crowd", "--pupils", "20", "--seed", "3"])
    lines = [json.loads(line) for line in told.output.splitlines()]
    assert len([line for line in lines if line["pupil"]]) == 19
    assert lines == sorted(lines, key=lambda line: line["at"])


@pytest.mark.parametrize(
    ("kind", "url", "uid"),
    [
        ("rdm6300", "{folder}/reader", "55007EE424"),
        ("keyboard", "", "62E3086CED"),
        ("line", "", "62E3086CED"),
        ("ironlogic", "", "04DE5F1EACC040"),
        ("nfc", "", "04DE5F1EACC040"),
        ("osdp", "{folder}/bus", "04DE5F1EACC040"),
        ("virtual", "", "14443a:DEADBEEF"),
        ("zkteco", "", "0501"),
    ],
)
async def test_a_typed_uid_reaches_a_driver(tmp_path: Path, kind: str, url: str, uid: str) -> None:
    where = ["--url", url.format(folder=tmp_path)] if url else []
    async with on_the_desk(kind, *where) as (types, settings), build(kind, settings) as device:
        events = device.reader("").events()
        typed = uid.rpartition(":")[2]
        types(typed)
        [read] = unpacked(await asyncio.wait_for(anext(events), 20))
        assert isinstance(read, CardRead)
        assert read.credential.uid.hex().upper() == typed


def test_the_desk_says_what_the_gateway_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    assert "the library pyscard, which is not installed here" in on_desk("pcsc", None, tmp_path).settings


@pytest.mark.parametrize(
    ("kind", "asked", "example"),
    [
        ("zkteco", "Type a person's number as pairs of decimal digits,", "0501"),
        ("rdm6300", "Type a UID in hex,", "55007EE424"),
        ("osdp", "Type a UID in hex,", "04DE5F1EACC040"),
    ],
)
def test_what_a_desk_asks_for_is_what_it_takes(kind: str, asked: str, example: str) -> None:
    line = [*SIMULATORS, "reader", kind, "--hold", "0"]
    told = subprocess.run(line, input=b"no such thing\n", capture_output=True, check=False, timeout=60).stderr.decode()
    assert asked in told
    assert f"for example {example}\n" in told


async def test_a_field_that_no_gateway_asks_any_more_says_so_and_ends() -> None:
    async with on_the_desk("nfc") as (types, settings):
        async with build("nfc", settings) as device:
            types("04DE5F1EACC040")
            await asyncio.wait_for(anext(device.reader("").events()), 20)
        types("04112233445566")


@pytest.mark.needs(*PCSC)
async def test_a_card_lies_on_a_reader_of_pcscd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(tmp_path / "pcscd.comm"))
    async with on_the_desk("pcsc") as (types, settings), build("pcsc", settings) as device:
        types("04DE5F1EACC040")
        read = await asyncio.wait_for(anext(device.reader("").events()), 20)
        assert read == CardRead(credential=type_a("04DE5F1EACC040"))


@pytest.mark.parametrize("kind", ["modbus", "virtual"])
async def test_a_typed_word_happens_at_a_gate_and_its_lamp_is_told(kind: str) -> None:
    async with on_the_desk(kind) as (types, settings), build(kind, settings) as device:
        gate = device.gate("")
        types("rotation out")
        async with asyncio.timeout(20):
            async for event in gate.events():
                if event == Rotation(direction=Direction.OUT):
                    break
            await gate.show(Verdict(admit=True, reason=Reason.KNOWN), Words(answer=Answer.PASS, lines=()))
            assert "green" in await types.told()


@asynccontextmanager
async def on_the_desk(kind: str, *more: str) -> AsyncIterator[tuple["Typed", dict[str, Any]]]:
    """What is typed, and what belongs into the configuration; the program ends in order."""
    played = await asyncio.create_subprocess_exec(
        *(*SIMULATORS, "reader", kind, *more), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert played.stdin is not None
    assert played.stdout is not None
    assert played.stderr is not None
    try:
        told = (await asyncio.wait_for(played.stderr.readuntil(b"Type "), 20)).decode().removesuffix("Type ")
        settings = tomllib.loads(told)
        assert settings.pop("kind") == kind
        yield Typed(played.stdin, played.stdout), settings
        played.stdin.close()
        assert await asyncio.wait_for(played.wait(), 20) == 0
    finally:
        if played.returncode is None:
            played.kill()
            await played.wait()


@dataclass
class Typed:
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader

    def __call__(self, line: str) -> None:
        self.stdin.write(f"{line}\n".encode())

    async def told(self) -> str:
        return (await self.stdout.readline()).decode()


@pytest.mark.parametrize("nothing", ["</dev/null", "<&-", "</dev/null <&0", "<{folder}/empty"])
def test_without_anything_to_type_a_reader_ends(tmp_path: Path, nothing: str) -> None:
    (tmp_path / "empty").touch()
    line = " ".join([*SIMULATORS, "reader", "rdm6300", nothing.format(folder=tmp_path)])
    ended = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr


def test_uids_of_a_file_are_presented(tmp_path: Path) -> None:
    (tmp_path / "uids").write_text("55007EE424\n\n55\n", encoding="ascii")
    with (tmp_path / "uids").open() as uids:
        line = [*SIMULATORS, "reader", "rdm6300", "--hold", "0"]
        told = subprocess.run(line, stdin=uids, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert (told.returncode, told.stderr.count("error: ")) == (0, 1)


def test_a_link_that_was_left_behind_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    url = tmp_path / "reader"
    line = [*SIMULATORS, "reader", "rdm6300", "--url", str(url)]
    url.symlink_to(tmp_path / "gone")
    ended = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, url.is_symlink()) == (0, False), ended.stderr
    url.write_text("somebody's", encoding="ascii")
    ended = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, url.read_text(encoding="ascii")) == (1, "somebody's")
    assert "cannot be served" in ended.stderr
