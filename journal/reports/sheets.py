"""Rows as a spreadsheet reads them, and as a terminal shows them."""

import csv
import io
import sys
from collections.abc import Iterable, Sequence


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """With line ends as RFC 4180 has them; no cell is taken for a formula."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return file.getvalue()


def table_lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of text; the first is a name, the others are numbers."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    found = []
    for row in (heads, *rows):
        first, *numbers = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        found.append("  ".join([f"{first.strip():<{widths[0]}}", *numbers]).rstrip())
    return found


def shown_by_rich(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Draw the table on a terminal; False where there is none, or nothing to draw with."""
    if not sys.stdout.isatty():
        return False
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.table import Table  # noqa: PLC0415
    except ImportError:
        return False
    table = Table()
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    return True


def _harmless(cell: object) -> object:
    """A spreadsheet takes a cell that begins like this for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell
