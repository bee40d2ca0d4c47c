"""Lanes of a table, held against what gateways are and tell: a lane that no gateway has keeps everybody unknown."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.entry import CoverageData, PassageData, TapData
from journal.effect import REACH
from journal.store import milliseconds
from journal.tables import entries, gateways, lanes
from sync.sources.cells import similar
from sync.sources.school import Remark, ServedLane

#: Only a lane tells these; trouble may be that of a device which serves several.
_OF_LANES = (TapData.type, PassageData.type, CoverageData.type)
_MEANS = "such a lane keeps everybody unknown"
_MEND = "write gateway and lane as in gateway.toml"


async def doubtful_lanes(
    connection: AsyncConnection, site: str, listed: Sequence[ServedLane], now: dt.datetime
) -> list[Remark]:
    """Listed lanes of no gateway, or of one that tells of others only; and lanes where people tap that are not listed."""
    g = gateways.c
    added = set((await connection.execute(select(g.gateway).where(g.site == site))).scalars())
    told, tapped = await _told(connection, site, now)
    found: dict[str, Remark] = {}
    # Who imports before the first gateway is added does nothing wrong.
    for one in listed if added else ():
        others = told[one.gateway]
        if one.gateway not in added:
            what, hint = f"{site} has no gateway {one.gateway}", similar(one.gateway, added, _MEND)
        elif others and one.id not in others:
            what = f"{one.gateway} tells of {', '.join(sorted(others))}, and in {REACH.days} days never of {one.id}"
            hint = similar(one.id, others, _MEND)
        else:
            continue
        found.setdefault(what, Remark(place=one.origin, problem=f"{what}; {_MEANS}", hint=hint))
    listed_or_served = {(one.gateway, str(one.id)) for one in listed} | await _served(connection, site, tapped)
    return [*found.values(), *(_unlisted(*lane) for lane in sorted(tapped.keys() - listed_or_served))]


async def _told(
    connection: AsyncConnection, site: str, now: dt.datetime
) -> tuple[dict[str, set[str]], dict[tuple[str, str], int]]:
    """The lanes of which each gateway told lately; and when somebody tapped last at a lane."""
    e = entries.c
    last_tap = func.max(case((e.type == TapData.type, e.at)))
    query = select(e.gateway, e.lane, last_tap).where(e.site == site, e.at >= milliseconds(now - REACH))
    told, tapped = defaultdict(set), {}
    rows = await connection.execute(query.where(e.type.in_(_OF_LANES)).group_by(e.gateway, e.lane))
    for gateway, lane, at in rows:
        told[gateway].add(lane)
        if at is not None:
            tapped[gateway, lane] = at
    return told, tapped


async def _served(connection: AsyncConnection, site: str, tapped: dict[tuple[str, str], int]) -> set[tuple[str, str]]:
    """Those that served when somebody tapped there last: taken out of the table on purpose."""
    c = lanes.c
    rows = await connection.execute(select(c.gateway, c.lane, c.since, c.until).where(c.site == site))
    return {
        (gateway, lane)
        for gateway, lane, since, until in rows
        if since <= tapped.get((gateway, lane), -1) and (until is None or tapped[gateway, lane] < until)
    }


def _unlisted(gateway: str, lane: str) -> Remark:
    problem = f"somebody tapped at {gateway}/{lane}, which is not listed: what happens there counts for nobody"
    return Remark(place="lanes", problem=problem, hint="add a row for it, or mend the name of another")
