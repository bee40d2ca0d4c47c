"""The device's end of a line: a pseudo-terminal behind a stable path, or a listening socket. It can be unplugged."""

import asyncio
import contextlib
import os
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

from simulators.ports import free_port

_CHUNK = 4096
_MOST_UNSENT = 64 * 1024
#: Of the loop: accepted, a task, connected, served.
_TURNS = 4
#: Where tcgetattr has the speed, and what its constants mean.
_SPEED = 5
_BAUDRATES = {value: int(name[1:]) for name, value in vars(termios).items() if name[0] == "B" and name[1:].isdigit()}


def _ignore(data: bytes) -> None:
    """Most devices cannot be told anything."""


class DeviceEnd(Protocol):
    """What a simulated device writes to. `url` is what a driver opens."""

    url: str

    async def plug(self) -> None:
        """Appear, under the same url as before."""
        ...

    async def unplug(self) -> None:
        """Vanish; harmless when it has vanished already."""
        ...

    def send(self, data: bytes) -> int:
        """How many bytes were taken; like a wire it waits for nobody."""
        ...

    async def pour(self, data: bytes) -> None:
        """Send much, as fast as it is read."""
        ...

    async def opened(self) -> None:
        """Returns when a driver is there, as far as this kind of line can tell."""
        ...


class Plugged:
    """A simulated device that is plugged in for as long as the block lasts."""

    def __init__(self, port: DeviceEnd) -> None:
        self._port = port

    @property
    def url(self) -> str:
        """What a driver opens."""
        return self._port.url

    async def __aenter__(self) -> Self:
        await self._port.plug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._port.unplug()

    async def unplug(self) -> None:
        """Pull the plug."""
        await self._port.unplug()

    async def replug(self) -> None:
        """Plug it in again, under the same url."""
        await self._port.plug()

    async def opened(self) -> None:
        """Returns when a driver is there, as far as this kind of line can tell."""
        await self._port.opened()


def device_end(url: str, hear: Callable[[bytes], None] = _ignore) -> "PtyEnd | SocketEnd":
    """By the url that a driver will open: a path, `unix:/path` or `tcp://127.0.0.1:port`, port 0 for a free one."""
    return SocketEnd(url, hear) if url.startswith(("tcp:", "unix:")) else PtyEnd(Path(url), hear)


class PtyEnd:
    """A serial device: `path` becomes a link to whatever pseudo-terminal it is plugged into."""

    def __init__(self, path: Path, hear: Callable[[bytes], None] = _ignore) -> None:
        self.url = str(path)
        self._path = path
        self._hear = hear
        self._ends: tuple[int, int] | None = None

    @property
    def baudrate(self) -> int | None:
        """As the driver has set it."""
        return _BAUDRATES.get(termios.tcgetattr(self._ends[1])[_SPEED]) if self._ends is not None else None

    async def plug(self) -> None:
        """Appear as another pseudo-terminal, under the same path."""
        await self.unplug()
        # The other end stays open here too, or the first driver that closes it would end the pair.
        master, slave = self._ends = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        if self._path.is_symlink():
            # What a killed simulator left behind; anything else is somebody's.
            self._path.unlink()
        self._path.symlink_to(os.ttyname(slave))
        asyncio.get_running_loop().add_reader(master, self._read, master)

    async def unplug(self) -> None:
        """Hang up; drivers see the end of the line."""
        ends, self._ends = self._ends, None
        if ends is None:
            return
        asyncio.get_running_loop().remove_reader(ends[0])
        self._path.unlink(missing_ok=True)
        for end in ends:
            os.close(end)

    def send(self, data: bytes) -> int:
        """What the kernel's buffer has no room for is lost."""
        if self._ends is None:
            return 0
        with contextlib.suppress(BlockingIOError):
            return os.write(self._ends[0], data)
        return 0

    async def pour(self, data: bytes) -> None:
        """Send all of it, or until it is unplugged."""
        rest = memoryview(data)
        while rest and self._ends is not None:
            taken = self.send(bytes(rest[:_CHUNK]))
            rest = rest[taken:]
            await asyncio.sleep(0 if taken else 0.001)

    async def opened(self) -> None:
        """A serial device cannot tell."""

    def _read(self, master: int) -> None:
        with contextlib.suppress(OSError):
            self._hear(os.read(master, _CHUNK))


class SocketEnd:
    """A device behind a serial server, or the program that plays a virtual one."""

    #: It has no speed of its own.
    baudrate = None

    def __init__(self, url: str, hear: Callable[[bytes], None] = _ignore) -> None:
        self.url = url
        self._hear = hear
        self._server: asyncio.Server | None = None
        self._drivers: set[asyncio.StreamWriter] = set()
        self._somebody = asyncio.Event()
        self._nobody = asyncio.Event()
        self._nobody.set()

    async def plug(self) -> None:
        """Listen; a free port is kept from the first time on."""
        if self.url.startswith("unix:"):
            self._server = await asyncio.start_unix_server(self._serve, self.url.removeprefix("unix:"))
            return
        parts = urlsplit(self.url)
        port = parts.port or free_port()
        self._server = await asyncio.start_server(self._serve, parts.hostname, port)
        self.url = f"tcp://{parts.hostname}:{port}"

    async def unplug(self) -> None:
        """Close the door and hang up."""
        server, self._server = self._server, None
        if server is None:
            return
        for door in server.sockets:
            asyncio.get_running_loop().remove_reader(door)
        # Whoever was let in at this moment becomes a driver first, and can be hung up then.
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        server.close()
        for driver in self._drivers:
            driver.transport.abort()
        await self._nobody.wait()
        await server.wait_closed()
        if self.url.startswith("unix:"):
            os.unlink(self.url.removeprefix("unix:"))  # noqa: PTH108 - a name in memory of the kernel, not a disk

    def send(self, data: bytes) -> int:
        """What nobody is there to hear is lost."""
        ready = [driver for driver in self._drivers if driver.transport.get_write_buffer_size() < _MOST_UNSENT]
        for driver in ready:
            driver.write(data)
        return len(data) if ready else 0

    async def pour(self, data: bytes) -> None:
        """Send all of it, or until nobody is there."""
        for start in range(0, len(data), _CHUNK):
            self.send(data[start : start + _CHUNK])
            for driver in [*self._drivers]:
                with contextlib.suppress(ConnectionError):
                    await driver.drain()

    async def opened(self) -> None:
        """Returns when a driver is connected."""
        await self._somebody.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._drivers.add(writer)
        self._somebody.set()
        self._nobody.clear()
        try:
            while data := await reader.read(_CHUNK):
                self._hear(data)
        except ConnectionError:
            pass
        finally:
            self._drivers.discard(writer)
            if not self._drivers:
                self._somebody.clear()
                self._nobody.set()
            writer.close()
