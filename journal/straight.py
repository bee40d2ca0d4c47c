"""The straight way of a batch: it continues what is committed, nothing waits beyond it, nothing in it stood elsewhere before, and no key changes.

So it is with nearly every batch, and then nothing has to be looked up entry by entry: all such batches that waited are one
set of rows, whatever gateways they are of. Every other batch goes the careful way, journal.ledger, to the same end.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.entry import KeyData
from gateway.domain.handshake import Refusal
from gateway.domain.wire import MAX_BATCH_EVENTS, Event, Stream
from journal.batch import ROW, Received
from journal.days import days_of, days_of_taps
from journal.ledger import Position, position, record, stream_key
from journal.prepared import Value, prepared
from journal.reading import PlainTap
from journal.store import Day, add_rows, mark_dirty, upsert
from journal.tables import entries, segments, watermarks

Line: TypeAlias = PlainTap | Event | str


@dataclass(slots=True)
class Taken:
    """What became of all that waited."""

    positions: dict[Stream, Position] = field(default_factory=dict)
    refused: dict[Stream, list[Refusal]] = field(default_factory=lambda: defaultdict(list))
    #: Whether a day was marked dirty.
    changed: bool = False


async def take(connection: AsyncConnection, batches: Sequence[Received], *, received: int) -> Taken:
    """Write batches in the caller's transaction, those of a gateway in this order; `received` in milliseconds."""
    of: dict[Stream, list[Received]] = defaultdict(list)
    for batch in batches:
        of[batch.stream].append(batch)
    taken, straight = Taken(), {}
    tips = await _tips(connection, list(of)) if of else {}
    for stream, mine in of.items():
        if (tip := tips.get(stream)) and (events := _continued(tip, mine)) is not None:
            straight[stream] = events
            taken.positions[stream] = Position(through=mine[-1].last, head=mine[-1].head)
    if straight:
        taken.changed = await _write(connection, {stream: of[stream] for stream in straight}, straight, received)
    for batch in (one for stream, mine in of.items() if stream not in straight for one in mine):
        outcome = await record(connection, batch, received=received)
        taken.refused[batch.stream] += outcome.refused
        taken.changed = taken.changed or bool(outcome.days)
    for stream in of.keys() - straight.keys():
        taken.positions[stream] = await position(connection, stream)
    return taken


async def _tips(connection: AsyncConnection, streams: Sequence[Stream]) -> dict[Stream, tuple[int, bytes]]:
    """How far these ledgers are committed; only those beyond which nothing is held."""
    names = [(stream.site, stream.gateway, stream.epoch) for stream in streams]
    tips = {stream: (0, stream.genesis) for stream in streams}
    for site, gateway, epoch, through, head in await connection.execute(*_committed(names)):
        tips[Stream(site=site, gateway=gateway, epoch=epoch)] = (through, head)
    for site, gateway, epoch in await connection.execute(*_held(names)):
        del tips[Stream(site=site, gateway=gateway, epoch=epoch)]
    return tips


@prepared
def _committed(names: Value) -> Select[Any]:
    w = watermarks.c
    columns = select(w.site, w.gateway, w.epoch, w.through, w.head)
    return columns.where(tuple_(w.site, w.gateway, w.epoch).in_(names))


@prepared
def _held(names: Value) -> Select[Any]:
    w, s = watermarks.c, segments.c
    through = func.coalesce(w.through, 0)
    same = (w.site == s.site) & (w.gateway == s.gateway) & (w.epoch == s.epoch)
    columns = select(s.site, s.gateway, s.epoch).outerjoin(watermarks, same).distinct()
    beyond = s.first > through - MAX_BATCH_EVENTS, s.last > through
    return columns.where(tuple_(s.site, s.gateway, s.epoch).in_(names), *beyond)


def _continued(tip: tuple[int, bytes], batches: Iterable[Received]) -> list[Line] | None:
    """What the entries say, where each batch follows the one before; None where one does not, tells a key, or was appended again."""
    through, head = tip
    read: list[Line] = []
    for batch in batches:
        if (batch.first, batch.prev) != (through + 1, head):
            return None
        through, head = batch.last, batch.head
        read += batch.lines
    return None if any(isinstance(event, Event) and _careful(event) for event in read) else read


def _careful(event: Event) -> bool:
    return event.origin is not None or isinstance(event.data, KeyData)


async def _write(
    connection: AsyncConnection,
    batches: Mapping[Stream, Sequence[Received]],
    read: Mapping[Stream, Sequence[Line]],
    received: int,
) -> bool:
    """Entries, segments, watermarks, dirty days; True where there were any of the last."""
    every = [batch for mine in batches.values() for batch in mine]
    now = (received,)
    await add_rows(connection, entries, (*ROW, "received"), [row + now for batch in every for row in batch.rows])
    parts = [batch.segment() for batch in every]
    await add_rows(connection, segments, list(parts[0]), [tuple(part.values()) for part in parts])
    ends = [(stream, mine[-1]) for stream, mine in batches.items()]
    await upsert(connection, watermarks, [{**stream_key(s), "through": b.last, "head": b.head} for s, b in ends])
    days = await _days(connection, read)
    await mark_dirty(connection, days)
    return bool(days)


async def _days(connection: AsyncConnection, read: Mapping[Stream, Sequence[Line]]) -> set[Day]:
    """Of plain taps all at once; of the rest one gateway after the other."""
    taps: list[tuple[str, str, datetime]] = []
    days: set[Day] = set()
    for stream, lines in read.items():
        plain = [line for line in lines if isinstance(line, PlainTap)]
        taps += [(stream.site, tap.token, tap.at) for tap in plain if tap.token]
        if others := [line for line in lines if isinstance(line, Event)]:
            days |= await days_of(connection, stream, others)
    return days | await days_of_taps(connection, taps)
