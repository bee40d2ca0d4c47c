"""Lessons of a site: what they follow from, changes that people said by hand, and the dated slots in the tables.

imported timetable ─┬─ compile ──> slots        an import writes them from its day on
changes by hand ────┘                           a change writes again only the dates and groups that it touches
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.compiler import Compiled, compile_days
from gateway.domain.model import GroupId, Slot
from gateway.domain.timetable import Bell, CalendarDay, Event, Lesson, SchoolClass, Substitution, Timetable
from gateway.errors import InputError
from journal import tables
from journal.days import local_date
from journal.staff_tables import changes, timetables
from journal.statements import Author
from journal.store import EVERYBODY, Day, chunks, milliseconds, upsert

_c = changes.c
#: More persons than this on a day are everybody.
_MANY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """A timetable as it rests; its zone is the site's."""

    classes: tuple[SchoolClass, ...]
    bells: tuple[Bell, ...]
    lessons: tuple[Lesson, ...]
    calendar: tuple[CalendarDay, ...]
    substitutions: tuple[Substitution, ...]
    events: tuple[Event, ...]
    weeks: tuple[str, ...]
    weeks_from: dt.date | None


_STORED: TypeAdapter[_Stored] = TypeAdapter(_Stored)
_CHANGE: TypeAdapter[Substitution] = TypeAdapter(Substitution)


class Changed(NamedTuple):
    """A change by hand."""

    number: int
    substitution: Substitution


async def keep(connection: AsyncConnection, site: str, timetable: Timetable) -> None:
    """Store what an import brought."""
    stored = _Stored(
        classes=tuple(timetable.classes),
        bells=tuple(timetable.bells),
        lessons=tuple(timetable.lessons),
        calendar=tuple(timetable.calendar),
        substitutions=tuple(timetable.substitutions),
        events=tuple(timetable.events),
        weeks=tuple(timetable.weeks),
        weeks_from=timetable.weeks_from,
    )
    await upsert(connection, timetables, [{"site": site, "body": _STORED.dump_json(stored).decode("utf-8")}])


async def kept(connection: AsyncConnection, site: str, zone: ZoneInfo) -> Timetable:
    """What the last import brought, with the changes by hand after its own. Raises InputError where there was none."""
    query = select(timetables.c.body).where(timetables.c.site == site)
    if (body := (await connection.execute(query)).scalar()) is None:
        raise InputError(
            f"{site} has no timetable yet", hint=f"'attendance-journal directory import {site} FOLDER' brings it"
        )
    stored = _STORED.validate_json(body)
    timetable = Timetable(
        zone=zone,
        classes=stored.classes,
        bells=stored.bells,
        lessons=stored.lessons,
        calendar=stored.calendar,
        substitutions=stored.substitutions,
        events=stored.events,
        weeks=stored.weeks,
        weeks_from=stored.weeks_from,
    )
    return with_changes(timetable, await changes_of(connection, site))


def with_changes(timetable: Timetable, changed: Iterable[Changed]) -> Timetable:
    """Changes by hand outweigh imported ones: they are later."""
    return replace(timetable, substitutions=(*timetable.substitutions, *(one.substitution for one in changed)))


async def changes_of(connection: AsyncConnection, site: str) -> list[Changed]:
    """The changes by hand that hold, in the order in which they were said."""
    withdrawn = select(_c.withdraws).where(_c.site == site, _c.withdraws.is_not(None))
    query = select(_c.id, _c.body).where(_c.site == site, _c.body.is_not(None), _c.id.not_in(withdrawn)).order_by(_c.id)
    return [Changed(number, _CHANGE.validate_json(body)) for number, body in await connection.execute(query)]


async def change(connection: AsyncConnection, site: str, substitution: Substitution, author: Author) -> int:
    """Write a change down. Returns its number."""
    row = {"site": site, "author": author.name, "said": milliseconds(author.at), "note": author.note}
    body = _CHANGE.dump_json(substitution, exclude_defaults=True).decode("utf-8")
    done = await connection.execute(insert(changes).values(**row, body=body).returning(_c.id))
    return int(done.scalar_one())


async def withdraw(connection: AsyncConnection, site: str, number: int, author: Author) -> Substitution:
    """Take a change back. Returns it. Raises InputError."""
    for one in await changes_of(connection, site):
        if one.number == number:
            row = {"site": site, "author": author.name, "said": milliseconds(author.at), "note": author.note}
            await connection.execute(insert(changes).values(**row, withdraws=number))
            return one.substitution
    raise InputError(f"no change {number} holds", hint="'attendance-journal timetable list' shows the numbers")


async def place(
    connection: AsyncConnection, site: str, timetable: Timetable, substitution: Substitution, today: dt.date
) -> tuple[set[Day], Compiled]:
    """Compile again what a change touches. Returns the days made dirty, and what could not be placed there."""
    zone = timetable.zone
    assert isinstance(zone, ZoneInfo)  # noqa: S101 - kept() made it
    groups = timetable.members(substitution.groups) if substitution.groups else None
    if substitution.groups and not groups:
        raise InputError(f"{site} has no class {', '.join(sorted(substitution.groups))}", hint="write it as imported")
    last = substitution.last or substitution.date
    spans = {(substitution.date, last), *(((substitution.to_date,) * 2,) if substitution.to_date else ())}
    days: set[Day] = set()
    found: list[Compiled] = []
    for first, end in sorted(spans):
        found.append(compile_days(timetable, first, end, groups))
        rows = slot_rows(site, zone, found[-1].slots)
        days |= await write_slots(connection, site, rows, today=today, span=(first, end), groups=groups)
    unplaced = tuple(dict.fromkeys(one for compiled in found for one in compiled.unplaced))
    return days, Compiled(slots=(), unplaced=unplaced, untold=sum(compiled.untold for compiled in found))


def slot_rows(site: str, zone: ZoneInfo, slots: Iterable[Slot]) -> list[dict[str, Any]]:
    """As the tables write them."""
    return [
        {
            "site": site,
            "slot": slot.id,
            "group": slot.group,
            "number": slot.number,
            "date": local_date(slot.start, zone),
            "start": milliseconds(slot.start),
            "end": milliseconds(slot.end),
            "kind": slot.kind.value,
            "mode": slot.mode.value,
            "place": slot.site,
            "obligatory": int(slot.obligatory),
        }
        for slot in slots
    ]


async def write_slots(
    connection: AsyncConnection,
    site: str,
    rows: Sequence[dict[str, Any]],
    *,
    today: dt.date,
    span: tuple[dt.date, dt.date | None],
    groups: Collection[GroupId] | None = None,
) -> set[Day]:
    """Make the slots of these dates and groups equal to the rows. Returns the days up to today whose marks that touches."""
    c = tables.slots.c
    first, last = span
    there: list[ColumnElement[bool]] = [c.site == site, c.date >= first.isoformat()]
    there += [] if last is None else [c.date <= last.isoformat()]
    there += [] if groups is None else [c.group.in_(sorted(groups))]
    old = {row["slot"]: dict(row) for row in (await connection.execute(select(tables.slots).where(*there))).mappings()}
    new = {row["slot"]: row for row in rows}
    gone = [slot for slot, row in old.items() if new.get(slot) != row]
    come = [row for slot, row in new.items() if old.get(slot) != row]
    for part in chunks(gone):
        await connection.execute(delete(tables.slots).where(c.site == site, c.slot.in_(part)))
    if come:
        await connection.execute(insert(tables.slots), come)
    touched = {(row["date"], row["group"]) for row in [*come, *(old[slot] for slot in gone)]}
    return await of_groups(connection, site, {one for one in touched if one[0] <= today.isoformat()})


async def of_groups(connection: AsyncConnection, site: str, touched: Collection[tuple[str, str]]) -> set[Day]:
    """The days of everybody who is or was in these groups on these dates."""
    m = tables.memberships.c
    members: dict[str, set[str]] = {}
    for part in chunks(sorted({group for _, group in touched})):
        for person, group in await connection.execute(
            select(m.person, m.group).where(m.site == site, m.group.in_(part))
        ):
            members.setdefault(group, set()).add(person)
    persons: dict[str, set[str]] = {}
    for date, group in touched:
        persons.setdefault(date, set()).update(members.get(group, ()))
    return {
        Day(site, date, person)
        for date, mine in persons.items()
        for person in (mine if len(mine) <= _MANY else {EVERYBODY})
    }
