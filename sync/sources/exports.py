"""Tables that other programs export after a public form (RFC 4180): cells over several lines, columns that nobody asked for.

What is wanted is told by Columns, as in our own tables; everything else is passed over unread.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from itertools import chain

from sync.sources.delimited import encoding_of
from sync.sources.headings import Headings
from sync.sources.rows import MAX_ROWS, Column, Lines, Problems, Row, heading, names_of, read_rows

MAX_HEADER = 200
_DELIMITERS = ",;\t"


def read_export(file: str, data: bytes, columns: Sequence[Column[object]], problems: Problems) -> list[Row]:
    """The rows that can be read; the others are among the problems. No cell is shown in a message."""
    encoding = encoding_of(file, data, problems)
    if encoding is None:
        return []
    lines = _lines(file, data.decode(encoding), problems)
    first = next(lines, None)
    known = names_of(columns, Headings())
    # What is not ours may be called anything.
    others = [name for name in map(heading, () if first is None else first[1]) if name not in known]
    headings = Headings(ignore=tuple(name for name in others if len(name) <= MAX_HEADER))
    whole = lines if first is None else chain([first], lines)
    return read_rows(file, whole, columns, problems, headings=headings, private=True)


def _lines(file: str, text: str, problems: Problems) -> Lines:
    delimiter = max(_DELIMITERS, key=re.split(r"[\r\n]", text, maxsplit=1)[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            expected = "quotes in pairs, around cells of ordinary length"
            problems.add(file, "a cell without an end", expected, "mend the quotes, or export it again", row=number)
            return
        if cells is None:
            return
        if number > MAX_ROWS:
            problems.add(file, "more rows", f"at most {MAX_ROWS} rows", "this is not the file you mean", row=number)
            return
        yield number, [_plain(cell) for cell in cells]


def _plain(cell: str) -> str:
    return cell if cell.isascii() and cell.isalnum() else " ".join(unicodedata.normalize("NFC", cell).split())
