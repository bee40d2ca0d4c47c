"""The rows of parents' messages, from wanted to delivered; whoever changes one does it in a transaction of the journal.

due() ──> pending ──claim──> sending ──> sent
          ▲  │  ▲               │ └────> uncertain    nobody knows; never sent again by itself
          │  │  └── refused ────┘
          │  ├──> withdrawn     it became false before anybody heard it
          │  ├──> expired       its lesson is over
   release│  ▼
          └─ held ──> dropped   the brake holds it for a person to decide; withdrawn and expired as ever
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, RowMapping, Select, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from journal.notify.notice import Template
from journal.notify.tables import notices
from journal.notify.templates import Message, render
from journal.prepared import Value, prepared
from journal.shard import WHOLE, Shard
from journal.store import EVERYBODY, Day, mark_dirty, milliseconds, moment
from journal.tables import dirty, sites

_c = notices.c
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=5)


class State(StrEnum):
    """How far a notice has come."""

    PENDING = "pending"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    DROPPED = "dropped"


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


async def recover(connection: AsyncConnection, shard: Shard = WHOLE) -> int:
    """Rows in the middle of an attempt when the journal stopped: how that ended is unknown, so it is for the office."""
    found = await connection.execute(
        update(notices)
        .where(_c.state == State.SENDING, shard.mine(_c.site))
        .values(state=State.UNCERTAIN, error="the journal stopped in the middle of the attempt")
    )
    return found.rowcount


async def expire(connection: AsyncConnection, now: datetime, shard: Shard = WHOLE) -> int:
    """Nothing is sent after its lesson."""
    over = update(notices).where(_over(milliseconds(now)), shard.mine(_c.site))
    return (await connection.execute(over.values(state=State.EXPIRED))).rowcount


async def pause(connection: AsyncConnection, *, paused: bool) -> None:
    """Let nothing go, or let it go again. What waits expires with its lesson as ever."""
    await connection.execute(update(sites).values(paused=int(paused)))


async def paused_sites(connection: AsyncConnection) -> set[str]:
    """Those of which nobody is told anything."""
    return set((await connection.execute(select(sites.c.site).where(sites.c.paused == 1))).scalars())


async def waiting(connection: AsyncConnection, now: datetime, shard: Shard = WHOLE) -> bool:
    """Whether a row can be claimed or expires; cheap, and no writer waits for it."""
    return bool((await connection.execute(*_any(milliseconds(now), shard=shard))).scalar())


@prepared
def _any(now: Value, *, shard: Shard) -> Select[Any]:
    return select(exists().where(or_(_over(now), _claimable(now)), shard.mine(_c.site)))


async def claim(connection: AsyncConnection, now: datetime, shard: Shard = WHOLE) -> Claim | None:
    """Take the oldest row that may be sent; committed before the attempt, so no crash can send it twice."""
    query = select(notices, sites.c.zone).join(sites, sites.c.site == _c.site)
    query = query.where(_claimable(milliseconds(now)), shard.mine(_c.site))
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


def _over(now: Value) -> ColumnElement[bool]:
    return and_(_c.state.in_([State.PENDING, State.HELD]), _c.expires <= now)


def _claimable(now: Value) -> ColumnElement[bool]:
    """Due, not over, not paused, and nothing is known about its pupil that has not been judged."""
    unjudged = exists().where(
        dirty.c.site == _c.site, dirty.c.date == _c.date, dirty.c.person.in_([EVERYBODY, _c.person])
    )
    paused = _c.site.in_(select(sites.c.site).where(sites.c.paused == 1))
    return and_(_c.state == State.PENDING, _c.due <= now, _c.expires > now, ~unjudged, ~paused)


async def _finish(connection: AsyncConnection, taken: Claim, **values: Any) -> None:
    await connection.execute(update(notices).where(_c.id == taken.id, _c.state == State.SENDING).values(**values))


def _message(row: RowMapping, zone: ZoneInfo) -> Message:
    body = json.loads(row["body"])
    at = None if body["at"] is None else f"{moment(body['at']).astimezone(zone):%H:%M}"
    return render(Template(row["template"]), row["language"], name=body["name"], at=at, minutes=body["minutes"])
