"""What the staff says of persons, as rows that are only ever added, and as what judge() takes.

A statement is said by an author at a moment and never edited. What does not hold any more is withdrawn by another row;
whatever is said or withdrawn makes the days dirty that it is about.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, Select, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import MarkReason, PersonId, Source, Status
from gateway.domain.statement import Excuse, Statement, StatementKind
from gateway.errors import InputError
from journal.days import local_date
from journal.prepared import Value, prepared
from journal.staff_tables import excuses, statements
from journal.store import Day, chunks, mark_dirty, milliseconds, moment

_c = statements.c


class Kind(StrEnum):
    """What a row says."""

    #: Came in at that moment.
    CAME = "came"
    #: Went out at that moment.
    LEFT = "left"
    #: The lessons that begin in [at, until) have this status.
    MARK = "mark"
    #: Need not be inside during [at, until).
    EXCUSE = "excuse"
    #: Let go: need not be inside from that moment to the end of the day.
    RELEASE = "release"
    #: What is named does not hold any more.
    WITHDRAW = "withdraw"


_STATEMENTS = {
    Kind.CAME: StatementKind.CAME,
    Kind.LEFT: StatementKind.LEFT,
    Kind.MARK: StatementKind.MARK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who says it, with which weight, when and why."""

    name: str = field(repr=False)
    source: Source = Source.OFFICE
    at: dt.datetime
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One thing that is to be said of one person."""

    person: str
    kind: Kind
    at: dt.datetime
    until: dt.datetime | None = None
    status: Status | None = None
    minutes_late: int = 0
    reason: MarkReason | None = None
    #: Of this one alone; empty is the author's.
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A row as it was said."""

    id: int
    saying: Saying
    author: Author
    #: The first of those that were said in one go.
    bulk: int | None
    #: Who took it back, and when.
    withdrawn: Author | None = None


class Written(NamedTuple):
    """Rows that were added, and the days that they made dirty."""

    numbers: list[int]
    days: set[Day]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What was said of one person and holds."""

    statements: tuple[Statement, ...] = ()
    excuses: tuple[Excuse, ...] = ()


async def say(
    connection: AsyncConnection, site: str, zone: ZoneInfo, sayings: Sequence[Saying], author: Author
) -> Written:
    """Write them all in the caller's transaction and make their days dirty."""
    said = {"site": site, "source": author.source.value, "author": author.name, "said": milliseconds(author.at)}
    numbers: list[int] = []
    for saying in sayings:
        row = {
            **said,
            "person": saying.person,
            "kind": saying.kind.value,
            "at": milliseconds(saying.at),
            "until": None if saying.until is None else milliseconds(saying.until),
            "status": None if saying.status is None else saying.status.value,
            "minutes_late": saying.minutes_late,
            "reason": None if saying.reason is None else saying.reason.value,
            "note": saying.note or author.note,
            "bulk": numbers[0] if numbers else None,
        }
        numbers.append((await connection.execute(insert(statements).values(**row).returning(_c.id))).scalar_one())
    await mark_dirty(connection, days := _touched(site, zone, sayings, author.at))
    return Written(numbers, days)


async def withdraw(
    connection: AsyncConnection, site: str, zone: ZoneInfo, numbers: Collection[int], author: Author
) -> Written:
    """Take these back, and all that was said in one go with one of them that began it. Raises InputError."""
    wanted = await _said(connection, _of_site(site).where(or_(_c.id.in_(numbers), _c.bulk.in_(numbers))))
    known = {one.id for one in wanted}
    for number in sorted(set(numbers) - known):
        raise InputError(f"nobody said number {number}", hint="'attendance-journal statement list' shows the numbers")
    held = [one for one in wanted if one.withdrawn is None]
    if not held:
        raise InputError("that was withdrawn already", hint="'attendance-journal statement list' shows what holds")
    rows = [
        {
            "site": site,
            "person": one.saying.person,
            "kind": Kind.WITHDRAW.value,
            "at": milliseconds(one.saying.at),
            "until": None if one.saying.until is None else milliseconds(one.saying.until),
            "minutes_late": 0,
            "source": author.source.value,
            "author": author.name,
            "said": milliseconds(author.at),
            "note": author.note,
            "withdraws": one.id,
        }
        for one in held
    ]
    await connection.execute(insert(statements), rows)
    await mark_dirty(connection, days := _touched(site, zone, [one.saying for one in held], author.at))
    return Written([one.id for one in held], days)


async def said_between(
    connection: AsyncConnection,
    site: str,
    since: dt.datetime,
    until: dt.datetime,
    persons: Collection[str] | None = None,
) -> list[Said]:
    """What was said about moments of [since, until), withdrawn or not, in the order in which it was said."""
    first, last = milliseconds(since), milliseconds(until)
    if persons is None:
        return await _said(connection, *_between(site, first, last, (), everybody=True))
    found = [
        one
        for part in chunks(sorted(persons))
        for one in await _said(connection, *_between(site, first, last, part, everybody=False))
    ]
    return sorted(found, key=lambda one: one.id)


@prepared
def _between(site: Value, first: Value, last: Value, persons: Value, *, everybody: bool) -> Select[Any]:
    query = _of_site(site).where(_c.at < last, or_(_c.at >= first, _c.until > first))
    return query if everybody else query.where(_c.person.in_(persons))


@prepared
def _excused(site: Value, first: Value, last: Value) -> Select[Any]:
    e = excuses.c
    return select(excuses).where(e.site == site, e.since < last, e.until > first).order_by(e.id)


async def spoken_between(
    connection: AsyncConnection, site: str, since: dt.datetime, until: dt.datetime, persons: Collection[str] | None
) -> Mapping[str, Spoken]:
    """What holds, by person: said by hand or imported."""
    facts: dict[str, list[Statement]] = defaultdict(list)
    excused: dict[str, list[Excuse]] = defaultdict(list)
    for one in await said_between(connection, site, since, until, persons):
        if one.withdrawn is None and one.saying.kind in _STATEMENTS:
            facts[one.saying.person].append(_statement(one))
        elif one.withdrawn is None:
            excused[one.saying.person].append(_excuse(one))
    excuses_of_day = _excused(site, milliseconds(since), milliseconds(until))
    for row in (await connection.execute(*excuses_of_day)).mappings():
        if persons is None or row["person"] in persons:
            excused[row["person"]].append(
                Excuse(
                    person=PersonId(row["person"]),
                    since=moment(row["since"]),
                    until=moment(row["until"]),
                    reason=MarkReason(row["reason"]),
                    source=Source(row["source"]),
                )
            )
    return {
        person: Spoken(statements=tuple(facts[person]), excuses=tuple(excused[person]))
        for person in facts.keys() | excused.keys()
    }


def _statement(one: Said) -> Statement:
    saying = one.saying
    return Statement(
        person=PersonId(saying.person),
        kind=_STATEMENTS[saying.kind],
        at=saying.at,
        until=saying.until,
        status=saying.status,
        minutes_late=saying.minutes_late,
        reason=saying.reason,
        source=one.author.source,
        said=one.author.at,
    )


def _excuse(one: Said) -> Excuse:
    saying = one.saying
    return Excuse(
        person=PersonId(saying.person),
        since=saying.at,
        until=saying.until or saying.at,
        reason=saying.reason or MarkReason.RELEASED,
        source=one.author.source,
    )


def _of_site(site: Value) -> Select[Any]:
    return select(statements).where(_c.site == site, _c.kind != Kind.WITHDRAW).order_by(_c.id)


async def _said(
    connection: AsyncConnection, query: Select[Any], values: Mapping[str, Value] | None = None
) -> list[Said]:
    rows = (await connection.execute(query, values)).mappings().all()
    taken: dict[int, Author] = {}
    for part in chunks([row["id"] for row in rows]):
        back = select(statements).where(_c.withdraws.in_(part)).order_by(_c.id.desc())
        taken |= {row["withdraws"]: _author(row) for row in (await connection.execute(back)).mappings()}
    return [
        Said(
            id=row["id"],
            saying=Saying(
                person=row["person"],
                kind=Kind(row["kind"]),
                at=moment(row["at"]),
                until=None if row["until"] is None else moment(row["until"]),
                status=None if row["status"] is None else Status(row["status"]),
                minutes_late=row["minutes_late"],
                reason=None if row["reason"] is None else MarkReason(row["reason"]),
                note=row["note"],
            ),
            author=_author(row),
            bulk=row["bulk"],
            withdrawn=taken.get(row["id"]),
        )
        for row in rows
    ]


def _author(row: RowMapping) -> Author:
    return Author(name=row["author"], source=Source(row["source"]), at=moment(row["said"]), note=row["note"])


def _touched(site: str, zone: ZoneInfo, sayings: Iterable[Saying], now: dt.datetime) -> set[Day]:
    """Their days up to today; those to come are judged when they have come."""
    today = now.astimezone(zone).date()
    days = set()
    for saying in sayings:
        first = dt.date.fromisoformat(local_date(saying.at, zone))
        last = min(today, dt.date.fromisoformat(local_date(saying.until or saying.at, zone)))
        span = range(first.toordinal(), max(first, last).toordinal() + 1)
        days |= {Day(site, dt.date.fromordinal(day).isoformat(), saying.person) for day in span}
    return days
