"""Everything that made one person's marks of one day: facts, statements, lessons, policy, coverage, messages."""

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import Mark, Slot
from gateway.domain.policy import Policy
from gateway.domain.presence import Fact
from gateway.domain.register import judged, taken
from gateway.domain.statement import Excuse
from journal.case import case_of
from journal.facts import bounds
from journal.notify.notice import Template
from journal.notify.outbox import State
from journal.notify.tables import notices
from journal.reports.codes import code_of
from journal.rules import Rules
from journal.settings import CodesTable
from journal.statements import Said, said_between
from journal.store import moment
from journal.tables import groups, people


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A slot and its mark; none where nobody has said anything of it."""

    slot: Slot
    mark: Mark | None
    #: As the school's own register calls it.
    code: str
    #: Whether the doors judge it.
    by_doors: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What somebody was told, or was to be told."""

    template: Template
    recipient: str = field(repr=False)
    state: State
    #: The moment that it names.
    names: dt.datetime | None
    created: dt.datetime
    sent: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDay:
    """One person on one day."""

    person: str
    name: str = field(repr=False)
    group: str
    date: dt.date
    zone: ZoneInfo
    policy: Policy
    facts: Sequence[Fact]
    said: Sequence[Said]
    #: Imported ones; those said by hand are among `said`.
    excuses: Sequence[Excuse]
    lessons: Sequence[Lesson]
    messages: Sequence[Message]


async def person_day(
    connection: AsyncConnection,
    site: str,
    rules: Rules,
    person: str,
    date: dt.date,
    now: dt.datetime,
    codes: CodesTable,
) -> PersonDay:
    """Judge the day as it is known now, and put beside it what it rests on."""
    day, span = date.isoformat(), bounds(date, rules.zone)
    case = await case_of(connection, site, day, rules, {person})
    judgements = await asyncio.to_thread(case.judge, now)
    name, group = await _described(connection, site, person)
    said = await said_between(connection, site, *span, [person])
    by_hand = {(one.saying.at, one.saying.until) for one in said}
    slots, facts, excuses, marks, policy = [], [], [], {}, rules.on(day).policy
    for one in judgements:
        slots, policy = taken(one.slots), one.policy
        facts = sorted(one.facts, key=lambda fact: (fact.at, fact.ref))
        excuses = [excuse for excuse in one.excuses if (excuse.since, excuse.until) not in by_hand]
        marks = {mark.slot: mark for mark in one.marks}
    doors = {slot.id for slot in judged(slots, site)}
    lessons = [
        Lesson(
            slot=slot,
            mark=(mark := marks.get(slot.id)),
            code=code_of(mark.status, mark.reason, codes) if mark else "",
            by_doors=slot.id in doors,
        )
        for slot in slots
    ]
    return PersonDay(
        person=person,
        name=name,
        group=group,
        date=date,
        zone=rules.zone,
        policy=policy,
        facts=facts,
        said=said,
        excuses=excuses,
        lessons=lessons,
        messages=await _messages(connection, site, day, person),
    )


async def _described(connection: AsyncConnection, site: str, person: str) -> tuple[str, str]:
    p, g = people.c, groups.c
    query = select(p.last_name, p.first_name, g.title).outerjoin_from(
        people, groups, (g.site == p.site) & (g.group == p.class_group)
    )
    row = (await connection.execute(query.where(p.site == site, p.person == person))).one()
    return f"{row.last_name} {row.first_name}", row.title or "–"


async def _messages(connection: AsyncConnection, site: str, day: str, person: str) -> list[Message]:
    n = notices.c
    query = select(notices).where(n.site == site, n.date == day, n.person == person).order_by(n.id)
    found = []
    for row in (await connection.execute(query)).mappings():
        at = json.loads(row["body"]).get("at")
        found.append(
            Message(
                template=Template(row["template"]),
                recipient=row["recipient"],
                state=State(row["state"]),
                names=None if at is None else moment(at),
                created=moment(row["created"]),
                sent=None if row["sent_at"] is None else moment(row["sent_at"]),
            )
        )
    return found
