"""Rows of the store as what judge() takes: fetched here, interpreted by gateway.domain.evidence.

entries of the day ── clock entries and neighbours that tell when they were ──┐
card ledger · lanes · watermarks ─────────────────────────────────────────────┴──> facts of persons, coverage of lanes
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain import evidence as domain
from gateway.domain.clocks import TERMINAL
from gateway.domain.coverage import Coverage
from gateway.domain.credential import Token
from gateway.domain.entry import ClockData, CoverageData, DeviceData, EpochData, ManualData, PassageData, TapData
from gateway.domain.evidence import ServedLane
from gateway.domain.model import LaneDirection, LaneId, PersonId
from gateway.domain.presence import EntryRef, Fact
from gateway.domain.wire import Origin, Stream, decode
from journal.origins import REPEATED
from journal.served import serving
from journal.store import Holder, holder_at, holders, milliseconds, moment, of
from journal.tables import cards, entries, gateways, lanes, watermarks

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
    c = watermarks.c
    through = (await connection.execute(select(c.gateway, c.epoch, c.through).where(c.site == site))).all()
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
    query = select(cards.c.token).where(cards.c.site == site, cards.c.person.in_(sorted(persons))).distinct()
    tokens = list((await connection.execute(query)).scalars())
    return tokens if len(tokens) <= _MAX_TOKENS else None


async def _entries(
    connection: AsyncConnection, site: str, day: tuple[datetime, datetime], tokens: list[str] | None
) -> list[Any]:
    """What happened on the day by the gateway's clock or by the repaired one, and what tells when it was."""
    c = entries.c
    since, until = map(milliseconds, day)
    taps: ColumnElement[bool] = c.type == TapData.type
    wanted = or_(
        c.type.in_([kind.type for kind in (EpochData, PassageData, CoverageData, DeviceData, ManualData)]),
        taps if tokens is None else taps & c.token.in_(tokens),
    )
    usable = _columns().where(c.site == site, c.flag.is_(None))
    repairs = list((await connection.execute(usable.where(c.type == ClockData.type, c.at >= since))).all())
    rows = list((await connection.execute(usable.where(wanted, c.at >= since, c.at < until))).all())
    for repair in repairs:
        data = decode(repair.body).data
        shift = data.correction if isinstance(data, ClockData) else 0
        in_boot = usable.where(wanted, c.gateway == repair.gateway, c.boot == repair.boot)
        rows += (await connection.execute(in_boot.where(c.at >= since - shift, c.at < until - shift))).all()
    rows += await _neighbours(connection, site, (since, until))
    repairs += await _ahead(connection, site, rows)
    set_later = {(row.gateway, row.boot) for row in repairs}
    if tokens is not None and any(_unset(row) and (row.gateway, row.boot) not in set_later for row in rows):
        # Where times are bounded by neighbours, everybody's taps are neighbours.
        return await _entries(connection, site, day, None)
    return [*repairs, *(row for row in rows if tokens is None or row.token is None or row.token in tokens)]


async def _again(connection: AsyncConnection, site: str, day: tuple[datetime, datetime]) -> dict[EntryRef, EntryRef]:
    c = entries.c
    since, until = (milliseconds(at) for at in (day[0] - _DAY, day[1] + _DAY))
    told = select(c.gateway, c.epoch, c.seq, c.origin, c.flag).where(c.site == site, c.type == TapData.type)
    rows = (await connection.execute(told.where(c.origin.is_not(None), c.at >= since, c.at < until))).all()
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
    c = entries.c
    ends = select(c.gateway, c.epoch, func.min(c.seq), func.max(c.seq), func.count()).group_by(c.gateway, c.epoch)
    of_day = (await connection.execute(ends.where(c.site == site, c.at >= day[0], c.at < day[1]))).all()
    found: list[Any] = []
    for gateway, epoch, first, last, count in of_day:
        chain = _columns().where(*of(entries, Stream(site=site, gateway=gateway, epoch=epoch)), c.flag.is_(None))
        if count < last - first + 1:
            strayed = or_(c.at < day[0], c.at >= day[1])
            found += (await connection.execute(chain.where(c.seq.between(first, last), strayed))).all()
        found += await _up_to_known(connection, chain.where(c.seq < first).order_by(c.seq.desc()))
        found += await _up_to_known(connection, chain.where(c.seq > last).order_by(c.seq))
    return found


async def _up_to_known(connection: AsyncConnection, chain: Select[Any]) -> list[Any]:
    found: list[Any] = []
    page = 1
    while read := (await connection.execute(chain.limit(page).offset(len(found)))).all():
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
        c = entries.c
        stream = of(entries, Stream(site=site, gateway=gateway, epoch=epoch))
        query = _columns().where(*stream, c.seq > seq, c.type == ClockData.type, c.boot == boot, c.flag.is_(None))
        found += (await connection.execute(query.order_by(c.seq))).all()
    return found


def _columns() -> Select[Any]:
    c = entries.c
    return select(c.token, c.body, c.gateway, c.epoch, c.boot, c.seq)


def _unset(row: Any) -> bool:
    return b'"clock":"unsynced"' in row.body


async def _lanes(connection: AsyncConnection, site: str, day: date, zone: ZoneInfo) -> list[ServedLane]:
    """Lanes that served the site on that day; one that is gone, and those of a revoked gateway, until then.

    What it saw before may never be told. Of a lane that changed, what it is since then comes last, and counts for its taps.
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
            closes=_closes(_moment(day, time.fromisoformat(row["closes"]), zone), row["until"], row["revoked"]),
            rotations=bool(row.get("rotations", 0)),
        )
        for row in rows.mappings()
    ]


def _closes(at: datetime, *ends: int | None) -> datetime:
    return min([at, *(moment(end) for end in ends if end is not None)])


def _moment(day: date, local: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, local, zone).astimezone(UTC)
