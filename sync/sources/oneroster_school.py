"""Which school of a OneRoster export is ours, and when it teaches."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sync.sources.cells import similar
from sync.sources.oneroster_tables import END, ID, IDENTIFIER, NAME, START, TYPE
from sync.sources.remarks import Remarks
from sync.sources.rows import Column, Problems, Row

#: From the longest part of a school year to the shortest; gaps between the shortest are holidays, as a rule.
_PARTS = ("semester", "term", "gradingperiod")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The school whose people are taken in."""

    name: str
    #: None where the export has one school only: then everybody is of it, whatever the references say.
    id: str | None
    known: Collection[str]

    def has(self, orgs: Collection[str]) -> bool:
        """Whether somebody of these organisations is of this school."""
        return self.id is None or self.id in orgs


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """[first, last], both included."""

    first: dt.date
    last: dt.date


def the_school(orgs: Sequence[Row], wanted: str, problems: Problems) -> Site:
    """The one that is wanted, or the only one; a problem where it cannot be told."""
    schools = [row for row in orgs if row[TYPE] == "school"]
    known = frozenset(row[ID] for row in orgs)
    ids = {row[ID]: row for row in schools}
    columns: Sequence[Column[str]] = (ID, IDENTIFIER, NAME)
    matching = {row[ID] for row in schools if wanted and wanted in {row[column] for column in columns}}
    if wanted and len(matching) != 1:
        hint = similar(wanted, sorted({row[NAME] for row in schools}), "name it as orgs.csv does")
        problems.add("orgs.csv", f"{len(matching)} schools of that name", "the school that is asked for", hint)
    elif not wanted and len(ids) > 1:
        expected = "one, or its name beside the export"
        problems.add("orgs.csv", f"{len(ids)} schools", expected, "say which of them is meant: --school NAME")
    found = ids.get(next(iter(matching or ids), ""))
    return Site(
        name="" if found is None else found[NAME],
        id=found[ID] if found is not None and len(ids) > 1 else None,
        known=known,
    )


def sessions(rows: Sequence[Row], remarks: Remarks) -> Mapping[str, Term]:
    """The terms by id, and as remarks what they may mean for the calendar, which such an export does not have."""
    found: dict[str, Term] = {}
    for row in rows:
        if row[END] < row[START]:
            problem = "a session ends before it begins: its dates do not count"
            remarks.add(row.sheet.file, problem, "mend it where the export comes from", row=row.number)
        else:
            found[row[ID]] = Term(first=row[START], last=row[END])
    for row in rows:
        if row[TYPE] == "schoolyear" and row[ID] in found:
            problem = f"the school year is from {row[START]} to {row[END]}"
            hint = "the calendar has to name the holidays outside of it"
            remarks.add(row.sheet.file, problem, hint, row=row.number)
    finest = [part for part in _PARTS if any(row[TYPE] == part for row in rows)][-1:]
    parts = sorted({(row[START], row[END]) for row in rows if row[TYPE] in finest and row[ID] in found})
    for (_, last), (first, _) in pairwise(parts):
        if (first - last).days > 1:
            days = f"{last + dt.timedelta(days=1)} to {first - dt.timedelta(days=1)}"
            remarks.add(rows[0].sheet.file, f"no term from {days}", "if these are holidays, put them into the calendar")
    return found
