"""Takes over what the office says: a school, as it was imported, into the tables; and which days that changes.

Everything but cards is replaced. The card ledger keeps its past: a card that changes hands, or is not listed any more,
ends now for its holder, unless the office gives dates of its own.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.credential import SiteKey
from gateway.domain.policy import Policy
from gateway.domain.timetable import compile_slots
from journal import tables
from journal.days import local_date
from journal.keys import CardCipher
from journal.store import POLICY, Day, chunks, mark_dirty, milliseconds, moment, upsert
from sync.sources.school import Card, School

#: How far ahead slots are written; the office imports again long before.
HORIZON = dt.timedelta(days=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Whose directory it is, and the secrets that turn its cards into rows."""

    name: str
    policy: Policy
    keys: Sequence[SiteKey]
    cipher: CardCipher


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What an import holds."""

    persons: int
    groups: int
    credentials: int
    slots: int

    @classmethod
    def of(cls, school: School, since: dt.date) -> "Counts":
        """Of the slots, those that are written from that date on."""
        slots = len(compile_slots(school.timetable, since, since + HORIZON))
        groups = len(school.timetable.classes)
        return cls(persons=len(school.people), groups=groups, credentials=len(school.cards), slots=slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A school and its rows: whatever takes time and needs no transaction, so that no batch waits for it."""

    site: Site
    school: School
    now: dt.datetime
    #: Slots are replaced from this date on.
    since: dt.date
    slots: Sequence[dict[str, Any]]
    cards: Sequence[Listed]


def prepare(site: Site, school: School, *, now: dt.datetime, since: dt.date | None = None) -> Prepared:
    """Compile the lessons and seal the cards; slots from `since` on, None is today."""
    first = since or now.astimezone(ZoneInfo(school.zone)).date()
    listed = [
        Listed(card, key.token(card.credential), site.cipher.seal(site.name, card.credential))
        for card in school.cards
        for key in site.keys
    ]
    return Prepared(
        site=site, school=school, now=now, since=first, slots=_slot_rows(site.name, school, first), cards=listed
    )


async def take_over(connection: AsyncConnection, prepared: Prepared) -> set[Day]:
    """Write a school in the caller's transaction. Returns the days made dirty."""
    site, school = prepared.site, prepared.school
    zone = ZoneInfo(school.zone)
    await _site(connection, site, school)
    for table, rows in _tables(site.name, school).items():
        await connection.execute(delete(table).where(table.c.site == site.name))
        if rows:
            await connection.execute(insert(table), rows)
    await _people(connection, site.name, school)
    await _slots(connection, prepared)
    span = range(prepared.since.toordinal(), prepared.now.astimezone(zone).date().toordinal() + 1)
    days = {Day(site.name, dt.date.fromordinal(day).isoformat()) for day in span}
    days |= await _cards(connection, prepared, zone)
    await mark_dirty(connection, days)
    return days


async def _site(connection: AsyncConnection, site: Site, school: School) -> None:
    said = {"name": school.name, "zone": school.zone, "language": school.language}
    policy = POLICY.dump_json(site.policy).decode("ascii")
    await upsert(connection, tables.sites, [{"site": site.name, **said, "policy": policy}])
    c = tables.sites.c
    await connection.execute(update(tables.sites).where(c.site == site.name).values(revision=c.revision + 1))


def _tables(site: str, school: School) -> dict[Table, list[dict[str, Any]]]:
    """Those that an import simply replaces."""
    return {
        tables.groups: [
            {"site": site, "group": group.id, "title": group.id, "grade": group.grade}
            for group in school.timetable.classes
        ],
        tables.memberships: [
            {"site": site, "person": person.id, "group": group} for person in school.people for group in person.groups
        ],
        # Whose address the office lists has agreed to be told.
        tables.contacts: [
            {"site": site, "person": one.person, "address": one.address, "language": one.language, "consent": 1}
            for one in school.contacts
        ],
        tables.lanes: [
            {"site": site, "gateway": gateway.id, "lane": lane.id, "direction": lane.direction.value}
            | {"opens": lane.opens, "closes": lane.closes}
            for gateway in school.gateways
            for lane in gateway.lanes
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
            "class_group": person.groups[0],
            "language": person.language,
            "active": 1,
        }
        for person in school.people
    ]
    await upsert(connection, tables.people, rows)


def _slot_rows(site: str, school: School, since: dt.date) -> list[dict[str, Any]]:
    zone = ZoneInfo(school.zone)
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
        }
        for slot in compile_slots(school.timetable, since, since + HORIZON)
    ]


async def _slots(connection: AsyncConnection, prepared: Prepared) -> None:
    c = tables.slots.c
    old = c.site == prepared.site.name, c.date >= prepared.since.isoformat()
    await connection.execute(delete(tables.slots).where(*old))
    if prepared.slots:
        await connection.execute(insert(tables.slots), prepared.slots)
