"""Homerooms as classes and scheduled classes as groups, from a OneRoster export."""

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from gateway.domain.model import GroupId
from gateway.domain.timetable import SchoolClass
from sync.sources.grades import grade_of
from sync.sources.identity import NAME_LENGTH, fits
from sync.sources.oneroster_school import Site, Term
from sync.sources.oneroster_tables import CLASS_TYPE, CODE, GRADE, ID, SCHOOL, TERMS, TITLE
from sync.sources.remarks import Remarks
from sync.sources.rows import Problems, Row

#: The bells that nobody has named yet.
BELLS = "normal"
MAIN = "homeroom"
_DIGEST = 8
_NO_GRADE = "no grade can be told for a class, 0 is taken"


class Classes:
    """Those of our school that are held."""

    def __init__(
        self,
        rows: Sequence[Row],
        site: Site,
        terms: Mapping[str, Term],
        on: dt.date | None,
        problems: Problems,
        remarks: Remarks,
    ) -> None:
        self._remarks = remarks
        self._all: dict[str, Row] = {}
        self._taken: dict[str, Row] = {}
        for row in rows:
            before = self._all.setdefault(row[ID], row)
            if before.values != row.values:
                got, expected = f"the id of row {before.number}, otherwise unlike it", "each class once"
                problems.at(row, ID, got, expected, "remove one of the rows")
            elif self._ours(row, site) and self._held(row, terms, on):
                self._taken.setdefault(row[ID], row)
        self._names = _names(self._taken)
        if self._taken and not any(map(self.main, self._taken)):
            problem = "no class is a homeroom: every class is taken for a group"
            remarks.add(rows[0].sheet.file, problem, "take classes from another source, or mark homerooms in classType")

    def knows(self, key: str) -> bool:
        """Whether the export has such a class at all."""
        return key in self._all

    def taken(self, key: str) -> bool:
        """Whether it is ours, and is held."""
        return key in self._taken

    def main(self, key: str) -> bool:
        """Whether it is what a school calls a class, not a group for one subject."""
        return self._taken[key][CLASS_TYPE] == MAIN

    def name(self, key: str) -> GroupId:
        """What it is called here."""
        return self._names[key]

    def groups(self, pupils: Mapping[str, Row], members: Mapping[str, Sequence[str]]) -> tuple[SchoolClass, ...]:
        """As the timetable knows them; a group of pupils of one class only is a part of it."""
        grades: dict[str, Counter[int]] = defaultdict(Counter)
        homes: dict[str, set[str | None]] = defaultdict(set)
        for user, keys in members.items():
            grade = pupils[user][GRADE]
            home = keys[0] if keys and self.main(keys[0]) else None
            for key in keys:
                homes[key].add(home)
                if grade is not None:
                    grades[key][grade] += 1
        return tuple(self._group(key, row, grades[key], homes[key]) for key, row in self._taken.items())

    def _group(self, key: str, row: Row, grades: Counter[int], homes: set[str | None]) -> SchoolClass:
        grade = row[GRADE]
        if grade is None and grades:
            # Of those that most pupils have the lowest, whatever the order of the rows.
            grade = min(grades, key=lambda one: (-grades[one], one))
        if grade is None:
            grade = grade_of(row[TITLE])
        if grade is None:
            self._remarks.add(row.sheet.file, _NO_GRADE, "fill in grades", row=row.number)
        home = next(iter(homes)) if len(homes) == 1 and not self.main(key) else None
        return SchoolClass(
            id=self._names[key],
            grade=grade or 0,
            shift=1,
            bells=BELLS,
            part_of=None if home is None else self._names[home],
            origin=row.origin,
        )

    def _ours(self, row: Row, site: Site) -> bool:
        if site.known and row[SCHOOL] not in site.known:
            problem = "a class of an organisation that the export does not have" + (
                " is left out" if site.id else " is taken for one of the school"
            )
            self._remarks.add(row.sheet.file, problem, "export it again, with orgs.csv", row=row.number)
        return site.has((row[SCHOOL],))

    def _held(self, row: Row, terms: Mapping[str, Term], on: dt.date | None) -> bool:
        """Not over, and begun, by the terms that are known."""
        known = [terms[key] for key in row[TERMS] if key in terms]
        if terms and len(known) < len(row[TERMS]):
            problem = "a class names a session that the export does not have: its dates do not count"
            self._remarks.add(row.sheet.file, problem, "export it again, with academicSessions.csv", row=row.number)
            return True
        return on is None or not known or any(term.first <= on <= term.last for term in known)


def _names(rows: Mapping[str, Row]) -> Mapping[str, GroupId]:
    """The title where it is the only one, else with the code, else with a digest of the id; the same whatever the order."""

    def ways(key: str, row: Row) -> tuple[str, ...]:
        digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGEST]
        stem = row[TITLE] if fits(row[TITLE]) else "group"
        return row[TITLE], f"{row[TITLE]} {row[CODE]}", f"{stem[: NAME_LENGTH - _DIGEST - 1]}-{digest}"

    wanted = {key: ways(key, row) for key, row in rows.items()}
    times = Counter(way for names in wanted.values() for way in set(names))
    return {
        key: GroupId(next((way for way in names if fits(way) and times[way] == 1), names[-1]))
        for key, names in wanted.items()
    }
