"""How long a door was not heard of: the doubt of a mark tells only since when."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import Doubt, DoubtKind
from journal.facts import bounds, gather, interpret


async def heard_again(
    connection: AsyncConnection, site: str, day: dt.date, zone: ZoneInfo, doubts: Iterable[Doubt]
) -> dict[Doubt, dt.datetime]:
    """When each silence of that day ended, by the doubt that tells since when it was; one that goes on has no end."""
    midnight, _ = bounds(day, zone)
    silent = {one for one in doubts if one.kind is DoubtKind.SILENT and one.since is not None and one.since >= midnight}
    if not silent:
        return {}
    _, coverage = interpret(await gather(connection, site, day, zone, ()))
    heard: dict[str, list[dt.datetime]] = defaultdict(list)
    for lane in coverage.lanes:
        heard[lane.name] += [interval.since for interval in lane.intervals]
    later = {one: [at for at in heard[one.lane] if one.since is not None and at > one.since] for one in silent}
    return {doubt: min(moments) for doubt, moments in later.items() if moments}
