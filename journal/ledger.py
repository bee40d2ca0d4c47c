"""The transaction of a batch: raw events, segment, watermark, dirty days. Exactly once, whatever is sent twice or late.

    through = 4          held: 7-9                        batch 5-6 arrives
    [1 2 3 4] . . [7 8 9]      ->   prev = h(4)?  ->  [1 2 3 4 5 6]  ->  7-9: prev = h(6)?  ->  through = 9

An entry is named by (site, gateway, epoch, seq). The same name with other bytes goes to quarantine. A segment that
waited beyond the watermark and turns out not to continue it goes there too, so that the right one can take its place.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.handshake import Refusal, Span
from gateway.domain.wire import MAX_BATCH_EVENTS, Envelope, Event, Stream
from journal.batch import ROW, Received
from journal.days import days_of, held_days, linked_days
from journal.origins import REPEATED, repeated
from journal.prepared import Value, prepared
from journal.rekeying import announce
from journal.store import Day, insert_new, mark_dirty, of, upsert
from journal.tables import entries, quarantine, segments, watermarks

MAX_HELD = 16
_SEQ = ROW.index("seq")
_MAX_SEGMENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a ledger is committed here."""

    through: int
    head: bytes
    held: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a batch."""

    #: This batch, or those that waited for it and do not continue it.
    refused: Sequence[Refusal]
    #: Days that were marked dirty.
    days: Collection[Day] = ()


async def record(connection: AsyncConnection, batch: Received, *, received: int) -> Outcome:
    """Write a batch in the caller's transaction; `received` in milliseconds. Nothing is sent before the COMMIT."""
    known = await _known(connection, batch)
    others = [e for e in batch.envelopes if known.get(e.seq, (e.hash, e.body)) != (e.hash, e.body)]
    if any(known[envelope.seq][1] != envelope.body for envelope in others):
        await _quarantine(
            connection, batch, [e for e in batch.envelopes if e in others or e.seq not in known], received
        )
        return Outcome(refused=[batch.refused("quarantine")])
    before = await position(connection, batch.stream)
    if others or not await _follows(connection, batch, before.through):
        return Outcome(refused=[batch.refused("link")])
    events = await _insert(connection, batch, [e for e in batch.envelopes if e.seq not in known], received)
    await announce(connection, batch.stream, events)
    after, refused, taken_back = await _advance(connection, batch.stream, before, received)
    days = taken_back | await days_of(connection, batch.stream, events)
    if after.through > (counted := max(before.through, batch.last)):
        days |= await linked_days(connection, batch.stream, counted, after.through)
    await mark_dirty(connection, days)
    return Outcome(refused=refused, days=days)


async def position(connection: AsyncConnection, stream: Stream) -> Position:
    """How far the ledger is committed, and what is held beyond; through 0 and h(0) for one never heard of."""
    row = (await connection.execute(*_committed(stream.site, stream.gateway, stream.epoch))).one_or_none()
    through, head = row or (0, stream.genesis)
    spans: list[tuple[int, int]] = []
    beyond = through - MAX_BATCH_EVENTS, through  # the first half spares a walk over the whole past
    for start, end in await connection.execute(*_segments(stream.site, stream.gateway, stream.epoch, *beyond)):
        if spans and start <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return Position(through=through, head=head, held=tuple(Span(first=a, last=b) for a, b in spans[:MAX_HELD]))


@prepared
def _committed(site: Value, gateway: Value, epoch: Value) -> Select[Any]:
    c = watermarks.c
    return select(c.through, c.head).where(c.site == site, c.gateway == gateway, c.epoch == epoch)


@prepared
def _segments(site: Value, gateway: Value, epoch: Value, before: Value, through: Value) -> Select[Any]:
    c = segments.c
    of_ledger = c.site == site, c.gateway == gateway, c.epoch == epoch
    query = select(c.first, c.last).where(*of_ledger, c.first > before, c.last > through)
    return query.order_by(c.first, c.last).limit(_MAX_SEGMENTS)


async def _known(connection: AsyncConnection, batch: Received) -> dict[int, tuple[bytes, bytes]]:
    c = entries.c
    query = select(c.seq, c.hash, c.body).where(*of(entries, batch.stream), c.seq.between(batch.first, batch.last))
    return {seq: (digest, body) for seq, digest, body in await connection.execute(query)}


async def _follows(connection: AsyncConnection, batch: Received, through: int) -> bool:
    """False where h(first - 1) is committed and is not what the batch says it is."""
    if batch.first == 1:
        return batch.prev == batch.stream.genesis
    if batch.first - 1 > through:
        return True
    query = select(entries.c.hash).where(*of(entries, batch.stream), entries.c.seq == batch.first - 1)
    return bool((await connection.execute(query)).scalar_one() == batch.prev)


async def _insert(
    connection: AsyncConnection, batch: Received, envelopes: Sequence[Envelope], received: int
) -> list[Event]:
    """Write what is new and tell which of it can be judged by."""
    new = {envelope.seq for envelope in envelopes}
    read = [pair for pair in zip(batch.rows, batch.events, strict=True) if pair[0][_SEQ] in new]
    events = [event for _, event in read if isinstance(event, Event)]
    again = await repeated(connection, batch.stream, events)
    rows = [dict(zip(ROW, row, strict=True)) | {"received": received} for row, _ in read]
    if rows:
        told = [row | {"flag": REPEATED} if row["seq"] in again else row for row in rows]
        await connection.execute(insert_new(connection, entries), told)
    await connection.execute(insert_new(connection, segments), batch.segment())
    return [event for event in events if event.seq not in again]


async def _advance(
    connection: AsyncConnection, stream: Stream, start: Position, received: int
) -> tuple[Position, list[Refusal], set[Day]]:
    """Move the watermark over every segment that continues it; throw out what waited and does not, and tell its days."""
    c = segments.c
    through, head, stray = start.through, start.head, False
    while not stray:
        query = select(c.first, c.last, c.prev, c.head)
        near = c.first.between(through + 1 - MAX_BATCH_EVENTS, through + 1)
        query = query.where(*of(segments, stream), near)
        following = await connection.execute(query.where(c.last > through).order_by(c.last.desc()).limit(1))
        if (segment := following.one_or_none()) is None:
            break
        # One that starts at or before `through` shares the entry there, hash and all: it continues for certain.
        stray = segment.first == through + 1 and segment.prev != head
        if not stray:
            through, head = segment.last, segment.head
    if through > start.through:
        await upsert(connection, watermarks, [{**stream_key(stream), "through": through, "head": head}])
    refused, days = await _evict(connection, stream, through, received) if stray else ([], set())
    return Position(through=through, head=head), refused, days


async def _evict(
    connection: AsyncConnection, stream: Stream, through: int, received: int
) -> tuple[list[Refusal], set[Day]]:
    """Move everything beyond the watermark to quarantine: it hangs on bytes that this ledger does not have."""
    held = (await position(connection, stream)).held
    days = await held_days(connection, stream, through)
    c, q = entries.c, [column.key for column in quarantine.c]
    waiting = [*of(entries, stream), c.seq > through]
    copied = select(*(literal(received) if key == "received" else c[key] for key in q)).where(*waiting)
    await connection.execute(insert_new(connection, quarantine).from_select(q, copied))
    await connection.execute(delete(entries).where(*waiting))
    await connection.execute(delete(segments).where(*of(segments, stream), segments.c.last > through))
    return [Refusal(first=span.first, last=span.last, code="link") for span in held], days


async def _quarantine(
    connection: AsyncConnection, batch: Received, envelopes: Sequence[Envelope], received: int
) -> None:
    rows = [
        {**stream_key(batch.stream), "seq": e.seq, "hash": e.hash, "body": e.body, "received": received}
        for e in envelopes
    ]
    await connection.execute(insert_new(connection, quarantine), rows)


def stream_key(stream: Stream) -> dict[str, str]:
    """The columns that name a ledger."""
    return {"site": stream.site, "gateway": stream.gateway, "epoch": stream.epoch}
