"""Marks as they stand, and the revisions that a new judgement adds; a mark that says the same again gets none."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import RowMapping, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import DoubtKind, Mark, MarkReason, PersonId, SlotId, Source, Status
from journal.notify.notice import PupilDay
from journal.prepared import Value, prepared
from journal.store import DOUBTS, chunks, milliseconds
from journal.tables import marks

#: Since when a lane has been silent moves with every minute.
_MOVES = frozenset({DoubtKind.SILENT, DoubtKind.NO_LANE})
#: Of more persons than that everybody's are read.
_MANY = 500


class Revision(NamedTuple):
    """What a mark said and what it says now; None is nothing yet."""

    before: Mark | None
    after: Mark
    number: int


async def newest_marks(
    connection: AsyncConnection, site: str, date: str, persons: Collection[str] | None = None
) -> dict[tuple[str, str], tuple[Mark, int]]:
    """The newest revision of every mark of that day with its number, by person and slot."""
    everybody = persons is None or len(persons) > _MANY
    parts = [()] if everybody else chunks(sorted(persons or ()))
    queries = (_of_day(site, date, part, everybody=everybody) for part in parts)
    rows = [row for query in queries for row in (await connection.execute(*query)).mappings()]
    return {(row["person"], row["slot"]): (_mark(row), row["revision"]) for row in rows}


@prepared
def _of_day(site: Value, date: Value, persons: Value, *, everybody: bool) -> Select[Any]:
    c = marks.c
    query = select(marks).where(c.site == site, c.date == date).order_by(c.revision)
    return query if everybody else query.where(c.person.in_(persons))


async def revisions(connection: AsyncConnection, site: str, date: str, days: Collection[PupilDay]) -> list[Revision]:
    """What these judgements change. A mark of a lesson that the person does not have any more becomes pending."""
    persons = {day.pupil.person for day in days}
    before = await newest_marks(connection, site, date, persons)
    found = []
    for mark in (mark for day in days for mark in day.marks):
        old, number = before.pop((mark.person, mark.slot), (None, 0))
        if _says(mark) != _says(old):
            found.append(Revision(old, mark, number + 1))
    for (person, slot), (old, number) in before.items():
        if person in persons and old.status is not Status.PENDING:
            found.append(Revision(old, not_held(PersonId(person), SlotId(slot)), number + 1))
    return found


async def revise(
    connection: AsyncConnection, site: str, date: str, days: Collection[PupilDay], as_of: datetime
) -> None:
    """Write them."""
    place = {"site": site, "date": date, "judged_at": milliseconds(as_of)}
    changed = await revisions(connection, site, date, days)
    if changed:
        await connection.execute(
            insert(marks), [{**_row(one.after), **place, "revision": one.number} for one in changed]
        )


def not_held(person: PersonId, slot: SlotId) -> Mark:
    """Nothing is said of this lesson."""
    return Mark(person=person, slot=slot, status=Status.PENDING, minutes_late=0, minutes_missed=0, complete=False)


def _row(mark: Mark) -> dict[str, Any]:
    return {
        "person": mark.person,
        "slot": mark.slot,
        "status": mark.status.value,
        "minutes_late": mark.minutes_late,
        "minutes_missed": mark.minutes_missed,
        "complete": int(mark.complete),
        "gaps": DOUBTS.dump_json(mark.doubts, exclude_defaults=True).decode("ascii"),
        "final": int(mark.final),
        "reason": mark.reason and mark.reason.value,
        "source": mark.source.value,
    }


def _mark(row: RowMapping) -> Mark:
    return Mark(
        person=PersonId(row["person"]),
        slot=SlotId(row["slot"]),
        status=Status(row["status"]),
        minutes_late=row["minutes_late"],
        minutes_missed=row["minutes_missed"],
        complete=bool(row["complete"]),
        doubts=DOUBTS.validate_json(row["gaps"]),
        final=bool(row["final"]),
        reason=row["reason"] and MarkReason(row["reason"]),
        source=Source(row["source"]),
    )


def _says(mark: Mark | None) -> Sequence[Any]:
    """What makes a revision worth writing: coverage that grows is not, as long as the same lanes are silent."""
    if mark is None or mark.status is Status.PENDING:
        return ()
    said = (mark.status, mark.minutes_late, mark.minutes_missed, mark.final, mark.reason, mark.source)
    doubts = {(d.kind, d.lane, None if d.kind in _MOVES else d.since) for d in mark.doubts}
    return said if mark.status is Status.PRESENT else (*said, mark.complete, doubts)
