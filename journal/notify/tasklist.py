"""The tasks of class teachers as rows: opened, closed by themselves, opened again; and the list of them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import Doubt, Source
from journal.notify.episode import Episode
from journal.notify.notice import PupilDay
from journal.notify.tables import tasks as table
from journal.notify.tasks import Task, tasks
from journal.prepared import Value, prepared
from journal.reports.wording import in_words as doubts_in_words
from journal.store import DOUBTS, milliseconds, moment
from journal.tables import groups, people
from journal.words import pupils_in_words

_c = table.c
_ASKED = {
    "ru": "{group}, урок в {at}: посмотрите, кто в классе ({count}): {names}. Двери не знают: {doubts}.",
    "en": "{group}, lesson at {at}: please see who is there ({count}): {names}. The doors cannot tell: {doubts}.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A task as it is listed."""

    group: str
    person: str
    name: str = field(repr=False)
    start: datetime
    doubts: tuple[Doubt, ...]
    #: When, and by whom; None while it is open.
    closed: datetime | None
    closed_by: str | None


async def assign(
    connection: AsyncConnection,
    site: str,
    date: str,
    days: Collection[PupilDay],
    as_of: datetime,
    *,
    judged: Collection[str] | None,
) -> None:
    """Make the open tasks of the judged equal to what is doubted now. A day that is over gets no new ones."""
    wanted = {task.person: task for task in tasks(days, as_of)}
    by_person = {day.pupil.person: day for day in days}
    today = any(as_of.astimezone(day.zone).date().isoformat() == date for day in days)
    for row in (await connection.execute(*_of_day(site, date))).mappings():
        if judged is not None and row["person"] not in judged:
            continue
        task = wanted.pop(row["person"], None)
        values = _open(task) if task else _closed(row["closed"], by_person.get(row["person"]), as_of)
        if any(row[key] != value for key, value in values.items()):
            this = _c.site == site, _c.date == date, _c.person == row["person"]
            await connection.execute(update(table).where(*this).values(**values))
    if wanted and today:
        place_of = {"site": site, "date": date, "created": milliseconds(as_of)}
        await connection.execute(insert(table), [place_of | {"person": p} | _open(t) for p, t in wanted.items()])


@prepared
def _of_day(site: Value, date: Value) -> Select[Any]:
    return select(table).where(_c.site == site, _c.date == date)


def _open(task: Task) -> dict[str, Any]:
    doubts = DOUBTS.dump_json(task.doubts, exclude_defaults=True).decode("ascii")
    return {"start": milliseconds(task.start), "doubts": doubts, "closed": None, "closed_by": None}


def _closed(before: int | None, day: PupilDay | None, as_of: datetime) -> dict[str, Any]:
    """By whoever says now where the pupil was; it stays closed as it was."""
    if before is not None:
        return {}
    mark = None
    if day is not None:
        episode = Episode.of(day, as_of)
        mark = episode.mark(episode.first)
    source = Source.GATE if mark is None else mark.source
    return {"closed": milliseconds(as_of), "closed_by": source}


async def asked(connection: AsyncConnection, site: str, date: str) -> list[Asked]:
    """All of that day, closed ones too, by class, lesson and name."""
    title = func.coalesce(groups.c.title, people.c.class_group, "")
    pupil = (people.c.site == _c.site) & (people.c.person == _c.person)
    of_class = (groups.c.site == _c.site) & (groups.c.group == people.c.class_group)
    query = select(table, title.label("title"), people.c.last_name, people.c.first_name)
    query = query.select_from(table.join(people, pupil).outerjoin(groups, of_class)).where(
        _c.site == site, _c.date == date
    )
    rows = await connection.execute(query.order_by(title, _c.start, people.c.last_name, people.c.first_name))
    return [
        Asked(
            group=row["title"],
            person=row["person"],
            name=f"{row['last_name']} {row['first_name']}",
            start=moment(row["start"]),
            doubts=DOUBTS.validate_json(row["doubts"]),
            closed=None if row["closed"] is None else moment(row["closed"]),
            closed_by=row["closed_by"],
        )
        for row in rows.mappings()
    ]


def in_words(found: Iterable[Asked], language: str, zone: ZoneInfo) -> list[str]:
    """The open ones, a sentence for each class and lesson."""
    still_open = [one for one in found if one.closed is None]
    sentences = []
    for (group, start), of_class in groupby(still_open, key=lambda one: (one.group, one.start)):
        pupils = list(of_class)
        doubts = {doubt: None for one in pupils for doubt in one.doubts}
        sentences.append(
            _ASKED[language].format(
                group=group,
                at=f"{start.astimezone(zone):%H:%M}",
                count=pupils_in_words(len(pupils), language),
                names=", ".join(one.name for one in pupils),
                doubts=doubts_in_words(tuple(doubts), language, zone, start.astimezone(zone).date()),
            )
        )
    return sentences
