"""Classes, their parts, bells and lessons from the XML export of aSc Timetables, windows-1251 or UTF-8, of 2008 or 2012.

Such a file has no calendar, no shifts and no substitutions. What is read and what is passed over: docs/sources.md.
"""

from collections.abc import Sequence

from gateway.domain.timetable import Bell
from sync.sources.asc_cards import Cards, period
from sync.sources.asc_days import Term, Terms, Weekdays, Weeks
from sync.sources.asc_document import Document
from sync.sources.asc_groups import BELLS, Groups
from sync.sources.asc_pupils import read_pupils
from sync.sources.cells import wall_time
from sync.sources.markup import read_markup
from sync.sources.remarks import Remarks
from sync.sources.rows import Problems
from sync.sources.school import Part


def parse(data: bytes, name: str, *, terms: Sequence[Term] = ()) -> Part:
    """What the file of this name tells; `terms` are the dates of its terms in their order, if it has lessons of some only.

    Raises SourceError with everything that is to be mended.
    """
    problems, remarks = Problems(), Remarks()
    document = Document(name, read_markup(name, data, problems), problems, remarks)
    problems.settle()
    if not document.rows("class") or not document.rows("card"):
        got, expected = "a file without classes or without placed lessons", "an export of the whole timetable"
        problems.add(name, got, expected, "export it as 'aSc Timetables 2012 XML' with all its tables")
    bells = _bells(document)
    groups = Groups(document)
    weeks = Weeks(document)
    numbers = {row.attributes.get("period", "") for row in document.rows("period")}
    cards = Cards(document, groups, {int(number) for number in numbers if number.isascii() and number.isdigit()})
    lessons = cards.read(Weekdays(document), weeks, Terms(document, terms))
    people = read_pupils(document, groups)
    problems.settle()
    turns = tuple(weeks.names) if any(lesson.week for lesson in lessons) else None
    if turns:
        remarks.add(
            name, f"weeks take turns: {', '.join(turns)}", "put weeks with these names and weeks_from into site.toml"
        )
    return Part(
        people=people,
        classes=tuple(groups.all),
        bells=bells,
        lessons=tuple(lessons),
        weeks=turns,
        remarks=remarks.all(),
    )


def _bells(document: Document) -> tuple[Bell, ...] | None:
    """None where the file has no times, so that another source may tell them."""
    found: dict[int, Bell] = {}
    for row in document.rows("period"):
        number = document.read(row, "period", period)
        if number is None:
            continue
        if not row.attributes.get("starttime") or not row.attributes.get("endtime"):
            document.remark(row, "a period without times has no bell", "put its times into the bells")
            continue
        start, end = document.read(row, "starttime", wall_time), document.read(row, "endtime", wall_time)
        if start is None or end is None:
            continue
        bell = Bell(bells=BELLS, lesson=number, start=start, end=end, origin=document.origin(row))
        if end <= start:
            document.refuse(
                row, f"a period until {end:%H:%M}", f"an end after {start:%H:%M}, its start", "mend its times"
            )
        elif found.setdefault(number, bell) != bell:
            expected = "each period once"
            document.refuse(row, f"period {number} again, at other times", expected, "remove one of them")
    for row in document.rows("dayperiod"):
        document.remark(row, "times that single days have are left out", "put shortened days into the calendar")
    return tuple(found.values()) or None
