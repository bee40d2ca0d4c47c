"""One simulated reader on the desk of somebody who tries the gateway: typed UIDs become cards, the lamp becomes words."""

import asyncio
import importlib
import os
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import click

from gateway.errors import AttendanceError, ConfigError, DeviceLost

#: Seconds.
_SOON = 2.0
#: Shorter than the silence after which a driver takes a card for gone.
_AGAIN = 0.2
_DESKS = Path(__file__).with_name("desks")


class Device(Protocol):
    """A simulated reader, plugged in for as long as the block lasts."""

    @property
    def url(self) -> str: ...
    async def __aenter__(self) -> object: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def opened(self) -> None: ...
    async def present(self, uid: bytes, hold: float) -> object: ...


@dataclass(frozen=True)
class OnDesk:
    """What a module of `simulators/desks` offers for the kind that it is named after: `on_desk(url, folder)`."""

    device: Device
    #: Bytes that its UIDs may have.
    lengths: tuple[int, ...]
    #: What a driver needs beside its url.
    settings: str = ""
    #: Whether it can tell that it was opened though it is a serial line.
    says_opened: bool = False
    #: What else goes on as long as it is plugged in.
    meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None


def kinds() -> list[str]:
    """Every kind that can be put on the desk."""
    return sorted(path.stem for path in _DESKS.glob("[a-z]*.py"))


async def play(kind: str, url: str | None, hold: float) -> None:
    """Present each UID of standard input until it ends. Raises ConfigError for a url that cannot be served."""
    async with plugged(kind, url) as desk:
        click.echo(f'kind = "{kind}"\nurl = "{desk.device.url}"\n{desk.settings}', err=True)
        click.echo("Type a UID in hex and press Enter; Ctrl-D ends.", err=True)
        async for line in _lines():
            try:
                uid = _uid(kind, desk, line)
                await _opened(desk.device, _SOON)
                await desk.device.present(uid, hold)
            except AttendanceError as error:
                click.echo(f"error: {error}\n hint: {error.hint}", err=True)


async def present_once(kind: str, text: str, url: str, *, hold: float, wait: float) -> None:
    """Present one card as soon as a gateway is there. Raises DeviceLost when none comes within `wait` seconds."""
    async with plugged(kind, url, lambda desk: _uid(kind, desk, text)) as desk:
        uid, device = _uid(kind, desk, text), desk.device
        await _opened(device, wait)
        if not url.startswith("/") or desk.says_opened:
            await device.present(uid, hold)
            return
        # A serial line cannot tell that it was opened: there the card is shown for as long as it would be waited for.
        loop = asyncio.get_running_loop()
        leaves = loop.time() + max(hold, wait)
        while loop.time() < leaves:
            await device.present(uid, _AGAIN)


async def _opened(device: Device, wait: float) -> None:
    try:
        async with asyncio.timeout(wait):
            await device.opened()
    except TimeoutError:
        hint = "start a gateway with this url in its configuration, or give a longer --wait"
        raise DeviceLost(f"no gateway opened {device.url} within {wait:g} s", hint=hint) from None


@asynccontextmanager
async def plugged(
    kind: str, url: str | None, judge: Callable[[OnDesk], object] = lambda _: None
) -> AsyncIterator[OnDesk]:
    """Raises ConfigError for a url that cannot be served, and what `judge` raises before anything is served."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="attendance-reader-"))
        desk: OnDesk = importlib.import_module(f"simulators.desks.{kind}").on_desk(url, Path(folder))
        judge(desk)
        try:
            await stack.enter_async_context(desk.device)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{url} cannot be served: {error}", hint="give another --url, or none") from error
        if desk.meanwhile is not None:
            stack.callback(asyncio.create_task(desk.meanwhile()).cancel)
        yield desk


def _uid(kind: str, desk: OnDesk, text: str) -> bytes:
    try:
        uid = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        uid = b""
    if len(uid) not in desk.lengths:
        lengths = " or ".join(map(str, desk.lengths))
        raise ConfigError(
            f"a UID of {kind} has {lengths} bytes in hex", hint="for example 55007EE424, or 04DE5F1EACC040 for nfc"
        )
    return uid


async def _lines() -> AsyncIterator[str]:
    if not _can_be_waited_for():
        # A file, /dev/null, or nothing at all.
        for line in sys.stdin or ():
            if line.strip():
                yield line.strip()
        return
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode("utf-8", "replace"):
        if line.strip():
            yield line.strip()


def _can_be_waited_for() -> bool:
    if sys.stdin is None:
        return False
    mode = os.fstat(sys.stdin.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or sys.stdin.isatty()
