"""A byte-exact peer in the broker's place: it says what the test tells it to, right or wrong. MQTT 5.0, chapter 3."""

import asyncio
import ssl
import struct
from types import TracebackType
from typing import Self

import pytest

from gateway.errors import LinkLost
from sync.mqtt import Broker, Connection

ACCEPTED = bytes.fromhex("2003000000")
CONNECT, PUBLISH, PUBACK, SUBSCRIBE, DISCONNECT = 0x10, 0x30, 0x40, 0x80, 0xE0


def publish(topic: str, payload: bytes, *, qos: int = 0, packet: int = 1) -> bytes:
    """A PUBLISH without properties."""
    name = topic.encode()
    number = struct.pack("!H", packet) if qos else b""
    body = struct.pack("!H", len(name)) + name + number + b"\0" + payload
    return bytes([PUBLISH | qos << 1]) + length(len(body)) + body


def length(size: int) -> bytes:
    """A variable byte integer."""
    digits = b""
    while size > 127:
        digits += bytes([size & 127 | 128])
        size >>= 7
    return digits + bytes([size])


class Peer:
    """One listening socket of loopback; `packet` reads what the client sent, `say` answers."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            lambda *streams: self._accepted.put_nowait(streams), "127.0.0.1", 0, ssl=self._tls
        )
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        writers = [self._accepted.get_nowait()[1] for _ in range(self._accepted.qsize())]
        for writer in [*writers, *([self._writer] if hasattr(self, "_writer") else [])]:
            writer.transport.abort()
        await self._server.wait_closed()

    def at(self, client_id: str) -> Broker:
        return Broker.parse(f"mqtt://127.0.0.1:{self.port}", client_id=client_id)

    async def welcome(self, answer: bytes = ACCEPTED) -> bytes:
        """Take one client, read its CONNECT, answer; returns the body of the CONNECT."""
        self._reader, self._writer = await self._accepted.get()
        kind, body = await self.packet()
        assert kind == CONNECT
        self.say(answer)
        return body

    async def dismiss(self, answer: bytes) -> None:
        """The same, and nothing more is said."""
        await self.welcome(answer)
        self._writer.close()

    async def packet(self) -> tuple[int, bytes]:
        """The next packet of the client: type and flags, body."""
        kind = (await self._reader.readexactly(1))[0]
        size = shift = 0
        digit = 128
        while digit & 128:
            digit = (await self._reader.readexactly(1))[0]
            size |= (digit & 127) << shift
            shift += 7
        return kind, await self._reader.readexactly(size)

    def say(self, answer: bytes) -> None:
        self._writer.write(answer)


async def ending(connection: Connection) -> LinkLost:
    """Why the connection ends."""
    async with asyncio.timeout(60):
        with pytest.raises(LinkLost) as caught:
            async for _ in connection.messages():
                pass
    return caught.value
