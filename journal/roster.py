"""Who is judged on a day, by which slots, under which rules, and who hears of it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.directory import CredentialState
from gateway.domain.model import GroupId, Mode, PersonId, Slot, SlotId, SlotKind
from gateway.domain.policy import Policy
from gateway.errors import ConfigError
from journal import tables
from journal.notify.due import Pupil, Recipient
from journal.store import POLICY, Holder, chunks, holder_at, milliseconds, moment

_LAST_PRIMARY_GRADE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a site sets for itself."""

    zone: ZoneInfo
    language: str
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A pupil with the slots of one day."""

    pupil: Pupil
    slots: tuple[Slot, ...]


async def rules_of(connection: AsyncConnection) -> dict[str, Rules]:
    """By site. Raises ConfigError."""
    c = tables.sites.c
    found = {}
    for site, zone, language, policy in await connection.execute(select(c.site, c.zone, c.language, c.policy)):
        try:
            found[site] = Rules(zone=ZoneInfo(zone), language=language, policy=POLICY.validate_json(policy or "{}"))
        except ValidationError as error:
            raise ConfigError(
                f"site {site}: its policy cannot be read: {error}", hint="import the site's directory again"
            ) from error
    return found


async def slots_of(connection: AsyncConnection, site: str, date: str) -> dict[str, list[Slot]]:
    """The slots of a day by group."""
    c = tables.slots.c
    query = select(c.slot, c.group, c.number, c.start, c.end, c.kind, c.mode).where(c.site == site, c.date == date)
    found: dict[str, list[Slot]] = defaultdict(list)
    for slot, group, number, start, end, kind, mode in await connection.execute(query):
        found[group].append(
            Slot(
                id=SlotId(slot),
                group=GroupId(group),
                number=number,
                start=moment(start),
                end=moment(end),
                kind=SlotKind(kind),
                mode=Mode(mode),
            )
        )
    return dict(found)


async def members(
    connection: AsyncConnection, site: str, date: str, rules: Rules, persons: Collection[str] | None
) -> list[Member]:
    """The pupils that have slots on that day; of these persons only, or all where `persons` is None.

    No door can see a pupil who has no valid card when a slot begins: that slot is the teacher's.
    """
    by_group = await slots_of(connection, site, date)
    p, m, k = tables.people.c, tables.memberships.c, tables.contacts.c
    pupils = select(p.person, p.first_name, p.language, tables.groups.c.grade).select_from(
        tables.people.outerjoin(
            tables.groups, (tables.groups.c.site == p.site) & (tables.groups.c.group == p.class_group)
        )
    )
    pupils = pupils.where(p.site == site, p.active == 1, p.role == "pupil")
    slots: dict[str, dict[str, Slot]] = defaultdict(dict)
    for person, group in await _rows(connection, select(m.person, m.group).where(m.site == site), m.person, persons):
        slots[person] |= {slot.id: slot for slot in by_group.get(group, ())}
    c = tables.cards.c
    active = select(c.person, c.valid_from, c.valid_to).where(c.site == site, c.state == CredentialState.ACTIVE)
    cards = defaultdict(list)
    for person, since, until in await _rows(connection, active, c.person, persons):
        cards[person].append(Holder(person, since, until))
    parents = defaultdict(list)
    consented = select(k.person, k.address, k.language).where(k.site == site, k.consent == 1)
    for person, address, language in await _rows(connection, consented, k.person, persons):
        parents[person].append((address, language))
    return [
        Member(
            pupil=Pupil(
                person=PersonId(person),
                name=name,
                primary=grade is not None and grade <= _LAST_PRIMARY_GRADE,
                recipients=tuple(
                    Recipient(address=address, language=theirs or language or rules.language)
                    for address, theirs in sorted(parents[person])
                ),
            ),
            slots=tuple(
                _taken(slot, cards[person]) for slot in sorted(slots[person].values(), key=lambda s: (s.start, s.id))
            ),
        )
        for person, name, language, grade in await _rows(connection, pupils, p.person, persons)
        if slots[person]
    ]


def _taken(slot: Slot, cards: Sequence[Holder]) -> Slot:
    visible = slot.mode is not Mode.GATE or holder_at(cards, milliseconds(slot.start)) is not None
    return slot if visible else replace(slot, mode=Mode.TEACHER)


async def _rows(
    connection: AsyncConnection, query: Select[Any], column: Any, persons: Collection[str] | None
) -> list[Any]:
    if persons is None:
        return list((await connection.execute(query)).all())
    parts = [query.where(column.in_(chunk)) for chunk in chunks(sorted(persons))]
    return [row for part in parts for row in (await connection.execute(part)).all()]
