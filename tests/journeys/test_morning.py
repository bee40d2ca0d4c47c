"""Whole mornings through real processes: nothing lost, nothing doubled, nobody told twice or wrongly, whatever is killed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

MORNING = [sys.executable, "-m", "simulators", "morning", "--scenario", "brisk", "--language", "en"]
FIGURES = {
    "taps": int,
    "green": int,
    "entries": int,
    "journal_entries": int,
    "duplicates": int,
    "gaps": int,
    "present": int,
    "late": int,
    "absent": int,
    "unknown": int,
    "notices": int,
    "expected": dict,
    "expected_between": dict,
    "mismatches": list,
    "tap_to_show_ms": dict,
    "tap_to_journal_ms": dict,
    "late_to_mail_ms": dict,
    "gateway_rss_mib": float,
}


def play(folder: Path, *options: str, pupils: int = 60, speed: int = 150) -> dict[str, Any]:
    report = folder / "report.json"
    command = [*MORNING, "--pupils", str(pupils), "--speed", str(speed), "--json", str(report), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    assert (ended.returncode, result.get("mismatches")) == (0, []), ended.stderr[-4000:]
    shown = re.findall(r"entries (?:at the gateways|in the journal) (\d+)", ended.stderr)
    assert 0 < max(map(int, shown)) <= result["entries"], "the screen never counts more than the reckoning"
    assert ("that is intended" in ended.stderr) == ("gateway" in options)
    return result


def holds(result: dict[str, Any]) -> None:
    """What is true of every morning that reconciles."""
    assert {name: type(result[name]) for name in FIGURES} == FIGURES
    assert (result["duplicates"], result["gaps"]) == (0, 0)
    assert result["journal_entries"] == result["entries"] > result["green"] > 0
    expected = result["expected"]
    assert {status: result[status] for status in expected} == expected
    assert set(result["tap_to_show_ms"]) == set(result["tap_to_journal_ms"]) == {"p50", "p99"}


def test_an_undisturbed_morning_over_the_broker_of_the_wheel(tmp_path: Path) -> None:
    result = play(tmp_path, "--seed", "1", "--broker", "iotcore")
    holds(result)
    assert result["present"] + result["late"] + result["absent"] == 60
    assert result["notices_by_template"].keys() >= {"late", "not_seen"}
    assert set(result["late_to_mail_ms"]) == {"p50", "p95"}


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize(("victim", "seed"), [("journal", "3"), ("broker", "4")])
def test_who_carries_the_entries_is_killed(tmp_path: Path, victim: str, seed: str) -> None:
    result = play(tmp_path, "--seed", seed, "--kill", victim)
    holds(result)
    assert result["killed"] == {victim: 5}
    assert result["unknown"] == 0
    assert result["notices"] > 0


@pytest.mark.needs("mosquitto")
def test_gateways_are_killed(tmp_path: Path) -> None:
    result = play(tmp_path, "--seed", "5", "--kill", "gateway")
    holds(result)
    assert result["killed"] == {"north": 2, "south": 1}
    # A lane was blind: nobody is called absent, and no parent is told anything.
    assert (result["absent"], result["notices"]) == (0, 0)
    assert result["unknown"] > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    keep = tmp_path / "kept"
    command = [*MORNING, "--pupils", "20", "--speed", "60", "--broker", "iotcore", "--keep", str(keep)]
    playing = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        until_running(playing, keep)
        playing.send_signal(number)
        playing.wait(60)
        deadline = time.monotonic() + 60
        while mentioning(keep):
            assert time.monotonic() < deadline, mentioning(keep)
            time.sleep(0.05)
    finally:
        playing.kill()
        _, told = playing.communicate()
    assert playing.returncode == (-number if number == signal.SIGKILL else 130)
    assert "Traceback" not in told


def until_running(playing: subprocess.Popen[str], keep: Path) -> None:
    """The morning, its journal and both gateways run."""
    deadline = time.monotonic() + 60
    while len(mentioning(keep)) < 4:
        assert playing.poll() is None, playing.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def mentioning(keep: Path) -> list[str]:
    """Command lines of living processes that name the folder of this morning."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(keep).encode() in line:
                found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found
