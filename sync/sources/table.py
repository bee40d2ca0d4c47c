"""A school from a folder of plain tables: people, cards, classes, bells, lessons, lanes and, if there are any, contacts and a calendar.

All or nothing: a folder gives a school whose parts fit together, or SourceError with every place to mend. Names never
stand beside card numbers, and neither is ever part of a message.
"""

import datetime as dt
import os
import stat
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.domain.credential import Credential
from gateway.domain.model import GroupId, LaneId, PersonId
from gateway.domain.timetable import Bell, CalendarDay, Lesson, SchoolClass, Timetable
from gateway.errors import CredentialRefused
from sync.sources import columns as col
from sync.sources.cells import quoted, similar
from sync.sources.rows import MAX_BYTES, Column, Problems, Row, read_rows
from sync.sources.school import Card, Contact, Person, School, ServedLane
from sync.sources.site import SITE, read_site

PEOPLE, CONTACTS, CARDS, CLASSES = "people.csv", "contacts.csv", "cards.csv", "classes.csv"
BELLS, LESSONS, CALENDAR, LANES = "bells.csv", "lessons.csv", "calendar.csv", "lanes.csv"

#: What no two rows of a table may share; the first column is the one that is named.
_UNIQUE: Mapping[str, tuple[Column[object], ...]] = {
    PEOPLE: (col.ID,),
    CONTACTS: (col.PERSON, col.ADDRESS),
    CLASSES: (col.CLASS,),
    BELLS: (col.LESSON, col.BELLS, col.BELL_SHIFT),
    LESSONS: (col.LESSON, col.GROUP, col.WEEKDAY),
    CALENDAR: (col.DATE,),
    LANES: (col.LANE, col.GATEWAY),
}
#: Whose first may not come after its second.
_ORDERED: Mapping[str, tuple[Column[dt.time], Column[dt.time]]] = {
    BELLS: (col.START, col.END),
    LANES: (col.OPENS, col.CLOSES),
}
#: Which cells name a row of another table.
_REFERENCES: Sequence[tuple[str, Column[object], str, Column[str]]] = (
    (PEOPLE, col.CLASS, CLASSES, col.CLASS),
    (PEOPLE, col.GROUPS, CLASSES, col.CLASS),
    (CONTACTS, col.PERSON, PEOPLE, col.ID),
    (CARDS, col.PERSON, PEOPLE, col.ID),
    (CLASSES, col.BELLS, BELLS, col.BELLS),
    (LESSONS, col.GROUP, CLASSES, col.CLASS),
    (CALENDAR, col.DAY_BELLS, BELLS, col.BELLS),
)

Tables = Mapping[str, Sequence[Row]]


def read_folder(folder: Path) -> School:
    """Raises SourceError with everything that is to be mended."""
    problems = Problems()
    files = {name: data for name in (*col.TABLES, SITE) if (data := _read(folder / name, problems)) is not None}
    return _school(files, problems)


def parse(files: Mapping[str, bytes]) -> School:
    """The same from the bytes of the files, by name. Raises SourceError."""
    return _school(files, Problems())


def _school(files: Mapping[str, bytes], problems: Problems) -> School:
    for name in (*col.TABLES, SITE):
        if name not in files and name not in col.OPTIONAL and problems.none_in(name):
            problems.add(
                name, "no such file", "this file in the folder", "export it, or compare with the sample school"
            )
    name, language, zone = read_site(files.get(SITE), problems)
    tables = {
        file: read_rows(file, files[file], columns, problems) if file in files else []
        for file, columns in col.TABLES.items()
    }
    _check(tables, problems)
    cards = _cards(tables[CARDS], zone, problems)
    timetable = _timetable(tables, zone)
    if problems.none_in(CLASSES, BELLS, LESSONS, CALENDAR):
        _check_bells(tables, timetable, problems)
    problems.settle()
    return School(
        name=name,
        language=language,
        zone=zone.key,
        people=[_person(row, language) for row in tables[PEOPLE]],
        contacts=[_contact(row, language) for row in tables[CONTACTS]],
        cards=cards,
        lanes=[_lane(row) for row in tables[LANES]],
        timetable=timetable,
    )


def _read(path: Path, problems: Problems) -> bytes | None:
    try:
        # Non-blocking, so that a named pipe is refused instead of waited for.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file.read(MAX_BYTES + 1)
            problems.add(path.name, "something that is no file", "a file", "export the table again")
    except FileNotFoundError:
        pass
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        problems.add(path.name, reason, "a readable file", "check the path and the rights of the file")
    return None


def _check(tables: Tables, problems: Problems) -> None:
    for file, rows in tables.items():
        if not rows and file not in col.OPTIONAL and problems.none_in(file):
            problems.add(file, "no row below the header", "at least one", "export the table again")
    for file, key in _UNIQUE.items():
        _check_unique(tables[file], key, problems)
    for file, (first, second) in _ORDERED.items():
        for row in tables[file]:
            if row[first] >= row[second]:
                expected = f"a time after {row[first]:%H:%M}, its {first.name}"
                problems.at(row, second, f"{row[second]:%H:%M}", expected, "mend one of the two")
    for file, column, target, target_column in _REFERENCES:
        if problems.none_in(target):
            _check_references(tables[file], column, target, [row[target_column] for row in tables[target]], problems)


def _check_unique(rows: Sequence[Row], key: tuple[Column[object], ...], problems: Problems) -> None:
    first: dict[Hashable, Row] = {}
    for row in rows:
        if (before := first.setdefault(tuple(row[column] for column in key), row)) is not row:
            names = " and ".join(column.name for column in key)
            got = f"the same {names} as in row {before.number}"
            problems.at(row, key[0], got, f"each {names} once", "remove one of the rows")


def _check_references(
    rows: Sequence[Row], column: Column[object], target: str, known: Collection[str], problems: Problems
) -> None:
    known = set(known)
    for row in rows:
        cell = row[column]
        for name in cell if isinstance(cell, tuple) else () if cell is None else (cell,):
            if name not in known:
                hint = similar(name, sorted(known), f"add it to {target}")
                problems.at(row, column, quoted(name), f"one that {target} has", hint)


def _cards(rows: Sequence[Row], zone: ZoneInfo, problems: Problems) -> list[Card]:
    cards: list[Card] = []
    holders: dict[Credential, list[tuple[Card, Row]]] = defaultdict(list)
    for row in rows:
        try:
            credential = Credential(technology=row[col.TECHNOLOGY], uid=row[col.UID])
        except CredentialRefused as refused:
            problems.at(row, col.UID, f"{len(row[col.UID])} bytes", f"a fixed, complete UID: {refused}", refused.hint)
            continue
        first, last = row[col.VALID_FROM], row[col.VALID_TO]
        if first is not None and last is not None and last < first:
            problems.at(row, col.VALID_TO, str(last), f"a date from {first} on", "mend one of the two")
        card = Card(
            credential=credential,
            person=PersonId(row[col.PERSON]),
            valid_from=None if first is None else _midnight(first, zone),
            valid_to=None if last is None else _midnight(last + dt.timedelta(days=1), zone),
            state=row[col.STATE],
        )
        for other, its_row in holders[credential]:
            if _overlap(card, other):
                got, expected = f"the card of row {its_row.number}", "a card that belongs to one person at a time"
                problems.at(row, col.UID, got, expected, "remove one of the rows, or end one with valid_to")
        holders[credential].append((card, row))
        cards.append(card)
    return cards


def _midnight(date: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(date, dt.time.min, zone).astimezone(dt.UTC)


def _overlap(one: Card, other: Card) -> bool:
    lowest, highest = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)
    begin = max(one.valid_from or lowest, other.valid_from or lowest)
    return begin < min(one.valid_to or highest, other.valid_to or highest)


def _check_bells(tables: Tables, timetable: Timetable, problems: Problems) -> None:
    """Every lesson has a bell: by its class's own bells, and by those of every date it is taught on."""
    for row, lesson in zip(tables[LESSONS], timetable.lessons, strict=True):
        if timetable.bell(lesson) is None:
            hint = f"add it to {BELLS} under the bells of {lesson.group}"
            problems.at(row, col.LESSON, f"lesson {lesson.lesson}", f"one that {BELLS} has", hint)
    for row, day in zip(tables[CALENDAR], timetable.calendar, strict=True):
        taught = (item for item in timetable.lessons if item.weekday == (day.weekday or day.date.isoweekday()))
        lost = next((item for item in taught if day.bells and timetable.bell(item, day.bells) is None), None)
        if lost is not None and day.bells is not None:
            expected = f"bells with lesson {lost.lesson}, which {lost.group} has that day"
            problems.at(row, col.DAY_BELLS, quoted(day.bells), expected, f"add the lesson to {BELLS} under these bells")


def _timetable(tables: Tables, zone: ZoneInfo) -> Timetable:
    return Timetable(
        zone=zone,
        classes=[
            SchoolClass(id=GroupId(row[col.CLASS]), grade=row[col.GRADE], shift=row[col.SHIFT], bells=row[col.BELLS])
            for row in tables[CLASSES]
        ],
        bells=[
            Bell(
                bells=row[col.BELLS],
                shift=row[col.BELL_SHIFT],
                lesson=row[col.LESSON],
                start=row[col.START],
                end=row[col.END],
            )
            for row in tables[BELLS]
        ],
        lessons=[
            Lesson(
                group=GroupId(row[col.GROUP]),
                weekday=row[col.WEEKDAY],
                lesson=row[col.LESSON],
                subject=row[col.SUBJECT],
                kind=row[col.KIND],
                mode=row[col.MODE],
            )
            for row in tables[LESSONS]
        ],
        calendar=[
            CalendarDay(
                date=row[col.DATE], kind=row[col.DAY_KIND], bells=row[col.DAY_BELLS], weekday=row[col.AS_WEEKDAY]
            )
            for row in tables[CALENDAR]
        ],
    )


def _person(row: Row, language: str) -> Person:
    return Person(
        id=PersonId(row[col.ID]),
        last_name=row[col.LAST_NAME],
        first_name=row[col.FIRST_NAME],
        language=row[col.LANGUAGE] or language,
        groups=tuple(dict.fromkeys(GroupId(name) for name in (row[col.CLASS], *row[col.GROUPS]))),
    )


def _contact(row: Row, language: str) -> Contact:
    return Contact(person=PersonId(row[col.PERSON]), address=row[col.ADDRESS], language=row[col.LANGUAGE] or language)


def _lane(row: Row) -> ServedLane:
    return ServedLane(
        gateway=row[col.GATEWAY],
        id=LaneId(row[col.LANE]),
        direction=row[col.DIRECTION],
        opens=row[col.OPENS],
        closes=row[col.CLOSES],
    )
