"""What the brake holds: shown to a person with the names, then let go or dropped, and by whom is kept."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from journal.notify.notice import Window
from journal.notify.outbox import State
from journal.notify.tables import notices
from journal.store import milliseconds, moment
from journal.tables import groups, people

_c = notices.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message that waits for a person."""

    group: str
    person: str
    name: str = field(repr=False)
    template: str
    #: After it nobody sends it any more.
    expires: datetime


async def held(connection: AsyncConnection, site: str, group: str | None, now: datetime) -> list[Held]:
    """By class and name, one for each pupil and template; what nobody may send any more is left out."""
    title = func.coalesce(groups.c.title, people.c.class_group, "")
    name = people.c.last_name + " " + people.c.first_name
    columns = (title.label("title"), _c.person, name.label("name"), _c.template, func.min(_c.expires).label("expires"))
    query = with_class(select(*columns)).where(*_waiting(site, now), *_of(group))
    rows = await connection.execute(query.group_by(title, _c.person, name, _c.template).order_by(title, name))
    return [
        Held(group=row.title, person=row.person, name=row.name, template=row.template, expires=moment(row.expires))
        for row in rows
    ]


async def decide(
    connection: AsyncConnection, site: str, group: str | None, *, state: State, author: str, now: datetime
) -> list[Window]:
    """Let them go (PENDING) or drop them (DROPPED); when each of them may be sent."""
    ids = with_class(select(_c.id)).where(*_waiting(site, now), *_of(group))
    values = {"state": state, "author": author, "decided": milliseconds(now)}
    decided = update(notices).where(_c.id.in_(ids)).values(**values).returning(_c.due, _c.expires)
    rows = (await connection.execute(decided)).all()
    return [Window(opens=moment(row.due), expires=moment(row.expires)) for row in rows]


def with_class(query: Select[Any]) -> Select[Any]:
    """With the pupil and the class of each message."""
    pupil = (people.c.site == _c.site) & (people.c.person == _c.person)
    of_class = (groups.c.site == _c.site) & (groups.c.group == people.c.class_group)
    return query.select_from(notices.join(people, pupil).outerjoin(groups, of_class))


def _waiting(site: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return _c.site == site, _c.state == State.HELD, _c.expires > milliseconds(now)


def _of(group: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if group is None else (func.coalesce(groups.c.title, people.c.class_group) == group,)
