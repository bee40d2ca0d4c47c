"""The tables of a OneRoster 1.1 or 1.2 export that are read, their columns, and what the manifest says of them.

Addresses, telephone numbers, passwords, marks and whatever else such an export has are not even columns here.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.sources.cells import choice, date, fold, matching, quoted, several
from sync.sources.exports import read_export
from sync.sources.grades import HIGHEST
from sync.sources.remarks import Remarks
from sync.sources.rows import Column, Problems, Row

MANIFEST = "manifest.csv"
_AGAIN = "export it again"
_text = matching(r".+", "a text")


def _date(cell: str) -> dt.date:
    return date(cell.partition("T")[0])


def _grade(cell: str) -> int | None:
    """`05`, `KG`, `["10"]`; None for several, and for what is none of a school: PS, UG, Other."""
    codes = {code.upper() for code in re.findall(r"[A-Za-z0-9]+", cell)}
    code = codes.pop() if len(codes) == 1 else ""
    if code in {"K", "KG", "PK", "TK", "PR", "IT"}:
        return 0
    return int(code) if re.fullmatch(r"[0-9]{1,2}", code) and int(code) <= HIGHEST else None


def _there(_cell: str) -> bool:
    return True


ID = Column(name="sourcedid", also=("sourced_id",), parse=_text)
#: Whether the row still holds; nothing is said in a bulk export.
STATUS = Column(name="status", parse=choice(("active", "tobedeleted"), {"inactive": "tobedeleted"}), default="active")
NAME = Column(name="name", parse=_text, default="")
TYPE = Column(name="type", parse=fold, default="")
IDENTIFIER = Column(name="identifier", parse=_text, default="")
TITLE = Column(name="title", parse=_text, default="")
START = Column(name="startdate", parse=_date)
END = Column(name="enddate", parse=_date)

ENABLED = Column(name="enableduser", parse=lambda cell: fold(cell) not in {"false", "0", "no", "нет"}, default=True)
ORGS: Column[tuple[str, ...]] = Column(name="orgsourcedids", also=("orgsourcedid",), parse=several(_text), default=())
ROLE = Column(name="role", parse=fold, default="")
GIVEN_NAME = Column(name="givenname", also=("given_name",), parse=_text, default="")
FAMILY_NAME = Column(name="familyname", also=("family_name",), parse=_text, default="")
AGENTS = Column(name="agentsourcedids", also=("agents", "agentsourcedid"), parse=_there, default=False)
GRADE: Column[int | None] = Column(name="grades", also=("grade",), parse=_grade, default=None)

USER = Column(name="usersourcedid", parse=_text)
ORG = Column(name="orgsourcedid", parse=_text, default="")
BEGIN: Column[dt.date | None] = Column(name="begindate", also=("rolestartdate",), parse=_date, default=None)
UNTIL: Column[dt.date | None] = Column(name="enddate", also=("roleenddate",), parse=_date, default=None)

CODE = Column(name="classcode", parse=_text, default="")
CLASS_TYPE = Column(name="classtype", parse=lambda cell: fold(cell).replace(" ", ""), default="scheduled")
SCHOOL = Column(name="schoolsourcedid", also=("orgsourcedid",), parse=_text, default="")
TERMS: Column[tuple[str, ...]] = Column(
    name="termsourcedids", also=("termsourcedid", "sessionsourcedid"), parse=several(_text), default=()
)

CLASS = Column(name="classsourcedid", parse=_text)
PRIMARY = Column(name="primary", parse=lambda cell: fold(cell) in {"true", "1", "yes"}, default=False)

PROPERTY = Column(name="propertyname", parse=_text)
VALUE = Column(name="value", parse=_text, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file of the export."""

    columns: Sequence[Column[object]]
    needed: bool = False


TABLES: Mapping[str, Table] = {
    "orgs": Table(columns=(ID, STATUS, NAME, TYPE, IDENTIFIER)),
    "academicSessions": Table(columns=(ID, STATUS, TYPE, START, END)),
    "users": Table(columns=(ID, STATUS, ENABLED, ORGS, ROLE, GIVEN_NAME, FAMILY_NAME, AGENTS, GRADE), needed=True),
    "roles": Table(columns=(USER, STATUS, ROLE, ORG, BEGIN, UNTIL)),
    "classes": Table(columns=(ID, STATUS, TITLE, GRADE, CODE, CLASS_TYPE, SCHOOL, TERMS), needed=True),
    "enrollments": Table(columns=(CLASS, USER, STATUS, ROLE, PRIMARY, BEGIN, UNTIL), needed=True),
}
#: The names of the files as `fold_name` makes them, and the tables that they hold.
FILES: Mapping[str, str] = {f"{name.lower()}.csv": name for name in TABLES} | {"enrolments.csv": "enrollments"}


class Tables:
    """The rows that hold, by table; a table that the export does not have has none."""

    def __init__(self, files: Mapping[str, bytes], problems: Problems, remarks: Remarks) -> None:
        self._remarks = remarks
        present = {FILES[name]: name for name in files if name in FILES}
        modes = _manifest(files.get(MANIFEST), present, problems, remarks)
        self._rows: dict[str, list[Row]] = {}
        for name, table in TABLES.items():
            file = f"{name}.csv"
            mode = modes.get(f"file.{name.lower()}", "")
            if mode == "delta":
                hint = "export everything: what a delta leaves out cannot be known here"
                problems.add(file, "a delta", "a bulk export", hint)
            elif name in present and mode == "absent":
                remarks.add(
                    file, "the manifest says that this file is absent: it is passed over", "compare the manifest"
                )
            elif name in present:
                self._rows[name] = read_export(file, files[present[name]], table.columns, problems)
            if (
                name not in self._rows
                and mode != "delta"
                and (table.needed or (mode == "bulk" and name not in present))
            ):
                problems.add(file, "no such file", "this file in the export", _AGAIN)

    def has(self, name: str) -> bool:
        """Whether the export has the table, be it empty."""
        return name in self._rows

    def rows(self, name: str) -> list[Row]:
        """The rows that are not to be deleted."""
        rows = self._rows.get(name, [])
        for row in rows:
            if row[STATUS] != "active":
                problem = "a row that is not active any more is passed over"
                self._remarks.add(row.sheet.file, problem, "nothing, if it is meant so", row=row.number)
        return [row for row in rows if row[STATUS] == "active"]

    def known(self, name: str, column: Column[str]) -> set[str]:
        """The ids of all rows, also of those that are to be deleted."""
        return {row[column] for row in self._rows.get(name, ())}


def _manifest(
    data: bytes | None, present: Mapping[str, str], problems: Problems, remarks: Remarks
) -> Mapping[str, str]:
    """What it says, everything in lower case; nothing where there is none."""
    if data is None:
        version = "1.2" if "roles" in present else "1.1"
        remarks.add(MANIFEST, f"no manifest: taken for a whole export in OneRoster {version}", "nothing, if it is one")
        return {}
    rows = read_export(MANIFEST, data, (PROPERTY, VALUE), problems)
    told = {row[PROPERTY].lower(): row[VALUE].lower() for row in rows}
    version = told.get("oneroster.version", "")
    if problems.none_in(MANIFEST) and not re.match(r"v?1\.[12]\b", version):
        got = f"version {quoted(version)}" if version else "no oneroster.version"
        problems.add(MANIFEST, got, "OneRoster 1.1 or 1.2", "export it in one of these versions")
    for name, mode in told.items():
        if name.startswith("file.") and mode not in {"", "bulk", "delta", "absent"}:
            problems.add(MANIFEST, quoted(mode), "one of bulk, delta, absent", _AGAIN, column=quoted(name)[1:-1])
    return told


def active_on(row: Row, day: dt.date | None) -> bool:
    """Whether a role or an enrolment holds on that day; its last day is one of it, as many exports mean it."""
    begin, until = row[BEGIN], row[UNTIL]
    return day is None or ((begin is None or begin <= day) and (until is None or day <= until))
