"""A line opens or says why not, in words that an operator can follow."""

import asyncio
import errno
import os
import socket
import subprocess
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from drivers.cable import LineUrl, open_line
from drivers.trouble import lost, unopened
from gateway.errors import DeviceLost
from simulators.line import PtyEnd, SocketEnd
from tests.contracts.leftovers import nothing_more

URL: TypeAdapter[str] = TypeAdapter(LineUrl)


@pytest.mark.parametrize(
    "url",
    [
        "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0",
        "/dev/ttyAMA0",
        "tcp://10.0.0.7:4001",
        "tcp://door.school.example:4001",
        "tcp://[::1]:4001",
        "unix:/run/attendance/door.sock",
    ],
)
def test_a_url(url: str) -> None:
    assert URL.validate_python(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ttyUSB0",
        "COM3",
        "tcp://10.0.0.7",
        "tcp://10.0.0.7:0",
        "tcp://10.0.0.7:99999",
        "tcp://10.0.0.7:4001/door",
        "tcp://user:password@10.0.0.7:4001",
        "tcp://:4001",
        "udp://10.0.0.7:4001",
        "unix:door.sock",
        "/dev/tty\0USB0",
    ],
)
def test_no_url(url: str) -> None:
    with pytest.raises(ValidationError):
        URL.validate_python(url)


async def refusal(url: str) -> DeviceLost:
    with pytest.raises(DeviceLost) as error:
        async with asyncio.timeout(30), open_line(url):
            pass
    return error.value


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    async with nothing_more():
        yield


async def test_a_device_that_is_not_there(tmp_path: Path, nothing_left: None) -> None:
    error = await refusal(str(tmp_path / "reader"))
    assert "is not there" in str(error)
    assert "/dev/serial/by-id" in error.hint


async def test_a_file_that_is_no_serial_line(tmp_path: Path, nothing_left: None) -> None:
    (tmp_path / "reader").write_bytes(b"")
    error = await refusal(str(tmp_path / "reader"))
    assert "serial device" in error.hint


async def test_a_device_that_another_program_holds(tmp_path: Path) -> None:
    end = PtyEnd(tmp_path / "reader")
    await end.plug()
    program = (
        f"import serial, sys; p = serial.Serial({end.url!r}, exclusive=True); print(p.is_open, flush=True); input()"
    )
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=PIPE, stdout=PIPE)
    assert child.stdout is not None
    assert await child.stdout.readline() == b"True\n"
    assert f"process {child.pid})" in str(await refusal(end.url))
    await child.communicate(b"\n")
    await end.unplug()


def test_a_program_with_any_name_may_hold_a_device(tmp_path: Path) -> None:
    device = tmp_path / "reader"
    device.write_bytes(b"")
    program = f"open('/proc/self/comm', 'wb').write(b'\\xff\\xfename'); f = open({str(device)!r}); print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert f"name (process {child.pid})" in str(lost(str(device), OSError(errno.EBUSY, "busy")))
        child.communicate(b"\n")


async def test_who_holds_a_device_is_looked_up_beside_the_loop() -> None:
    looked = []

    def look(url: str, error: Exception) -> DeviceLost:
        looked.append(threading.current_thread() is threading.main_thread())
        return DeviceLost(url)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("drivers.trouble.lost", look)
        for code in (errno.EBUSY, errno.ENOENT):
            await unopened("/dev/x", OSError(code, "no"))
    assert looked == [False, True]


async def test_a_line_is_for_one(tmp_path: Path) -> None:
    end = PtyEnd(tmp_path / "reader")
    await end.plug()
    async with open_line(end.url):
        assert "in use" in str(await refusal(end.url))
    async with open_line(end.url):
        pass
    await end.unplug()


async def test_what_came_before_is_nobodys_tap(tmp_path: Path) -> None:
    end = PtyEnd(tmp_path / "reader")
    await end.plug()
    end.send(b"old")
    async with asyncio.timeout(30), open_line(end.url) as line:
        end.send(b"new")
        assert await anext(aiter(line.chunks())) == b"new"
    await end.unplug()


def test_a_device_that_may_not_be_opened(tmp_path: Path) -> None:
    device = tmp_path / "reader"
    device.write_bytes(b"")
    error = lost(str(device), PermissionError(13, "Permission denied"))
    assert "may not be opened" in str(error)
    assert f"usermod -aG {device.group()}" in error.hint


async def test_a_port_where_nobody_listens(nothing_left: None) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "nobody listens" in str(await refusal(f"tcp://127.0.0.1:{port}"))


async def test_a_socket_that_is_not_there(tmp_path: Path, nothing_left: None) -> None:
    assert "is not there" in str(await refusal(f"unix:{tmp_path}/door"))


async def test_a_converter_that_loses_its_power_is_asked_by_the_kernel() -> None:
    end = SocketEnd("tcp://127.0.0.1:0")
    await end.plug()
    async with asyncio.timeout(30), open_line(end.url) as line:
        with socket.socket(fileno=os.dup(line._port.fileno())) as port:
            assert port.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert port.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
    await end.unplug()


@pytest.mark.parametrize("url", ["pty", "tcp://127.0.0.1:0", "unix"])
async def test_bytes_go_both_ways_and_wait_in_the_kernel(url: str, tmp_path: Path) -> None:
    heard, all_heard = bytearray(), asyncio.Event()

    def hear(data: bytes) -> None:
        heard.extend(data)
        if len(heard) == 5:
            all_heard.set()

    names = {"pty": str(tmp_path / "reader"), "unix": f"unix:{tmp_path}/reader"}
    end = (PtyEnd(Path(names[url]), hear)) if url == "pty" else SocketEnd(names.get(url, url), hear)
    await end.plug()
    async with asyncio.timeout(20), open_line(end.url) as line:
        await end.opened()
        pouring = asyncio.create_task(end.pour(b"0123456789" * 20_000))
        received = bytearray()
        async for chunk in line.chunks():
            assert len(chunk) <= 4096
            received += chunk
            if len(received) == 200_000:
                break
        await pouring
        assert received == b"0123456789" * 20_000
        line.write(b"hello")
        await all_heard.wait()
        assert heard == b"hello"
    await end.unplug()


async def test_a_pause_is_told_once_after_something_was_said(tmp_path: Path) -> None:
    end = PtyEnd(tmp_path / "reader")
    await end.plug()
    heard: list[bytes] = []
    async with asyncio.timeout(30), open_line(end.url) as line:
        end.send(b"one")
        async for chunk in line.chunks(pause=0.02):
            heard.append(chunk)
            if heard == [b"one", b""]:
                end.send(b"two")
            if heard.count(b"") == 2:
                break
    await end.unplug()
    assert heard == [b"one", b"", b"two", b""]
