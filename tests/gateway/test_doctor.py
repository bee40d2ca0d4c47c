"""The doctor names what is to be mended, and only that."""

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from drivers.holders import Holder
from gateway.cli import main
from tests.gateway.daemon import write_config


def doctor(config: Path) -> tuple[Result, dict[str, dict[str, str]]]:
    told = CliRunner().invoke(main, ["doctor", str(config), "--json"])
    return told, {one["what"]: one for one in json.loads(told.stdout)}


@pytest.fixture(autouse=True)
def on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine says of its own clock."""
    monkeypatch.setenv("ATTENDANCE_CLOCK", f"{datetime.now(UTC).isoformat()}|{time.monotonic()}|1")


def with_device(folder: Path, url: str) -> Path:
    config = write_config(folder, [])
    device = f'[[devices]]\nid = "door"\nkind = "rdm6300"\nurl = "{url}"\n'
    config.write_text(config.read_text() + device + '[[lanes]]\nid = "a"\ndirection = "in"\nreader = "door"\n')
    return config


def test_all_is_well(tmp_path: Path) -> None:
    master, slave = os.openpty()
    config = with_device(tmp_path, os.ttyname(slave))
    told, found = doctor(config)
    assert (told.exit_code, [one["wrong"] for one in found.values() if one["wrong"]]) == (0, [])
    assert {"configuration", "settings of devices", "enrolment", "device door", "clock", "disk"} <= found.keys()
    assert CliRunner().invoke(main, ["doctor", str(config)]).stdout.count("good") == len(found)
    os.close(master)
    os.close(slave)


def test_a_device_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    told, found = doctor(with_device(tmp_path, f"{tmp_path}/gone"))
    assert told.exit_code == 1
    assert "is not there" in found["device door"]["wrong"]
    assert "plug it in" in found["device door"]["hint"]
    assert [what for what, one in found.items() if one["wrong"]] == ["device door"]


def test_who_holds_a_device_is_told_unless_it_is_the_one_who_plays_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.holders.holders", lambda _: [Holder(name="minicom", process=1)])
    _, found = doctor(with_device(tmp_path, "/dev/null"))
    assert found["device door"]["wrong"] == "in use by minicom (process 1)"
    assert found["device door"]["hint"] == "stop that program"
    master, slave = os.openpty()
    told, _ = doctor(with_device(tmp_path, os.ttyname(slave)))
    assert told.exit_code == 0
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("kind", "url"), [("nfc", "udp:127.0.0.1:9"), ("virtual", "tcp://127.0.0.1:9"), ("rdm6300", "tcp://127.0.0.1:9")]
)
def test_a_device_that_only_opening_shows_has_its_line_too(tmp_path: Path, kind: str, url: str) -> None:
    config = with_device(tmp_path, url)
    config.write_text(config.read_text().replace("rdm6300", kind))
    _, found = doctor(config)
    assert not found["device door"]["wrong"]
    assert (
        f"device door: not looked at, {url} is only opened by"
        in CliRunner().invoke(main, ["doctor", str(config)]).stdout
    )


def test_a_socket_that_is_not_there_is_named(tmp_path: Path) -> None:
    _, found = doctor(with_device(tmp_path, f"unix:{tmp_path}/gone"))
    assert "is not there" in found["device door"]["wrong"]
    assert found["device door"]["hint"] == "start the program that serves it"


def test_a_library_that_is_missing_is_named_at_its_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    config = with_device(tmp_path, "pcsc:ACS ACR122U")
    config.write_text(config.read_text().replace("rdm6300", "pcsc"))
    _, found = doctor(config)
    assert found["device door"]["wrong"] == "the library pyscard is not installed here"
    assert "requirements-pcsc.lock" in found["device door"]["hint"]


def test_a_clock_that_nobody_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATTENDANCE_CLOCK")
    monkeypatch.setattr("sync.clock._synchronised", lambda: False)
    _, found = doctor(with_device(tmp_path, "/dev/null"))
    assert "not synchronised: taps are recorded, but nobody is marked late by them" in found["clock"]["wrong"]


def test_without_a_configuration_there_is_one_thing_to_mend(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("site = 1")
    told, found = doctor(tmp_path / "gateway.toml")
    assert told.exit_code == 1
    assert {what: bool(one["wrong"]) for what, one in found.items()} == {"configuration": True, "environment": False}
