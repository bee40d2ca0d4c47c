"""What a change does, told before it is committed: N marks change, M messages were already sent."""

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from journal.case import case_of
from journal.notify.outbox import SPOKEN
from journal.notify.tables import notices
from journal.revisions import Revision, revisions
from journal.rules import rules_of
from journal.store import EVERYBODY, Day, chunks

#: Days further back than this are judged by the loop alone: nobody reads a list of them.
REACH = dt.timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What becomes of marks, and who was told something else already."""

    #: (date, revision), in order of date, person and lesson.
    marks: tuple[tuple[str, Revision], ...] = ()
    #: Messages that parents have, or may have, about those persons and days.
    sent: int = 0


async def effect_of(connection: AsyncConnection, days: Collection[Day], as_of: dt.datetime) -> Effect:
    """Judge these days as the caller's transaction leaves them, against the marks that stand. Writes nothing."""
    rules = await rules_of(connection)
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for day in days:
        today = as_of.astimezone(rules[day.site].zone).date()
        if today - REACH <= dt.date.fromisoformat(day.date) <= today:
            wanted[day.site, day.date].add(day.person)
    found, sent = [], 0
    for (site, date), persons in sorted(wanted.items()):
        case = await case_of(connection, site, date, rules[site], None if EVERYBODY in persons else persons)
        judged = await asyncio.to_thread(case.judge, as_of)
        changed = sorted(await revisions(connection, site, date, judged), key=lambda r: (r.after.person, r.after.slot))
        found += [(date, revision) for revision in changed]
        sent += await _sent(connection, site, date, {revision.after.person for revision in changed})
    return Effect(marks=tuple(found), sent=sent)


async def _sent(connection: AsyncConnection, site: str, date: str, persons: Collection[str]) -> int:
    c = notices.c
    query = select(func.count()).where(c.site == site, c.date == date, c.state.in_(sorted(SPOKEN)))
    parts = chunks(sorted(persons))
    return sum([(await connection.execute(query.where(c.person.in_(part)))).scalar_one() for part in parts])
