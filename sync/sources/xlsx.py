"""Bytes of an XLSX workbook to lines of cells, as a spreadsheet shows them.

A workbook is a zip of XML: what it would expand to is counted before openpyxl sees it.
"""

import datetime as dt
import io
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from gateway.errors import SourceError
from sync.sources.cells import Figure, fold, quoted, similar
from sync.sources.rows import MAX_BYTES, MAX_ROWS, Lines, Problems

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.workbook import Workbook

MAX_MEMBERS = 1000
MAX_EXPANDED = 64 * 1024 * 1024
#: Of the XML in all members: tags of cells, and any others, of which openpyxl makes larger objects.
MAX_CELL_TAGS, MAX_OTHER_TAGS = 1_000_000, 200_000
_CELL_TAG = re.compile(rb"<(?:/|(?:[\w.-]+:)?(?:row|c|v|f|is|t)[\s/>])")
#: What stands to the right of them is not looked at.
MAX_COLUMNS = 128
_CHUNK = 1024 * 1024
_LONGEST_TAG = 64
#: A document type can declare entities that grow; no spreadsheet writes one.
_DOCTYPE = re.compile(rb"<\0?!\0?D\0?O\0?C\0?T")


class Book:
    """An opened workbook."""

    def __init__(self, file: str, workbook: "Workbook", problems: Problems) -> None:
        self.file = file
        self._workbook = workbook
        self._problems = problems

    @property
    def sheets(self) -> Sequence[str]:
        """The names of its sheets, in order."""
        return [sheet.title for sheet in self._workbook.worksheets]

    def sheet(self, *names: str) -> str | None:
        """The first sheet that is called one of these, in any case."""
        wanted = {fold(name) for name in names}
        return next((title for title in self.sheets if fold(title.strip()) in wanted), None)

    def read_lines(self, title: str, place: str) -> Lines:
        """The lines of a sheet; `place` is what it is called in messages."""
        sheet = next((sheet for sheet in self._workbook.worksheets if sheet.title == title), None)
        if sheet is None:
            hint = similar(title, self.sheets, "compare the names of the sheets")
            self._problems.add(place, f"no sheet {quoted(title)}", "a sheet of this name", hint)
            return
        rows = iter(sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS))
        for number in range(1, MAX_ROWS + 3):
            try:
                with _in_silence():
                    row = next(rows, None)
                    cells = ["" if cell.value is None else _shown(cell) for cell in row or ()]
            except Exception as error:  # noqa: BLE001 - openpyxl raises whatever damage makes it stumble over
                _damaged(place, error, self._problems)
                return
            if row is None:
                return
            if number == MAX_ROWS + 2:
                expected = f"at most {MAX_ROWS} rows"
                self._problems.add(place, "more rows", expected, "this is not the file you mean", row=number)
                return
            yield number, cells


def open_book(file: str, data: bytes, problems: Problems) -> Book | None:
    """A workbook whose expansion is bounded; None is among the problems."""
    try:
        if not _bounded(file, data, problems):
            return None
        from openpyxl import load_workbook  # noqa: PLC0415 - the journal has it, a gateway may not

        with _in_silence():
            workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    except SourceError:
        raise
    except ImportError:
        problems.add(file, "a workbook", "CSV, as openpyxl is not installed here", "save each table as CSV")
        return None
    except Exception as error:  # noqa: BLE001 - the same: KeyError, BadZipFile, ParseError, TypeError …
        _damaged(file, error, problems)
        return None
    if not workbook.worksheets:
        problems.add(file, "no sheet", "a workbook with a sheet", "save the table as XLSX again")
        return None
    return Book(file, workbook, problems)


@contextmanager
def _in_silence() -> Iterator[None]:
    """Of styles and extensions that openpyxl does not know, and warns or prints of: a table needs neither."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _damaged(place: str, error: Exception, problems: Problems) -> None:
    got = f"a damaged workbook ({type(error).__name__})"
    problems.add(place, got, "an XLSX workbook", "open it in the spreadsheet and save it as XLSX again")


def _bounded(file: str, data: bytes, problems: Problems) -> bool:
    """Whether it may be opened; otherwise what is wrong is among the problems. Raises what zipfile raises."""
    hint = "this is not the file you mean"
    if len(data) > MAX_BYTES:
        problems.add(file, "more than 16 MiB", "at most 16 MiB", hint)
        return False
    # The signature of an entry in the list of members, before zipfile makes an object of each.
    if data.count(b"PK\x01\x02") > MAX_MEMBERS:
        problems.add(file, "more members", f"at most {MAX_MEMBERS} members in the zip", hint)
        return False
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # zipfile never gives out more than a member declares.
        if sum(member.file_size for member in archive.infolist()) > MAX_EXPANDED:
            problems.add(file, "something that expands to more than 64 MiB", "at most 64 MiB", hint)
            return False
        cells = others = 0
        for member in archive.infolist():
            for markup in _markup(archive, member):
                if _DOCTYPE.search(markup):
                    got = f"a document type in {quoted(member.filename)}"
                    problems.add(file, got, "XML as spreadsheets write it", "save the table as XLSX again")
                    return False
                found = len(_CELL_TAG.findall(markup))
                cells += found
                others += markup.count(b"<") - found
                if cells > MAX_CELL_TAGS or others > MAX_OTHER_TAGS:
                    expected = f"at most {MAX_CELL_TAGS} tags of cells and {MAX_OTHER_TAGS} others"
                    problems.add(file, "a larger workbook", expected, "save each table as CSV")
                    return False
    return True


def _markup(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a member in pieces that begin with a tag, as far as it is XML."""
    rest = b""
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            text = rest + chunk
            cut = max(text.rfind(b"<"), 0)
            yield text[:cut]
            rest = text[cut : cut + _LONGEST_TAG]
    yield rest


def _shown(cell: "Cell | MergedCell") -> str:
    value = cell.value
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFC", value).split())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _figure(value, cell.number_format)
    if isinstance(value, dt.datetime) and re.search("[yd]", cell.number_format, re.IGNORECASE) is None:
        value = value.time()
    if isinstance(value, dt.timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60:02}:{minutes % 60:02}"
    if isinstance(value, dt.datetime) and value.time() == dt.time.min:
        value = value.date()
    text = value.isoformat(" ") if isinstance(value, dt.datetime) else str(value)
    return text.removesuffix(":00") if text.count(":") == 2 else text


def _figure(value: float, shown_as: str) -> Figure:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    return Figure(text.zfill(len(shown_as)) if re.fullmatch("0+", shown_as) else text)
