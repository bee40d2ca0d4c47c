"""Who is judged on a day, by which slots, and who hears of it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.compiler import personal
from gateway.domain.directory import CredentialState
from gateway.domain.model import GroupId, Mode, PersonId, Slot, SlotId, SlotKind
from gateway.domain.policy import Policy
from gateway.domain.timetable import Plan
from journal import tables
from journal.notify.notice import Pupil, Recipient, Template
from journal.notify.tables import wishes
from journal.prepared import Value, prepared
from journal.rules import Rules
from journal.staff_tables import plans as plans_table
from journal.store import PLAN, Holder, chunks, holder_at, milliseconds, moment

_LAST_PRIMARY_GRADE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A pupil with the slots of one day."""

    pupil: Pupil
    slots: tuple[Slot, ...]
    policy: Policy


async def slots_of(connection: AsyncConnection, site: str, date: str) -> dict[str, list[Slot]]:
    """The slots of a day by group."""
    found: dict[str, list[Slot]] = defaultdict(list)
    for row in (await connection.execute(*_slots(site, date))).mappings():
        found[row["group"]].append(
            Slot(
                id=SlotId(row["slot"]),
                group=GroupId(row["group"]),
                number=row["number"],
                start=moment(row["start"]),
                end=moment(row["end"]),
                kind=SlotKind(row["kind"]),
                mode=Mode(row["mode"]),
                site=row["place"],
                obligatory=bool(row["obligatory"]),
            )
        )
    return dict(found)


@prepared
def _slots(site: Value, date: Value) -> Select[Any]:
    return select(tables.slots).where(tables.slots.c.site == site, tables.slots.c.date == date)


def belongs(date: Value) -> ColumnElement[bool]:
    """The memberships that hold on that day."""
    m = tables.memberships.c
    return and_(m.first <= date, or_(m.until.is_(None), m.until > date))


async def members(
    connection: AsyncConnection, site: str, date: str, rules: Rules, persons: Collection[str] | None
) -> list[Member]:
    """The pupils with their slots of that day, if they have any; of these persons only, or all where `persons` is None.

    No door can see a pupil who has no valid card when a slot begins: that slot is the teacher's. Who is not listed any
    more keeps the lessons of old days, and nobody is told about.
    """
    by_group, numbers = await slots_of(connection, site, date), rules.on(date)
    slots: dict[str, dict[str, Slot]] = defaultdict(dict)
    belonging: dict[str, list[str]] = defaultdict(list)
    for person, group in await _rows(connection, partial(_belonging, site, date), persons):
        slots[person] |= {slot.id: slot for slot in by_group.get(group, ())}
        belonging[person].append(group)
    cards = defaultdict(list)
    for person, since, until in await _rows(connection, partial(_valid, site), persons):
        cards[person].append(Holder(person, since, until))
    plans = await _plans(connection, site, persons)
    parents = defaultdict(list)
    for person, address, language in await _rows(connection, partial(_consented, site), persons):
        parents[person].append((address, language))
    asked = defaultdict(set)
    for person, address, template in await _rows(connection, partial(_wished, site), persons):
        asked[person, address].add(Template(template))
    return [
        Member(
            pupil=Pupil(
                person=PersonId(person),
                name=name,
                primary=grade is not None and grade <= _LAST_PRIMARY_GRADE,
                recipients=tuple(
                    Recipient(
                        address=address,
                        language=theirs or language or rules.language,
                        asked=frozenset(asked[person, address]),
                    )
                    for address, theirs in (sorted(parents[person]) if active else ())
                ),
            ),
            slots=tuple(
                _taken(slot, cards[person])
                for slot in personal(
                    sorted(slots[person].values(), key=lambda s: (s.start, s.id)),
                    plans[person],
                    PersonId(person),
                    rules.zone,
                )
            ),
            policy=numbers.of(belonging[person], shift, grade),
        )
        for person, name, language, active, grade, shift in await _rows(connection, partial(_pupils, site), persons)
    ]


async def _plans(connection: AsyncConnection, site: str, persons: Collection[str] | None) -> dict[str, list[Plan]]:
    found: dict[str, list[Plan]] = defaultdict(list)
    for person, body in await _rows(connection, partial(_planned, site), persons):
        found[person].append(PLAN.validate_json(body))
    return found


def _taken(slot: Slot, cards: Sequence[Holder]) -> Slot:
    visible = slot.mode is not Mode.GATE or holder_at(cards, milliseconds(slot.start)) is not None
    return slot if visible else replace(slot, mode=Mode.TEACHER)


async def _rows(connection: AsyncConnection, query: Callable[..., Any], persons: Collection[str] | None) -> list[Any]:
    if persons is None:
        return list((await connection.execute(*query((), everybody=True))).all())
    parts = [query(part, everybody=False) for part in chunks(sorted(persons))]
    return [row for part in parts for row in (await connection.execute(*part)).all()]


def _of(query: Select[Any], person: ColumnElement[str], persons: Value, *, everybody: bool) -> Select[Any]:
    return query if everybody else query.where(person.in_(persons))


@prepared
def _pupils(site: Value, persons: Value, *, everybody: bool) -> Select[Any]:
    p, g = tables.people.c, tables.groups.c
    of_class = (g.site == p.site) & (g.group == p.class_group)
    query = select(p.person, p.first_name, p.language, p.active, g.grade, g.shift)
    query = query.select_from(tables.people.outerjoin(tables.groups, of_class))
    return _of(query.where(p.site == site, p.role == "pupil"), p.person, persons, everybody=everybody)


@prepared
def _belonging(site: Value, date: Value, persons: Value, *, everybody: bool) -> Select[Any]:
    m = tables.memberships.c
    query = select(m.person, m.group).where(m.site == site, belongs(date))
    return _of(query, m.person, persons, everybody=everybody)


@prepared
def _valid(site: Value, persons: Value, *, everybody: bool) -> Select[Any]:
    c = tables.cards.c
    query = select(c.person, c.valid_from, c.valid_to).where(c.site == site, c.state == CredentialState.ACTIVE)
    return _of(query, c.person, persons, everybody=everybody)


@prepared
def _planned(site: Value, persons: Value, *, everybody: bool) -> Select[Any]:
    p = plans_table.c
    return _of(select(p.person, p.body).where(p.site == site).order_by(p.id), p.person, persons, everybody=everybody)


@prepared
def _consented(site: Value, persons: Value, *, everybody: bool) -> Select[Any]:
    k = tables.contacts.c
    query = select(k.person, k.address, k.language).where(k.site == site, k.consent == 1)
    return _of(query, k.person, persons, everybody=everybody)


@prepared
def _wished(site: Value, persons: Value, *, everybody: bool) -> Select[Any]:
    w = wishes.c
    query = select(w.person, w.address, w.template).where(w.site == site)
    return _of(query, w.person, persons, everybody=everybody)
