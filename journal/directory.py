"""Publishes each site's directory: who holds which card, which slots are on; without names. Retained, signed, in parts.

    tables -> content -> same as we issued last? keep its version : seal a new manifest -> COMMIT
           -> parts, then the manifest, then parts that nobody needs any more are cleared

Committed before it is published. Every life of the journal issues a version of its own: gateways refuse what is older than
what they have, and a database that was restored from a backup cannot know what that is.
"""

import datetime as dt
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.credential import Token
from gateway.domain.directory import Content, CredentialRow, CredentialState, PersonRow
from gateway.domain.handshake import Manifest, topic
from gateway.domain.model import GroupId, PersonId, Slot
from gateway.domain.parts import digest, pack
from gateway.domain.policy import resolve
from gateway.errors import ConfigError, PublishRefused
from gateway.ports import Clock
from gateway.tasks import whole
from journal import tables
from journal.inbox import Alarm
from journal.prepared import prepared
from journal.roster import belongs, slots_of
from journal.rules import rules_of
from journal.served import served
from journal.shard import Shard
from journal.store import Store, milliseconds, moment, upsert
from sync.signing import Signer

#: How often a change made by another process is looked for.
POLL_SECONDS = 2.0
_MAX_STALE = 400


class Shelf(Protocol):
    """Where retained messages are put. Raises LinkLost, PublishRefused."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A directory as it is committed here."""

    manifest: Manifest
    content: bytes
    #: Parts of older versions that the broker may still keep.
    stale: tuple[str, ...] = ()


class Publisher:
    """Keeps what the broker retains equal to what the tables say."""

    def __init__(
        self, store: Store, signer: Signer, clock: Clock, alarm: Alarm, *, days: int, following: Signer | None = None
    ) -> None:
        self._store = store
        #: What gateways are told to trust besides.
        self._next_keys = (following.public.hex(),) if following is not None else ()
        self._signer = signer
        self._clock = clock
        self._alarm = alarm
        self._days = dt.timedelta(days=days)
        #: Sites of which this process has issued a version.
        self._issued: set[str] = set()

    async def serve(self, shelf: Shelf) -> None:
        """Endless: everything once at the start of a connection, then what changes. Raises LinkLost."""
        done: dict[str, tuple[int, str]] = {}
        while True:
            for site, state in (await self._states()).items():
                if done.get(site) != state:
                    await self._publish(shelf, site)
                    done[site] = state
            await self._clock.sleep(POLL_SECONDS)

    async def publish(self, shelf: Shelf, site: str) -> Publication:
        """Commit the newest content of a site and put it on the shelf. Raises LinkLost, PublishRefused."""
        publication = await whole(self._issue(site))
        for part in pack(publication.content):
            await shelf.publish(topic(site, "directory", "part", digest(part)), part, retain=True)
        await shelf.publish(topic(site, "directory", "manifest"), publication.manifest.payload(), retain=True)
        for name in publication.stale:
            await shelf.publish(topic(site, "directory", "part", name), b"", retain=True)
        if publication.stale:
            await whole(self._cleared(publication.manifest))
        return publication

    async def _cleared(self, manifest: Manifest) -> None:
        async with self._store.begin() as connection:
            p = tables.publications
            this = p.c.site == manifest.site, p.c.version == manifest.version
            await connection.execute(update(p).where(*this).values(stale="[]"))

    async def _publish(self, shelf: Shelf, site: str) -> None:
        try:
            await self.publish(shelf, site)
        except PublishRefused as error:
            self._alarm(str(error), site=site, hint=error.hint)
        async with self._store.read() as connection:
            c = tables.slots.c
            last = (await connection.execute(select(func.max(c.date)).where(c.site == site))).scalar()
        command = f"'attendance-journal directory import {site} FOLDER'"
        if last is None:
            sentence = "there is no timetable yet: taps are recorded, and nobody is called late or absent"
            self._alarm(sentence, site=site, hint=f"{command} brings people, cards and lessons")
        elif last < (self._clock.now().at + self._days).date().isoformat():
            self._alarm(f"the timetable ends: {last}", site=site, hint=f"export it again, then {command}")

    async def _states(self) -> dict[str, tuple[int, str]]:
        """What a directory depends on: the office's revision, and the date, because slots are dated."""
        now = self._clock.now().at
        async with self._store.read() as connection:
            rows = (await connection.execute(*_revisions(shard=self._store.shard))).all()
        return {site: (revision, now.astimezone(ZoneInfo(zone)).date().isoformat()) for site, revision, zone in rows}

    async def _issue(self, site: str) -> Publication:
        """The committed publication of what the tables say now; the last one where that has not changed."""
        now = self._clock.now().at
        async with self._store.begin() as connection:
            content = (await content_of(connection, site, now, self._days)).raw()
            before = await newest(connection, site)
            same = before and site in self._issued and before.manifest.sha256 == digest(content)
            if before and same and _fresh(before.manifest, now, self._days):
                return before
            names = tuple(digest(part) for part in pack(content))
            manifest = Manifest(
                site=site,
                version=max(milliseconds(now), before.manifest.version + 1 if before else 0),
                valid_until=milliseconds(now + self._days),
                sha256=digest(content),
                parts=names,
                next_keys=self._next_keys,
            )
            old = (*before.manifest.parts, *before.stale) if before else ()
            stale = tuple(name for name in dict.fromkeys(old) if name not in names)[:_MAX_STALE]
            publication = Publication(manifest=self._signer.seal(manifest), content=content, stale=stale)
            await _keep(connection, publication)
        self._issued.add(site)
        return publication


@prepared
def _revisions(*, shard: Shard) -> Select[Any]:
    c = tables.sites.c
    return select(c.site, c.revision, c.zone).where(shard.mine(c.site))


async def content_of(connection: AsyncConnection, site: str, now: dt.datetime, days: dt.timedelta) -> Content:
    """What gateways need to know from yesterday on, so many days ahead; no name is part of it. Raises ConfigError."""
    if (rules := (await rules_of(connection, site)).get(site)) is None:
        raise ConfigError(
            f"the journal does not know site {site}", hint=f"'attendance-journal directory import {site} FOLDER'"
        )
    today = now.astimezone(rules.zone).date()
    numbers = rules.on(today.isoformat())
    first, last = today - dt.timedelta(days=1), today + days
    return Content(
        site=site,
        zone=rules.zone.key,
        gateways=await served(connection, site, now),
        persons=await _persons(connection, site, today.isoformat()),
        credentials=await _credentials(connection, site, dt.datetime.combine(first, dt.time(), rules.zone)),
        slots=await _slots(connection, site, first, last),
        policy=resolve(numbers.policy, numbers.overrides),
    )


async def newest(connection: AsyncConnection, site: str) -> Publication | None:
    """What was issued last."""
    p = tables.publications.c
    query = select(p.manifest, p.content, p.stale).where(p.site == site)
    if (row := (await connection.execute(query)).one_or_none()) is None:
        return None
    return Publication(manifest=Manifest.parse(row.manifest), content=row.content, stale=tuple(json.loads(row.stale)))


def _fresh(manifest: Manifest, now: dt.datetime, days: dt.timedelta) -> bool:
    return moment(manifest.valid_until) - now > days / 2


async def _keep(connection: AsyncConnection, publication: Publication) -> None:
    manifest = publication.manifest
    row = {
        "site": manifest.site,
        "version": manifest.version,
        "manifest": manifest.payload(),
        "content": publication.content,
        "stale": json.dumps(publication.stale),
    }
    await upsert(connection, tables.publications, [row])


async def _persons(connection: AsyncConnection, site: str, date: str) -> tuple[PersonRow, ...]:
    p, m = tables.people, tables.memberships
    query = select(p.c.person, m.c.group).where(p.c.site == site, p.c.active == 1)
    query = query.select_from(p.outerjoin(m, (m.c.site == p.c.site) & (m.c.person == p.c.person) & belongs(date)))
    groups: dict[str, list[GroupId]] = defaultdict(list)
    for person, group in await connection.execute(query.order_by(p.c.person, m.c.group)):
        groups[person] += [GroupId(group)] if group else []
    return tuple(PersonRow(id=PersonId(person), groups=tuple(mine)) for person, mine in groups.items())


async def _credentials(connection: AsyncConnection, site: str, since: dt.datetime) -> tuple[CredentialRow, ...]:
    """Cards that are or will be somebody's; one that ended longer ago is unknown at the door."""
    c = tables.cards.c
    query = select(c.token, c.person, c.valid_from, c.valid_to, c.state).where(c.site == site)
    query = query.where(c.valid_to.is_(None) | (c.valid_to > milliseconds(since))).order_by(c.token, c.id)
    return tuple(
        CredentialRow(
            token=Token(token),
            person=PersonId(person),
            valid_from=None if first is None else moment(first),
            valid_to=None if last is None else moment(last),
            state=CredentialState(state),
        )
        for token, person, first, last, state in await connection.execute(query)
    )


async def _slots(connection: AsyncConnection, site: str, first: dt.date, last: dt.date) -> tuple[Slot, ...]:
    dates = (dt.date.fromordinal(day).isoformat() for day in range(first.toordinal(), last.toordinal() + 1))
    groups = [slots for date in dates for slots in (await slots_of(connection, site, date)).values()]
    return tuple(sorted((slot for slots in groups for slot in slots), key=lambda slot: (slot.start, slot.id)))
