"""Pupils, classes and groups from a OneRoster 1.1 or 1.2 export: a zip or a folder of CSV files, as systems write them.

Such an export has no bells, no lessons and no calendar. Cards are never read from it, and nobody's address: whoever is
written to has agreed to it (contacts.csv). What is read and what is passed over: docs/sources.md.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from sync.sources.archive import unpack
from sync.sources.folder import Folder, fold_name
from sync.sources.identity import person_id
from sync.sources.oneroster_classes import Classes
from sync.sources.oneroster_school import Site, sessions, the_school
from sync.sources.oneroster_tables import (
    AGENTS,
    BEGIN,
    CLASS,
    ENABLED,
    FAMILY_NAME,
    FILES,
    GIVEN_NAME,
    ID,
    MANIFEST,
    ORG,
    ORGS,
    PRIMARY,
    ROLE,
    UNTIL,
    USER,
    Tables,
    active_on,
)
from sync.sources.remarks import Remarks
from sync.sources.rows import Problems, Row
from sync.sources.school import Part, Person

#: The files that are read, as `fold_name` makes their names.
WANTED = frozenset({MANIFEST, *FILES})
PUPIL = "student"


def read(path: Path, *, school: str = "", on: dt.date | None = None) -> Part:
    """What a zip or a folder tells; see `parse`. Raises SourceError."""
    problems = Problems()
    if path.is_dir():
        folder = Folder(path, problems)
        files = {name: data for name in sorted(WANTED) if (data := folder.get(name)) is not None}
    else:
        packed = Folder(path.parent, problems).get(path.name)
        if packed is None:
            problems.add(path.name, "no such file", "a zip, or a folder", "check the path")
        files = {} if packed is None else unpack(path.name, packed, WANTED, problems)
    problems.settle()
    return _part(files, school, on)


def parse(files: Mapping[str, bytes], *, school: str = "", on: dt.date | None = None) -> Part:
    """The same from the bytes of the files, by name in any case.

    `school` is the id, the identifier or the name of one of several schools; `on` leaves out whoever is not in a group
    on that day, without it dates of enrolments do not count. Raises SourceError with everything that is to be mended.
    """
    return _part({fold_name(name): data for name, data in files.items()}, school, on)


def _part(files: Mapping[str, bytes], school: str, on: dt.date | None) -> Part:
    problems, remarks = Problems(), Remarks()
    tables = Tables(files, problems, remarks)
    problems.settle()
    site = the_school(tables.rows("orgs"), school, problems)
    problems.settle()
    terms = sessions(tables.rows("academicSessions"), remarks)
    pupils = _pupils(tables, site, on, problems, remarks)
    classes = Classes(tables.rows("classes"), site, terms, on, problems, remarks)
    members = _members(tables, pupils, classes, on, remarks)
    people = _people(pupils, members, classes, problems, remarks)
    groups = classes.groups({key: rows[0] for key, rows in pupils.items()}, members)
    problems.settle()
    return Part(name=site.name or None, people=people, classes=groups, remarks=remarks.all())


def _pupils(
    tables: Tables, site: Site, on: dt.date | None, problems: Problems, remarks: Remarks
) -> dict[str, list[Row]]:
    """The rows of everybody who is a pupil here; systems repeat a user for each of the user's schools."""
    users: dict[str, list[Row]] = defaultdict(list)
    for row in tables.rows("users"):
        users[row[ID]].append(row)
    roles: dict[str, set[str]] = defaultdict(set)
    for row in tables.rows("roles"):
        if site.has((row[ORG],)) and active_on(row, on):
            roles[row[USER]].add(row[ROLE])
    if not tables.has("roles"):
        for row in (row for rows in users.values() for row in rows if site.has(row[ORGS])):
            roles[row[ID]].add(row[ROLE])
        if users and not any(role for names in roles.values() for role in names):
            expected = "a column role, or roles.csv"
            problems.add("users.csv", "no role in any row", expected, "export the roles as well", column=ROLE.name)
    found = {key: rows for key, rows in users.items() if PUPIL in roles[key]}
    others = sum(1 for key in users if roles[key] - {PUPIL} and PUPIL not in roles[key])
    if others:
        problem = f"only pupils are taken in; teachers, parents and others are left out: {others}"
        remarks.add("users.csv", problem, "list staff who have cards in people.csv")
    return found


def _members(
    tables: Tables, pupils: Mapping[str, Sequence[Row]], classes: Classes, on: dt.date | None, remarks: Remarks
) -> dict[str, list[str]]:
    """The classes of each pupil by their ids: one homeroom first, then the groups in the order of the file."""
    users = tables.known("users", ID)
    chosen: dict[str, dict[str, tuple[bool, dt.date]]] = defaultdict(dict)
    dated = None
    for row in tables.rows("enrollments"):
        user, key = row[USER], row[CLASS]
        if row[ROLE] != PUPIL:
            continue
        if user not in users or not classes.knows(key):
            what = "user" if user not in users else "class"
            problem = f"an enrolment of a {what} that the export does not have is left out"
            remarks.add(row.sheet.file, problem, "export it again, with everybody", row=row.number)
        elif user in pupils and classes.taken(key) and active_on(row, on):
            rank = row[PRIMARY], row[BEGIN] or dt.date.min
            chosen[user][key] = max(rank, chosen[user].get(key, rank))
            dated = dated or (row if row[BEGIN] or row[UNTIL] else None)
    if dated is not None and on is None:
        problem = "enrolments have dates, which do not count: whoever was in a group at any time is in it"
        remarks.add(dated.sheet.file, problem, "say for which day the export is read", row=dated.number)
    return {user: _one_home(pupils[user][0], keys, classes, remarks) for user, keys in chosen.items()}


def _one_home(row: Row, keys: Mapping[str, tuple[bool, dt.date]], classes: Classes, remarks: Remarks) -> list[str]:
    homes = sorted(filter(classes.main, keys), key=lambda key: keys[key], reverse=True)
    if len(homes) > 1:
        problem = "a pupil has two homerooms: the primary one counts, of several the one begun last"
        remarks.add(row.sheet.file, problem, "end one of the enrolments", row=row.number)
    return [*homes[:1], *(key for key in keys if not classes.main(key))]


def _people(
    pupils: Mapping[str, Sequence[Row]],
    members: Mapping[str, Sequence[str]],
    classes: Classes,
    problems: Problems,
    remarks: Remarks,
) -> tuple[Person, ...]:
    people = []
    for user, rows in pupils.items():
        row, keys = rows[0], members.get(user, ())
        if any((other[FAMILY_NAME], other[GIVEN_NAME]) != (row[FAMILY_NAME], row[GIVEN_NAME]) for other in rows):
            got, expected = "two pupils of one id", "each id once, or always the same names"
            problems.at(rows[-1], ID, got, expected, "mend it where the export comes from")
        for name in (FAMILY_NAME, GIVEN_NAME):
            if not row[name]:
                problems.at(
                    row, name, "an empty cell", "a name for every pupil", "fill it in where the export comes from"
                )
        _remark_on(row, keys, classes, remarks)
        if keys:
            person = Person(
                id=person_id(user),
                last_name=row[FAMILY_NAME],
                first_name=row[GIVEN_NAME],
                language="",
                groups=tuple(classes.name(key) for key in keys),
                origin=row.origin,
            )
            people.append(person)
    return tuple(people)


def _remark_on(row: Row, keys: Sequence[str], classes: Classes, remarks: Remarks) -> None:
    def add(problem: str, hint: str) -> None:
        remarks.add(row.sheet.file, problem, hint, row=row.number)

    if not keys:
        add("a pupil who is in no class is left out", "enrol the pupil, or take pupils from another source")
    elif not classes.main(keys[0]):
        add("a pupil has groups, but no homeroom: the first group counts as the class", "enrol the pupil in a homeroom")
    if not row[ENABLED]:
        add("a pupil may not use systems (enabledUser), and is taken in all the same", "nothing, unless the pupil left")
    if row[AGENTS]:
        hint = "list in contacts.csv whoever agreed to be written to"
        add("parents of pupils are left out: nobody is written to without having agreed", hint)
