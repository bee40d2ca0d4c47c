"""Tables that other programs export after a public form (RFC 4180): cells over several lines, columns that nobody asked for.

What is wanted is told by Columns, as in our own tables; everything else is passed over unread.
"""

import csv
import io
import unicodedata
from collections.abc import Sequence

from sync.sources.delimited import encoding_of
from sync.sources.headings import Headings
from sync.sources.rows import MAX_ROWS, Column, Lines, Problems, Row, heading, names_of, read_rows

_DELIMITERS = ",;\t"


def read_export(file: str, data: bytes, columns: Sequence[Column[object]], problems: Problems) -> list[Row]:
    """The rows that can be read; the others are among the problems. No cell is shown in a message."""
    encoding = encoding_of(file, data, problems)
    if encoding is None:
        return []
    text = data.decode(encoding)
    first = text[: text.find("\n") + 1 or len(text)][:16_384]
    delimiter = max(_DELIMITERS, key=first.count)
    header = [heading(cell.strip()) for cell in next(csv.reader([first], delimiter=delimiter), [])]
    known = names_of(columns, Headings())
    # A name that is not ours may be of any length, and one of ours may be there twice.
    headings = Headings(ignore=tuple(name for name in header if name not in known and len(name) <= 200))
    return read_rows(file, _lines(file, text, delimiter, problems), columns, problems, headings=headings, private=True)


def _lines(file: str, text: str, delimiter: str, problems: Problems) -> Lines:
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
