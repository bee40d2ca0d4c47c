"""The tables of an export of aSc Timetables: rows by their names, cells by their attributes, what is wrong by line and column."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import EllipsisType
from typing import TypeVar

from sync.sources.cells import CellRefused, matching, quoted
from sync.sources.markup import Element
from sync.sources.remarks import Remarks
from sync.sources.rows import Problems

T = TypeVar("T")

ROOT = "timetable"
#: What is read, and the table that it stands in; everything else is passed over: nothing here needs a teacher or a room.
_TABLES: Mapping[str, str] = {
    "card": "cards",
    "class": "classes",
    "day": "days",
    "daysdef": "daysdefs",
    "dayperiod": "dayperiods",
    "grade": "grades",
    "group": "groups",
    "lesson": "lessons",
    "period": "periods",
    "student": "students",
    "studentsubject": "studentsubjects",
    "subject": "subjects",
    "termsdef": "termsdefs",
    "weeksdef": "weeksdefs",
}
MAX_BITS = 60

#: `10000`, or several of them: `10000,01000`.
mask = matching(
    rf"[01]{{1,{MAX_BITS}}}(,[01]{{1,{MAX_BITS}}})*", f"a mask of at most {MAX_BITS} digits 0 and 1", "export again"
)


class Document:
    """What the file says, and where to say what is wrong with it."""

    def __init__(self, file: str, elements: Sequence[Element], problems: Problems, remarks: Remarks) -> None:
        self.file = file
        self._problems = problems
        self._remarks = remarks
        self._rows: Mapping[str, list[Element]] = defaultdict(list)
        for element in elements:
            if _TABLES.get(element.name) == element.inside:
                self._rows[element.name].append(element)
        root = elements[0] if elements else None
        self.options = frozenset(root.attributes.get("options", "").split(",")) if root else frozenset[str]()
        if root is not None and root.name != ROOT:
            self.refuse(root, "something else", f"a file that begins with <{ROOT}>", "export it as aSc Timetables XML")

    def rows(self, name: str) -> Sequence[Element]:
        """Every <name> of its table, in the order of the file."""
        return self._rows[name]

    def by_id(self, name: str) -> Mapping[str, Element]:
        """The same by id; one without an id, and one that is there twice, is among the problems."""
        found: dict[str, Element] = {}
        for row in self.rows(name):
            own = row.attributes.get("id", "")
            if not own:
                self.refuse(row, f"a {name} without an id", "an id in every row", "export the file again")
            elif (other := found.setdefault(own, row)) is not row and other.attributes != row.attributes:
                self.refuse(row, f"the id of the {name} in line {other.line}", "each id once", "export the file again")
        return found

    def read(
        self, row: Element, attribute: str, parse: Callable[[str], T], default: T | EllipsisType = ...
    ) -> T | None:
        """What the attribute says; None and a problem where it cannot be read, or is empty and has no default."""
        text = row.attributes.get(attribute, "")
        if not text and not isinstance(default, EllipsisType):
            return default
        try:
            return parse(text)
        except CellRefused as refused:
            self.refuse(row, f"{attribute}={quoted(text)} of a {row.name}", refused.expected, refused.hint)
        return None

    def refuse(self, row: Element, got: str, expected: str, hint: str) -> None:
        """A problem at the row; nothing personal in it."""
        self._problems.add(self.file, got, expected, hint, row=row.line, column=str(row.column))

    def remark(self, row: Element, problem: str, hint: str) -> None:
        """A remark at the row; nothing personal in it."""
        self._remarks.add(self.file, problem, hint, row=row.line, column=row.column)

    def origin(self, row: Element) -> str:
        """`file:line`."""
        return f"{self.file}:{row.line}"


def ids(row: Element, *attributes: str) -> tuple[str, ...]:
    """The ids that are listed, each once: `*1,*2`; attributes of older files name a single one."""
    listed = (part.strip() for attribute in attributes for part in row.attributes.get(attribute, "").split(","))
    return tuple(dict.fromkeys(part for part in listed if part))
