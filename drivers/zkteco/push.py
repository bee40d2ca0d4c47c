"""The server that ZKTeco terminals talk to: GET and POST below /iclock, plain text, OK only for what is on the disk.

A terminal is heard where its serial number and its address are known; anybody else is told nothing.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

from aiohttp import web

from drivers.frames import Frame
from drivers.zkteco.codec import Codec, done, options
from drivers.zkteco.memory import Stamps, Users
from drivers.zkteco.settings import host_and_port
from drivers.zkteco.terminal import Terminal
from gateway.errors import DeviceLost

#: About twenty thousand taps.
_MOST_BYTES = 1024 * 1024
#: A photo is read to its end and forgotten.
_MOST_IGNORED = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_SLICE = 4096
_BODY_SECONDS = 60.0
_CLOSING_SECONDS = 1.0
#: Of the loop: accepted, a task, connected.
_TURNS = 3
_FORM = b"attlog="


@asynccontextmanager
async def serving(url: str, server: "Server") -> AsyncIterator[None]:
    """Listen for as long as the block lasts. Raises DeviceLost."""
    app = web.Application()
    app.router.add_route("*", "/{page:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSING_SECONDS)
    with _listening(url) as door:
        await runner.setup()
        try:
            await web.SockSite(runner, door).start()
            yield
        finally:
            asyncio.get_running_loop().remove_reader(door)
            # Whoever was let in at this moment becomes a connection first, and can be hung up then.
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            await runner.cleanup()


def _listening(url: str) -> socket.socket:
    host, port = host_and_port(url)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        why = os.strerror(error.errno).lower() if error.errno else str(error)
        raise DeviceLost(
            f"{url} cannot be served: {why}",
            hint="'ip -brief address' lists the addresses of this machine, 'ss -ltnp' who listens already",
        ) from error


class Server:
    """Questions of terminals to answers."""

    def __init__(self, terminals: Mapping[str, Terminal], stamps: Stamps, users: Users) -> None:
        self._terminals, self._stamps, self._users = terminals, stamps, users

    async def answer(self, request: web.Request) -> web.Response:
        """One request, whatever the firmware makes of case, blanks, `.aspx` and versions of HTTP."""
        asked = {key.strip().lower(): value.strip() for key, value in request.query.items()}
        terminal = self._known(asked.get("sn", ""), request.remote)
        if terminal is None:
            return web.Response(status=403, text="unknown terminal\n")
        terminal.heard()
        page = request.path.strip().rstrip("/").rpartition("/")[2].lower().removesuffix(".aspx")
        taps = page == "cdata" and asked.get("table", "").lower() == "attlog"
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _body(request, _MOST_BYTES if taps or page == "devicecmd" else 0)
        except (TimeoutError, ValueError):
            terminal.faults["bad_bodies"] += 1
            return web.Response(status=413, text="too much\n")
        if taps and request.method == "POST":
            return await self._taps(terminal, body, asked.get("stamp", ""))
        return web.Response(text=self._text(terminal, request.method, page, body))

    def _known(self, serial: str, address: str | None) -> Terminal | None:
        terminal = self._terminals.get(serial)
        if terminal is None or terminal.settings.address in (None, address):
            return terminal
        terminal.faults["strangers"] += 1
        return None

    async def _taps(self, terminal: Terminal, body: bytes, stamp: str) -> web.Response:
        codec, frames, lines = Codec(), list[Frame](), _plain(body)
        for start in range(0, len(lines), _SLICE):
            frames += codec.feed(lines[start : start + _SLICE])
            # A week of taps at once is no reason to let the other lanes wait.
            await asyncio.sleep(0)
        frames += codec.end()
        if not await terminal.pushed(frames):
            return web.Response(status=503, text="not recorded\n")
        await self._stamps.keep(terminal.settings.serial, stamp)
        # Another number, or another word, and it tells them for ever.
        return web.Response(text=f"OK: {len(frames)}\n")

    def _text(self, terminal: Terminal, method: str, page: str, body: bytes) -> str:
        serial = terminal.settings.serial
        if page == "cdata" and method == "GET":
            return options(serial, self._stamps.of(serial), terminal.offset(datetime.now(UTC)))
        if page == "getrequest":
            return self._users.commands(serial) or "OK\n"
        if page == "devicecmd" and (refused := self._users.done(serial, done(body))):
            terminal.faults["refused_commands"] += refused
        return "OK\n"


async def _body(request: web.Request, most: int) -> bytes:
    """At most so much is kept, the rest is read and forgotten. Raises ValueError where it has no end or is too long to keep."""
    kept, size = bytearray(), 0
    async for chunk in request.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > (most or _MOST_IGNORED):
            raise ValueError("the body is too long")
        if most:
            kept += chunk
    return bytes(kept)


def _plain(body: bytes) -> bytes:
    """Some firmwares send a form."""
    if body[: len(_FORM)].lower() != _FORM:
        return body
    return unquote_to_bytes(body[len(_FORM) :].replace(b"+", b" "))
