"""Makes what stands in the outbox, and on the lists of class teachers, equal to what is due; in the judge's transaction.

due() ──> unspoken rows ──brake()──> pending, or held for a person
tasks() ──> open tasks
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import Mode, SlotKind
from gateway.domain.policy import Policy
from journal.notify.brake import WAVES, Alarming, Expected, brake
from journal.notify.due import due
from journal.notify.held import with_class
from journal.notify.notice import Notice, PupilDay, Template, Told, Window
from journal.notify.outbox import SPOKEN, State
from journal.notify.tables import notices
from journal.notify.tasklist import assign
from journal.prepared import Value, prepared
from journal.roster import belongs
from journal.rules import Rules
from journal.store import milliseconds, moment
from journal.tables import contacts, groups, memberships, people, slots

_c = notices.c
#: Nobody heard it, and nobody decided that nobody shall.
_OPEN = frozenset({State.PENDING, State.HELD, State.WITHDRAWN})
#: Said on the word of the doors alone: who dropped one of them dropped both, however the pupil's morning goes on.
_BY_DOORS = frozenset({Template.LATE, Template.NOT_SEEN})


async def settle(
    connection: AsyncConnection,
    site: str,
    date: str,
    days: Collection[PupilDay],
    as_of: datetime,
    *,
    judged: Collection[str] | None,
    rules: Rules,
) -> int:
    """Of everybody, or of these persons. Whoever was judged and has no day is not spoken of any more. How many are held now."""
    rows = await _of_day(connection, site, date, judged)
    by_person: dict[str, PupilDay] = {day.pupil.person: day for day in days}
    for person in sorted(rows.keys() | by_person.keys()):
        await _equalise(connection, (site, date), rows.get(person, []), by_person.get(person), as_of)
    await assign(connection, site, date, days, as_of, judged=judged)
    return await _hold_back(connection, site, date, rules)


async def _equalise(
    connection: AsyncConnection, place: tuple[str, str], rows: list[RowMapping], day: PupilDay | None, as_of: datetime
) -> None:
    told = [_told(row) for row in rows if row["state"] in SPOKEN]
    wanted = {(n.recipient.address, n.template.value): n for n in (due(day, told, as_of) if day is not None else ())}
    for recipient in {row["recipient"] for row in rows if row["state"] == State.DROPPED}:
        for template in _BY_DOORS:
            wanted.pop((recipient, template.value), None)
    for row in rows:
        notice = wanted.pop((row["recipient"], row["template"]), None)
        if row["state"] in _OPEN:
            await _renew(connection, row, notice, as_of)
    if wanted:
        await connection.execute(insert(notices), [_row(*place, notice, as_of) for notice in wanted.values()])


async def _of_day(
    connection: AsyncConnection, site: str, date: str, persons: Collection[str] | None
) -> Mapping[str, list[RowMapping]]:
    few = persons is not None and len(persons) == 1
    found = defaultdict(list)
    for row in (await connection.execute(*_notices(site, date, list(persons or ()), few=few))).mappings():
        if persons is None or row["person"] in persons:
            found[row["person"]].append(row)
    return found


@prepared
def _notices(site: Value, date: Value, persons: Value, *, few: bool) -> Select[Any]:
    query = select(notices).where(_c.site == site, _c.date == date).order_by(_c.id)
    return query.where(_c.person.in_(persons)) if few else query


async def _renew(connection: AsyncConnection, row: RowMapping, notice: Notice | None, as_of: datetime) -> None:
    values: dict[str, Any] = {}
    if notice is not None:
        values = _content(notice)
        if row["attempts"]:  # the back-off after a refusal stands
            del values["due"]
        if row["state"] == State.WITHDRAWN:  # what a person let go was another story
            values |= {"state": State.PENDING, "author": None, "decided": None}
    elif row["expires"] > milliseconds(as_of):
        values = {"state": State.WITHDRAWN}
    if any(row[key] != value for key, value in values.items()):
        await connection.execute(update(notices).where(_c.id == row["id"]).values(**values))


async def _hold_back(connection: AsyncConnection, site: str, date: str, rules: Rules) -> int:
    """Hold what the brake holds. Held stays held, whatever the numbers do then, until a person decides."""
    rows = (await connection.execute(*_counted(site, date))).all()
    if all(row.state != State.PENDING for row in rows):
        return 0
    policies: dict[int | str, Policy] = {}
    numbers = rules.on(date)
    for group, shift, grade in {(row.class_group, row.shift, row.grade) for row in rows}:
        policies[shift or 1] = numbers.of((), shift or 1, None)
        if group is not None:
            policies[group] = numbers.of([group], shift or 1, grade)
    least = min(min(policy.brake_pupils, policy.brake_class_pupils) for policy in policies.values())
    if len({row.person for row in rows}) < least:
        return 0
    alarming = [
        Alarming(
            id=row.id,
            person=row.person,
            template=Template(row.template),
            group=row.class_group,
            shift=row.shift or 1,
            open=row.state == State.PENDING and row.author is None,
        )
        for row in rows
    ]
    held = brake(alarming, await _expected(connection, site, date), policies)
    if held:
        await connection.execute(update(notices).where(_c.id.in_(held)).values(state=State.HELD))
    return len(held)


@prepared
def _counted(site: Value, date: Value) -> Select[Any]:
    query = with_class(
        select(_c.id, _c.person, _c.template, _c.state, _c.author, people.c.class_group, groups.c.shift, groups.c.grade)
    )
    counted = (State.PENDING, State.HELD, *SPOKEN)
    return query.where(_c.site == site, _c.date == date, _c.template.in_(WAVES), _c.state.in_(counted))


async def _expected(connection: AsyncConnection, site: str, date: str) -> Expected:
    """Pupils that have a lesson through a gate on that day, and a parent who is told."""
    p, m, s = people.c, memberships.c, slots.c
    lessons = select(s.group).where(
        s.site == site, s.date == date, s.mode == Mode.GATE, s.kind.in_([SlotKind.LESSON, SlotKind.EXAM])
    )
    having = select(m.person).where(m.site == site, m.group.in_(lessons), belongs(date))
    told = select(contacts.c.person).where(contacts.c.site == site, contacts.c.consent == 1)
    query = select(p.class_group, groups.c.shift, func.count()).select_from(
        people.outerjoin(groups, (groups.c.site == p.site) & (groups.c.group == p.class_group))
    )
    query = query.where(p.site == site, p.active == 1, p.role == "pupil", p.person.in_(having), p.person.in_(told))
    of_shift: dict[int, int] = defaultdict(int)
    of_group: dict[str, int] = {}
    for group, shift, pupils in await connection.execute(query.group_by(p.class_group, groups.c.shift)):
        of_shift[shift or 1] += pupils
        if group is not None:
            of_group[group] = pupils
    return Expected(shifts=of_shift, groups=of_group)


def _row(site: str, date: str, notice: Notice, as_of: datetime) -> dict[str, Any]:
    return {
        "site": site,
        "person": notice.person,
        "date": date,
        "episode": f"{site}/{date}/{notice.person}",
        "recipient": notice.recipient.address,
        "template": notice.template.value,
        "created": milliseconds(as_of),
        "state": State.PENDING,
        "attempts": 0,
        **_content(notice),
    }


def _content(notice: Notice) -> dict[str, Any]:
    at = None if notice.at is None else milliseconds(notice.at)
    return {
        "language": notice.recipient.language,
        "body": json.dumps({"name": notice.name, "at": at, "minutes": notice.minutes}, ensure_ascii=False),
        "due": milliseconds(notice.window.opens),
        "expires": milliseconds(notice.window.expires),
    }


def _told(row: RowMapping) -> Told:
    at = json.loads(row["body"])["at"]
    return Told(
        address=row["recipient"],
        template=Template(row["template"]),
        at=None if at is None else moment(at),
        window=Window(opens=moment(row["due"]), expires=moment(row["expires"])),
    )
