"""Takes over what the office says: a school, as it was imported, into the tables; and which days that changes.

Contacts and groups are replaced. Who was in which group, who held which card, which lanes served and what numbers held keeps its
past; lessons are written again from the import's day on, and only those days and persons are judged again whom something touches.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.compiler import Compiled, compile_days
from gateway.domain.credential import SiteKey
from gateway.domain.policy import Override, Policy
from gateway.domain.timetable import Plan
from gateway.errors import InputError
from journal import staff_tables, tables
from journal.cards import Listed, list_cards
from journal.days import local_date
from journal.keys import CardCipher
from journal.rules import Numbers, set_numbers, written
from journal.served import serve, starts
from journal.store import PLAN, Day, mark_dirty, milliseconds, moment, revised, upsert
from journal.timetables import Changed, changes_of, keep, slot_rows, with_changes, write_slots
from sync.sources.school import Remark, School
from sync.sources.several import HORIZON


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Whose directory it is, and the secrets that turn its cards into rows."""

    name: str
    policy: Policy
    overrides: tuple[Override, ...] = ()
    keys: Sequence[SiteKey]
    cipher: CardCipher


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A school and its rows: whatever takes time and needs no transaction, so that no batch waits for it."""

    site: Site
    school: School
    now: dt.datetime
    #: Slots are replaced from this date on, and lanes serve from this moment on.
    since: dt.date
    serves: dt.datetime
    compiled: Compiled
    #: The changes by hand that the slots were compiled with.
    changes: Sequence[Changed]
    cards: Sequence[Listed]


class TakenOver(NamedTuple):
    """What an import did."""

    days: set[Day]
    remarks: list[Remark]


def prepare(
    site: Site, school: School, *, now: dt.datetime, since: dt.date | None = None, changes: Sequence[Changed] = ()
) -> Prepared:
    """Compile the lessons and seal the cards; slots from `since` on, None is today, and ahead of today in any case."""
    zone = ZoneInfo(school.zone)
    today = now.astimezone(zone).date()
    first = since or today
    listed = [
        Listed(card, key.token(card.credential), site.cipher.seal(site.name, card.credential))
        for card in school.cards
        for key in site.keys
    ]
    compiled = compile_days(with_changes(school.timetable, changes), first, max(first, today) + HORIZON)
    return Prepared(
        site=site,
        school=school,
        now=now,
        since=first,
        serves=starts(since, zone, now),
        compiled=compiled,
        changes=tuple(changes),
        cards=listed,
    )


async def take_over(connection: AsyncConnection, prepared: Prepared) -> TakenOver:
    """Write a school in the caller's transaction. Raises InputError where lessons were changed since it was prepared."""
    site, school, since = prepared.site, prepared.school, prepared.since
    name, zone = site.name, ZoneInfo(school.zone)
    if list(prepared.changes) != await changes_of(connection, name):
        raise InputError("somebody changed the timetable in the meantime", hint="run the import again")
    today = prepared.now.astimezone(zone).date()
    span = [dt.date.fromordinal(day).isoformat() for day in range(since.toordinal(), today.toordinal() + 1)]
    ruled = await _site(connection, site, school, since)
    served = await serve(connection, name, school.gateways, prepared.serves)
    days = {Day(name, date) for date in span} if ruled or served else set()
    for table, rows in _tables(name, school).items():
        await connection.execute(delete(table).where(table.c.site == name))
        if rows:
            await connection.execute(insert(table), rows)
    await keep(connection, name, school.timetable)
    await _people(connection, name, school)
    persons = await _memberships(connection, name, school, since.isoformat())
    persons |= await _plans(connection, name, school.plans)
    days |= {Day(name, date, person) for date in span for person in persons}
    days |= await _excuses(connection, name, school, zone, today)
    rows = slot_rows(name, zone, prepared.compiled.slots)
    days |= await write_slots(connection, name, rows, today=today, span=(since, None))
    listed = {person.id for person in school.people}
    cards = await list_cards(connection, name, zone, prepared.cards, listed, prepared.now)
    days |= cards.days
    await mark_dirty(connection, days)
    return TakenOver(days, cards.remarks)


async def _site(connection: AsyncConnection, site: Site, school: School, since: dt.date) -> bool:
    """Write the site; True where everybody is to be judged again from that day on."""
    row = {"site": site.name, "name": school.name, "zone": school.zone, "language": school.language}
    s, numbers = tables.sites.c, Numbers(site.policy, site.overrides)
    before = (await connection.execute(select(s.zone).where(s.site == site.name))).scalar()
    if before is None:
        await connection.execute(insert(tables.sites), [row | written(numbers)])
    else:
        await connection.execute(update(tables.sites).where(s.site == site.name).values(row))
    other = await set_numbers(connection, site.name, numbers, since.isoformat())
    await revised(connection, site.name)
    return other or before != school.zone


def _tables(site: str, school: School) -> dict[Table, list[dict[str, Any]]]:
    """Those that an import simply replaces."""
    return {
        tables.groups: [
            {"site": site, "group": group.id, "title": group.id, "grade": group.grade}
            | {"shift": group.shift, "stage": group.stage, "part_of": group.part_of}
            for group in school.timetable.classes
        ],
        # Whose address the office lists has agreed to be told.
        tables.contacts: [
            {"site": site, "person": one.person, "address": one.address, "language": one.language, "consent": 1}
            for one in school.contacts
        ],
    }


async def _people(connection: AsyncConnection, site: str, school: School) -> None:
    """Who is not listed any more keeps a name for old marks."""
    await connection.execute(update(tables.people).where(tables.people.c.site == site).values(active=0))
    rows = [
        {
            "site": site,
            "person": person.id,
            "last_name": person.last_name,
            "first_name": person.first_name,
            "class_group": person.groups[0] if person.groups else None,
            "role": person.role.value,
            "language": person.language,
            "active": 1,
        }
        for person in school.people
    ]
    await upsert(connection, tables.people, rows)


async def _memberships(connection: AsyncConnection, site: str, school: School, since: str) -> set[str]:
    """Who is in which group from the import's day on; the first import says what always was. Returns whom that changes."""
    m = tables.memberships.c
    rows = (await connection.execute(select(tables.memberships).where(m.site == site))).mappings().all()
    before = {(row["person"], row["group"]): row["first"] for row in rows if row["until"] is None}
    now = {(person.id, group) for person in school.people for group in person.groups}
    left = [one for one in before if one not in now]
    come = [{"site": site, "person": person, "group": group} for person, group in now if (person, group) not in before]
    ended = [
        {"site": site, "person": person, "group": group, "first": before[person, group]}
        | {"until": max(since, before[person, group])}
        for person, group in left
    ]
    await upsert(connection, tables.memberships, ended)
    first = {"first": since if rows else "", "until": None}
    await upsert(connection, tables.memberships, [row | first for row in come])
    return {person for person, _ in left} | {row["person"] for row in come}


async def _plans(connection: AsyncConnection, site: str, plans: Sequence[Plan]) -> set[str]:
    """Replace them. Returns whom that changes."""
    p = staff_tables.plans.c
    query = select(p.person, p.body).where(p.site == site)
    before = {(person, body) for person, body in await connection.execute(query)}
    now = [(str(plan.person), PLAN.dump_json(plan, exclude={"origin"}).decode("utf-8")) for plan in plans]
    await connection.execute(delete(staff_tables.plans).where(p.site == site))
    if now:
        rows = [{"site": site, "person": person, "body": body} for person, body in now]
        await connection.execute(insert(staff_tables.plans), rows)
    return {person for person, _ in before.symmetric_difference(now)}


async def _excuses(connection: AsyncConnection, site: str, school: School, zone: ZoneInfo, today: dt.date) -> set[Day]:
    """Replace those of the import. Returns the days up to today of whatever differs."""
    e = staff_tables.excuses.c
    columns = (e.person, e.since, e.until, e.reason, e.source)
    before = {tuple(row) for row in await connection.execute(select(*columns).where(e.site == site))}
    now = [
        (one.person, milliseconds(one.since), milliseconds(one.until), one.reason.value, one.source.value)
        for one in school.excuses
    ]
    await connection.execute(delete(staff_tables.excuses).where(e.site == site))
    if now:
        keys = [column.key for column in columns]
        rows = [{"site": site, **dict(zip(keys, one, strict=True))} for one in now]
        await connection.execute(insert(staff_tables.excuses), rows)
    days = set()
    for person, since, until, *_ in before.symmetric_difference(now):
        first, last = (dt.date.fromisoformat(local_date(moment(at), zone)) for at in (since, until))
        for day in range(first.toordinal(), min(last, today).toordinal() + 1):
            days.add(Day(site, dt.date.fromordinal(day).isoformat(), person))
    return days
