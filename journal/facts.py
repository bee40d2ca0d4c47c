"""Rows of the store as what judge() takes: fetched here, interpreted by gateway.domain.evidence.

entries of the day ── clock entries and neighbours that tell when they were ──┐
card ledger · lanes · watermarks ─────────────────────────────────────────────┴──> facts of persons, coverage of lanes
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain import evidence as domain
from gateway.domain.clocks import TERMINAL
from gateway.domain.coverage import Coverage
from gateway.domain.credential import Token
from gateway.domain.entry import ClockData
from gateway.domain.evidence import ServedLane
from gateway.domain.model import LaneDirection, LaneId, PersonId
from gateway.domain.presence import NEVER, EntryRef, Fact
from gateway.domain.wire import Origin, decode
from journal import evidence_rows as sql
from journal.origins import REPEATED
from journal.served import serving
from journal.store import Holder, holder_at, holders, milliseconds, moment
from journal.tables import gateways, lanes

_MAX_TOKENS = 500
_DAY = timedelta(days=1)
#: Entries that are read at once on the way to the next one whose time is known.
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The rows that one day is judged by."""

    date: date
    zone: ZoneInfo
    bodies: Sequence[bytes]
    #: Newest contiguous seq by (gateway, epoch).
    through: Mapping[tuple[str, str], int]
    #: Who held which card when.
    ledger: Mapping[str, Sequence[Holder]]
    lanes: Sequence[ServedLane]
    #: Taps that were told again under a later epoch -> as they are judged by.
    again: Mapping[EntryRef, EntryRef]


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """[first, last) moment of the site's day."""
    return _moment(day, time(), zone), _moment(day + timedelta(days=1), time(), zone)


async def gather(
    connection: AsyncConnection, site: str, day: date, zone: ZoneInfo, persons: Collection[str] | None
) -> Evidence:
    """Read the rows; of these persons' cards only, or of everybody's where `persons` is None."""
    tokens = await _tokens(connection, site, persons)
    rows = await _entries(connection, site, bounds(day, zone), tokens)
    seen = {row.token for row in rows if row.token is not None}
    through = (await connection.execute(*sql.committed(site))).all()
    return Evidence(
        date=day,
        zone=zone,
        bodies=[row.body for row in rows],
        through={(gateway, epoch): seq for gateway, epoch, seq in through},
        ledger=await holders(connection, site, seen),
        lanes=await _lanes(connection, site, day, zone),
        again=await _again(connection, site, bounds(day, zone)),
    )


def interpret(evidence: Evidence) -> tuple[dict[PersonId, list[Fact]], Coverage]:
    """Facts by person, and what was heard of every lane."""

    def holder(token: Token, at: datetime) -> PersonId | None:
        person = holder_at(evidence.ledger.get(token, ()), milliseconds(at))
        return PersonId(person) if person is not None else None

    since, until = bounds(evidence.date, evidence.zone)
    return domain.interpret(
        domain.Evidence(
            since=since,
            until=until,
            events=[decode(body) for body in evidence.bodies],
            through=evidence.through,
            lanes=evidence.lanes,
            holder=holder,
            again=evidence.again,
        )
    )


async def _tokens(connection: AsyncConnection, site: str, persons: Collection[str] | None) -> list[str] | None:
    if persons is None or len(persons) > _MAX_TOKENS:
        return None
    tokens = list((await connection.execute(*sql.tokens(site, sorted(persons)))).scalars())
    return tokens if len(tokens) <= _MAX_TOKENS else None


async def _entries(
    connection: AsyncConnection, site: str, day: tuple[datetime, datetime], tokens: list[str] | None
) -> list[Any]:
    """What happened on the day by the gateway's clock or by the repaired one, and what tells when it was."""
    since, until = map(milliseconds, day)
    everybody = tokens is None
    repairs = list((await connection.execute(*sql.repairs(site, since))).all())
    rows = list((await connection.execute(*sql.told(site, since, until, tokens, everybody=everybody))).all())
    for repair in repairs:
        data = decode(repair.body).data
        shift = data.correction if isinstance(data, ClockData) else 0
        moved = since - shift, until - shift
        in_boot = sql.told_in_boot(site, *moved, tokens, repair.gateway, repair.boot, everybody=everybody)
        rows += (await connection.execute(*in_boot)).all()
    rows += await _neighbours(connection, site, (since, until))
    repairs += await _ahead(connection, site, rows)
    set_later = {(row.gateway, row.boot) for row in repairs}
    if tokens is not None and any(_unset(row) and (row.gateway, row.boot) not in set_later for row in rows):
        # Where times are bounded by neighbours, everybody's taps are neighbours.
        return await _entries(connection, site, day, None)
    # How a gate stands and what its guard holds outlasts midnight, until somebody tells otherwise.
    evening = (await connection.execute(*sql.stands(site, milliseconds(day[0] - _DAY), since))).all()
    rows += (row for row in evening if not _unset(row))
    return [*repairs, *(row for row in rows if tokens is None or row.token is None or row.token in tokens)]


async def _again(connection: AsyncConnection, site: str, day: tuple[datetime, datetime]) -> dict[EntryRef, EntryRef]:
    since, until = (milliseconds(at) for at in (day[0] - _DAY, day[1] + _DAY))
    rows = (await connection.execute(*sql.told_again(site, since, until))).all()
    counted = {
        (r.gateway, r.origin): EntryRef(gateway=r.gateway, epoch=r.epoch, seq=r.seq) for r in rows if r.flag is None
    }
    found = {}
    for row in rows:
        if row.flag == REPEATED:
            origin = Origin.parse(row.origin)
            first = EntryRef(gateway=row.gateway, epoch=origin.epoch, seq=origin.seq)
            place = EntryRef(gateway=row.gateway, epoch=row.epoch, seq=row.seq)
            found[place] = counted.get((row.gateway, row.origin), first)
    return found


async def _neighbours(connection: AsyncConnection, site: str, day: tuple[int, int]) -> list[Any]:
    """Entries between those of the day that carry another date, and on both sides up to the next one whose time is known."""
    found: list[Any] = []
    for gateway, epoch, first, last, count in (await connection.execute(*sql.ends(site, *day))).all():
        chain = site, gateway, epoch
        if count < last - first + 1:
            found += (await connection.execute(*sql.strayed(*chain, first, last, *day))).all()
        if first > 1:
            found += await _up_to_known(connection, partial(sql.before, *chain, first))
        found += await _up_to_known(connection, partial(sql.after, *chain, last))
    return found


async def _up_to_known(
    connection: AsyncConnection, pages: Callable[[int, int], tuple[Select[Any], dict[str, Any]]]
) -> list[Any]:
    found: list[Any] = []
    page = 1
    while read := (await connection.execute(*pages(page, len(found)))).all():
        for row in read:
            found.append(row)
            if not _unset(row) and row.boot != TERMINAL:
                return found
        page = _PAGE
    return found


async def _ahead(connection: AsyncConnection, site: str, rows: Iterable[Any]) -> list[Any]:
    """Clock entries that repair these rows, of whatever day they are: a clock may have been ahead."""
    unset: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if _unset(row):
            key = row.gateway, row.epoch, row.boot
            unset[key] = min(row.seq, unset.get(key, row.seq))
    found: list[Any] = []
    for (gateway, epoch, boot), seq in unset.items():
        found += (await connection.execute(*sql.clocks(site, gateway, epoch, seq, boot))).all()
    return found


def _unset(row: Any) -> bool:
    return b'"clock":"unsynced"' in row.body


async def _lanes(connection: AsyncConnection, site: str, day: date, zone: ZoneInfo) -> list[ServedLane]:
    """Lanes that served the site on that day; one that is gone, and those of a revoked gateway, until then.

    What it saw before may never be told.
    """
    c, g = lanes.c, gateways.c
    query = select(lanes, g.revoked).outerjoin_from(lanes, gateways, g.gateway == c.gateway).where(c.site == site)
    rows = await connection.execute(query.where(serving(*bounds(day, zone))).order_by(c.since))
    return [
        ServedLane(
            gateway=row["gateway"],
            lane=LaneId(row["lane"]),
            direction=LaneDirection(row["direction"]),
            opens=_moment(day, time.fromisoformat(row["opens"]), zone),
            closes=_first(_moment(day, time.fromisoformat(row["closes"]), zone), row["until"], row["revoked"]),
            rotations=bool(row.get("rotations", 0)),
            since=moment(row["since"]),
            # Of a gateway that was revoked at a moment that nobody knows, what it told counts.
            until=_first(NEVER, row["until"], row["revoked"] or None),
        )
        for row in rows.mappings()
    ]


def _first(at: datetime, *ends: int | None) -> datetime:
    return min([at, *(moment(end) for end in ends if end is not None)])


def _moment(day: date, local: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, local, zone).astimezone(UTC)
