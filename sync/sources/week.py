"""From rows to classes, bells, the lessons of the week, and the dates that are unlike their weekdays."""

from collections.abc import Sequence

from gateway.domain.model import GroupId
from gateway.domain.timetable import Bell, CalendarDay, Change, Lesson, SchoolClass, Substitution
from sync.sources import columns as col
from sync.sources.rows import Problems, Row

_MEND = "mend one of the two"


def read_classes(rows: Sequence[Row]) -> list[SchoolClass]:
    """A class or a group in each row."""
    return [
        SchoolClass(
            id=GroupId(row[col.CLASS]),
            grade=row[col.GRADE],
            shift=row[col.SHIFT],
            bells=row[col.BELLS],
            stage=row[col.STAGE],
            part_of=_group(row[col.PART_OF]),
            origin=row.origin,
        )
        for row in rows
    ]


def read_bells(rows: Sequence[Row], problems: Problems) -> list[Bell]:
    """A lesson's time in each row."""
    for row in rows:
        if row[col.START] >= row[col.END]:
            expected = f"a time after {row[col.START]:%H:%M}, its start"
            problems.at(row, col.END, f"{row[col.END]:%H:%M}", expected, _MEND)
    return [
        Bell(
            bells=row[col.BELLS],
            shift=row[col.BELL_SHIFT],
            stage=row[col.STAGE],
            lesson=row[col.LESSON],
            start=row[col.START],
            end=row[col.END],
            origin=row.origin,
        )
        for row in rows
    ]


def read_lessons(rows: Sequence[Row], problems: Problems) -> list[Lesson]:
    """A lesson of the week in each row."""
    for row in rows:
        first, last = row[col.FIRST], row[col.LAST]
        if first is not None and last is not None and last < first:
            problems.at(row, col.LAST, str(last), f"a date from {first} on", _MEND)
    return [
        Lesson(
            group=GroupId(row[col.CLASS]),
            weekday=row[col.WEEKDAY],
            lesson=row[col.LESSON],
            subject=row[col.SUBJECT],
            kind=row[col.KIND],
            mode=row[col.MODE],
            week=row[col.WEEK],
            first=row[col.FIRST],
            last=row[col.LAST],
            site=row[col.SITE],
            obligatory=row[col.OBLIGATORY],
            origin=row.origin,
        )
        for row in rows
    ]


def read_calendar(rows: Sequence[Row], problems: Problems) -> list[CalendarDay]:
    """A date, or a run of dates, in each row."""
    _check_dates(rows, problems)
    return [
        CalendarDay(
            date=row[col.DATE],
            last=row[col.DATE_TO],
            on=row[col.ON],
            kind=row[col.DAY_KIND],
            bells=row[col.DAY_BELLS],
            weekday=row[col.AS_WEEKDAY],
            week=row[col.DAY_WEEK],
            grades=row[col.GRADES],
            groups=_groups(row),
            origin=row.origin,
        )
        for row in rows
    ]


def read_substitutions(rows: Sequence[Row], problems: Problems) -> list[Substitution]:
    """A change in each row; a later row outweighs an earlier one."""
    _check_dates(rows, problems)
    for row in rows:
        _check_change(row, problems)
    return [
        Substitution(
            change=row[col.CHANGE],
            date=row[col.DATE],
            last=row[col.DATE_TO],
            groups=_groups(row),
            lessons=row[col.LESSONS],
            to_date=row[col.TO_DATE],
            to_lesson=row[col.TO_LESSON],
            start=row[col.NEW_START],
            end=row[col.NEW_END],
            mode=row[col.NEW_MODE],
            site=row[col.NEW_SITE],
            kind=row[col.KIND],
            obligatory=row[col.OBLIGATORY],
            with_group=_group(row[col.WITH_CLASS]),
            origin=row.origin,
        )
        for row in rows
    ]


def _check_dates(rows: Sequence[Row], problems: Problems) -> None:
    for row in rows:
        first, last = row[col.DATE], row[col.DATE_TO]
        if last is not None and last < first:
            problems.at(row, col.DATE_TO, str(last), f"a date from {first} on", _MEND)


def _check_change(row: Row, problems: Problems) -> None:
    """That a change says what it changes."""
    change, start, end = row[col.CHANGE], row[col.NEW_START], row[col.NEW_END]
    if start is not None and end is not None and end <= start:
        problems.at(row, col.NEW_END, f"{end:%H:%M}", f"a time after {start:%H:%M}, its start", _MEND)
    where = (row[col.TO_DATE], row[col.TO_LESSON], start, row[col.NEW_SITE])
    fill = "fill it in"
    if change is Change.MOVED and where == (None, None, None, None):
        problems.at(
            row, col.TO_LESSON, "an empty cell", "where it is moved to: to_lesson, to_date, start or site", fill
        )
    if change is Change.ADDED and not row[col.LESSONS] and (start is None or end is None):
        problems.at(
            row, col.LESSONS, "an empty cell", "the number of the lesson that is added, or its start and end", fill
        )
    if change is Change.MERGED and row[col.WITH_CLASS] is None:
        problems.at(row, col.WITH_CLASS, "an empty cell", "the class whose lessons are taken", fill)
    if change is Change.MODE and row[col.NEW_MODE] is None and row[col.NEW_SITE] is None:
        problems.at(row, col.NEW_MODE, "an empty cell", "the mode that is changed to, or the site", fill)


def _group(name: str | None) -> GroupId | None:
    return None if name is None else GroupId(name)


def _groups(row: Row) -> frozenset[GroupId]:
    return frozenset(map(GroupId, row[col.CLASSES]))
