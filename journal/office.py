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

from gateway.domain.compiler import Compiled, compile_days
from gateway.domain.credential import SiteKey
from gateway.domain.policy import Policy
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
    def of(cls, school: School, compiled: Compiled) -> "Counts":
        """Of the slots, those that are written."""
        slots = len(compiled.slots)
        groups = len(school.timetable.classes)
        return cls(persons=len(school.people), groups=groups, credentials=len(school.cards), slots=slots)


def upcoming(school: School, since: dt.date) -> Compiled:
    """The slots that an import writes from that date on, and what could not be placed."""
    return compile_days(school.timetable, since, since + HORIZON)


class Listed(NamedTuple):
    """A card of the list under one of the site's keys."""

    card: Card
    token: str
    sealed: bytes


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
        for slot in upcoming(school, since).slots
    ]


async def _slots(connection: AsyncConnection, prepared: Prepared) -> None:
    c = tables.slots.c
    old = c.site == prepared.site.name, c.date >= prepared.since.isoformat()
    await connection.execute(delete(tables.slots).where(*old))
    if prepared.slots:
        await connection.execute(insert(tables.slots), prepared.slots)


async def _cards(connection: AsyncConnection, prepared: Prepared, zone: ZoneInfo) -> set[Day]:
    """Bring the ledger to what the office lists; the days of every tap whose holder may be another one now."""
    c, site, now = tables.cards.c, prepared.site.name, milliseconds(prepared.now)
    query = select(tables.cards).where(c.site == site).order_by(c.id)
    ledger: dict[str, list[dict[str, Any]]] = {}
    for row in (await connection.execute(query)).mappings():
        ledger.setdefault(row["token"], []).append(dict(row))
    touched: dict[str, set[str]] = {}
    changes = _Changes(site=site, now=now)
    for listed in prepared.cards:
        if changes.list(listed, ledger.get(listed.token, [])):
            touched.setdefault(listed.token, set()).add(listed.card.person)
    for old in (row for rows in ledger.values() for row in rows if row["id"] not in changes.kept):
        if old["valid_to"] is None or old["valid_to"] > now:
            changes.revised[old["id"]] = {"valid_to": now}
            touched.setdefault(old["token"], set()).add(old["person"])
    for number, values in changes.revised.items():
        await connection.execute(update(tables.cards).where(c.id == number).values(values))
    if changes.opened:
        await connection.execute(insert(tables.cards), changes.opened)
    persons = {token: holders | {row["person"] for row in ledger.get(token, ())} for token, holders in touched.items()}
    return await _tapped(connection, site, persons, zone)


@dataclass(slots=True, kw_only=True)
class _Changes:
    """What an import does to the card ledger: rows that stay, rows that say something else, and new ones."""

    site: str
    now: int
    kept: set[int] = field(default_factory=set)
    revised: dict[int, dict[str, Any]] = field(default_factory=dict)
    opened: list[dict[str, Any]] = field(default_factory=list)

    def list(self, listed: Listed, rows: Sequence[dict[str, Any]]) -> bool:
        """Find or write the row of one listed card; True where the ledger says something else than before."""
        card = listed.card
        since, until = (None if at is None else milliseconds(at) for at in (card.valid_from, card.valid_to))
        said = {"valid_to": until, "state": card.state.value}
        if free := [row for row in _fitting(card.person, since, rows) if row["id"] not in self.kept]:
            row = free[-1]
            self.kept.add(row["id"])
            if all(row[key] == value for key, value in said.items()):
                return False
            if row["state"] == said["state"] or not self._covered(row["valid_from"], row["valid_to"], until):
                self.revised[row["id"]] = said
                return True
            # A card that is lost today was good yesterday: what was judged by it stays true.
            self.revised[row["id"]] = {"valid_to": self.now}
            since = self.now
        elif since is None and any(row["person"] != card.person for row in rows):
            # Without a date of its own a card that somebody else held changes hands now; one never seen was always theirs.
            since = self.now
        place = {"site": self.site, "token": listed.token, "technology": card.credential.technology.value}
        held = {"person": card.person, "valid_from": since, "uid_encrypted": listed.sealed}
        self.opened.append(place | held | said)
        return True

    def _covered(self, since: int | None, *ends: int | None) -> bool:
        return (since or 0) < self.now and all(end is None or end > self.now for end in ends)


def _fitting(person: str, since: int | None, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The rows of one listed card: from its date on, each that goes on in another state where the one before ends."""
    found: list[dict[str, Any]] = []
    for row in (row for row in rows if row["person"] == person):
        goes_on = found and (row["valid_from"], row["state"] != found[-1]["state"]) == (found[-1]["valid_to"], True)
        if since is None or row["valid_from"] == since or goes_on:
            found.append(row)
    return found


async def _tapped(connection: AsyncConnection, site: str, persons: dict[str, set[str]], zone: ZoneInfo) -> set[Day]:
    """The days on which these cards were shown, for everybody who held or holds them."""
    days = set()
    e = tables.entries.c
    for chunk in chunks(sorted(persons)):
        query = select(e.token, e.at).where(e.token.in_(chunk), e.site == site, e.at.is_not(None))
        for token, at in await connection.execute(query):
            days |= {Day(site, local_date(moment(at), zone), person) for person in persons[token]}
    return days
