"""A ZKTeco terminal: it pushes its taps to a server until the server says OK, and gives its log to whoever asks at its own port."""

import asyncio
import contextlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import quote_plus, urlsplit

from drivers.zkteco.codec import attlog
from drivers.zkteco.packets import HEADER, Command, Packet, answer_to_challenge, length, packed, packet, record
from simulators.ports import free_port

_SESSION = 0x1234
#: A log that is longer is given in pieces.
_SHORT = 1024
#: A terminal that is not answered asks again.
_PATIENCE = 10.0


@dataclass(kw_only=True)
class Manner:
    """How a firmware speaks HTTP."""

    version: str = "1.1"
    suffix: str = ""
    path: str = "/iclock/"
    line_end: str = "\n"
    #: Sends its taps as a form.
    form: bool = False


class Terminal:
    """Serial number, clock and memory; `url` is the gateway's. Within the block it is switched on."""

    def __init__(
        self,
        url: str | None = None,
        serial: str = "CJDE193560001",
        *,
        manner: Manner | None = None,
        pace: float = 0.01,
        at_once: int = 50,
    ) -> None:
        """Without a url a free port of this machine will be the gateway's; `pace` is between two of its looks, in seconds.

        It tells so many taps in one request.
        """
        self.url = url or f"http://127.0.0.1:{free_port()}"
        self.serial = serial
        self.manner = manner or Manner()
        self.clock = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        #: Lines of its log, and how many of them were taken.
        self.log: list[tuple[str, datetime, int]] = []
        self.taken = 0
        #: Users by PIN, as it was told.
        self.users: dict[str, str] = {}
        #: Every answer: its status, and what it said.
        self.answers: list[tuple[int, str]] = []
        self._pace, self._at_once = pace, at_once
        self._greeted, self._told = asyncio.Event(), asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.replug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.unplug()

    async def replug(self) -> None:
        """Switch it on."""
        self._running = asyncio.create_task(self._run(), name=f"terminal {self.serial}")

    async def unplug(self) -> None:
        """Switch it off; it keeps its log."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
            self._running = None
        self._greeted.clear()

    async def opened(self) -> None:
        """Returns when a server has answered the handshake."""
        self._greeted.clear()
        await self._greeted.wait()

    async def idle(self) -> None:
        """Returns when everything was taken."""
        while self.taken < len(self.log):
            self._told.clear()
            await self._told.wait()

    def tap(self, pin: str, status: int = 255, at: datetime | None = None) -> None:
        """Somebody is let in."""
        self.clock += timedelta(seconds=1)
        self.log.append((pin, at or self.clock, status))

    async def ask(self, page: str, query: str = "", body: bytes | None = None) -> tuple[int, str]:
        """One request, on a connection of its own. Raises OSError, EOFError where nobody answers."""
        parts = urlsplit(self.url)
        target = f"{self.manner.path}{page}{self.manner.suffix}?SN={self.serial}{query}"
        head = f"{'GET' if body is None else 'POST'} {target} HTTP/{self.manner.version}\r\nHost: {parts.netloc}\r\n"
        if body is not None:
            kind = "application/x-www-form-urlencoded" if self.manner.form else "text/plain"
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                writer.write(f"{head}Connection: close\r\n\r\n".encode("ascii") + (body or b""))
                answer = await reader.read()
            finally:
                writer.close()
        top, _, said = answer.partition(b"\r\n\r\n")
        if not top:
            raise EOFError
        self.answers.append((int(top.split(b" ", 2)[1]), said.decode("ascii", "replace")))
        return self.answers[-1]

    async def push(self, body: bytes, stamp: int = 0) -> bool:
        """Tell lines of ATTLOG; whether they were taken."""
        sent = b"ATTLOG=" + quote_plus(body).encode("ascii") if self.manner.form else body
        status, said = await self.ask("cdata", f"&table=ATTLOG&Stamp={stamp}", sent)
        return status == 200 and said.startswith("OK")

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(OSError, EOFError):
                await self._greet()
                while True:
                    await self._tell()
                    await self._obey()
                    self._greeted.set()
                    await asyncio.sleep(self._pace)
            await asyncio.sleep(self._pace)

    async def _greet(self) -> None:
        status, said = await self.ask("cdata", "&options=all&pushver=2.4.1&language=69")
        if status != 200:
            raise EOFError
        stamp = next(line.partition("=")[2] for line in said.splitlines() if line.startswith("ATTLOGStamp="))
        self.taken = min(int(stamp) if stamp.isdecimal() else 0, len(self.log))

    async def _tell(self) -> None:
        waiting = self.log[self.taken : self.taken + self._at_once]
        if not waiting:
            return
        body = b"".join(attlog(*one) for one in waiting).replace(b"\n", self.manner.line_end.encode("ascii"))
        if not await self.push(body, self.taken + len(waiting)):
            return
        self.taken += len(waiting)
        self._told.set()

    async def _obey(self) -> None:
        _, said = await self.ask("getrequest")
        for line in said.splitlines():
            if line.startswith("C:"):
                _, number, command = line.split(":", 2)
                verb, _, fields = command.partition(" USERINFO ")
                user = dict(field.split("=", 1) for field in fields.split("\t"))
                if verb == "DATA UPDATE":
                    self.users[user["PIN"]] = user["Card"]
                elif verb == "DATA DELETE":
                    self.users.pop(user["PIN"], None)
                await self.ask("devicecmd", "", f"ID={number}&Return=0&CMD=DATA\n".encode("ascii"))


@dataclass(kw_only=True)
class LogServer:
    """Its own port 4370: gives its log to whoever knows the key, one at a time."""

    terminal: Terminal
    key: int = 0
    #: For so many records.
    room: int = 100_000
    #: How much goes into one packet.
    piece: int = 64 * 1024
    #: Commands that it was asked.
    asked: list[int] = field(default_factory=list)
    #: What it answers instead, by command.
    instead: Mapping[int, Packet] = field(default_factory=dict)
    url: str = ""
    _server: asyncio.Server | None = None
    _talking: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task, writer in [*self._talking.items()]:
            writer.transport.abort()
            await asyncio.wait([task])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self._talking[task] = writer
            task.add_done_callback(self._talking.pop)
        trusted = self.key == 0
        with contextlib.suppress(OSError, EOFError, ValueError):
            while True:
                asked = packet(await reader.readexactly(length(await reader.readexactly(HEADER))))
                self.asked.append(asked.command)
                if asked.command == Command.AUTH:
                    trusted = asked.data == answer_to_challenge(self.key, _SESSION)
                answers = self._answers(asked) if trusted else [_answer(asked, Command.UNAUTHORISED)]
                writer.write(b"".join(map(bytes, answers)))
                if asked.command == Command.EXIT:
                    break
        writer.close()

    def _answers(self, asked: Packet) -> list[Packet]:
        if asked.command in self.instead:
            return [self.instead[asked.command]]
        log = b"".join(record(*one) for one in self.terminal.log)
        whole = struct.pack("<I", len(log)) + log
        if asked.command == Command.READ_BUFFER:
            begin, size = struct.unpack("<ii", asked.data)
            return [*self._pieces(asked, whole[begin : begin + size])]
        if asked.command == Command.PREPARE_BUFFER and len(whole) <= _SHORT:
            return [_answer(asked, Command.DATA, whole)]
        sizes = struct.pack("<20i", *[0] * 8, len(self.terminal.log), *[0] * 7, self.room, *[0] * 3) + bytes(12)
        data = {
            Command.GET_TIME: packed(self.terminal.clock),
            Command.GET_FREE_SIZES: sizes,
            Command.PREPARE_BUFFER: b"\0" + struct.pack("<I", len(whole)) + bytes(4),
        }
        return [_answer(asked, data=data.get(Command(asked.command), b""))]

    def _pieces(self, asked: Packet, data: bytes) -> Iterator[Packet]:
        yield _answer(asked, Command.PREPARE_DATA, struct.pack("<II", len(data), 0))
        for at in range(0, len(data), self.piece):
            yield _answer(asked, Command.DATA, data[at : at + self.piece])
        yield _answer(asked)


def _answer(asked: Packet, command: int = Command.OK, data: bytes = b"") -> Packet:
    return Packet(command=command, session=_SESSION, reply=asked.reply, data=data)
