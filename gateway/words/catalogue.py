"""Reads a .po file as it lies here into the standard library's gettext: a fresh clone needs no build step.

msgid "one minute"            "" is the header: charset UTF-8, Plural-Forms
msgid_plural "%d minutes"
msgstr[0] "%d минута"
"""

import ast
import gettext
import io
import re
import struct
from collections.abc import Iterator, Mapping

_FIELD = re.compile(r'(msgid|msgid_plural|msgstr(?:\[\d\])?) (".*")')
_MAGIC, _HEADER = 0x950412DE, 28


def read_po(text: str) -> gettext.GNUTranslations:
    """The translations of a .po file. Raises ValueError with the number of a line that is none of its grammar."""
    return gettext.GNUTranslations(io.BytesIO(_compiled(dict(_pairs(text)))))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """What msgfmt would write: forms are parted by NUL, plural beside singular."""
    for entry in _entries(text):
        forms = [value for field, value in sorted(entry.items()) if field.startswith("msgstr")]
        plural = [entry["msgid_plural"]] if "msgid_plural" in entry else []
        yield "\0".join([entry["msgid"], *plural]), "\0".join(forms)


def _entries(text: str) -> Iterator[dict[str, str]]:
    entry: dict[str, str] = {}
    field = ""
    for number, line in enumerate(text.splitlines(), 1):
        found = _FIELD.fullmatch(line)
        if found and found[1] == "msgid" and entry:
            yield entry
            entry = {}
        if found and found[1] not in entry:
            field = found[1]
            entry[field] = _unquoted(found[2], number)
        elif line.startswith('"') and field:
            entry[field] += _unquoted(line, number)
        elif line and not line.startswith("#"):
            raise ValueError(f"line {number} is no line of a .po file")
    if entry:
        yield entry


def _unquoted(text: str, number: int) -> str:
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        raise ValueError(f"line {number} has a text without its end") from None


def _compiled(messages: Mapping[str, str]) -> bytes:
    """The .mo file of these messages: a header, two tables of (length, offset), the texts."""
    pairs = sorted((key.encode(), value.encode()) for key, value in messages.items())
    texts = [key for key, _ in pairs] + [value for _, value in pairs]
    offset = _HEADER + 8 * len(texts)
    table = b""
    for text in texts:
        table += struct.pack("<II", len(text), offset)
        offset += len(text) + 1
    header = struct.pack("<7I", _MAGIC, 0, len(pairs), _HEADER, _HEADER + 8 * len(pairs), 0, 0)
    return header + table + b"".join(text + b"\0" for text in texts)
