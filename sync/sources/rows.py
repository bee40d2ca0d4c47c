"""Bytes of a spreadsheet export to typed rows; what cannot be read is named by file, row and column, all of it at once.

UTF-8 (with or without its mark) or Windows-1251; `;` or `,`; one line is one row; headers in any case, order and known language.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Generic, TypeVar, cast

from gateway.errors import MAX_PROBLEMS, Problem, SourceError
from sync.sources.cells import CellRefused, fold, quoted, similar

MAX_BYTES = 64 * 1024 * 1024
MAX_ROWS = 200_000
MAX_LINE = 16 * 1024
MAX_CELL = 500

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[T_co]):
    """What a column is called and how its cells are read."""

    name: str
    #: Other headers for it, in lower case.
    also: tuple[str, ...] = ()
    #: Reads a cell that is not empty. Raises CellRefused.
    parse: Callable[[str], T_co]
    #: Stands for an empty cell and for a missing column; without it both are mistakes.
    default: T_co | EllipsisType = ...
    #: Never shown in a message.
    personal: bool = False


class Row:
    """The cells of one line, read."""

    __slots__ = ("_values", "file", "number")

    def __init__(self, file: str, number: int, values: Mapping[str, object]) -> None:
        self.file = file
        #: 1 is the header.
        self.number = number
        self._values = values

    def __getitem__(self, column: Column[T_co]) -> T_co:
        return cast("T_co", self._values[column.name])


class Problems:
    """Gathers what is wrong, no more than a person will read: the last one that fits raises SourceError."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._files: set[str] = set()

    def add(
        self, file: str, got: str, expected: str, hint: str, *, row: int | None = None, column: str | None = None
    ) -> None:
        place = ":".join(str(part) for part in (file, row, column) if part is not None)
        self._found.append(Problem(place=place, got=got, expected=expected, hint=hint))
        self._files.add(file)
        if len(self._found) == MAX_PROBLEMS:
            self.settle()

    def at(self, row: Row, column: Column[object], got: str, expected: str, hint: str) -> None:
        """A problem of a row that was read, but does not fit to the others."""
        self.add(row.file, got, expected, hint, row=row.number, column=column.name)

    def none_in(self, *files: str) -> bool:
        """Whether these were read whole, so that others may be held against them."""
        return self._files.isdisjoint(files)

    def settle(self) -> None:
        """Raises SourceError if there is anything to mend."""
        if self._found:
            raise SourceError.of(self._found)


def read_rows(file: str, data: bytes, columns: Sequence[Column[object]], problems: Problems) -> list[Row]:
    """The rows that can be read; the others are among the problems."""
    encoding = _encoding(file, data, problems)
    if encoding is None:
        return []
    lines = _lines(file, io.TextIOWrapper(io.BytesIO(data), encoding=encoding), problems)
    first = next(lines, (1, ""))
    delimiter, header = _header(first[1], columns)
    positions = _positions(file, header, columns, problems)
    rows: list[Row] = []
    for number, line in lines if positions else ():
        cells = _cells(line, delimiter)
        if cells is None:
            problems.add(file, "a stray quote", 'quotes in pairs: "…"', "mend the quotes in this line", row=number)
        elif any(cells):
            values = _values(file, number, cells, positions, columns, problems)
            if len(cells) > len(header) and any(cells[len(header) :]):
                got, expected = f"{len(cells)} cells", f"at most {len(header)}, as in the header"
                problems.add(file, got, expected, f"put a text with {delimiter} into quotes", row=number)
            elif values is not None:
                rows.append(Row(file, number, values))
    return rows


def _encoding(file: str, data: bytes, problems: Problems) -> str | None:
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            if len(data) <= MAX_BYTES and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
                data.decode(encoding)
                return encoding
        except UnicodeDecodeError:
            continue
    if len(data) > MAX_BYTES:
        problems.add(file, "more than 64 MiB", "at most 64 MiB", "this is not the file you mean")
    else:
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


def _header(line: str, columns: Sequence[Column[object]]) -> tuple[str, list[str]]:
    """The delimiter under which the first line names the most columns, and what it names."""
    known = {name for column in columns for name in (column.name, *column.also)}

    def split(delimiter: str) -> list[str]:
        cells = _cells(line, delimiter) or []
        while cells and not cells[-1]:
            cells.pop()
        return [re.sub(r"[ -]", "_", fold(cell)) for cell in cells]

    headers = {delimiter: split(delimiter) for delimiter in (";", ",")}
    best = max(headers, key=lambda delimiter: len(known.intersection(headers[delimiter])))
    return best, headers[best]


def _positions(
    file: str, header: Sequence[str], columns: Sequence[Column[object]], problems: Problems
) -> dict[str, int]:
    """Where each column stands; nothing when the header cannot be relied on."""
    names = {name: column.name for column in columns for name in (column.name, *column.also)}
    if names.keys().isdisjoint(header):
        expected = f"a first line with {', '.join(column.name for column in columns)}"
        problems.add(
            file, "a first line that names no column", expected, "add the line; ; or , between the names", row=1
        )
        return {}
    positions: dict[str, int] = {}
    for position, name in enumerate(header):
        if name not in names:
            hint = similar(name, names, "remove the column: only what is needed is taken in")
            got = f"a column {quoted(name)}"
            problems.add(file, got, f"only {', '.join(column.name for column in columns)}", hint, row=1)
        elif positions.setdefault(names[name], position) != position:
            problems.add(
                file, f"{quoted(name)} again", "each column once", "remove one of them", row=1, column=names[name]
            )
    for column in columns:
        if column.default is ... and column.name not in positions:
            problems.add(file, "no such column", f"a column {column.name}", "add it", row=1, column=column.name)
    return positions if problems.none_in(file) else {}


def _values(
    file: str,
    row: int,
    cells: Sequence[str],
    positions: Mapping[str, int],
    columns: Sequence[Column[object]],
    problems: Problems,
) -> dict[str, object] | None:
    values: dict[str, object] = {}
    for column in columns:
        position = positions.get(column.name)
        cell = cells[position] if position is not None and position < len(cells) else ""
        got = f"a text of {len(cell)} characters" if column.personal else quoted(cell)
        try:
            if len(cell) > MAX_CELL or not cell.isprintable():
                raise CellRefused(f"at most {MAX_CELL} characters that can be seen", "type the cell anew")
            if not cell and column.default is ...:
                got = "an empty cell"
                raise CellRefused("a value in every row", "fill it in or remove the row")
            values[column.name] = column.parse(cell) if cell else column.default
        except CellRefused as refused:
            problems.add(file, got, refused.expected, refused.hint, row=row, column=column.name)
    return values if len(values) == len(columns) else None
