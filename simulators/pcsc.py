"""A PC/SC reader without a reader: Debian's pcscd with its virtual one, on a socket of its own, and cards held to it.

    u16 length | payload      one byte is a control: 00 off, 01 on, 02 reset, 04 tell the ATR; more is a command for the card

pcscd takes its socket as systemd hands it one, so several run side by side. Clients find it by PCSCLITE_CSOCK_NAME.
"""

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from simulators.line import Plugged
from simulators.ports import free_port

LIBRARY = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
#: Of a contactless storage card, MIFARE Classic 1K.
ATR = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
_TELL_ATR = b"\x04"
_DONE, _UNKNOWN = b"\x90\x00", b"\x6a\x81"
_START = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" --foreground --config "$1" 3<&0 </dev/null'
#: Where the service may be.
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
_SECONDS = 15.0
#: A card that comes while the virtual reader sees the last one go is taken for that one.
_APART = 0.2
#: The state of a socket in the kernel's table.
_LISTENING = "0A"


class Card:
    """What stands in the field; `answers` are by command."""

    def __init__(self, uid: bytes, *, atr: bytes = ATR, ats: bytes | None = None) -> None:
        self.atr = atr
        #: It was taken away, and the reader has not noticed yet.
        self.gone = False
        #: Set when a reader has asked for the UID.
        self.read = asyncio.Event()
        #: Every command of a reader, in order.
        self.heard: list[bytes] = []
        self.answers = {
            bytes.fromhex("FFCA000000"): uid + _DONE,
            bytes.fromhex("FFCA010000"): ats + _DONE if ats is not None else _UNKNOWN,
        }

    def answer(self, command: bytes) -> bytes:
        """What the reader makes of it, with a status word."""
        self.heard.append(command)
        if command == bytes.fromhex("FFCA000000"):
            self.read.set()
        return self.answers.get(command, _DONE if command.startswith(b"\xff\x00") else _UNKNOWN)


class Pcscd:
    """The service and its virtual reader."""

    def __init__(self, folder: Path, name: str, socket: Path | None = None) -> None:
        self.url = f"pcsc:{name} 00 00"
        self.socket = socket or folder / "pcscd.comm"
        self._config = folder / "reader.conf.d"
        self._config.mkdir()
        #: The virtual reader has two slots.
        self._port = free_port(row=2)
        self.rename(name)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Where the virtual reader waits for cards."""
        return self._port

    def rename(self, name: str) -> None:
        """From its next start on the reader has another name."""
        port = f"0x{self._port:X}"
        lines = f'FRIENDLYNAME "{name}"\nDEVICENAME /dev/null:{port}\nLIBPATH {LIBRARY}\nCHANNELID {port}\n'
        (self._config / "vpcd").write_text(lines, "ascii")

    async def plug(self) -> None:
        """Start it; returns when clients are served."""
        await self.unplug()
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(str(self.socket))
            end.listen()
            self._process = _start(self._config, end)
        async with asyncio.timeout(_SECONDS):
            while not _listens(self._port):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.02)

    async def unplug(self) -> None:
        """Stop it, as an update of the system does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        while process.poll() is None:  # noqa: ASYNC110 - asyncio would need a thread for it
            await asyncio.sleep(0.01)
        self.socket.unlink()

    def send(self, data: bytes) -> int:
        """A reader says nothing by itself."""
        return 0 * len(data)

    async def pour(self, data: bytes) -> None:
        """Nothing, as much as you like."""

    async def opened(self) -> None:
        """The service does not tell who uses it."""


class PcscReader(Plugged):
    """One antenna; cards come one after the other."""

    def __init__(self, folder: Path, name: str = "ACS ACR122U PICC Interface", *, socket: Path | None = None) -> None:
        """The service listens at that socket, or at one in the folder."""
        self.service = Pcscd(folder, name, socket)
        super().__init__(self.service)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def lying(self, uid: bytes) -> AsyncIterator[None]:
        """Somebody has left a card on the reader: whoever opens it within the block finds the card there."""
        async with self._turn:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.service.port)
            serving = asyncio.create_task(_serve(Card(uid), reader, writer))
            try:
                yield
            finally:
                serving.cancel()
                writer.close()

    async def present(self, uid: bytes, hold: float = 0.0) -> None:
        """Returns when a reader has asked for the UID, it was held for `hold` seconds more, and its leaving was noticed."""
        await self.hold(Card(uid), hold)

    async def hold(self, card: Card, seconds: float) -> None:
        """The same with a card of your own."""
        async with self._turn, asyncio.timeout(_SECONDS + seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.service.port)
            serving = asyncio.create_task(_serve(card, reader, writer))
            try:
                await card.read.wait()
                await asyncio.sleep(seconds)
                card.gone = True
                await serving
            finally:
                serving.cancel()
                writer.close()
                await asyncio.sleep(_APART)


async def _serve(card: Card, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer until it is asked whether it is there, and is not."""
    before = b""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            message = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
            # The ATR is also asked for by switching it on and off; only who asks again looks whether it is there.
            if card.gone and message == before == _TELL_ATR:
                return
            before = message
            if message == _TELL_ATR:
                await _say(writer, card.atr)
            elif len(message) > 1:
                await _say(writer, card.answer(message))


async def _say(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(len(answer).to_bytes(2) + answer)
    await writer.drain()


def _start(config: Path, end: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", _START, "pcscd", str(config)],
        stdin=end.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PATH": PATH},
    )


def _listens(port: int) -> bool:
    """Without knocking: who connects is a card."""
    table = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()]
    return any(row[1].endswith(f":{port:04X}") and row[3] == _LISTENING for row in table)
