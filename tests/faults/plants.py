"""Bugs planted on purpose: a simulation that stays green over one of these proves nothing."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.clockwork import Ages
from gateway.domain import evidence
from gateway.domain.coverage import Interval
from gateway.domain.entry import Entry
from gateway.domain.handshake import Receipt
from gateway.domain.model import Seq
from gateway.domain.wire import Batch, Event
from journal import ledger, straight
from journal.batch import Received
from journal.inbox import Answers, Inbox
from journal.ledger import Position
from journal.notify import outbox
from journal.notify.outbox import State
from journal.notify.tables import notices
from journal.shard import WHOLE, Shard
from sync.outbox import SqliteOutbox
from sync.uplink import MqttUplink
from sync.window import Window
from tests.faults.engine import Cursor

Plant = Callable[[pytest.MonkeyPatch], None]


def unsynced_commits(patch: pytest.MonkeyPatch) -> None:
    """synchronous = NORMAL, while the database says FULL."""
    execute = Cursor.execute

    def lying(self: Cursor, sql: str, parameters: Any = (), /) -> Cursor:
        if sql == "PRAGMA synchronous":
            return execute(self, "SELECT 2")
        return execute(self, sql.replace("synchronous = FULL", "synchronous = NORMAL"), parameters)

    patch.setattr(Cursor, "execute", lying)


def settled_at_puback(patch: pytest.MonkeyPatch) -> None:
    """The broker's acknowledgement is taken for the journal's."""
    send = MqttUplink.send

    async def believing(self: MqttUplink, batch: Batch) -> None:
        await send(self, batch)
        stream = batch.stream
        receipt = Receipt(
            site=stream.site,
            gateway=stream.gateway,
            session=self.session,
            epoch=stream.epoch,
            through=batch.last,
            head=batch.envelopes[-1].hash.hex(),
            issued=0,
        )
        self._receipts.put(receipt)

    patch.setattr(MqttUplink, "send", believing)


def green_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """The lamp does not wait for the disk."""
    append = SqliteOutbox.append

    async def hasty(self: SqliteOutbox, entries: Sequence[Entry]) -> Seq:
        writing = asyncio.ensure_future(append(self, entries))
        writing.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.sleep(0)
        return Seq(self._newest)

    patch.setattr(SqliteOutbox, "append", hasty)


def number_kept_after_a_failure(patch: pytest.MonkeyPatch) -> None:
    """What a full disk refused has used up its number."""
    write = SqliteOutbox._write

    async def wasteful(self: SqliteOutbox) -> None:
        newest = self._newest
        await write(self)
        self._newest = max(self._newest, newest)

    patch.setattr(SqliteOutbox, "_write", wasteful)


def receipt_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """The journal answers first and writes then."""
    commit = Inbox._commit

    async def hasty(self: Inbox, batches: Sequence[Received], answers: Answers) -> list[Receipt]:
        if not batches:
            return await commit(self, batches, answers)
        writing = asyncio.ensure_future(commit(self, batches, answers))
        writing.add_done_callback(lambda task: task.cancelled() or task.exception())
        births = [(batch, self._born(batch.stream)) for batch in batches]
        return [
            self._receipt(birth, batch.stream, Position(through=batch.last, head=batch.head), [])
            for batch, birth in births
            if birth is not None
        ]

    patch.setattr(Inbox, "_commit", hasty)


def deaf_to_lower_receipts(patch: pytest.MonkeyPatch) -> None:
    """A journal that came back from a backup is not sent again what it lost."""
    settle = Window.settle

    def stubborn(self: Window, through: Seq) -> bool:
        return through > self.through and settle(self, through)

    patch.setattr(Window, "settle", stubborn)


def absent_without_proof(patch: pytest.MonkeyPatch) -> None:
    """Every lane counts as heard of from morning to evening."""
    interpret = evidence.interpret

    def trusting(found: Any) -> Any:
        facts, coverage = interpret(found)
        lanes = [
            replace(lane, intervals=(Interval(since=lane.opens, until=lane.closes),), outages=())
            for lane in coverage.lanes
        ]
        return facts, replace(coverage, lanes=tuple(lanes))

    patch.setattr(evidence, "interpret", trusting)


def chained_to_what_failed(patch: pytest.MonkeyPatch) -> None:
    """The entry after one that a disk refused hangs on it all the same."""
    write = SqliteOutbox._write

    async def stale(self: SqliteOutbox) -> None:
        newest, digest = self._newest, self._newest_hash
        await write(self)
        if self._newest < newest:
            self._newest_hash = digest

    patch.setattr(SqliteOutbox, "_write", stale)


def counted_over_a_gap(patch: pytest.MonkeyPatch) -> None:
    """The journal takes what came for what is next."""

    def careless(_tip: tuple[int, bytes], batches: Sequence[Received]) -> list[Event | str]:
        return [event for batch in batches for event in batch.events]

    patch.setattr(straight, "_continued", careless)


def counted_again(patch: pytest.MonkeyPatch) -> None:
    """What a new epoch tells again is judged again."""

    async def forgetful(*_: object) -> set[int]:
        return set()

    patch.setattr(ledger, "repeated", forgetful)


def attempts_made_again(patch: pytest.MonkeyPatch) -> None:
    """A message that may have gone out before a crash goes out after it."""

    async def insistent(connection: AsyncConnection, _shard: Shard = WHOLE) -> int:
        c = notices.c
        again = update(notices).where(c.state == State.SENDING).values(state=State.PENDING)
        return (await connection.execute(again)).rowcount

    patch.setattr(outbox, "recover", insistent)


def wall_clock_believed(patch: pytest.MonkeyPatch) -> None:
    """What a clock calls old is forgotten at once."""
    patch.setattr(Ages, "before", lambda _self, now, kept: now.at - kept)


#: Each with a seed at which it shows, and the words of the check that finds it.
PLANTS: dict[Plant, tuple[int, str]] = {
    unsynced_commits: (5, "which was on its disk"),
    settled_at_puback: (1, "settles up to"),
    green_before_the_commit: (1, "shows green and has no entry"),
    number_kept_after_a_failure: (15, "after"),
    chained_to_what_failed: (15, "the chain breaks at"),
    receipt_before_the_commit: (1, "settles up to"),
    counted_over_a_gap: (2, "the journal"),
    counted_again: (16, "2 times in the journal"),
    deaf_to_lower_receipts: (27, "not at rest"),
    absent_without_proof: (56, "is absent, and a lamp was green"),
    attempts_made_again: (7, "is told twice"),
    wall_clock_believed: (37, "forgets"),
}
