"""What the worker of a share hears: the topics of its own sites, and of those that the office adds meanwhile."""

from typing import Protocol

from sqlalchemy import select

from gateway.domain.handshake import topic
from gateway.ports import Clock
from journal.store import Store
from journal.tables import sites

#: How often a site that another process added is looked for.
_POLL_SECONDS = 2.0
#: Filters of one SUBSCRIBE packet.
_AT_ONCE = 200


class Subscriber(Protocol):
    """One connection to the broker. Raises LinkLost once it is gone."""

    async def subscribe(self, *filters: str) -> None: ...


async def follow(link: Subscriber, store: Store, clock: Clock) -> None:
    """Endless. What a site retains, its gateways' births, comes with the subscription. Raises LinkLost."""
    heard: set[str] = set()
    query = select(sites.c.site).where(store.shard.mine(sites.c.site))
    while True:
        async with store.read() as connection:
            fresh = sorted(set((await connection.execute(query)).scalars()) - heard)
        filters = [topic(site, "+", kind) for site in fresh for kind in ("events", "state")]
        for start in range(0, len(filters), _AT_ONCE):
            await link.subscribe(*filters[start : start + _AT_ONCE])
        heard.update(fresh)
        await clock.sleep(_POLL_SECONDS)
