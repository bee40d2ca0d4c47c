"""A file spoilt as transport, editors, other programs and malice spoil files; the same seed spoils it the same way."""

import io
import random
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence

#: No spoilt file is longer: what a length alone does is a matter of the tests of each parser.
MOST_BYTES = 256 * 1024
_ODD_NUMBERS = (
    "0 -1 1 7 13 31 32 99 255 256 366 1000 65536 999999 2147483648 99999999999999999999 1e309 0x1F -0 +7 007 NaN ² ٣"
)
_NUMBERS = [number.encode() for number in _ODD_NUMBERS.split()]
_SIGNS = [bytes([code]) for code in b"\0\n\r\t \"';,:=/\\|&<>\x1a\x80"]
_ENCODINGS = [b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80"]
_LETTERS = [text.encode() for text in ("\u200b", "\u202e", "\u2028", "\x85", "Ё", "ß", "İ", "𝟘", "e\u0301" * 40)]
_PIECES = (b"", *_SIGNS, *_ENCODINGS, *_LETTERS, b"%s", b"{}", b"../../etc/passwd", b"A" * 600)
#: What is no damage by itself, but of which a file of its kind should never have such an amount.
_AMOUNTS = (2, 3, 10, 100, 1000)

Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def spoilt(chance: random.Random, files: Mapping[str, bytes], words: Sequence[bytes]) -> dict[str, bytes]:
    """The files with one to six changes in one of them; `words` are what its format finds special."""
    name = chance.choice([*files])
    return {**files, name: _spoilt(chance, files[name], words)}


def _spoilt(chance: random.Random, data: bytes, words: Sequence[bytes]) -> bytes:
    # A zip that does not open tells little of what is inside.
    if data.startswith(b"PK") and chance.random() < 0.85:
        members = _members(data)
        name = chance.choice([*members])
        return _packed({**members, name: _spoilt(chance, members[name], words)})
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        data = chance.choice(_CHANGES)(chance, data, words)[:MOST_BYTES]
    return data


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _range(chance: random.Random, data: bytes, most: int) -> tuple[int, int]:
    begin = chance.randrange(len(data) + 1)
    return begin, min(len(data), begin + chance.randint(0, most))


def _flip(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    spoiled = bytearray(data or b"\0")
    for _number in range(chance.choice((1, 1, 4, 16))):
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def _delete(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    begin, end = _range(chance, data, chance.choice((1, 8, 64, 512)))
    return data[:begin] + data[end:]


def _cut(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _insert(chance: random.Random, data: bytes, words: Sequence[bytes]) -> bytes:
    begin, _ = _range(chance, data, 0)
    piece = chance.choice((*_PIECES, *words, chance.randbytes(chance.randint(1, 16))))
    return data[:begin] + piece * chance.choice((1, 1, 1, 2, 50)) + data[begin:]


def _move(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    begin, end = _range(chance, data, 200)
    rest = data[:begin] + data[end:]
    place = chance.randrange(len(rest) + 1)
    return rest[:place] + data[begin:end] + rest[place:]


def _repeat(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    begin, end = _range(chance, data, chance.choice((4, 64, 400)))
    return data[:begin] + data[begin:end] * chance.choice(_AMOUNTS) + data[end:]


def _lines(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            lines[one:one] = [lines[other]] * chance.choice(_AMOUNTS)
        case 2:
            del lines[one]
        case _:
            lines[min(one, other) : max(one, other)] = []
    return b"".join(lines)


def _number(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return _replaced(chance, data, rb"[0-9]+", _NUMBERS)


def _word(chance: random.Random, data: bytes, words: Sequence[bytes]) -> bytes:
    """A word by another one of the file, of its format, or of none."""
    own = re.findall(rb"[^\s;,:=<>\"'|/]+", data[:20_000]) or [b""]
    return _replaced(chance, data, rb"[^\s;,:=<>\"'|/]+", [chance.choice(own), *words, *_PIECES])


def _replaced(chance: random.Random, data: bytes, pattern: bytes, by: Sequence[bytes]) -> bytes:
    found = [*re.finditer(pattern, data)]
    if not found:
        return data
    place = chance.choice(found)
    return data[: place.start()] + chance.choice(by) + data[place.end() :]


_CHANGES: Sequence[Change] = (
    *(_flip, _delete, _cut, _insert, _move, _repeat),
    *(_lines, _lines, _number, _number, _word, _word, _word),
)
