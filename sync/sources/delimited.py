"""Bytes of a CSV to lines of cells: UTF-8 (with or without its mark) or Windows-1251; `;`, `,` or tab; one line is one row."""

import codecs
import csv
import io
import unicodedata
from collections.abc import Collection, Iterator

from sync.sources.rows import MAX_BYTES, MAX_ROWS, Lines, Problems, heading

MAX_LINE = 16 * 1024
_DELIMITERS = ";,\t"
_CHUNK = 64 * 1024


def read_lines(file: str, data: bytes, names: Collection[str], header: int, problems: Problems) -> Lines:
    """The lines from the header on, which stands in this line; the delimiter is the one under which it holds the most of these names."""
    encoding = encoding_of(file, data, problems)
    if encoding is None:
        return
    delimiter = ""
    for number, line in _lines(file, io.TextIOWrapper(io.BytesIO(data), encoding=encoding), problems):
        if number < header:
            continue
        delimiter = delimiter or max(_DELIMITERS, key=lambda mark: _known(line, mark, names))
        cells = _cells(line, delimiter)
        if cells is None:
            problems.add(file, "a stray quote", 'quotes in pairs: "…"', "mend the quotes in this line", row=number)
        else:
            yield number, cells


def encoding_of(file: str, data: bytes, problems: Problems) -> str | None:
    """What the bytes are text in; None, and a problem, where they are none."""
    if len(data) > MAX_BYTES:
        problems.add(file, "more than 16 MiB", "at most 16 MiB", "this is not the file you mean")
        return None
    for encoding in () if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ("utf-8-sig", "cp1251"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for start in range(0, len(data) + 1, _CHUNK):
                chunk = data[start : start + _CHUNK]
                decoder.decode(chunk, final=start + _CHUNK > len(data))
        except UnicodeDecodeError:
            continue
        return encoding
    expected = "text in UTF-8 or Windows-1251"
    problems.add(file, "bytes of something else", expected, "save the table as CSV UTF-8 in the spreadsheet")
    return None


def _lines(file: str, stream: io.TextIOWrapper, problems: Problems) -> Iterator[tuple[int, str]]:
    for row in range(1, MAX_ROWS + 3):
        line = stream.readline(MAX_LINE + 1)
        if not line:
            return
        if len(line) > MAX_LINE:
            problems.add(file, "a longer line", f"at most {MAX_LINE} characters", "split the line", row=row)
            return
        if row == MAX_ROWS + 2:
            problems.add(file, "more rows", f"at most {MAX_ROWS} rows", "this is not the file you mean", row=row)
            return
        yield row, line.removesuffix("\n")


def _cells(line: str, delimiter: str) -> list[str] | None:
    try:
        row = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None
    return [" ".join(unicodedata.normalize("NFC", cell).split()) for cell in row]


def _known(line: str, delimiter: str, names: Collection[str]) -> int:
    return len({heading(cell) for cell in _cells(line, delimiter) or ()}.intersection(names))
