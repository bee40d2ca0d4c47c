"""What one table is called and filled with in a school's own export."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from sync.sources.cells import fold


def _file_name(name: str) -> str:
    if not re.fullmatch(r"[^./\\][^/\\]{0,99}\.(csv|txt|xlsx)", name, re.IGNORECASE):
        raise ValueError("the name of a CSV or XLSX file beside the profile")
    return name


Text = Annotated[str, Field(max_length=200)]
#: A file beside the profile.
FileName = Annotated[str, AfterValidator(_file_name)]


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Heading(_Plain):
    """The header of a column, and which word of its cells is meant."""

    header: Text
    #: 1 is the first; None is the whole cell.
    word: Annotated[int, Field(ge=1, le=20)] | None = None


def _heading(raw: Any) -> Any:
    return {"header": raw} if isinstance(raw, str) else raw


def _folded(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    return {
        column: {fold(word): ours for word, ours in words.items()} if isinstance(words, dict) else words
        for column, words in raw.items()
    }


class Headings(_Plain):
    """How to find and read one table. The keys of the last three are columns of ours."""

    file: FileName | None = None
    sheet: Text | None = None
    #: The line that names the columns.
    header: Annotated[int, Field(ge=1, le=100)] = 1
    #: Headers of columns that are not taken in.
    ignore: tuple[Text, ...] = ()
    columns: dict[str, Annotated[Heading, BeforeValidator(_heading)]] = {}
    #: What stands for an empty cell and for a column that the export lacks.
    fixed: dict[str, Text] = {}
    #: From words of the export, folded, to ours.
    values: Annotated[dict[str, dict[str, Text]], BeforeValidator(_folded)] = {}

    def text(self, column: str, cell: str) -> str:
        """What a cell says in our words; empty is nothing."""
        own = self.columns.get(column)
        if own is not None and own.word is not None:
            cell = next(iter(cell.split()[own.word - 1 : own.word]), "")
        words = self.values.get(column)
        if words is not None:
            cell = words.get(fold(cell), cell)
        return cell or self.fixed.get(column, "")
