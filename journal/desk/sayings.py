"""Many statements from one table of the staff: all of it can be read, or none of it is said."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.domain.model import MarkReason, Status
from gateway.errors import InputError
from journal.facts import bounds
from journal.statements import Kind, Saying
from sync.sources.cells import choice, date, matching, number, wall_time
from sync.sources.delimited import read_lines
from sync.sources.headings import Headings
from sync.sources.rows import MAX_BYTES, Column, Problems, Row, names_of, read_rows

_MARKED = (Status.PRESENT, Status.LATE, Status.ABSENT, Status.LEFT_EARLY)
_text = matching(r".{1,200}", "a text of at most 200 characters")

PERSON = Column(name="person", also=("id", "ид", "код", "ученик"), parse=matching(r"[A-Za-z0-9._-]{1,64}", "an id"))
KIND = Column(
    name="kind",
    also=("вид",),
    parse=choice(
        [kind for kind in Kind if kind is not Kind.WITHDRAW],
        {
            "вход": Kind.CAME,
            "выход": Kind.LEFT,
            "отметка": Kind.MARK,
            "причина": Kind.EXCUSE,
            "отпущен": Kind.RELEASE,
        },
    ),
    default=Kind.CAME,
)
DATE: Column[dt.date | None] = Column(name="date", also=("дата",), parse=date, default=None)
AT: Column[dt.time | None] = Column(name="at", also=("время", "с"), parse=wall_time, default=None)
LAST: Column[dt.date | None] = Column(name="last", also=("последний_день",), parse=date, default=None)
UNTIL: Column[dt.time | None] = Column(name="until", also=("до",), parse=wall_time, default=None)
STATUS: Column[Status | None] = Column(
    name="status",
    also=("статус",),
    parse=choice(_MARKED, {"был": Status.PRESENT, "опоздал": Status.LATE, "не был": Status.ABSENT}),
    default=None,
)
MINUTES = Column(name="minutes", also=("минут",), parse=number(0, 600), default=0)
REASON: Column[MarkReason | None] = Column(
    name="reason",
    also=("причина",),
    parse=choice(
        MarkReason,
        {
            "болезнь": MarkReason.ILL_REPORTED,
            "справка": MarkReason.ILL_CERTIFIED,
            "заявление": MarkReason.APPLICATION,
            "приказ": MarkReason.ORDER,
            "олимпиада": MarkReason.OLYMPIAD,
            "мороз": MarkReason.FROST,
            "транспорт": MarkReason.TRANSPORT,
            "очередь": MarkReason.QUEUE,
        },
    ),
    default=None,
)
NOTE = Column(name="note", also=("примечание",), parse=_text, default="")
COLUMNS = (PERSON, KIND, DATE, AT, LAST, UNTIL, STATUS, MINUTES, REASON, NOTE)


def read_sayings(path: Path, today: dt.date, zone: ZoneInfo) -> list[Saying]:
    """Rows without a date are about `today`. Raises InputError with every place to mend."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="give a table with a column person") from error
    problems = Problems()
    names = names_of(COLUMNS, Headings())
    rows = read_rows(path.name, read_lines(path.name, data, names, 1, problems), COLUMNS, problems)
    found = [_saying(row, row[DATE] or today, zone, problems) for row in rows]
    if not found and problems.none_in(path.name):
        problems.add(path.name, "no row below the header", "at least one", "fill the table")
    problems.settle()
    return found


def _saying(row: Row, day: dt.date, zone: ZoneInfo, problems: Problems) -> Saying:
    kind, status, minutes, wall = row[KIND], row[STATUS], row[MINUTES], row[AT]
    if kind in (Kind.CAME, Kind.LEFT) and wall is None:
        problems.at(row, AT, "nothing", "a time like 08:20", f"say when the person {kind.value}")
    if (kind is Kind.MARK) != (status is not None):
        problems.at(row, STATUS, status or "nothing", "a status for a mark, and only for one", "mend kind or status")
    if (status is Status.LATE) != bool(minutes):
        problems.at(row, MINUTES, str(minutes), "minutes for late, and only for late", "mend status or minutes")
    if kind is Kind.EXCUSE and row[REASON] is None:
        problems.at(row, REASON, "nothing", "a reason for an excuse", "say why: ill_reported, application, …")
    first, last = bounds(day, zone)
    since = first if wall is None else _moment(day, wall, zone)
    until: dt.datetime | None = None
    if kind in (Kind.MARK, Kind.EXCUSE, Kind.RELEASE):
        end = row[LAST] or day
        until = bounds(end, zone)[1] if row[UNTIL] is None else _moment(end, row[UNTIL] or dt.time(), zone)
        if until <= since:
            problems.at(row, UNTIL, "an end before its beginning", "a later time", "mend last or until")
    return Saying(
        person=row[PERSON],
        kind=kind,
        at=since,
        until=last if kind is Kind.RELEASE else until,
        status=status,
        minutes_late=minutes,
        reason=MarkReason.RELEASED if kind is Kind.RELEASE and row[REASON] is None else row[REASON],
        note=row[NOTE],
    )


def _moment(day: dt.date, wall: dt.time, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, wall, zone).astimezone(dt.UTC)
