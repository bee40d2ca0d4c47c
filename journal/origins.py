"""Entries that a gateway appended again under a new epoch: which of them the journal holds already."""

from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.wire import Event, Stream
from journal.tables import entries, watermarks

#: The flag of an entry that is held under its origin: kept, because the chain runs through it, and judged by nobody.
REPEATED = "repeated"


async def repeated(connection: AsyncConnection, stream: Stream, events: Sequence[Event]) -> set[int]:
    """The seqs of those that are held at their origin up to the watermark of its epoch, or were appended again before."""
    origins = {str(event.origin): event.origin for event in events if event.origin is not None}
    if not origins:
        return set()
    c, w = entries.c, watermarks.c
    mine = (c.site == stream.site, c.gateway == stream.gateway, c.flag.is_(None))
    places = [(o.epoch, o.seq, bytes.fromhex(o.hash)) for o in origins.values()]
    counted = (w.site == c.site) & (w.gateway == c.gateway) & (w.epoch == c.epoch) & (w.through >= c.seq)
    there = select(c.epoch, c.seq, c.hash).join(watermarks, counted)
    there = there.where(*mine, tuple_(c.epoch, c.seq, c.hash).in_(places))
    known = {f"{epoch}/{seq}/{digest.hex()}" for epoch, seq, digest in await connection.execute(there)}
    before = select(c.origin).where(*mine, c.epoch != stream.epoch, c.origin.in_(origins))
    known |= set((await connection.execute(before)).scalars())
    return {event.seq for event in events if str(event.origin) in known}
