"""NTAG 424 DNA: the tag makes its URL anew for each reading (SUN), and nobody without its keys can make the next one.

    https://journal.example/t?picc_data=EF963FF7828658A599F3041510671E88&cmac=94EED9EE65337086
    picc_data      AES-CBC(meta key, C7 | UID, 7 bytes | counter, 3 bytes, lowest first | 5 random bytes)
    cmac           every other byte of CMAC(session key, the URL from where the MAC begins up to the value of cmac)
    session key    CMAC(file key, 3CC300010080 | UID | counter)

Sources: NXP AN12196 (NTAG 424 DNA), AN10922 (keys for each tag), NFC Forum NDEF, RTD URI and Type 4 Tag.
"""

import hmac
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

_UID_AND_COUNTER = 0xC7
_MAC_KEY = bytes.fromhex("3CC300010080")
_PER_TAG = b"\x01"
_PREFIXES = {0: b"", 1: b"http://www.", 2: b"https://www.", 3: b"http://", 4: b"https://"}
_WELL_KNOWN, _SHORT, _HAS_ID = 0x01, 0x10, 0x08


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Where in its URL a tag puts what, as it was personalised."""

    #: The parameter with the encrypted UID and counter.
    picc_data: str = "picc_data"
    #: The parameter with the MAC.
    cmac: str = "cmac"
    #: The parameter whose value is the first thing under the MAC; None where nothing is.
    mac_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """AES-128 keys of a site's tags."""

    #: SDMMetaRead, the same for all: the UID is known only after it was used.
    meta: bytes = field(repr=False)
    #: SDMFileRead, or what those of all tags are made of.
    file: bytes = field(repr=False)
    #: What follows the UID when a tag's own key is made; None where all tags have the same.
    diversifier: bytes | None = field(default=None, repr=False)

    def file_of(self, uid: bytes) -> bytes:
        """SDMFileRead of one tag."""
        return self.file if self.diversifier is None else cmac(self.file, _PER_TAG + uid + self.diversifier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a URL says, proven by nothing yet."""

    picc_data: bytes = field(repr=False)
    mac: bytes = field(repr=False)
    #: What the MAC is about.
    covered: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A genuine message; it may be a copy of one that was shown before."""

    uid: bytes = field(repr=False)
    #: Greater in each reading of the tag, by one or more.
    counter: int


def url(file: bytes) -> bytes | None:
    """The first URL in a type 4 tag's NDEF file, which begins with its length; None for anything else."""
    size, rest = int.from_bytes(file[:2]), file[2:]
    if size > len(rest):
        return None
    rest = rest[:size]
    while len(rest) > 3:  # flags, length of the type, at least one byte of length
        flags, of_type = rest[0], rest[1]
        short, has_id = bool(flags & _SHORT), bool(flags & _HAS_ID)
        head = 2 + (1 if short else 4) + has_id
        payload = int.from_bytes(rest[2 : 3 if short else 6])
        start = head + of_type + (rest[head - 1] if has_id and len(rest) >= head else 0)
        if start + payload > len(rest):
            return None
        if flags & 0x07 == _WELL_KNOWN and rest[head : head + of_type] == b"U" and payload:
            prefix = _PREFIXES.get(rest[start])
            return None if prefix is None else prefix + rest[start + 1 : start + payload]
        rest = rest[start + payload :]
    return None


def message(url: bytes, form: Form) -> Message | None:
    """The SUN message in a URL; None where there is none of this form."""
    picc_data, mac = _value(url, form.picc_data), _value(url, form.cmac)
    start = mac if form.mac_from is None else _value(url, form.mac_from)
    if picc_data is None or mac is None or start is None or start.start() > mac.start():
        return None
    if len(picc_data[0]) != 2 * 16 or len(mac[0]) != 2 * 8:
        return None
    return Message(
        picc_data=bytes.fromhex(picc_data[0].decode("ascii")),
        mac=bytes.fromhex(mac[0].decode("ascii")),
        covered=url[start.start() : mac.start()],
    )


def genuine(message: Message, keys: Keys) -> Reading | None:
    """Who says so; None for a wrong key, a changed URL or a tag of somebody else, and never which of them."""
    decryptor = Cipher(algorithms.AES(keys.meta), modes.CBC(bytes(16))).decryptor()
    plain = decryptor.update(message.picc_data) + decryptor.finalize()
    uid, counter = plain[1:8], plain[8:11]
    session = cmac(keys.file_of(uid), (_MAC_KEY + uid + counter))
    proven = hmac.compare_digest(cmac(session, message.covered)[1::2], message.mac)
    return (
        Reading(uid=uid, counter=int.from_bytes(counter, "little")) if proven and plain[0] == _UID_AND_COUNTER else None
    )


def cmac(key: bytes, data: bytes) -> bytes:
    """AES-CMAC, 16 bytes."""
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


def _value(url: bytes, name: str) -> re.Match[bytes] | None:
    """The value of the only parameter of that name, in upper-case hex as a tag writes it."""
    found = [*re.finditer(b"(?<=[?&]" + re.escape(name.encode("ascii")) + b"=)[0-9A-F]{1,1024}(?=[&#]|$)", url)]
    return found[0] if len(found) == 1 else None
