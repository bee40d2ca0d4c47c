"""What stands of a school in the tables, to be compared with what an import brings."""

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.directory import CredentialState
from gateway.domain.model import GroupId, PersonId, Slot
from journal import tables
from journal.roster import slots_of
from journal.served import served
from journal.staff_tables import timetables
from journal.store import milliseconds, moment
from journal.timetables import kept
from sync.sources.report import Known, Outline, Rows, lane_rows, outline
from sync.sources.school import Contact, Person, Role, School


async def standing(
    connection: AsyncConnection, site: str, zone: ZoneInfo, since: dt.date, now: dt.datetime, named: Rows
) -> Outline | None:
    """None before the first import; slots and lanes from that day on. `named` are the cards that the import brings."""
    stored = select(timetables.c.site).where(timetables.c.site == site)
    if (await connection.execute(stored)).scalar() is None:
        return None
    k, s = tables.contacts.c, tables.slots.c
    contacts = await connection.execute(select(k.person, k.address, k.language).where(k.site == site))
    dates = select(s.date).where(s.site == site, s.date >= since.isoformat()).distinct()
    slots: list[Slot] = []
    for date in (await connection.execute(dates)).scalars().all():
        slots += [slot for of_group in (await slots_of(connection, site, date)).values() for slot in of_group]
    school = School(
        name=site,
        language="",
        zone=zone.key,
        people=await _people(connection, site),
        contacts=[Contact(person=PersonId(person), address=at, language=said or "") for person, at, said in contacts],
        cards=(),
        lanes=(),
        timetable=await kept(connection, site, zone),
    )
    at = max(now, dt.datetime.combine(since, dt.time(), zone))
    lanes = lane_rows(await served(connection, site, at))
    return replace(outline(school, slots), lanes=lanes, credentials=await cards_of(connection, site, zone, now, named))


def comparable(school: School) -> School:
    """The same with everybody's groups in the order that the tables give: the class first."""
    people = [replace(one, groups=(*one.groups[:1], *sorted(one.groups[1:]))) for one in school.people]
    return replace(school, people=people)


async def _people(connection: AsyncConnection, site: str) -> list[Person]:
    p, m = tables.people.c, tables.memberships.c
    belongs: dict[str, set[str]] = defaultdict(set)
    for person, group in await connection.execute(select(m.person, m.group).where(m.site == site, m.until.is_(None))):
        belongs[person].add(group)
    rows = (await connection.execute(select(tables.people).where(p.site == site, p.active == 1))).mappings()
    return [
        Person(
            id=PersonId(row["person"]),
            last_name=row["last_name"],
            first_name=row["first_name"],
            language=row["language"] or "",
            groups=tuple(map(GroupId, _class_first(row["class_group"], belongs[row["person"]]))),
            role=Role(row["role"]),
        )
        for row in rows
    ]


def _class_first(own: str | None, groups: set[str]) -> list[str]:
    return sorted(groups, key=lambda group: (group != own, group))


async def cards_of(connection: AsyncConnection, site: str, zone: ZoneInfo, now: dt.datetime, named: Rows) -> Rows:
    """Whose cards they are, whoever said so; a day of its own has only what the office dated: that begins at a midnight.

    What has ended stands only where the import says the same of it again: then it is nothing new.
    """
    c = tables.cards.c
    stored = select(tables.cards).where(c.site == site).order_by(c.id)
    rows = (await connection.execute(stored)).mappings().all()
    newest = max((row["token"].partition(":")[0] for row in rows), key=int, default="")
    found: dict[Hashable, Known] = {}
    for row in (row for row in rows if row["token"].startswith(f"{newest}:")):
        since = None if row["valid_from"] is None else moment(row["valid_from"])
        dated = since is not None and row["opened_by"] is None and since.astimezone(zone).time() == dt.time()
        until = None if row["valid_to"] is None else moment(row["valid_to"])
        said = row["person"], until, CredentialState(row["state"])
        key, card = (row["token"], since if dated else None), Known(row["person"], said)
        if until is None or row["valid_to"] > milliseconds(now):
            found[key] = card
        elif named.get(key) == card:
            found.setdefault(key, card)
    return found
