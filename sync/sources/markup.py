"""XML of another program, read without surprises: no DTD and so no entities, nothing from elsewhere, bounded in every way.

bytes --mark of order, else what they are, else what they declare--> text --expat--> elements with their places
"""

import codecs
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

from sync.sources.rows import Problems

MAX_BYTES = 16 * 1024 * 1024
MAX_ELEMENTS = 200_000
MAX_DEPTH = 16
MAX_ATTRIBUTES = 64
MAX_VALUE = 64 * 1024

_DECLARED = re.compile(rb"""\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
#: One byte is one letter in them; Python knows codecs that would do other things.
_ENCODINGS = re.compile(
    r"(windows-|cp)125[0-8]|koi8-[ru]|iso-8859-[0-9]{1,2}|(cp|ibm)866|us-ascii|utf-?8", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A tag and what it carries; what stands between tags is not kept."""

    #: In lower case, like the names of attributes.
    name: str
    #: The name of the element around it; empty for the outermost.
    inside: str
    line: int
    column: int
    #: Without spaces at the ends and with single ones inside (NFC).
    attributes: Mapping[str, str]


class _Refused(Exception):
    """What stands in the file is not taken."""

    def __init__(self, got: str, expected: str, hint: str) -> None:
        super().__init__(got)
        self.got, self.expected, self.hint = got, expected, hint


class _Reader:
    """Handlers of expat."""

    def __init__(self) -> None:
        self.elements: list[Element] = []
        self._open: list[str] = []
        # The text was decoded before: what it declares does not count any more.
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.elements) == MAX_ELEMENTS:
            raise _Refused("more elements", f"at most {MAX_ELEMENTS} elements", "this is not the file you mean")
        if len(self._open) == MAX_DEPTH:
            raise _Refused(
                "a deeper element", f"at most {MAX_DEPTH} inside each other", "this is not the file you mean"
            )
        if len(attributes) > MAX_ATTRIBUTES or any(len(value) > MAX_VALUE for value in attributes.values()):
            expected = f"at most {MAX_ATTRIBUTES} attributes of at most {MAX_VALUE} characters"
            raise _Refused("more attributes or a longer one", expected, "export the file again")
        parser = self.parser
        self.elements.append(
            Element(
                name=name.lower(),
                inside=self._open[-1] if self._open else "",
                line=parser.CurrentLineNumber,
                column=parser.CurrentColumnNumber + 1,
                attributes={key.lower(): _plain(value) for key, value in attributes.items()},
            )
        )
        self._open.append(name.lower())

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _doctype(self, *_: object) -> None:
        # Before its first entity: none is ever declared, so none is ever expanded or fetched.
        raise _Refused("a DOCTYPE", "XML without one", "export the file again; do not edit it")


def read_markup(file: str, data: bytes, problems: Problems) -> list[Element]:
    """Every element in the order of the file; nothing where something is among the problems."""
    text = _text(file, data, problems)
    if text is None:
        return []
    reader = _Reader()
    try:
        reader.parser.Parse(text.encode(), True)
    except _Refused as refused:
        place = reader.parser.CurrentLineNumber, str(reader.parser.CurrentColumnNumber + 1)
        problems.add(file, refused.got, refused.expected, refused.hint, row=place[0], column=place[1])
    except expat.ExpatError as error:
        got = f"a mistake: {expat.ErrorString(error.code)}"
        hint = "export the file again; do not edit it"
        problems.add(file, got, "well-formed XML", hint, row=error.lineno, column=str(error.offset + 1))
    else:
        return reader.elements
    return []


def _plain(value: str) -> str:
    return value if value.isascii() and " " not in value else " ".join(unicodedata.normalize("NFC", value).split())


def _text(file: str, data: bytes, problems: Problems) -> str | None:
    if len(data) > MAX_BYTES:
        expected = f"at most {MAX_BYTES // 1024 // 1024} MiB"
        problems.add(file, "a larger file", expected, "this is not the file you mean")
        return None
    encoding = _encoding(data)
    if encoding is None:
        expected = "UTF-8 or an encoding like windows-1251"
        problems.add(file, "an encoding that is not read here", expected, "export the file in UTF-8", row=1)
        return None
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        row, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        expected = f"text in {encoding.removesuffix('-sig')}"
        problems.add(file, "bytes of something else", expected, "export the file again", row=row, column=str(column))
    return None


def _encoding(data: bytes) -> str | None:
    """A mark of byte order tells; else text that is UTF-8 is taken as that, whatever it declares; else what it declares."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    declared = _DECLARED.match(data)
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        name = declared[1].decode("ascii") if declared else "utf-8"
        try:
            return codecs.lookup(name).name if _ENCODINGS.fullmatch(name) else None
        except LookupError:
            return None
    return "utf-8-sig"
