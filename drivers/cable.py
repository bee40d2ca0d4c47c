"""One asynchronous line of bytes for all serial kinds: a device file, or the same bytes behind a socket. No thread."""

import asyncio
import os
import re
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

import serial
from pydantic import AfterValidator, Field

from drivers.trouble import lost, unopened
from gateway.errors import DeviceLost

_CHUNK = 4096
_CONNECT_SECONDS = 5.0
#: A converter that lost its power says nothing; the kernel notices within 10 + 3 * 5 s.
_KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}

_FILE = re.compile(r"/[^\0]{1,4000}")
_UNIX = re.compile(r"unix:(/[^\0]{1,100})")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")


def _line_url(url: str) -> str:
    if _FILE.fullmatch(url) or _UNIX.fullmatch(url):
        return url
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme != "tcp" or not port or not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError("'attendance-gateway devices' lists the serial devices of this machine")
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("only tcp://, host and port")
    return url


#: Where a serial device is: `/dev/serial/by-id/…`, `tcp://host:port` (a serial server) or `unix:/path`.
LineUrl = Annotated[
    str,
    AfterValidator(_line_url),
    Field(
        description='"/dev/serial/by-id/…", "tcp://host:port" or "unix:/path"',
        examples=["/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"],
    ),
]


class Port(Protocol):
    """A non-blocking descriptor with an owner."""

    def fileno(self) -> int: ...
    def close(self) -> None: ...


class Line:
    """An open line. Nothing is buffered here: who does not read leaves the bytes with the kernel, which is bounded."""

    def __init__(self, url: str, port: Port) -> None:
        self._url = url
        self._port = port

    async def chunks(self, pause: float | None = None) -> AsyncIterator[bytes]:
        """At most 4 KiB at a time, as they come, and once b"" when nothing follows for `pause` seconds. Raises DeviceLost."""
        speaking = False
        while True:
            try:
                async with asyncio.timeout(pause if speaking else None):
                    await self._readable()
            except TimeoutError:
                speaking = False
                yield b""
                continue
            if data := self._take(_CHUNK):
                speaking = True
                yield data

    def read(self, size: int) -> bytes:
        """What is there now, perhaps nothing: for a library that asks by itself. Raises DeviceLost."""
        try:
            # An empty answer means a hang-up only where the kernel has promised one: a serial device says it to any question.
            ready = select.select([self._port], [], [], 0)[0]
        except (OSError, ValueError) as error:
            raise DeviceLost(f"{self._url} was closed") from error
        return self._take(size) if ready else b""

    def _take(self, size: int) -> bytes:
        try:
            data = os.read(self._port.fileno(), size)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise lost(self._url, error) from error
        if not data:
            raise DeviceLost(f"{self._url} was unplugged or hung up")
        return data

    def fileno(self) -> int:
        """For a thread that waits for this line and for other things."""
        return self._port.fileno()

    def write(self, data: bytes) -> None:
        """Never waits. Raises DeviceLost where the device is gone or has not taken what it was told before."""
        try:
            taken = os.write(self._port.fileno(), data)
        except BlockingIOError:
            taken = 0
        except OSError as error:
            raise lost(self._url, error) from error
        if taken < len(data):
            raise DeviceLost(f"{self._url} does not take what it is told")

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._port.fileno(), ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._port.fileno())


@asynccontextmanager
async def open_line(url: str, *, baudrate: int = 9600) -> AsyncIterator[Line]:
    """Open a LineUrl: 8N1, raw, for this process alone. Raises DeviceLost with what to do about it."""
    try:
        port = _open_file(url, baudrate) if _FILE.fullmatch(url) else await _connect(url)
    except OSError as error:
        raise await unopened(url, error) from error
    with closing(port):
        yield Line(url, port)


def _open_file(path: str, baudrate: int) -> Port:
    # pyserial discards what arrived before: nobody knows when that card was there.
    return serial.Serial(path, baudrate, timeout=0, write_timeout=0, exclusive=True)


async def _connect(url: str) -> Port:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            if unix := _UNIX.fullmatch(url):
                return await _connected(socket.AF_UNIX, unix[1])
            return await _connect_tcp(url)
    except TimeoutError as error:
        raise DeviceLost(
            f"{url} does not answer within {_CONNECT_SECONDS:.0f} s",
            hint="check the power and network of the converter",
        ) from error


async def _connect_tcp(url: str) -> Port:
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port
    try:
        # An address needs no resolver, and a resolver needs a thread.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    refused: OSError | None = None
    for family, *_, address in found:
        try:
            connection = await _connected(family, address)
        except OSError as error:
            refused = error
            continue
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, seconds in _KEEPALIVE.items():
            connection.setsockopt(socket.IPPROTO_TCP, option, seconds)
        return connection
    raise refused or OSError(f"{host} has no address")


async def _connected(family: socket.AddressFamily, address: tuple[Any, ...] | str) -> socket.socket:
    port = socket.socket(family, socket.SOCK_STREAM)
    port.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(port, address)
    except BaseException:
        port.close()
        raise
    return port
