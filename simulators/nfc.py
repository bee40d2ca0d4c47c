"""A field for nfcpy's UDP reader: cards of 4, 7 and 10 bytes on 127.0.0.1, one datagram per frame on the air.

    > 106A 26          < 106A 4403            REQA, ATQA
    > 106A 9320        < 106A 8804de5f0d      anticollision: cascade tag, UID0-2, check byte
    > 106A 93708804…   < 106A 24              select, SAK: more to come
    > 106A 9520 …      < 106A 20              the same with 95 and 97; SAK: complete

A request without a card in the field waits here for one, and is told RFOFF after a while: nfcpy would wait a second.
"""

import asyncio
import contextlib
import socket
from functools import reduce
from operator import xor
from typing import TypeAlias, cast
from urllib.parse import urlsplit

from simulators.line import Plugged
from simulators.ports import free_port

#: Long enough to be cheap, short enough to close a reader quickly.
_WAIT = 0.2
#: A reader that asked nothing for so long is gone.
_SILENT = 2.0
_REQA = (b"\x26", b"\x52")
_SELECTS = (0x93, 0x95, 0x97)
_CASCADE = 0x04

_Address: TypeAlias = tuple[str, int]


class Card:
    """A type A card. It answers a level of its cascade only when the one before was selected on this very card."""

    #: What it says once it is selected: 20 that it speaks ISO 14443-4, 08 that it is a MIFARE Classic.
    sak = 0x20

    def __init__(self, uid: bytes) -> None:
        parts = []
        while len(uid) > 4:
            parts.append(b"\x88" + uid[:3])
            uid = uid[3:]
        parts.append(uid)
        self._atqa = bytes([(len(parts) - 1) << 6 | 0x04, 0x03 if len(parts) > 1 else 0x00])
        #: Set when a reader has the whole UID.
        self.selected = asyncio.Event()
        #: Set when it was asked all that readers ask it.
        self.served = self.selected
        self._levels = [part + bytes([reduce(xor, part)]) for part in parts]
        #: Levels that a reader has selected since its REQA; None before one.
        self._known: int | None = None

    def answer(self, frame: bytes) -> bytes | None:
        """None where a card keeps silent."""
        if frame in _REQA:
            self._known = 0
            return self._atqa
        if self._known is None:
            return None
        return self._select(frame, self._known) if self._known < len(self._levels) else self.speak(frame)

    def _select(self, frame: bytes, known: int) -> bytes | None:
        command, level = _SELECTS[known], self._levels[known]
        if frame == bytes([command, 0x20]):
            return level
        if frame != bytes([command, 0x70]) + level:
            return None
        self._known = known + 1
        if self._known < len(self._levels):
            return bytes([self.sak | _CASCADE])
        self.selected.set()
        return bytes([self.sak])

    def speak(self, frame: bytes) -> bytes | None:  # noqa: ARG002 - what it is asked makes no difference
        """What a card says once it is selected: this one nothing."""
        return None


class FieldEnd(asyncio.DatagramProtocol):
    """The socket."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: tuple[_Address, asyncio.TimerHandle] | None = None
        self._asked = asyncio.Event()
        self._silence: asyncio.TimerHandle | None = None
        self._card: Card | None = None

    async def plug(self) -> None:
        """Listen; a free port is kept from the first time on."""
        parts = urlsplit(self.url.replace("udp:", "udp://", 1))
        address = parts.hostname or "127.0.0.1", parts.port or free_port(socket.SOCK_DGRAM)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=address)
        self.url = "udp:{}:{}".format(*address)

    async def unplug(self) -> None:
        """From here on nobody answers."""
        transport, self._transport = self._transport, None
        if transport is not None:
            self._dismiss()
            transport.close()
            await asyncio.sleep(0)
            self._forget()

    def send(self, data: bytes) -> int:
        """A field says nothing by itself, except to the reader that asked last."""
        if self._waiting is None or self._transport is None:
            return 0
        self._transport.sendto(data, self._waiting[0])
        return len(data)

    async def pour(self, data: bytes) -> None:
        """Answer the next requests with this, a datagram each."""
        for start in range(0, len(data), 64):
            await self.opened()
            self.send(data[start : start + 64])
            self._dismiss()
            self._asked.clear()

    async def opened(self) -> None:
        """Returns when a reader has asked."""
        await self._asked.wait()

    def place(self, card: Card | None) -> None:
        """What is in the field now; a request that waits is answered at once."""
        self._card = card
        if card is not None and self._waiting is not None:
            self._reply(card.answer(_REQA[0]) or b"", self._waiting[0])
            self._dismiss()

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        """One frame of a reader."""
        address = cast("_Address", addr)
        technology, _, text = data.decode("ascii", "replace").partition(" ")
        if technology != "106A":
            return
        with contextlib.suppress(ValueError):
            frame = bytes.fromhex(text)
            if frame in _REQA:
                self._forget()
                self._asked.set()
                self._silence = asyncio.get_running_loop().call_later(_SILENT, self._forget)
            if self._card is not None:
                if (answer := self._card.answer(frame)) is not None:
                    self._reply(answer, address)
            elif frame in _REQA:
                self._dismiss()
                self._waiting = address, asyncio.get_running_loop().call_later(_WAIT, self._nobody)

    def error_received(self, exc: Exception) -> None:
        """The reader has closed its socket meanwhile."""

    def _reply(self, frame: bytes, address: _Address) -> None:
        if self._transport is not None:
            self._transport.sendto(f"106A {frame.hex()}".encode("ascii"), address)

    def _nobody(self) -> None:
        self.send(b"RFOFF")
        self._dismiss()

    def _forget(self) -> None:
        self._asked.clear()
        if self._silence is not None:
            self._silence.cancel()

    def _dismiss(self) -> None:
        if self._waiting is not None:
            self._waiting[1].cancel()
        self._waiting = None


class NfcField(Plugged):
    """One field; cards come one after the other."""

    def __init__(self, url: str = "udp:127.0.0.1:0") -> None:
        self._field = FieldEnd(url)
        super().__init__(self._field)
        self._turn = asyncio.Lock()

    async def present(self, uid: bytes, hold: float = 0.0) -> None:
        """Returns when a reader has served the card and it was held for `hold` seconds from there on."""
        await self.hold(Card(uid), hold)

    async def hold(self, card: Card, seconds: float = 0.0) -> None:
        """The same with a card of your own."""
        async with self._turn:
            self._field.place(card)
            try:
                await card.served.wait()
                await asyncio.sleep(seconds)
            finally:
                self._field.place(None)

    async def garbage(self, data: bytes) -> None:
        """Answers that make no sense."""
        await self._field.pour(data)
