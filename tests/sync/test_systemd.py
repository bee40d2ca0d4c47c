"""The service manager's side is a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.systemd import ALIVE, READY, notify, watchdog_interval


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@attendance-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address.replace("@", "\0", 1))
        listening.settimeout(5)
        yield listening, address


def test_a_state_arrives(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    assert notify(READY, {"NOTIFY_SOCKET": address})
    assert notify(f"{ALIVE}\nSTATUS=ждём", {"NOTIFY_SOCKET": address})
    assert listening.recv(100) == b"READY=1"
    assert listening.recv(100).decode() == "WATCHDOG=1\nSTATUS=ждём"


@pytest.mark.parametrize("address", ["", "vsock:2:1", "/nowhere/at/all", "/" + "x" * 300])
def test_nobody_listens(address: str) -> None:
    assert not notify(READY, {"NOTIFY_SOCKET": address})
    assert not notify(READY, {})


def test_a_full_socket_does_not_block(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address)
        assert not all(notify("X" * 1000, {"NOTIFY_SOCKET": address}) for _ in range(10_000))


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_interval_is_half_of_what_is_allowed(environment: dict[str, str], seconds: float | None) -> None:
    assert watchdog_interval(environment) == seconds
