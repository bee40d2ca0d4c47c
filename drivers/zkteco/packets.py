"""Packets of a ZKTeco terminal's own protocol, TCP port 4370: what is asked, what is answered, records of its log.

    50 50 82 7D | length u32 | command, checksum, session, reply u16 | data       all little-endian

The checksum is the complement of the folded sum of all 16-bit words but itself. Sources: public implementations, and vectors
that one of them made.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from drivers.frames import BadCard, BadFrame
from drivers.zkteco.codec import Punch, punch

HEADER = 8
LONGEST = 128 * 1024
_MAGIC = b"\x50\x50\x82\x7d"
_PLAIN = struct.Struct("<4H")
_NEW = struct.Struct("<H24sB4sB8s")
_MIDDLE = struct.Struct("<I4sBB2sI")
_TICKS = 50


class Command(IntEnum):
    """What the two say."""

    GET_FREE_SIZES = 50
    ATTLOG = 13
    GET_TIME = 201
    CONNECT = 1000
    EXIT = 1001
    AUTH = 1102
    PREPARE_DATA = 1500
    DATA = 1501
    FREE_DATA = 1502
    PREPARE_BUFFER = 1503
    READ_BUFFER = 1504
    OK = 2000
    UNAUTHORISED = 2005


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One of either side."""

    command: int
    session: int
    reply: int
    data: bytes = b""

    def __bytes__(self) -> bytes:
        body = _PLAIN.pack(self.command, 0, self.session, self.reply) + self.data
        body = _PLAIN.pack(self.command, checksum(body), self.session, self.reply) + self.data
        return _MAGIC + struct.pack("<I", len(body)) + body


def length(header: bytes) -> int:
    """How much follows the first eight bytes. Raises ValueError."""
    size = int.from_bytes(header[4:], "little")
    if header[:4] != _MAGIC or not _PLAIN.size <= size <= LONGEST:
        raise ValueError("this is no ZKTeco terminal")
    return size


def packet(body: bytes) -> Packet:
    """What follows them. TCP has its own checksum, and not every terminal makes this one right."""
    command, _, session, reply = _PLAIN.unpack_from(body)
    return Packet(command=command, session=session, reply=reply, data=body[_PLAIN.size :])


def checksum(body: bytes) -> int:
    """Of a packet whose own checksum is 0."""
    padded = body + bytes(len(body) % 2)
    total = sum(padded[::2]) + (sum(padded[1::2]) << 8)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def answer_to_challenge(key: int, session: int) -> bytes:
    """The data of AUTH for the terminal's communication key."""
    mirrored = int(f"{key & 0xFFFFFFFF:032b}"[::-1], 2)
    mixed = bytes(a ^ b for a, b in zip(struct.pack("<I", (mirrored + session) & 0xFFFFFFFF), b"ZKSO", strict=True))
    low, high = struct.unpack("<HH", mixed)
    a, b, _, d = struct.pack("<HH", high, low)
    return bytes([a ^ _TICKS, b ^ _TICKS, _TICKS, d ^ _TICKS])


def packed(local: datetime) -> bytes:
    """A time as the terminal packs it: every month has 31 days."""
    days = ((local.year - 2000) * 12 + local.month - 1) * 31 + local.day - 1
    return struct.pack("<I", days * 86400 + local.hour * 3600 + local.minute * 60 + local.second)


def unpacked(data: bytes) -> datetime:
    """The same, without a zone. Raises ValueError for the 31st of February."""
    (number,) = struct.unpack("<I", data)
    days, seconds = divmod(number, 86400)
    months, day = divmod(days, 31)
    year, month = divmod(months, 12)
    return datetime(2000 + year, month + 1, day + 1) + timedelta(seconds=seconds)  # noqa: DTZ001 - the terminal's own


def record_size(size: int, count: int) -> int:
    """Of each of `count` records that are `size` bytes together. Raises ValueError."""
    each, rest = divmod(size, count)
    if rest or each not in (_NEW.size, _MIDDLE.size):
        raise ValueError(f"{count} records in {size} bytes are of no known layout: let this terminal push only")
    return each


def records(data: bytes, each: int) -> Iterator[Punch | BadCard | BadFrame]:
    """The taps of a terminal's log, in its order."""
    for start in range(0, len(data) - each + 1, each):
        raw = data[start : start + each]
        if each == _NEW.size:
            _, text, _, time, status, _ = _NEW.unpack(raw)
            pin = text.split(b"\0", 1)[0].decode("latin-1").strip()
        else:
            number, time, _, status, _, _ = _MIDDLE.unpack(raw)
            pin = str(number)
        try:
            yield punch(pin, unpacked(time), status, raw)
        except ValueError:
            yield BadFrame(raw=raw, why="there is no such time")


def record(pin: str, local: datetime, status: int = 255, verify: int = 2) -> bytes:
    """As the terminal stores it."""
    return _NEW.pack(1, pin.encode("ascii"), verify, packed(local), status, bytes(8))
