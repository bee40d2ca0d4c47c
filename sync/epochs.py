"""A new ledger in the same database, and what it takes along from the one before.

    old   [1 … agreed][agreed+1 … last]          new   [1: att.epoch.v1][2 …: the same facts, each with its origin]

Whoever holds an origin already drops its repetition, so nothing counts twice and nothing is lost.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from gateway.domain.entry import Entry, EpochData
from gateway.domain.model import Instant, Seq
from gateway.domain.wire import Envelope, Stream, again, chain, decode, encode, link
from gateway.errors import MalformedMessage
from sync.database import SQL, Database

#: Seqs have twelve digits; the rest of a key is the number of the epoch.
EPOCH = 10**12
_PAGE = 500


def begin(database: Database, data: EpochData, now: Instant, *, old: Stream, kept: Iterable[Envelope]) -> None:
    """Write the first entry of a new epoch, and again what is `kept` of the old one, in the caller's transaction."""
    stream = replace(old, epoch=secrets.token_hex(8))
    names = {"id": stream.epoch, "site": stream.site, "gateway": stream.gateway}
    [[number]] = database.execute(SQL["begin_epoch"], names).fetchall()
    opening = encode(Entry(at=now, data=data), stream=stream, seq=Seq(1), recorded=now.at)
    [newest] = chain(stream.genesis, Seq(1), [opening])
    _insert(database, number, newest)
    places: dict[Seq, Seq] = {}
    for envelope in kept:
        seq = Seq(newest.seq + 1)
        with suppress(MalformedMessage):  # what nobody can read, nobody can be told again
            body = again(envelope, old, new=stream, seq=seq, places=places)
            [newest] = chain(newest.hash, seq, [body])
            _insert(database, number, newest)
            places[envelope.seq] = seq


def beyond(database: Database, number: int, agreed: Seq) -> Iterator[Envelope]:
    """What an epoch of this database holds beyond a seq, but for its own beginning."""
    after, before = number * EPOCH + max(agreed, 1), (number + 1) * EPOCH
    while rows := database.execute(SQL["between"], {"after": after, "before": before, "limit": _PAGE}).fetchall():
        yield from (Envelope(seq=Seq(key % EPOCH), body=body, hash=hash_) for key, body, hash_ in rows)
        after = rows[-1][0]


def salvage(path: Path) -> tuple[Stream | None, Sequence[Envelope]]:
    """What can still be read of the unsettled entries of a damaged file, and whose they are. Never raises."""
    found: list[Envelope] = []
    stream = None
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        database.execute("PRAGMA writable_schema = ON")  # a file that was cut short is read as far as it goes
        number, epoch, site, gateway, through = database.execute(SQL["newest_epoch"]).fetchone() or (0, "", "", "", 0)
        stream = Stream(site=site, gateway=gateway, epoch=epoch) if number else None
        start = number * EPOCH + max(through, 1)
        for key, body, hash_ in database.execute(SQL["after"], {"key": start, "limit": -1}):
            envelope = Envelope(seq=Seq(key % EPOCH), body=body, hash=hash_)
            if _sound(envelope, found):
                found.append(envelope)
    return stream, found


def _sound(envelope: Envelope, before: list[Envelope]) -> bool:
    """It decodes, and continues the one before it if that is here."""
    try:
        decode(envelope.body)
    except (MalformedMessage, TypeError):
        return False
    linked = before and before[-1].seq == envelope.seq - 1
    return not linked or link(before[-1].hash, envelope.body) == envelope.hash


def insertion(base: int, envelopes: Sequence[Envelope]) -> tuple[str, Sequence[object]]:
    """One statement for all of them, and its parameters."""
    values = [value for envelope in envelopes for value in (base + envelope.seq, envelope.body, envelope.hash)]
    return SQL["append"] + ", (?, ?, ?)" * (len(envelopes) - 1), values


def _insert(database: Database, number: int, envelope: Envelope) -> None:
    database.execute(*insertion(number * EPOCH, [envelope]))
