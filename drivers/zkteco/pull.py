"""Asks a ZKTeco terminal for its own log: what push has lost is found here, and silence is known to be silence."""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from drivers.frames import Frame
from drivers.zkteco.packets import (
    HEADER,
    Command,
    Packet,
    answer_to_challenge,
    length,
    packet,
    record_size,
    records,
    unpacked,
)

#: A terminal that is busy with a face is silent for a second or two.
_PATIENCE = 10.0
#: Whole records of each layout; while the next one comes the other lanes go on.
_PIECE = 16_000
#: A terminal holds less.
_MOST_BYTES = 16 * 1024 * 1024
#: Where the sizes stand among the answer to GET_FREE_SIZES.
_RECORDS, _ROOM = slice(32, 36), slice(64, 68)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What a terminal told."""

    #: The terminal's clock before it was asked for anything else, without a zone.
    at: datetime
    #: How many records it has.
    count: int
    #: Those that were asked for, in its order.
    frames: Sequence[Frame]
    #: Whether these are all, because it has fewer than before: somebody cleared its log.
    cleared: bool


async def read_log(host: str, port: int, *, key: int, known: int) -> Log:
    """Everything after the first `known` records. Raises OSError, TimeoutError, ValueError, EOFError; closes in any case."""
    async with _connected(host, port, key) as ask:
        at = unpacked(_first((await ask(Command.GET_TIME)).data, 4))
        sizes = (await ask(Command.GET_FREE_SIZES)).data
        count = int.from_bytes(_first(sizes[_RECORDS], 4), "little")
        # A full log forgets its oldest record for each new one: how many it has says nothing then.
        full = 0 < int.from_bytes(sizes[_ROOM], "little") <= count
        cleared = count < known
        start = 0 if cleared or full else known
        frames = await _records(ask, count, start) if count > start else []
        return Log(at=at, count=count, frames=frames, cleared=cleared)


class _Asking:
    """One conversation: a question, its answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.session = 0
        self._reply = -1

    async def __call__(self, command: Command, data: bytes = b"") -> Packet:
        self._reply = (self._reply + 1) % 0xFFFF
        self._writer.write(bytes(Packet(command=command, session=self.session, reply=self._reply, data=data)))
        return await self.next()

    async def next(self) -> Packet:
        async with asyncio.timeout(_PATIENCE):
            size = length(await self._reader.readexactly(HEADER))
            return packet(await self._reader.readexactly(size))


@asynccontextmanager
async def _connected(host: str, port: int, key: int) -> AsyncIterator[_Asking]:
    async with asyncio.timeout(_PATIENCE):
        reader, writer = await asyncio.open_connection(host, port)
    try:
        ask = _Asking(reader, writer)
        hello = await ask(Command.CONNECT)
        ask.session = hello.session
        if hello.command == Command.UNAUTHORISED:
            hello = await ask(Command.AUTH, answer_to_challenge(key, ask.session))
        if hello.command != Command.OK:
            raise ValueError("the terminal refused the communication key")
        yield ask
        await ask(Command.EXIT)
    finally:
        writer.close()


async def _records(ask: _Asking, count: int, start: int) -> list[Frame]:
    prepared = await ask(Command.PREPARE_BUFFER, struct.pack("<bhii", 1, Command.ATTLOG, 0, 0))
    if prepared.command == Command.DATA:
        # A short log comes at once; the first four bytes are its size.
        each = record_size(len(prepared.data) - 4, count)
        return [*records(prepared.data[4 + start * each :], each)]
    size = int.from_bytes(_first(prepared.data[1:5], 4), "little")
    if prepared.command != Command.OK or size > _MOST_BYTES:
        raise ValueError("the terminal does not give its log")
    each = record_size(size - 4, count)
    frames: list[Frame] = []
    for begin in range(4 + start * each, size, _PIECE):
        frames += records(await _piece(ask, begin, min(_PIECE, size - begin)), each)
    await ask(Command.FREE_DATA)
    return frames


async def _piece(ask: _Asking, begin: int, size: int) -> bytes:
    answer = await ask(Command.READ_BUFFER, struct.pack("<ii", begin, size))
    if answer.command == Command.DATA:
        return _first(answer.data, size)
    if answer.command != Command.PREPARE_DATA:
        raise ValueError("the terminal does not give its log")
    data = b""
    while len(data) < size:
        part = await ask.next()
        if part.command != Command.DATA or not part.data:
            raise ValueError("the terminal broke off its log")
        data += part.data
    await ask.next()  # the acknowledgement behind the last one
    return _first(data, size)


def _first(data: bytes, size: int) -> bytes:
    if len(data) < size:
        raise ValueError("the terminal's answer is too short")
    return data[:size]
