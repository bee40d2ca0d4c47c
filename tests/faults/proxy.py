"""A wire that a test spoils: TCP between a gateway and its broker, one way or both, silently or with a reset."""

import asyncio
import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_CHUNK = 64 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: a close is a reset


class Proxy:
    """Listens on a port of loopback and carries bytes to another one."""

    #: What the broker is told.
    lines: Sequence[str] = ()

    def __init__(self, port: int) -> None:
        self._to = port
        self._spoilt = ""
        self._carrying: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        #: Bytes that were thrown away.
        self.dropped = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._end()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        await self._server.wait_closed()

    def spoil(self, way: str) -> None:
        """`drops_up` to the broker, `drops_down` to the gateway: nothing gets through that way any more."""
        self._spoilt = way

    def heal(self) -> None:
        """Everything gets through again."""
        self._spoilt = ""

    async def reset(self) -> None:
        """Ends every connection with a reset on both sides; waits for one where there is none."""
        async with asyncio.timeout(60):
            while not self._writers:
                await asyncio.sleep(0.02)
        self._end()

    def _end(self) -> None:
        for writer in self._writers:
            plug: socket.socket = writer.get_extra_info("socket")
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        for source, sink, up in ((reader, ours, True), (theirs, writer, False)):
            task = asyncio.create_task(self._carry(source, sink, up=up))
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool) -> None:
        self._writers.add(sink)
        try:
            while data := await source.read(_CHUNK):
                if self._spoilt == ("drops_up" if up else "drops_down"):
                    self.dropped += len(data)
                else:
                    sink.write(data)
                    await sink.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(sink)
            sink.transport.abort()
