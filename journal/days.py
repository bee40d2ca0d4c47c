"""Which days a batch asks to be judged again: nothing is judged here, a fact only marks (site, date, person)."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.clocks import TERMINAL
from gateway.domain.entry import ClockData, CoverageData, DeviceData, ManualData, PassageData, TapData
from gateway.domain.model import ClockState
from gateway.domain.wire import Event, Stream, decode
from journal.origins import REPEATED
from journal.prepared import Value, prepared
from journal.store import EVERYBODY, Day, holder_at, holders, holders_of, milliseconds, moment, of
from journal.tables import entries, sites


async def days_of(connection: AsyncConnection, stream: Stream, events: Sequence[Event]) -> set[Day]:
    """The days that new events touch: of a tap or its passage the holder's, of a list its persons'; of all else everybody's."""
    zone = await zone_of(connection, stream.site)
    taps = [event for event in events if isinstance(event.data, TapData)]
    days = await _taps(connection, stream, zone, [*taps, *await _passed(connection, stream, events)])
    for event in events:
        match event.data:
            case CoverageData(since=since, until=until):
                days |= {_day(stream, zone, at) for at in (since, until)}
            case DeviceData():
                days.add(_day(stream, zone, event.at.at))
            case ManualData(persons=persons):
                for at in await _moments(connection, stream, event):
                    date = local_date(moment(at), zone)
                    days |= {Day(stream.site, date, person) for person in persons or [EVERYBODY]}
            case ClockData(boot=boot, correction=correction):
                wrong = await _boot_before(connection, stream, boot, event.seq)
                days |= {_day(stream, zone, moment(at + shift)) for at in wrong for shift in (0, correction)}
                days.add(_day(stream, zone, event.at.at))
    return days


async def days_of_taps(connection: AsyncConnection, taps: Iterable[tuple[str, str, datetime]]) -> set[Day]:
    """The same for taps on a clock that was set, of any site: site, token and time of each."""
    shown: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for site, token, at in taps:
        shown[site, token].append(at)
    named = sorted({site for site, _ in shown})
    zones = {site: ZoneInfo(zone) for site, zone in await connection.execute(*_zones(named))}
    return {
        Day(site, local_date(at, zones[site]), person)
        for (site, token), ledger in (await holders_of(connection, shown)).items()
        for at in shown[site, token]
        if (person := holder_at(ledger, milliseconds(at)))
    }


async def linked_days(connection: AsyncConnection, stream: Stream, after: int, through: int = sys.maxsize) -> set[Day]:
    """The days of entries that were held and count now: what is complete may have changed for everybody."""
    zone = await zone_of(connection, stream.site)
    c = entries.c
    query = select(c.at).where(*of(entries, stream), c.seq > after, c.seq <= through, c.at.is_not(None)).distinct()
    return {_day(stream, zone, moment(at)) for at in (await connection.execute(query)).scalars()}


async def held_days(connection: AsyncConnection, stream: Stream, after: int) -> set[Day]:
    """The days that entries beyond a hole touched: their taps and clocks count before the hole is filled."""
    c = entries.c
    clocks = (*of(entries, stream), c.seq > after, c.type == ClockData.type, c.flag.is_(None))
    bodies = (await connection.execute(select(c.body).where(*clocks))).scalars().all()
    corrected = await days_of(connection, stream, [decode(body) for body in bodies])
    return corrected | await linked_days(connection, stream, after)


async def zone_of(connection: AsyncConnection, site: str) -> ZoneInfo:
    """The site's zone."""
    return ZoneInfo((await connection.execute(*_zones([site]))).one().zone)


@prepared
def _zones(named: Value) -> Select[Any]:
    return select(sites.c.site, sites.c.zone).where(sites.c.site.in_(named))


def local_date(at: datetime, zone: ZoneInfo) -> str:
    """The school's date at that moment."""
    try:
        return at.astimezone(zone).date().isoformat()
    except OverflowError:  # the first or last hours of the calendar
        return at.date().isoformat()


async def _taps(connection: AsyncConnection, stream: Stream, zone: ZoneInfo, taps: Sequence[Event]) -> set[Day]:
    tokens = {event.data.token for event in taps if isinstance(event.data, TapData) and event.data.token}
    ledger = await holders(connection, stream.site, tokens)
    days = set()
    for event in taps:
        token = event.data.token if isinstance(event.data, TapData) else None
        if token is None or token not in ledger:
            continue
        for at in await _moments(connection, stream, event):
            if person := holder_at(ledger[token], at):
                days.add(Day(stream.site, local_date(moment(at), zone), person))
    return days


async def _passed(connection: AsyncConnection, stream: Stream, events: Sequence[Event]) -> list[Event]:
    """The taps that these passages followed. A tap that is not here yet asks for its day itself when it comes."""
    seqs = {
        e.data.tap
        for e in events
        if isinstance(e.data, PassageData) and e.data.tap is not None and 0 < e.data.tap < e.seq
    }
    if not seqs:
        return []
    c = entries.c
    counts = c.flag.is_(None) | (c.flag == REPEATED)
    followed = (*of(entries, stream), c.seq.in_(seqs), c.type == TapData.type, counts)
    return [decode(body) for body in (await connection.execute(select(c.body).where(*followed))).scalars()]


async def _moments(connection: AsyncConnection, stream: Stream, event: Event) -> list[int]:
    """Its own time; of an unsynced event also the repaired one, where batches came out of order and the clock entry is here."""
    told = milliseconds(event.at.at)
    if event.at.clock is not ClockState.UNSYNCED:
        return [told]
    if event.at.boot == TERMINAL:
        return [told, milliseconds(event.recorded)]
    c = entries.c
    later = (
        *of(entries, stream),
        c.seq > event.seq,
        c.type == ClockData.type,
        c.boot == event.at.boot,
        c.flag.is_(None),
    )
    body = (await connection.execute(select(c.body).where(*later).order_by(c.seq).limit(1))).scalar()
    data = decode(body).data if body is not None else None
    return [told, told + data.correction] if isinstance(data, ClockData) else [told]


async def _boot_before(connection: AsyncConnection, stream: Stream, boot: str, seq: int) -> Sequence[int]:
    """Times of the earlier events of a boot, walking back from its clock entry."""
    c = entries.c
    other = (
        select(c.seq)
        .where(*of(entries, stream), c.seq < seq, c.boot.not_in([boot, TERMINAL]))
        .order_by(c.seq.desc())
        .limit(1)
    )
    since = (await connection.execute(other)).scalar() or 0
    query = (
        select(c.at)
        .where(*of(entries, stream), c.seq > since, c.seq < seq, c.boot != TERMINAL, c.at.is_not(None))
        .distinct()
    )
    return (await connection.execute(query)).scalars().all()


def _day(stream: Stream, zone: ZoneInfo, at: datetime) -> Day:
    return Day(stream.site, local_date(at, zone))
