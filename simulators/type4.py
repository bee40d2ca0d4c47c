"""A type 4 tag on the air: ISO 14443-4 blocks around the commands of ISO 7816-4, and an NTAG 424 DNA that makes real SUN messages.

> e080                 < 067777b1028080        RATS, ATS
> 0200a4040007…        < 029000                select the NDEF application; the first byte is the block
> 0300a4000c02e104     < 039000                select the NDEF file
> 0200b0000000         < 12… > a3 < 03…9000    read it: too long for one block, so it is acknowledged in between
"""

import asyncio
import os
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from drivers.nfc.sun import Keys, cmac
from simulators.nfc import Card

_ATS = bytes.fromhex("067777B1028080")
_RATS, _DESELECT = 0xE0, 0xC2
_SELECTS = {
    bytes.fromhex("00A4040007D276000085010100"): b"application",
    bytes.fromhex("00A4000C02E104"): b"file",
}
_READ = bytes.fromhex("00B0")
_DONE, _NOT_FOUND, _NOT_ALLOWED = b"\x90\x00", b"\x6a\x82", b"\x69\x86"
_FILE_BYTES = 256
#: What fits into one block of a reader that takes 256 bytes, with block number and checksum.
_BLOCK = 253


class Type4(Card):
    """`url` is asked for its URL once for each time the file is selected; without one it has no NDEF application."""

    def __init__(self, uid: bytes, url: Callable[[], str] | None = None) -> None:
        super().__init__(uid)
        self.served = asyncio.Event()
        #: How often it was read.
        self.readings = 0
        self._url = url
        self._file = b""
        self._selected = b""
        self._said = b""
        self._rest = b""

    def speak(self, frame: bytes) -> bytes | None:
        """A block of ISO 14443-4; None where a card keeps silent."""
        kind, number = frame[0] & 0xFE, frame[0] & 0x01
        if frame[0] == _RATS:
            self._selected = self._said = self._rest = b""
            return _ATS
        if kind == 0x02:
            return self._say(number, self._obey(frame[1:]))
        if kind == 0xA2 and self._rest:
            return self._say(number, self._rest)
        if kind == 0xB2:
            return self._said
        return frame if frame[0] == _DESELECT else None

    def _say(self, number: int, answer: bytes) -> bytes:
        self._rest = answer[_BLOCK:]
        if not self._rest and (self._file or self._url is None):
            self.served.set()
        self._said = bytes([(0x12 if self._rest else 0x02) | number]) + answer[:_BLOCK]
        return self._said

    def _obey(self, command: bytes) -> bytes:
        if self._url is None:
            return _NOT_FOUND
        if command in _SELECTS:
            self._selected, self._file = _SELECTS[command], b""
            return _DONE
        if not command.startswith(_READ) or self._selected != b"file":
            return _NOT_ALLOWED
        if not self._file:
            self.readings += 1
            self._file = ndef(self._url()).ljust(_FILE_BYTES, b"\0")
        offset = int.from_bytes(command[2:4])
        return self._file[offset : offset + (command[4] or _FILE_BYTES)] + _DONE


class Ntag424:
    """Its URL, another one for each reading."""

    def __init__(self, uid: bytes, keys: Keys, *, counter: int = 0, before: str = "https://journal.example/t") -> None:
        self.uid = uid
        self.counter = counter
        self._keys = keys
        self._before = before

    def __call__(self) -> str:
        self.counter += 1
        return self.url(self.counter, os.urandom(5))

    def url(self, counter: int, padding: bytes, parameters: tuple[str, str] = ("picc_data", "cmac")) -> str:
        """The URL at a counter; the MAC covers nothing but what the session key is made of."""
        who = self.uid + counter.to_bytes(3, "little")
        encryptor = Cipher(algorithms.AES(self._keys.meta), modes.CBC(bytes(16))).encryptor()
        picc_data = encryptor.update(b"\xc7" + who + padding) + encryptor.finalize()
        session = cmac(self._keys.file_of(self.uid), bytes.fromhex("3CC300010080") + who)
        first, second = parameters
        return f"{self._before}?{first}={picc_data.hex().upper()}&{second}={cmac(session, b'')[1::2].hex().upper()}"


def ndef(url: str) -> bytes:
    """The NDEF file of a URL: its length, then one record, the URL without https://."""
    payload = b"\x04" + url.removeprefix("https://").encode("ascii")
    record = bytes([0xD1, 0x01, len(payload)]) + b"U" + payload
    return len(record).to_bytes(2) + record
