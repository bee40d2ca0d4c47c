"""A broker of its own for each test, a receiver of directories over a folder of its own, and what makes a disk fail."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from sync.directory import DirectoryReceiver
from tests.broker import Mosquitto
from tests.gateway.fakes import HandClock
from tests.sync.roster import JOURNAL, SITE


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


@pytest.fixture(scope="session")
def strace() -> Sequence[str]:
    """The beginning of a command that makes system calls fail."""
    command = ("strace", "-f", "-qq", "-o", "/dev/null")
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here (ptrace is forbidden)")
    return command


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def new_receiver(tmp_path: Path, clock: HandClock) -> Callable[[], DirectoryReceiver]:
    return lambda: DirectoryReceiver(
        tmp_path / "state" / "directory.json", site=SITE, keys=[JOURNAL.public], clock=clock
    )
