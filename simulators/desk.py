"""One simulated reader on the desk of somebody who tries the gateway: typed UIDs become cards, the lamp becomes words."""

import asyncio
import os
import stat
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

import click

from drivers.osdp.keys import KeyFile
from gateway.domain.credential import Credential, Technology
from gateway.errors import AttendanceError, ConfigError, CredentialRefused, DeviceLost
from simulators.ironlogic import Ironlogic
from simulators.keyboard import Keyboard
from simulators.nfc import NfcField
from simulators.osdp import OsdpBus
from simulators.rdm6300 import Rdm6300
from simulators.text import TextReader
from simulators.virtual import Virtual

#: Seconds.
_SOON = 2.0
#: Shorter than the silence after which a driver takes a card for gone.
_AGAIN = 0.2
#: What a kind needs beside a url to read what is simulated.
_SETTINGS = dict.fromkeys(("line", "keyboard"), 'technology = "em4100"\nlength = 5\n')
_LENGTHS = {
    "rdm6300": (5,),
    "ironlogic": (4, 5, 7),
    "line": (5,),
    "keyboard": (5,),
    "nfc": (4, 7, 10),
    "osdp": (4, 7, 10),
    "virtual": (3, 4, 5, 7, 8, 10),
}
_TECHNOLOGIES = {3: Technology.WIEGAND26, 5: Technology.EM4100, 8: Technology.FELICA}


class _Desk(Protocol):
    @property
    def url(self) -> str: ...
    async def opened(self) -> None: ...
    async def present(self, uid: bytes, hold: float) -> object: ...


class _Lamp(Virtual):
    """A virtual reader and gate, spoken to like the others."""

    async def present(self, uid: bytes, hold: float) -> bool:
        """Holding makes no difference: this device says a card once."""
        technology = _TECHNOLOGIES.get(len(uid), Technology.ISO14443A)
        try:
            heard = await self.card(Credential(technology=technology, uid=uid))
        except CredentialRefused as error:
            heard = await self.refused(technology, str(error))
        await asyncio.sleep(hold)
        return heard


class _Bus(OsdpBus):
    """One OSDP reader at the address 1; its key lies in a folder beside the line, so that it is the same the next time."""

    def __init__(self, url: str, keys: Path) -> None:
        keys.mkdir(mode=0o700, exist_ok=True)
        file = KeyFile(str(keys), 1)
        if (key := file.read()) is None:
            key = file.make()
            file.keep()
        super().__init__(url, {1: key})
        #: What a driver needs beside its url.
        self.settings = f'keys = "{keys}"\nuid = "air"\n'

    async def present(self, uid: bytes, hold: float) -> bool:
        """Holding makes no difference: this device says a card once."""
        heard = self.readers[1].bits(len(uid) * 8, uid)
        await asyncio.sleep(hold)
        return heard


async def play(kind: str, url: str | None, hold: float) -> None:
    """Present each UID of standard input until it ends. Raises ConfigError for a url that cannot be served."""
    async with _plugged(kind, url) as desk:
        more = desk.settings if isinstance(desk, _Bus) else _SETTINGS.get(kind, "")
        click.echo(f'kind = "{kind}"\nurl = "{desk.url}"\n{more}', err=True)
        click.echo("Type a UID in hex and press Enter; Ctrl-D ends.", err=True)
        async for line in _lines():
            try:
                uid = _uid(kind, line)
                await _opened(desk, _SOON)
                await desk.present(uid, hold)
            except AttendanceError as error:
                click.echo(f"error: {error}\n hint: {error.hint}", err=True)


async def present_once(kind: str, text: str, url: str, *, hold: float, wait: float) -> None:
    """Present one card as soon as a gateway is there. Raises DeviceLost when none comes within `wait` seconds."""
    uid = _uid(kind, text)
    async with _plugged(kind, url) as desk:
        await _opened(desk, wait)
        if not url.startswith("/") or isinstance(desk, _Bus):
            await desk.present(uid, hold)
            return
        # A serial line cannot tell that it was opened: there the card is shown for as long as it would be waited for.
        loop = asyncio.get_running_loop()
        leaves = loop.time() + max(hold, wait)
        while loop.time() < leaves:
            await desk.present(uid, _AGAIN)


async def _opened(desk: _Desk, wait: float) -> None:
    try:
        async with asyncio.timeout(wait):
            await desk.opened()
    except TimeoutError:
        hint = "start a gateway with this url in its configuration, or give a longer --wait"
        raise DeviceLost(f"no gateway opened {desk.url} within {wait:g} s", hint=hint) from None


@asynccontextmanager
async def _plugged(kind: str, url: str | None) -> AsyncIterator[_Desk]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="attendance-reader-"))
        device: Rdm6300 | Ironlogic | TextReader | Keyboard | NfcField | _Bus | _Lamp
        cable = url or str(Path(folder) / kind)
        match kind:
            case "rdm6300":
                device = Rdm6300(cable)
            case "ironlogic":
                device = Ironlogic(cable, says_removal=False)
            case "line":
                device = TextReader(cable)
            case "osdp":
                device = _Bus(cable, Path(f"{cable}.keys" if cable.startswith("/") else folder))
            case "keyboard":
                device = Keyboard(url or f"unix:{folder}/keyboard")
            case "nfc":
                device = NfcField(url or "udp:127.0.0.1:0")
            case _:
                device = _Lamp(url or "tcp://127.0.0.1:0")
        try:
            await stack.enter_async_context(device)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{url} cannot be served: {error}", hint="give another --url, or none") from error
        if isinstance(device, _Lamp):
            telling = asyncio.create_task(_tell(device))
            stack.callback(telling.cancel)
        yield device


async def _tell(device: _Lamp) -> None:
    async for verdict in device.shown():
        click.echo(f"{'green' if verdict.admit else 'amber'}: {verdict.reason}")


def _uid(kind: str, text: str) -> bytes:
    try:
        uid = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        uid = b""
    if len(uid) not in _LENGTHS[kind]:
        lengths = " or ".join(map(str, _LENGTHS[kind]))
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
