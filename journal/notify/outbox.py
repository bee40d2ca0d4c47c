"""The rows of parents' messages, from wanted to delivered; whoever changes one does it in a transaction of the journal.

due() ──> pending ──claim──> sending ──> sent
             │  ▲               │ └────> uncertain    nobody knows; never sent again by itself
             │  └── refused ────┘
             ├──> withdrawn     it became false before anybody heard it
             └──> expired       its lesson is over
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, RowMapping, and_, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from journal.notify.due import Notice, PupilDay, Template, Told, due
from journal.notify.templates import Message, render
from journal.store import EVERYBODY, Day, mark_dirty, milliseconds, moment
from journal.tables import dirty, notices, sites

_c = notices.c
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=5)


class State(StrEnum):
    """How far a notice has come."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


#: The recipient has heard it, or may have.
SPOKEN = frozenset({State.SENDING, State.SENT, State.UNCERTAIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A notice that this worker alone may send, once."""

    id: int
    site: str
    date: str
    person: str
    attempts: int
    address: str = field(repr=False)
    message: Message = field(repr=False)


async def settle(
    connection: AsyncConnection, site: str, date: str, days: Collection[PupilDay], as_of: datetime
) -> None:
    """Make the unspoken rows of these pupils equal to what is due now."""
    rows = await _of_day(connection, site, date, None if len(days) > 1 else {d.pupil.person for d in days})
    for day in days:
        mine = rows.get(day.pupil.person, [])
        told = [_told(row) for row in mine if row["state"] in SPOKEN]
        wanted = {(n.recipient.address, n.template.value): n for n in due(day, told, as_of)}
        for row in mine:
            notice = wanted.pop((row["recipient"], row["template"]), None)
            if row["state"] in (State.PENDING, State.WITHDRAWN):
                await _renew(connection, row, notice, as_of)
        new = [_row(site, date, notice, as_of) for notice in wanted.values()]
        if new:
            await connection.execute(insert(notices), new)


async def recover(connection: AsyncConnection) -> int:
    """Rows in the middle of an attempt when the journal stopped: how that ended is unknown, so it is for the office."""
    found = await connection.execute(
        update(notices)
        .where(_c.state == State.SENDING)
        .values(state=State.UNCERTAIN, error="the journal stopped in the middle of the attempt")
    )
    return found.rowcount


async def expire(connection: AsyncConnection, now: datetime) -> int:
    """Nothing is sent after its lesson."""
    over = and_(_c.state == State.PENDING, _c.expires <= milliseconds(now))
    return (await connection.execute(update(notices).where(over).values(state=State.EXPIRED))).rowcount


async def hold(connection: AsyncConnection, *, held: bool) -> None:
    """Let nothing go, or let it go again. What is held expires with its lesson as ever."""
    await connection.execute(update(sites).values(held=int(held)))


async def waiting(connection: AsyncConnection, now: datetime) -> bool:
    """Whether a row can be claimed or expires; cheap, and no writer waits for it."""
    over = and_(_c.state == State.PENDING, _c.expires <= milliseconds(now))
    return bool((await connection.execute(select(exists().where(or_(over, _claimable(now)))))).scalar())


async def claim(connection: AsyncConnection, now: datetime) -> Claim | None:
    """Take the oldest row that may be sent; committed before the attempt, so no crash can send it twice."""
    query = select(notices, sites.c.zone).join(sites, sites.c.site == _c.site).where(_claimable(now))
    row = (await connection.execute(query.order_by(_c.due, _c.id).limit(1))).mappings().first()
    if row is None:
        return None
    attempts = row["attempts"] + 1
    await connection.execute(
        update(notices).where(_c.id == row["id"]).values(state=State.SENDING, attempts=attempts, error=None)
    )
    return Claim(
        id=row["id"],
        site=row["site"],
        date=row["date"],
        person=row["person"],
        attempts=attempts,
        address=row["recipient"],
        message=_message(row, ZoneInfo(row["zone"])),
    )


async def sent(connection: AsyncConnection, taken: Claim, now: datetime) -> None:
    """The channel has taken it."""
    await _finish(connection, taken, state=State.SENT, sent_at=milliseconds(now), error=None)


async def uncertain(connection: AsyncConnection, taken: Claim, reason: str) -> None:
    """The attempt broke where the channel may have taken it."""
    await _finish(connection, taken, state=State.UNCERTAIN, error=reason)


async def refused(connection: AsyncConnection, taken: Claim, reason: str, now: datetime) -> None:
    """Nobody heard it: again later, and judged again first, because it counted as heard in the meantime."""
    wait = min(_FIRST_WAIT * 2 ** (taken.attempts - 1), _LONGEST_WAIT)
    await _finish(connection, taken, state=State.PENDING, due=milliseconds(now + wait), error=reason)
    await mark_dirty(connection, [Day(taken.site, taken.date, taken.person)])


def _claimable(now: datetime) -> ColumnElement[bool]:
    """Due, not over, not held, and nothing is known about its pupil that has not been judged."""
    unjudged = exists().where(
        dirty.c.site == _c.site, dirty.c.date == _c.date, dirty.c.person.in_([EVERYBODY, _c.person])
    )
    held = _c.site.in_(select(sites.c.site).where(sites.c.held == 1))
    at = milliseconds(now)
    return and_(_c.state == State.PENDING, _c.due <= at, _c.expires > at, ~unjudged, ~held)


async def _finish(connection: AsyncConnection, taken: Claim, **values: Any) -> None:
    await connection.execute(update(notices).where(_c.id == taken.id, _c.state == State.SENDING).values(**values))


async def _of_day(
    connection: AsyncConnection, site: str, date: str, persons: Collection[str] | None
) -> Mapping[str, list[RowMapping]]:
    query = select(notices).where(_c.site == site, _c.date == date).order_by(_c.id)
    if persons is not None:
        query = query.where(_c.person.in_(persons))
    found = defaultdict(list)
    for row in (await connection.execute(query)).mappings():
        found[row["person"]].append(row)
    return found


async def _renew(connection: AsyncConnection, row: RowMapping, notice: Notice | None, as_of: datetime) -> None:
    if notice is not None:
        values = {"state": State.PENDING, **_content(notice)}
        if row["attempts"]:  # the back-off after a refusal stands
            del values["due"]
    else:
        values = {"state": State.WITHDRAWN} if row["expires"] > milliseconds(as_of) else {}
    if any(row[key] != value for key, value in values.items()):
        await connection.execute(update(notices).where(_c.id == row["id"]).values(**values))


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
        "due": milliseconds(notice.opens),
        "expires": milliseconds(notice.expires),
    }


def _told(row: RowMapping) -> Told:
    at = json.loads(row["body"])["at"]
    return Told(address=row["recipient"], template=Template(row["template"]), at=None if at is None else moment(at))


def _message(row: RowMapping, zone: ZoneInfo) -> Message:
    body = json.loads(row["body"])
    at = None if body["at"] is None else f"{moment(body['at']).astimezone(zone):%H:%M}"
    return render(Template(row["template"]), row["language"], name=body["name"], at=at, minutes=body["minutes"])
