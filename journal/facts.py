"""Rows of the store as what judge() takes: facts of persons, coverage of lanes.

entries of the day ──decode──> times repaired by att.clock.v1 ──card ledger at that time──> facts
entries up to the watermark ──> coverage: an entry beyond a hole proves nothing about silence
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.entry import ClockData, CoverageData, PassageData, PassageKind, TapData
from gateway.domain.model import ClockState, Direction, LaneDirection, LaneId, Reason
from gateway.domain.register import Coverage, EntryRef, Fact, FactKind, Interval, LaneCoverage
from gateway.domain.wire import Event, Stream, decode
from journal.store import Holder, holder_at, holders, milliseconds, of
from journal.tables import cards, entries, gateways, lanes, watermarks

_MAX_TOKENS = 500
_MILLISECOND = timedelta(milliseconds=1)


class Lane(NamedTuple):
    """A lane as the office registered it."""

    gateway: str
    lane: str
    direction: LaneDirection
    opens: time
    closes: time


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
    lanes: Sequence[Lane]


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """[first, last) moment of the site's day."""
    return _moment(day, time(), zone), _moment(day + timedelta(days=1), time(), zone)


async def gather(
    connection: AsyncConnection, site: str, day: date, zone: ZoneInfo, persons: Collection[str] | None
) -> Evidence:
    """Read the rows; of these persons' cards only, or of everybody's where `persons` is None."""
    tokens = await _tokens(connection, site, persons)
    clocks, rows = await _entries(connection, site, bounds(day, zone), tokens)
    seen = {token for token, _ in rows if token is not None}
    c = watermarks.c
    through = (await connection.execute(select(c.gateway, c.epoch, c.through).where(c.site == site))).all()
    return Evidence(
        date=day,
        zone=zone,
        bodies=[*clocks, *(body for _, body in rows)],
        through={(gateway, epoch): seq for gateway, epoch, seq in through},
        ledger=await holders(connection, site, seen),
        lanes=await _lanes(connection, site),
    )


def interpret(evidence: Evidence) -> tuple[dict[str, list[Fact]], Coverage]:
    """Facts by person, and what was heard of every lane."""
    events = list({(e.stream, e.seq): e for e in map(decode, evidence.bodies)}.values())
    return _facts(evidence, events), _coverage(evidence, events)


async def _tokens(connection: AsyncConnection, site: str, persons: Collection[str] | None) -> list[str] | None:
    if persons is None or len(persons) > _MAX_TOKENS:
        return None
    query = select(cards.c.token).where(cards.c.site == site, cards.c.person.in_(sorted(persons))).distinct()
    tokens = list((await connection.execute(query)).scalars())
    return tokens if len(tokens) <= _MAX_TOKENS else None


async def _entries(
    connection: AsyncConnection, site: str, day: tuple[datetime, datetime], tokens: list[str] | None
) -> tuple[list[bytes], list[tuple[str | None, bytes]]]:
    """What happened on the day by the gateway's clock or by the repaired one, and the clock entries that repair it."""
    c = entries.c
    since, until = map(milliseconds, day)
    usable = and_(c.site == site, c.flag.is_(None))
    taps: ColumnElement[bool] = c.type == TapData.type
    wanted = or_(
        c.type.in_([PassageData.type, CoverageData.type]), taps if tokens is None else taps & c.token.in_(tokens)
    )
    picked = select(c.token, c.body, c.gateway, c.epoch, c.boot, c.seq).where(usable, wanted)
    clocks = select(c.gateway, c.boot, c.body).where(usable, c.type == ClockData.type, c.at >= since)
    repairs = (await connection.execute(clocks)).all()
    rows = list((await connection.execute(picked.where(c.at >= since, c.at < until))).all())
    for gateway, boot, body in repairs:
        data = decode(body).data
        shift = data.correction if isinstance(data, ClockData) else 0
        shifted = picked.where(c.gateway == gateway, c.boot == boot, c.at >= since - shift, c.at < until - shift)
        rows += (await connection.execute(shifted)).all()
    ahead = await _ahead(connection, site, rows)
    return [*ahead, *(body for _, _, body in repairs)], [(row.token, row.body) for row in rows]


async def _ahead(connection: AsyncConnection, site: str, rows: Iterable[Any]) -> list[bytes]:
    """Clock entries that repair these rows, of whatever day they are: a clock may have been ahead."""
    unset: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if b"unsynced" in row.body:
            key = row.gateway, row.epoch, row.boot
            unset[key] = min(row.seq, unset.get(key, row.seq))
    found: list[bytes] = []
    for (gateway, epoch, boot), seq in unset.items():
        c = entries.c
        stream = of(entries, Stream(site=site, gateway=gateway, epoch=epoch))
        query = select(c.body).where(*stream, c.seq > seq, c.type == ClockData.type, c.boot == boot, c.flag.is_(None))
        found += (await connection.execute(query.order_by(c.seq))).scalars()
    return found


async def _lanes(connection: AsyncConnection, site: str) -> list[Lane]:
    """Lanes that serve the site; those of a revoked gateway are not waited for."""
    c = lanes.c
    revoked = select(gateways.c.gateway).where(gateways.c.state == "revoked")
    query = select(c.gateway, c.lane, c.direction, c.opens, c.closes).where(c.site == site, c.gateway.not_in(revoked))
    return [
        Lane(gateway, lane, LaneDirection(direction), time.fromisoformat(opens), time.fromisoformat(closes))
        for gateway, lane, direction, opens, closes in await connection.execute(query)
    ]


def _facts(evidence: Evidence, events: Sequence[Event]) -> dict[str, list[Fact]]:
    clock = _Clocks(events)
    since, until = bounds(evidence.date, evidence.zone)
    directions = {(lane.gateway, lane.lane): lane.direction for lane in evidence.lanes}
    rotations = _rotations(events)
    found: dict[str, list[Fact]] = {}
    for event in events:
        if not isinstance(event.data, TapData):
            continue
        at, uncertain = clock.of(event)
        person = holder_at(evidence.ledger.get(event.data.token or "", ()), milliseconds(at))
        if person is None or not since <= at < until:
            continue
        lane = directions.get((event.stream.gateway, event.data.lane), LaneDirection.ARRIVAL_ONLY)
        ref = EntryRef(gateway=event.stream.gateway, epoch=event.stream.epoch, seq=event.seq)
        kind = _kind(lane, event.data.direction) if _counts(event.data) else FactKind.PERMIT
        if (rotation := rotations.get(ref)) and isinstance(rotation.data, PassageData):
            at, uncertain = clock.of(rotation)
            confirmed = rotation.data.kind is PassageKind.CONFIRMED
            kind = _kind(lane, rotation.data.direction) if confirmed else FactKind.PERMIT
        found.setdefault(person, []).append(Fact(at=at, kind=kind, ref=ref, uncertain=uncertain))
    return found


def _counts(tap: TapData) -> bool:
    """Let in; or unknown to the door, where the ledger may have learnt since then whose card it is.

    Any other refusal says that the card was there, not its holder, and not where the holder went.
    """
    return tap.verdict.admit or tap.verdict.reason is Reason.UNKNOWN_CARD


def _kind(lane: LaneDirection, told: Direction) -> FactKind:
    direction = told if told is not Direction.UNKNOWN else lane.of_tap
    if lane is LaneDirection.CHECKPOINT:
        return FactKind.CHECKPOINT
    if direction is Direction.OUT:
        return FactKind.OUT
    if lane in (LaneDirection.ARRIVAL_ONLY, LaneDirection.ALTERNATING):
        return FactKind.ARRIVAL
    # A way that nobody told proves neither presence nor absence.
    return FactKind.IN if direction is Direction.IN else FactKind.PERMIT


def _rotations(events: Iterable[Event]) -> dict[EntryRef, Event]:
    """What the gate reported for each tap; a confirmed passage outweighs anything else."""
    found: dict[EntryRef, Event] = {}
    for event in events:
        if isinstance(event.data, PassageData) and event.data.tap is not None:
            ref = EntryRef(gateway=event.stream.gateway, epoch=event.stream.epoch, seq=event.data.tap)
            if ref not in found or event.data.kind is PassageKind.CONFIRMED:
                found[ref] = event
    return found


class _Clocks:
    """The first synchronisation of each boot."""

    def __init__(self, events: Iterable[Event]) -> None:
        known = [(e.stream.gateway, e.data) for e in events if isinstance(e.data, ClockData)]
        ordered = sorted(known, key=lambda k: (k[0], k[1].boot, k[1].boottime))
        self._repairs = {
            key: [data for _, data in group] for key, group in groupby(ordered, lambda k: (k[0], k[1].boot))
        }

    def of(self, event: Event) -> tuple[datetime, bool]:
        """The repaired time, and whether it is uncertain still."""
        if event.at.clock is not ClockState.UNSYNCED:
            return event.at.at, False
        for repair in self._repairs.get((event.stream.gateway, event.at.boot), ()):
            if repair.boottime >= event.at.boottime:
                return event.at.at + repair.correction * _MILLISECOND, False
        return event.at.at, True


def _coverage(evidence: Evidence, events: Iterable[Event]) -> Coverage:
    heard: dict[tuple[str, str], list[Interval]] = {}
    for event in events:
        data, stream = event.data, event.stream
        if isinstance(data, CoverageData) and event.seq <= evidence.through.get((stream.gateway, stream.epoch), 0):
            heard.setdefault((stream.gateway, data.lane), []).append(Interval(since=data.since, until=data.until))
    found = [_lane(evidence, lane, heard.get((lane.gateway, lane.lane), [])) for lane in evidence.lanes]
    if not found:
        # Without a lane nobody can be seen, and silence means nothing.
        since, until = bounds(evidence.date, evidence.zone)
        found = [LaneCoverage(gateway="none", lane=LaneId("none"), opens=since, closes=until, intervals=())]
    return Coverage(lanes=tuple(found))


def _lane(evidence: Evidence, lane: Lane, intervals: Sequence[Interval]) -> LaneCoverage:
    return LaneCoverage(
        gateway=lane.gateway,
        lane=LaneId(lane.lane),
        opens=_moment(evidence.date, lane.opens, evidence.zone),
        closes=_moment(evidence.date, lane.closes, evidence.zone),
        intervals=tuple(intervals),
    )


def _moment(day: date, local: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, local, zone).astimezone(UTC)
