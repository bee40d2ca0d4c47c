"""Kinds by name, settings judged in words, and captured bytes decoded."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from drivers.rdm6300.codec import encode
from drivers.registry import GROUP, KINDS, build, decoder, kinds, load
from gateway.errors import ConfigError, Problem
from gateway.ports import Device
from tests.contracts.benches import bench_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_loads_and_builds_without_touching_anything(kind: str) -> None:
    sample = (ROOT / "drivers" / kind / "sample.toml").read_text("utf-8")
    (settings,) = tomllib.loads(sample)["devices"]
    device: Device = build(kind, {key: value for key, value in settings.items() if key not in ("id", "kind")})
    assert type(device) is load(kind)
    # Its line in bench.py says to mypy that it is a Device.
    assert load(kind) is bench_of(kind).CONFORMS


def refusal(kind: str, **settings: object) -> Problem:
    with pytest.raises(ConfigError) as error:
        build(kind, settings)
    (problem,) = error.value.problems
    assert str(problem).removesuffix(f" ({problem.hint})") in str(error.value)
    return problem


@pytest.mark.parametrize(
    ("problem", "place", "got", "expected", "hint"),
    [
        (lambda: refusal("rdm6300"), "url", "nothing", "tcp://host:port", "for example: url = "),
        (lambda: refusal("rdm6300", urll="/dev/x", url="/dev/x"), "urll", "nobody knows", "url, baudrate", '"url"?'),
        (lambda: refusal("rdm6300", url="COM3"), "url", '"COM3"', "/dev/serial/by-id", "devices"),
        (lambda: refusal("rdm6300", url=7), "url", "7", "tcp://host:port", "for example"),
        (lambda: refusal("rdm6300", url="/dev/x", baudrate="9600"), "baudrate", '"9600"', "300", "baudrate = 9600"),
        (lambda: refusal("rdm6300", url="/dev/x", silence=0), "silence", "0", "0.1 to 10", "silence = 0.5"),
        (lambda: refusal("nfc", url="tty:AMA0:pn532", targets=["106B"]), "targets", "106B", "106A", "targets"),
        (lambda: refusal("nfc", url="tty:AMA0:pn532", targets=[]), "targets", "[]", "106A", "targets"),
        (lambda: refusal("nfc", url="com1"), "url", '"com1"', "usb:072f:2200", "devices"),
        (
            lambda: refusal("rdm63000", url="/dev/x"),
            "kind",
            '"rdm63000"',
            ", ".join(sorted(KINDS)),
            '"rdm6300"?',
        ),
        (
            lambda: refusal("zebra", url="/dev/x"),
            "kind",
            '"zebra"',
            ", ".join(sorted(KINDS)),
            "drivers/README.md",
        ),
    ],
)
def test_a_mistake_names_key_got_expected_and_hint(
    problem: object, place: str, got: str, expected: str, hint: str
) -> None:
    assert callable(problem)
    found = problem()
    assert found.place == f"key {place}"
    assert got in found.got
    assert expected in found.expected
    assert hint in found.hint


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        build("rdm6300", {"url": "COM3", "baudrate": 1, "silent": 1})
    assert {problem.place for problem in error.value.problems} == {"key url", "key baudrate", "key silent"}


def test_a_forgotten_key_that_was_misspelt() -> None:
    with pytest.raises(ConfigError) as error:
        build("rdm6300", {"ulr": "/dev/x"})
    assert 'it is written "ulr" here' in {problem.hint for problem in error.value.problems}


def run(program: str, *, path: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_kind_is_imported_on_first_use() -> None:
    program = (
        "import sys, drivers.registry as r; r.load('rdm6300'); print('nfc' in sys.modules, 'serial' in sys.modules)"
    )
    assert run(program) == "False True\n"


def test_a_missing_library_says_how_to_get_it() -> None:
    program = """
import sys
sys.modules["nfc"] = None
import drivers.registry
try:
    drivers.registry.build("nfc", {"url": "tty:AMA0:pn532"})
except drivers.registry.ConfigError as error:
    print(error.hint, "|", error)
"""
    said = run(program)
    assert said.startswith("pip install 'attendance-gateway[nfc]' | ")
    assert "library nfc" in said


def test_others_offer_kinds_by_entry_point(tmp_path: Path) -> None:
    metadata = tmp_path / "their_reader-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-reader\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\ntheirs = their_reader:Theirs\nrdm6300 = their_reader:No\n")
    (tmp_path / "their_reader.py").write_text("from drivers.virtual.driver import Virtual as Theirs\n")
    program = """
from drivers.registry import build, kinds, load
print(kinds(), type(build("theirs", {"url": "/dev/x"})).__name__, load("rdm6300").__name__)
"""
    assert run(program, path=str(tmp_path)) == f"{sorted([*KINDS, 'theirs'])} Virtual Rdm6300\n"


@pytest.mark.parametrize(
    ("target", "hint"),
    [("nothing_here:Reader", "ask who made"), ("pathlib:Reader", "ask who made"), ("pathlib:Path", "ask who made")],
)
def test_an_entry_point_that_leads_nowhere(target: str, hint: str, tmp_path: Path) -> None:
    metadata = tmp_path / "their_reader-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-reader\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\ntheirs = {target}\n")
    program = """
from drivers.registry import ConfigError, load
try:
    load("theirs")
except ConfigError as error:
    print(error.hint)
"""
    assert hint in run(program, path=str(tmp_path))


def test_decode_tells_every_card_and_every_refused_frame() -> None:
    good, bad = encode(bytes.fromhex("62E3086CED")), encode(bytes.fromhex("62E3086CED")).replace(b"08\x03", b"09\x03")
    assert [*decoder("rdm6300")([b"junk" * 3000 + good[:7], good[7:] + bad + encode(bytes(5)), good[:4]])] == [
        {"technology": "em4100", "uid": "62E3086CED", "raw": "0236324533303836434544303803"},
        {"rejected": "0236324533303836434544303903", "why": "the checksum is 09, not 08"},
        {"rejected": "0230303030303030303030303003", "why": "the UID is all zeros or all ones"},
        {"rejected": "02363245", "why": "the frame has no end"},
    ]


def test_decode_of_lines() -> None:
    assert [*decoder("virtual")([b"card 14443a:DEADBEEF\nrotation in\nnonsense\n"])] == [
        {"technology": "14443a", "uid": "DEADBEEF", "raw": b"card 14443a:DEADBEEF".hex().upper()},
        {
            "rejected": b"nonsense".hex().upper(),
            "why": "not a line of the grammar: card, refused, rotation, tamper, mode, fire_alarm or blocked",
        },
    ]


def test_decode_takes_the_settings_of_a_codec() -> None:
    line = b"Mifare[0456463AAC2280] UL (0044,00) 004,22086\r\n"
    assert [told.get("uid") for told in decoder("ironlogic", {"uid_layout": "air"})([line])] == ["0456463AAC2280"]
    assert [told.get("uid") for told in decoder("ironlogic")([line])] == [None]
    with pytest.raises(ConfigError, match="air"):
        decoder("ironlogic", {"uid_layout": "water"})
    with pytest.raises(ConfigError, match="no key at all"):
        decoder("rdm6300", {"uid_layout": "air"})


def test_a_kind_without_bytes_of_its_own_cannot_decode() -> None:
    with pytest.raises(ConfigError, match="nfc"):
        decoder("nfc")


def test_all_kinds_are_known() -> None:
    assert kinds() == sorted(KINDS)
