"""A gateway changes its key: announced by an entry under the old one, in force with the first birth under the new one."""

from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.entry import KeyData
from gateway.domain.wire import Event, Stream
from journal.tables import gateways
from sync.signing import key_id


async def announce(connection: AsyncConnection, stream: Stream, events: Iterable[Event]) -> None:
    """Note the next key of this gateway, where one of these new entries names it under the key that is registered."""
    announced = {event.data.kid: event.data.key for event in events if isinstance(event.data, KeyData)}
    if not announced:
        return
    c = gateways.c
    mine = (c.gateway == stream.gateway, c.site == stream.site)
    registered = (await connection.execute(select(c.public_key).where(*mine))).scalar()
    if registered is not None and (key := announced.get(key_id(registered))) is not None:
        await connection.execute(update(gateways).where(*mine).values(next_key=bytes.fromhex(key)))


async def change(connection: AsyncConnection, gateway: str, key: bytes) -> None:
    """The next key is the registered one from now on, and the old one is trusted no more."""
    c = gateways.c
    mine = (c.gateway == gateway, c.next_key == key)
    await connection.execute(update(gateways).where(*mine).values(public_key=key, next_key=None))
