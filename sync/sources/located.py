"""Which file, or which sheet of a workbook, holds a table."""

from collections.abc import Mapping
from typing import Protocol

from sync.sources.columns import TABLES
from sync.sources.delimited import read_lines
from sync.sources.folder import fold_name
from sync.sources.headings import Headings
from sync.sources.profile import PROFILE
from sync.sources.rows import Lines, Problems, names_of
from sync.sources.xlsx import Book, open_book

#: A workbook with a sheet for each table.
WORKBOOKS = ("school.xlsx", "школа.xlsx")
_WORKBOOK = ".xlsx"
#: Cards never travel with these.
_NAMED = ("people", "contacts")


class Files(Protocol):
    """Some files by folded name."""

    def get(self, name: str, /) -> bytes | None: ...


class Places:
    """Finds tables; each file is opened once."""

    def __init__(self, files: Files, profile: Mapping[str, Headings], problems: Problems) -> None:
        self._files = files
        self._profile = profile
        self._problems = problems
        self._books: dict[str, Book | None] = {}
        #: The file of each table that was found.
        self._held: dict[str, str] = {}
        #: What the place of each table that was found is called in messages.
        self.named: dict[str, str] = {}

    def headings(self, table: str) -> Headings:
        """What the profile says of a table."""
        return self._profile.get(table, Headings())

    def lines(self, table: str) -> Lines | None:
        """The lines of a table; None where nothing holds it."""
        own = self.headings(table).file
        names = _names(table) if own is None else [own]
        found = {name: data for name in names if (data := self._files.get(fold_name(name))) is not None}
        for name, data in found.items():
            for other in [*found][1:]:
                hint = "remove all but one, or name the one in profile.toml"
                self._problems.add(other, f"a table that {name} is, too", "one file for each table", hint)
            return self._lines_of(table, name, data)
        if own is not None:
            hint = "compare it with the name of the file"
            self._problems.add(PROFILE, "no such file", "a file beside it", hint, column=f"{table}.file")
            self.named[table] = PROFILE
            return None
        return self._lines_of_workbook(table)

    def check_apart(self) -> None:
        """That cards stand in a file without names."""
        cards = self._held.get("cards")
        if cards is not None and cards in {self._held.get(table) for table in _NAMED}:
            hint = "move the sheet into a file of its own: cards.xlsx"
            self._problems.add(cards, "cards beside names", "cards in a file of their own", hint)

    def _lines_of(self, table: str, name: str, data: bytes) -> Lines:
        headings = self.headings(table)
        self._held[table] = self.named[table] = name
        if not name.lower().endswith(_WORKBOOK):
            known = names_of(TABLES[table].columns, headings)
            return read_lines(name, data, known, headings.header, self._problems)
        book = self._book(name, data)
        if book is None:
            return iter(())
        return book.read_lines(headings.sheet or book.sheet(table, TABLES[table].title) or book.sheets[0], name)

    def _lines_of_workbook(self, table: str) -> Lines | None:
        for name in WORKBOOKS:
            book = self._book(name, None)
            sheet = book and (self.headings(table).sheet or book.sheet(table, TABLES[table].title))
            if book and sheet:
                self._held[table] = name
                self.named[table] = f"{name}[{sheet}]"
                return book.read_lines(sheet, self.named[table])
        return None

    def _book(self, name: str, data: bytes | None) -> Book | None:
        if name not in self._books:
            data = self._files.get(name) if data is None else data
            self._books[name] = None if data is None else open_book(name, data, self._problems)
        return self._books[name]


def _names(table: str) -> list[str]:
    return [f"{stem}.{kind}" for stem in (table, TABLES[table].title) for kind in ("csv", "xlsx")]
