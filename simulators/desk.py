"""One simulated device on the desk of somebody who tries the gateway: typed UIDs become cards, typed words what happens at a gate."""

import asyncio
import importlib
import os
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeAlias, runtime_checkable

import click

from gateway.domain.entry import GateMode
from gateway.domain.model import Direction
from gateway.errors import AttendanceError, ConfigError, DeviceLost

#: Kinds that are not, and why.
NOT_PLAYED = {
    "gpio": "its driver asks the kernel for pins of this machine, and those are only played by the module gpio-sim, for root",
}
#: Seconds.
_SOON = 2.0
#: Shorter than the silence after which a driver takes a card for gone.
_AGAIN = 0.2
_DESKS = Path(__file__).with_name("desks")


class Device(Protocol):
    """A simulated device, plugged in for as long as the block lasts."""

    @property
    def url(self) -> str: ...
    async def __aenter__(self) -> object: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def opened(self) -> None: ...


@runtime_checkable
class Reader(Device, Protocol):
    """One to which cards are held."""

    async def present(self, uid: bytes, hold: float) -> object: ...


class Gate(Protocol):
    """One at which something happens."""

    async def rotate(self, direction: Direction) -> object: ...
    async def mode(self, mode: GateMode) -> object: ...
    async def fire_alarm(self, *, on: bool = True) -> object: ...
    async def blocked(self, *, on: bool = True) -> object: ...


Words: TypeAlias = Mapping[str, Callable[[], Awaitable[object]]]


def words(gate: Gate) -> Words:
    """What may be typed for a gate, as the virtual one says it."""
    happens: dict[str, Callable[[], Awaitable[object]]] = {
        f"rotation {way}": partial(gate.rotate, way) for way in (Direction.IN, Direction.OUT)
    }
    happens |= {f"mode {mode}": partial(gate.mode, mode) for mode in GateMode}
    for word, on in (("on", True), ("off", False)):
        happens |= {
            f"fire_alarm {word}": partial(gate.fire_alarm, on=on),
            f"blocked {word}": partial(gate.blocked, on=on),
        }
    return happens


@dataclass(frozen=True)
class OnDesk:
    """What a module of `simulators/desks` offers for the kind that it is named after: `on_desk(url, folder)`."""

    device: Device
    #: Bytes that its UIDs may have; none for a gate.
    lengths: tuple[int, ...] = ()
    #: What is typed for a card.
    card: str = "a UID in hex"
    example: str = "55007EE424"
    #: What may be typed beside UIDs.
    words: Words = field(default_factory=dict)
    #: What a driver needs beside its url.
    settings: str = ""
    #: Whether it can tell that it was opened though it is a serial line.
    says_opened: bool = False
    #: What else goes on as long as it is plugged in.
    meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None
    #: Whether a card is told at once, and not when somebody looks for it the next time.
    at_once: bool = True


def kinds() -> list[str]:
    """Every kind that can be put on the desk."""
    return sorted(path.stem for path in _DESKS.glob("[a-z]*.py"))


def on_desk(kind: str, url: str | None, folder: Path) -> OnDesk:
    """What is played for a kind, not plugged in yet. Raises ConfigError for one that cannot be."""
    if kind in NOT_PLAYED:
        raise ConfigError(
            f"{kind} cannot be played by hand: {NOT_PLAYED[kind]}", hint="try modbus, the same over a wire"
        )
    desk: OnDesk = importlib.import_module(f"simulators.desks.{kind}").on_desk(url, folder)
    return desk


async def play(kind: str, url: str | None, hold: float) -> None:
    """Present each UID of standard input until it ends. Raises ConfigError for a url that cannot be served."""
    async with plugged(kind, url) as desk:
        click.echo(f'kind = "{kind}"\nurl = "{desk.device.url}"\n{desk.settings}', err=True)
        click.echo(_asks(desk), err=True)
        async for line in _lines():
            try:
                happens = desk.words.get(line) or partial(_card(kind, desk, line), hold)
                await _opened(desk.device, _SOON)
                await happens()
            except AttendanceError as error:
                click.echo(f"error: {error}\n hint: {error.hint}", err=True)


async def present_once(kind: str, text: str, url: str, *, hold: float, wait: float) -> None:
    """Present one card as soon as a gateway is there. Raises DeviceLost when none comes within `wait` seconds."""
    async with plugged(kind, url, lambda desk: _card(kind, desk, text)) as desk:
        present = _card(kind, desk, text)
        await _opened(desk.device, wait)
        if not url.startswith("/") or desk.says_opened:
            await present(hold)
            return
        # A serial line cannot tell that it was opened: there the card is shown for as long as it would be waited for.
        loop = asyncio.get_running_loop()
        leaves = loop.time() + max(hold, wait)
        while loop.time() < leaves:
            await present(_AGAIN)


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
        desk = on_desk(kind, url, Path(folder))
        judge(desk)
        try:
            await stack.enter_async_context(desk.device)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{url} cannot be served: {error}", hint="give another --url, or none") from error
        if desk.meanwhile is not None:
            stack.callback(asyncio.create_task(desk.meanwhile()).cancel)
        yield desk


def _asks(desk: OnDesk) -> str:
    uid = [desk.card] if desk.lengths else []
    return (
        f"Type {', or '.join([*uid, *([', '.join(desk.words)] if desk.words else [])])}, and press Enter; Ctrl-D ends."
    )


def _card(kind: str, desk: OnDesk, text: str) -> Callable[[float], Awaitable[object]]:
    """What holds the card to the reader for so many seconds."""
    if not isinstance(desk.device, Reader):
        raise ConfigError(f"no card can be held to {kind}, it is a gate", hint=f"type one of {', '.join(desk.words)}")
    return partial(desk.device.present, _uid(kind, desk, text))


def _uid(kind: str, desk: OnDesk, text: str) -> bytes:
    try:
        uid = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        uid = b""
    if len(uid) not in desk.lengths:
        lengths = " or ".join(map(str, desk.lengths))
        raise ConfigError(f"{kind} takes {desk.card}, {lengths} bytes of it", hint=f"for example {desk.example}")
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
