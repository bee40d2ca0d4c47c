"""The examples are what they say: installed as a stranger would, found by name, and held to the same promises."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.daemon import write_config

ROOT = Path(__file__).parents[1]
DRIVER = ROOT / "examples" / "driver"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment of ours with the example beside it."""
    source, target = tmp_path_factory.mktemp("source") / "driver", tmp_path_factory.mktemp("site")
    # A build leaves files beside what it builds.
    run("cp", "-r", str(DRIVER), str(source))
    how = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "install", *how, "--target", str(target), str(source))
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(target), str(ROOT)))}


def run(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_drivers_own_tests_pass_beside_this_gateway(installed: dict[str, str]) -> None:
    told = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(DRIVER / "tests"), env=installed)
    assert "6 passed" in told


def test_every_command_knows_the_kind(installed: dict[str, str], tmp_path: Path) -> None:
    gateway = (sys.executable, "-m", "gateway")
    capture = tmp_path / "capture.txt"
    capture.write_text("FF 7E 04 04112233 6E")
    assert '"uid": "04112233"' in run(*gateway, "decode", "abacus", "--hex", str(capture), env=installed)
    config = write_config(tmp_path, [])
    lane = '[[lanes]]\nid = "north"\ndirection = "in"\nreader = "door-abacus"\n'
    config.write_text(config.read_text() + (DRIVER / "sample.toml").read_text("utf-8") + lane)
    assert "good" in run(*gateway, "check", str(config), env=installed)
