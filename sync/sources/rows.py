"""Lines of cells to typed rows; what cannot be read is named by file, row and the file's own header, all of it at once.

The first line names the columns: in any case, order and known language, or in the words that a profile gives.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from types import EllipsisType
from typing import Generic, TypeVar, cast

from gateway.errors import MAX_PROBLEMS, Problem, SourceError
from sync.sources.cells import CellRefused, fold, quoted, similar
from sync.sources.headings import Headings

MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 200_000
MAX_CELL = 500
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)

T_co = TypeVar("T_co", covariant=True)

#: Lines of a table as (number, cells); 1 is the first of the file.
Lines = Iterator[tuple[int, Sequence[str]]]


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

    @property
    def russian(self) -> tuple[str, ...]:
        """Its headers in Russian; ё may be written, and spaces for _."""
        return tuple(name for name in self.also if _CYRILLIC.search(name))


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

    def at(self, row: "Row", column: Column[object], got: str, expected: str, hint: str) -> None:
        """A problem of a row that was read, but makes no sense."""
        header = row.sheet.own.get(column.name, column.name)
        self.add(row.sheet.file, got, expected, hint, row=row.number, column=header)

    def none_in(self, *files: str) -> bool:
        """Whether these were read whole, so that others may be held against them."""
        return self._files.isdisjoint(files)

    def settle(self) -> None:
        """Raises SourceError if there is anything to mend."""
        if self._found:
            raise SourceError.of(self._found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table of one file, and what its header says."""

    file: str
    columns: Sequence[Column[object]]
    headings: Headings
    #: A cell may hold a name or a card number, be it by mistake: none is shown.
    private: bool
    #: Cells of the header, and where each column stands among them.
    width: int
    positions: Mapping[str, int]
    #: What the file calls a column.
    own: Mapping[str, str]
    #: Where each column stands in a row that was read.
    index: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line, read."""

    sheet: Sheet
    #: 1 is the first line of the file.
    number: int
    values: tuple[object, ...]

    def __getitem__(self, column: Column[T_co]) -> T_co:
        return cast("T_co", self.values[self.sheet.index[column.name]])

    @property
    def origin(self) -> str:
        """`file:row`."""
        return f"{self.sheet.file}:{self.number}"


def heading(cell: str) -> str:
    """The same for every way to write a header."""
    return re.sub(r"[ -]", "_", fold(cell))


def names_of(columns: Sequence[Column[object]], headings: Headings) -> dict[str, list[str]]:
    """The columns that a header may stand for."""
    names: dict[str, list[str]] = {}
    for column in columns:
        own = headings.columns.get(column.name)
        for name in (column.name, *column.also) if own is None else (heading(own.header),):
            names.setdefault(name, []).append(column.name)
    return names


def read_rows(
    file: str,
    lines: Lines,
    columns: Sequence[Column[object]],
    problems: Problems,
    *,
    headings: Headings | None = None,
    private: bool = False,
) -> list[Row]:
    """The rows that can be read; the others are among the problems."""
    headings = headings or Headings()
    below = dropwhile(lambda line: line[0] < headings.header, lines)
    first = next(below, (headings.header, ()))
    if not problems.none_in(file):
        return []
    sheet = _sheet(file, first, columns, headings, problems, private=private)
    rows: list[Row] = []
    for number, cells in below if sheet else ():
        if not any(cells) or sheet is None:
            continue
        values = _values(sheet, number, cells, problems)
        if any(cells[sheet.width :]):
            got, expected = f"{len(cells)} cells", f"at most {sheet.width}, as in the header"
            problems.add(file, got, expected, "put a text with the separator into quotes", row=number)
        elif values is not None:
            rows.append(Row(sheet, number, values))
    return rows


def _sheet(
    file: str,
    first: tuple[int, Sequence[str]],
    columns: Sequence[Column[object]],
    headings: Headings,
    problems: Problems,
    *,
    private: bool,
) -> Sheet | None:
    """Nothing when the header cannot be relied on."""
    line, cells = first
    header = list(cells)
    while header and not header[-1]:
        header.pop()
    names = names_of(columns, headings)
    if names.keys().isdisjoint(map(heading, header)):
        expected = f"a line with {', '.join(_named(columns, headings))}"
        problems.add(file, "a first line that names no column", expected, "add the line above the others", row=line)
        return None
    positions = _positions(file, line, header, columns, headings, problems, private=private)
    own = {
        name: header[at]
        for name, at in positions.items()
        if header[at].isprintable() and len(header[at]) <= MAX_CELL and heading(header[at]) != name
    }
    index = {column.name: at for at, column in enumerate(columns)}
    sheet = Sheet(
        file=file,
        columns=columns,
        headings=headings,
        private=private,
        width=len(header),
        positions=positions,
        own=own,
        index=index,
    )
    return sheet if problems.none_in(file) else None


def _named(columns: Sequence[Column[object]], headings: Headings, header: Iterable[str] = ()) -> list[str]:
    """What the columns may be called: as the profile says, and in Russian where a header that is known is."""
    known = names_of(columns, headings)
    russian = any(_CYRILLIC.search(cell) and heading(cell) in known for cell in header)
    names = {column.name: column.russian[0] if russian and column.russian else column.name for column in columns}
    return [*(names | {name: quoted(own.header) for name, own in headings.columns.items() if name in names}).values()]


def _positions(
    file: str,
    line: int,
    header: Sequence[str],
    columns: Sequence[Column[object]],
    headings: Headings,
    problems: Problems,
    *,
    private: bool,
) -> dict[str, int]:
    names = names_of(columns, headings)
    ignored = {heading(name) for name in headings.ignore}
    positions: dict[str, int] = {}
    for position, cell in enumerate(header):
        name = heading(cell)
        # One header may be a word of two columns: "from" is a date of a lesson as well as of its week.
        known = names.get(name, [])
        if not known and name not in ignored:
            hint = similar(
                name,
                names,
                "rename the column, remove it, or let profile.toml ignore it: only what is needed is taken in",
            )
            expected = f"only {', '.join(_named(columns, headings, header))}"
            # Where the end of the header is lost, names of people stand in it.
            got = f"a column {quoted(cell)}" if not private else f"another name of column {position + 1}"
            problems.add(file, got, expected, hint, row=line)
        for column in known:
            if positions.setdefault(column, position) != position:
                problems.add(
                    file, f"{quoted(cell)} again", "each column once", "remove one of them", row=line, column=column
                )
    for missing in columns:
        if missing.default is ... and missing.name not in positions and missing.name not in headings.fixed:
            named = dict(zip((column.name for column in columns), _named(columns, headings, header), strict=True))
            expected = f"a column {named[missing.name]}"
            problems.add(file, "no such column", expected, "add it", row=line, column=missing.name)
    return positions


def _values(sheet: Sheet, row: int, cells: Sequence[str], problems: Problems) -> tuple[object, ...] | None:
    values: list[object] = []
    for column in sheet.columns:
        position = sheet.positions.get(column.name)
        cell = cells[position] if position is not None and position < len(cells) else ""
        place = sheet.file
        try:
            if len(cell) > MAX_CELL or not cell.isprintable():
                raise CellRefused(f"at most {MAX_CELL} characters that can be seen", "type the cell anew")
            text = sheet.headings.text(column.name, cell)
            if not text and column.default is ...:
                raise CellRefused("a value in every row", "fill it in or remove the row")
            values.append(column.parse(text) if text else column.default)
        except CellRefused as refused:
            got = (
                "an empty cell" if not cell else f"a text of {len(cell)} characters" if sheet.private else quoted(cell)
            )
            header = sheet.own.get(column.name, column.name)
            problems.add(place, got, refused.expected, refused.hint, row=row, column=header)
    return tuple(values) if len(values) == len(sheet.columns) else None
