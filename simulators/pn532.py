"""A PN532 in UART mode on a pseudo-terminal, as far as nfcpy's driver asks it.

    00 00 FF LEN LCS | D4 command … | DCS 00      LEN + LCS = 0, D4 … DCS = 0 (mod 256); answers begin with D5
    00 00 FF FF FF LENM LENL LCS | …              the same for long ones; 00 00 FF 00 FF 00 acknowledges

Source: NXP UM0701-02 (PN532 user manual).
"""

import asyncio
from enum import StrEnum

from simulators.line import Plugged, device_end

ACK = bytes.fromhex("0000ff00ff00")
_ERROR = bytes.fromhex("0000ff01ff7f8100")
_START = b"\x00\x00\xff"
_LONGEST = 600

_PLAIN = {0x08: b"", 0x10: b"", 0x12: b"", 0x14: b"", 0x32: b"", 0x16: b"\x00", 0x44: b"\x00", 0x52: b"\x00"}
_NOBODY = b"\x00"
#: By the number that SetSerialBaudRate gives them.
_BAUDRATES = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1288000)


class Fault(StrEnum):
    """What a broken chip or wire does to its answers."""

    SILENT = "silent"
    CHECKSUM = "checksum"
    ERROR = "error"
    CUT = "cut"


class Chip:
    """Commands to answers, whatever carries them."""

    def __init__(self) -> None:
        #: UID of the card in the field.
        self.card: bytes | None = None
        #: Set when that card was found.
        self.found = asyncio.Event()
        #: Set when a reader looked for a card.
        self.asked = asyncio.Event()
        #: MxRtyPassiveActivation: how often it looks again before it says that nobody came.
        self.retries = 0

    def answer(self, command: int, argument: bytes) -> bytes | None:
        """What follows D5 and the command's number; None for a command that it does not know."""
        match command:
            case 0x00:  # Diagnose: the line test
                return argument
            case 0x02:  # GetFirmwareVersion
                return bytes.fromhex("32010607")
            case 0x06:  # ReadRegister: each holds 26, the REQA that found nobody
                return b"\x26" * (len(argument) // 2)
            case 0x32 if argument[0] == 5:  # RFConfiguration, MaxRetries
                self.retries = argument[3]
                return b""
            case 0x4A:  # InListPassiveTarget, its first try
                self.asked.set()
                return self.look(argument[1])
            case _:
                return _PLAIN.get(command)

    def look(self, modulation: int) -> bytes:
        """One try of InListPassiveTarget."""
        if self.card is None or modulation != 0:
            return _NOBODY
        self.found.set()
        atqa = b"\x00\x04" if len(self.card) == 4 else b"\x00\x44"
        return b"\x01\x01" + atqa + b"\x08" + bytes([len(self.card)]) + self.card


class Pn532(Plugged):
    """The chip on a line."""

    def __init__(self, url: str, pace: float = 0.005) -> None:
        """Each try after the first comes `pace` seconds later."""
        self._line = device_end(url, self._hear)
        super().__init__(self._line)
        self.chip = Chip()
        #: What is wrong with its answers now.
        self.fault: Fault | None = None
        self._buffer = b""
        #: What it listens with until its power is off; another one begins with the acknowledgement of its answer.
        self._baudrate = self._next_baudrate = _BAUDRATES[4]
        self._pace = pace
        self._searching: asyncio.TimerHandle | None = None
        #: It told of a card, and the reader went on with that.
        self._told, self._heard_of = False, asyncio.Event()
        self._spoiled: asyncio.Event | None = None

    async def spoil(self, fault: Fault) -> None:
        """Returns when one answer went out wrong."""
        self.fault, self._spoiled = fault, asyncio.Event()
        await self._spoiled.wait()

    async def present(self, uid: bytes, hold: float = 0.0) -> None:
        """Returns when a reader has heard of the card and it was held for `hold` seconds from there on."""
        self.chip.card = uid
        self._told = False
        self._heard_of.clear()
        try:
            await self._heard_of.wait()
            await asyncio.sleep(hold)
        finally:
            self.chip.card = None

    async def replug(self) -> None:
        """It has power again."""
        self._baudrate = self._next_baudrate = _BAUDRATES[4]
        await super().replug()

    async def opened(self) -> None:
        """Returns when a reader has looked for a card."""
        await self.chip.asked.wait()

    def _hear(self, data: bytes) -> None:
        speed = self._line.baudrate
        if speed not in (None, self._baudrate, self._next_baudrate):
            return
        if speed == self._next_baudrate:
            self._baudrate = speed
        self._buffer = (self._buffer + data)[-_LONGEST:]
        while (body := self._next()) is not None:
            # Whatever it is told ends what it was at.
            self._rest()
            if not body:
                self._told, self._baudrate = False, self._next_baudrate
            else:
                if self._told:
                    self._heard_of.set()
                if body[1] == 0x10:  # SetSerialBaudRate
                    self._next_baudrate = _BAUDRATES[body[2]]
                if self.fault is not Fault.SILENT:
                    self._port.send(ACK)
                self._answer(body, self.chip.answer(body[1], body[2:]), self.chip.retries)

    def _rest(self) -> None:
        if self._searching is not None:
            self._searching.cancel()
            self._searching = None

    def _answer(self, body: bytes, answer: bytes | None, retries: int) -> None:
        if body[1] == 0x4A and answer == _NOBODY and retries:
            self._searching = asyncio.get_running_loop().call_later(self._pace, self._look_again, body, retries - 1)
            return
        self._told = body[1] == 0x4A and answer != _NOBODY and self.fault is None
        if self.fault is not Fault.SILENT:
            self._port.send(self._broken(_ERROR if answer is None else frame(bytes([0xD5, body[1] + 1]) + answer)))
        if self._spoiled is not None:
            self._spoiled.set()
            self.fault = self._spoiled = None

    def _look_again(self, body: bytes, retries: int) -> None:
        self._answer(body, self.chip.look(body[3]), retries)

    def _next(self) -> bytes | None:
        """The next frame's body, empty for an acknowledgement; None when there is no whole frame."""
        start = self._buffer.find(_START)
        if start < 0:
            self._buffer = self._buffer[-2:]
            return None
        frame = self._buffer[start:]
        if frame.startswith(ACK):
            self._buffer = frame[len(ACK) :]
            return b""
        size, head = (int.from_bytes(frame[5:7]), 8) if frame[3:5] == b"\xff\xff" else (int.from_bytes(frame[3:4]), 5)
        if len(frame) < head or len(frame) < head + size + 2:
            return None
        self._buffer = frame[head + size + 2 :]
        body = frame[head : head + size]
        return body if (sum(body) + frame[head + size]) % 256 == 0 else b""

    def _broken(self, answer: bytes) -> bytes:
        match self.fault:
            case Fault.CHECKSUM:
                return answer[:-2] + bytes([answer[-2] ^ 0xFF]) + answer[-1:]
            case Fault.ERROR:
                return _ERROR
            case Fault.CUT:
                return answer[: len(answer) // 2]
            case _:
                return answer


def frame(body: bytes) -> bytes:
    """A body with its lengths and checksums."""
    size = len(body)
    if size < 255:
        head = bytes([size, -size % 256])
    else:
        high, low = divmod(size, 256)
        head = bytes([0xFF, 0xFF, high, low, -(high + low) % 256])
    return _START + head + body + bytes([-sum(body) % 256, 0])
