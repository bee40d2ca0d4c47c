"""`gateway check` as an operator meets it: every mistake with its place, all at once, and no device touched."""

import importlib.metadata
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.load import load
from gateway.check import judge_devices, own_packages
from gateway.cli import main
from gateway.errors import ConfigError, Problem
from tests.config.test_load import BROKEN, WHOLE, write

GOOD = WHOLE.replace("hold_off = 2.5\n", "")
DOOR = '[[devices]]\nid = "door-{n}"\nkind = "{kind}"\nurl = "/dev/ttyUSB{n}"\n'


def check(folder: Path, text: str) -> Result:
    return CliRunner().invoke(main, ["check", str(write(folder, text))])


def test_a_good_one(tmp_path: Path) -> None:
    checked = check(tmp_path, GOOD)
    assert checked.exit_code == 0, checked.output
    assert "good" in checked.output


@pytest.mark.parametrize(("old", "new", "where", "got", "expected", "hint"), BROKEN)
def test_a_broken_file_is_explained_at_the_command_line(
    tmp_path: Path, old: str, new: str, where: str, got: str, expected: str, hint: str
) -> None:
    checked = check(tmp_path, WHOLE.replace(old, new, 1))
    assert checked.exit_code == 1
    assert f"gateway.toml: {where}: got {got}, expected {expected} ({hint})" in checked.output
    assert "Traceback" not in checked.output


def problems(folder: Path, text: str) -> dict[str, Problem]:
    with pytest.raises(ConfigError) as caught:
        judge_devices(load(write(folder, text)))
    return {problem.place.removeprefix("gateway.toml: "): problem for problem in caught.value.problems}


LANE = '[[lanes]] 1 "north-in", key '


@pytest.mark.parametrize(
    ("old", "new", "where", "got", "expected", "hint"),
    [
        (
            'reader = "door-serial"',
            'reader = "door-serial/2"',
            LANE + "reader",
            '"door-serial/2"',
            'the address of a reader: this device has no address "2"',
            "name the device alone, without a slash and an address",
        ),
        (
            'direction = "in"',
            'direction = "in"\ngate = "door-serial"',
            LANE + "gate",
            '"door-serial"',
            "the address of a gate: this device has no gate",
            "name the device of the lamp or bolt as the lane's gate",
        ),
        (
            '"/dev/ttyUSB0"',
            '"COM3"',
            '[[devices]] 1 "door-serial", key url',
            '"COM3"',
            '"/dev/serial/by-id/…", "tcp://host:port" or "unix:/path"',
            "'attendance-gateway devices' lists the serial devices of this machine",
        ),
    ],
)
def test_what_only_a_driver_knows_is_placed_where_it_is_written(
    tmp_path: Path, old: str, new: str, where: str, got: str, expected: str, hint: str
) -> None:
    assert old in GOOD
    checked = check(tmp_path, GOOD.replace(old, new, 1))
    assert checked.exit_code == 1
    assert f"gateway.toml: {where}: got {got}, expected {expected} ({hint})" in checked.output


def test_all_devices_and_all_lanes_are_judged_together(tmp_path: Path) -> None:
    text = GOOD + "".join(
        [
            DOOR.format(n=1, kind="rdm6300"),
            DOOR.format(n=2, kind="rdm6301"),
            '[[lanes]]\nid = "a"\ndirection = "in"\nreader = "door-1/x"\ngate = "door-1/y"\n',
            '[[lanes]]\nid = "b"\ndirection = "in"\nreader = "door-2"\ngate = "door-serial"\n',
        ]
    )
    places = ['[[devices]] 3 "door-2", key kind', *(f'[[lanes]] 2 "a", key {key}' for key in ("reader", "gate"))]
    assert [*problems(tmp_path, text)] == [*places, '[[lanes]] 3 "b", key gate']


def test_what_a_driver_knows_is_told_beside_a_table_that_is_wrong(tmp_path: Path) -> None:
    broken = GOOD.replace('direction = "in"', 'direction = "inside"', 1)
    text = (
        broken + DOOR.format(n=1, kind="rdm6301") + '[[lanes]]\nid = "a"\ndirection = "in"\nreader = "door-serial/2"\n'
    )
    checked = check(tmp_path, text + 'devices = "none"\n')
    told = [line.partition(": got ")[0].removeprefix("error: ").strip() for line in checked.output.splitlines()]
    assert checked.exit_code == 1
    for place in (LANE + "direction", '[[lanes]] 2 "a", key devices', '[[devices]] 2 "door-1", key kind'):
        assert sum(line.endswith(place) for line in told) == 1, (place, told)


def test_a_library_that_only_the_running_device_needs_is_missed_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    text = GOOD.replace('kind = "rdm6300"\nurl = "/dev/ttyUSB0"', 'kind = "pcsc"\nurl = "pcsc:ACS"')
    checked = check(tmp_path, text)
    assert checked.exit_code == 1
    assert 'key kind: got "pcsc", expected the library pyscard to be installed' in checked.output
    assert "requirements-pcsc.lock" in checked.output


def test_a_stranger_under_our_name_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    own_packages()
    owners = {"sync": ["attendance-gateway", "their-sync"]}
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: owners)
    with pytest.raises(ConfigError, match="sync is also in their-sync"):
        own_packages()
