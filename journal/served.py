"""Which lanes serve a site, and since when: a day that is judged again waits for the lanes that it had, not for today's."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.directory import GatewayRow, LaneRow
from gateway.domain.model import LaneDirection, LaneId
from journal.store import milliseconds
from journal.tables import lanes

_Row = Mapping[str, Any]
_WHEN = ("since", "until")


def serving(since: dt.datetime, until: dt.datetime) -> ColumnElement[bool]:
    """The lanes that serve at any moment of [since, until)."""
    c = lanes.c
    return and_(c.since < milliseconds(until), or_(c.until.is_(None), c.until > milliseconds(since)))


async def served(connection: AsyncConnection, site: str, at: dt.datetime) -> tuple[GatewayRow, ...]:
    """The lanes that serve at that moment, by gateway."""
    c = lanes.c
    query = select(lanes).where(c.site == site, serving(at, at + dt.timedelta(milliseconds=1)))
    found: dict[str, list[LaneRow]] = defaultdict(list)
    for row in (await connection.execute(query.order_by(c.gateway, c.lane))).mappings():
        lane = LaneRow(
            id=LaneId(row["lane"]),
            direction=LaneDirection(row["direction"]),
            opens=row["opens"],
            closes=row["closes"],
            rotations=bool(row["rotations"]),
        )
        found[row["gateway"]].append(lane)
    return tuple(GatewayRow(id=gateway, lanes=tuple(rows)) for gateway, rows in found.items())


def starts(since: dt.date | None, zone: ZoneInfo, now: dt.datetime) -> dt.datetime:
    """The moment from which the lanes of an import serve: of one since today or a later day its midnight, otherwise now."""
    if since is None or since < now.astimezone(zone).date():
        return now
    return dt.datetime.combine(since, dt.time(), zone)


async def serve(connection: AsyncConnection, site: str, listed: Sequence[GatewayRow], since: dt.datetime) -> bool:
    """From that moment on these lanes serve and no other; True where that changes anything.

    The day of a change has both: what is gone, or was different, was waited for until then, because what it saw before may
    never be told. The first lanes of a site have always been.
    """
    start = milliseconds(since)
    query = select(lanes).where(lanes.c.site == site)
    before = [dict(row) for row in (await connection.execute(query)).mappings()]
    after = _after(before, _rows(site, listed), start)
    await connection.execute(delete(lanes).where(lanes.c.site == site))
    if after:
        await connection.execute(insert(lanes), after)
    return _unordered(before) != _unordered(after)


def _rows(site: str, listed: Sequence[GatewayRow]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (gateway.id, lane.id): {"site": site, "gateway": gateway.id, "lane": lane.id, "direction": lane.direction.value}
        | {"opens": lane.opens, "closes": lane.closes, "rotations": int(lane.rotations)}
        for gateway in listed
        for lane in gateway.lanes
    }


def _after(
    before: Sequence[_Row], listed: Mapping[tuple[str, str], dict[str, Any]], start: int
) -> list[dict[str, Any]]:
    """The rows with their past: what ended before `start` stays as it is."""
    rows, going_on = [], set()
    for row in before:
        key, until = (row["gateway"], row["lane"]), row["until"]
        same = {name: value for name, value in row.items() if name not in _WHEN} == listed.get(key)
        if same and row["since"] <= start and (until is None or until > start):
            rows.append({**row, "until": None})
            going_on.add(key)
        elif row["since"] < start:
            rows.append({**row, "until": start if until is None else min(until, start)})
    since = start if before else 0
    return rows + [{**row, "since": since, "until": None} for key, row in listed.items() if key not in going_on]


def _unordered(rows: Iterable[_Row]) -> set[tuple[tuple[str, Any], ...]]:
    return {tuple(sorted(row.items())) for row in rows}
