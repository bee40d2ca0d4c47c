"""A ledger in memory, and a database that fails when told to."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from gateway.domain.entry import Entry, EpochData, TapData
from gateway.domain.handshake import Receipt
from gateway.domain.model import Instant, Seq
from gateway.domain.wire import Envelope, Stream, again, chain, decode, encode
from gateway.errors import MalformedMessage, NotRecorded
from gateway.ports import Clock
from sync.database import Database, Parameters, Rows, connect
from sync.outbox import Position


class FakeOutbox:
    """Keeps envelopes in a list; `broken` makes every append fail."""

    def __init__(self, *, site: str, gateway: str, clock: Clock, epoch: str = "epoch-a") -> None:
        self.stream = Stream(site=site, gateway=gateway, epoch=epoch)
        self.broken = False
        self._clock = clock
        self._envelopes: list[Envelope] = []
        self._floor = self._through = self._epochs = 0
        self._grown = asyncio.Event()
        self._keep([Entry(at=clock.now(), data=EpochData(previous=None, reason="first start"))])

    @property
    def position(self) -> Position:
        newest = self._envelopes[-1]
        return Position(last=newest.seq, head=newest.hash, floor=Seq(self._floor + 1), through=Seq(self._through))

    async def append(self, entries: Sequence[Entry]) -> Seq:
        await asyncio.sleep(0)
        if self.broken:
            raise NotRecorded
        try:
            self._keep(entries)
        except MalformedMessage as error:
            raise NotRecorded(str(error)) from error
        return self.position.last

    async def after(self, seq: Seq, limit: int) -> Sequence[Envelope]:
        first = max(seq, self._floor)
        return self._envelopes[first : first + limit]

    async def apply(self, receipt: Receipt) -> None:
        if receipt.epoch != self.stream.epoch or receipt.through > self.position.last:
            raise MalformedMessage("the receipt does not fit the ledger")
        self._through = receipt.through

    async def hash_of(self, seq: Seq) -> bytes | None:
        if seq == 0:
            return self.stream.genesis
        return self._envelopes[seq - 1].hash if max(self._floor, 1) <= seq <= len(self._envelopes) else None

    async def wait_beyond(self, seq: Seq) -> None:
        stream = self.stream
        while self.position.last <= seq and self.stream == stream:
            self._grown.clear()
            await self._grown.wait()

    async def begin_again(self, agreed: Seq, reason: str) -> None:
        old, kept = self.stream, self._envelopes[max(agreed, self._floor, 1) :]
        self._epochs += 1
        self.stream = replace(old, epoch=f"epoch-{self._epochs}")
        self._envelopes, self._floor, self._through = [], 0, 0
        self._keep([Entry(at=self._clock.now(), data=EpochData(previous=old.epoch, reason=reason))])
        places: dict[Seq, Seq] = {}
        for envelope in kept:
            seq = places[envelope.seq] = Seq(self.position.last + 1)
            body = again(envelope, old, new=self.stream, seq=seq, places=places)
            self._envelopes += chain(self.position.head, seq, [body])
        self._grown.set()

    async def taps_since(self, moment: datetime) -> Sequence[tuple[Instant, TapData]]:
        events = [decode(envelope.body) for envelope in self._envelopes]
        return [(e.at, e.data) for e in events if isinstance(e.data, TapData) and e.at.at >= moment]

    async def prune(self, before: datetime) -> None:
        settled = self._envelopes[self._floor : self._through]
        while settled and decode(settled.pop(0).body).recorded < before:
            self._floor += 1

    def _keep(self, entries: Sequence[Entry]) -> None:
        first = Seq(len(self._envelopes) + 1)
        prev = self._envelopes[-1].hash if self._envelopes else self.stream.genesis
        now = self._clock.now().at
        bodies = [encode(e, stream=self.stream, seq=Seq(n), recorded=now) for n, e in enumerate(entries, first)]
        self._envelopes += chain(prev, first, bodies)
        self._grown.set()


class FaultyDatabase:
    """The real database behind a disk that `fails` before or after it has done its work."""

    def __init__(self, path: Path, fails: Callable[[str, bool], bool]) -> None:
        self._real: Database = connect(path)
        self._fails = fails

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        if self._fails(sql, False):
            raise sqlite3.OperationalError("disk I/O error")
        rows = self._real.execute(sql, parameters)
        if self._fails(sql, True):
            rows.fetchall()  # a statement that is not finished would hold its snapshot as long as the error lives
            raise sqlite3.OperationalError("disk I/O error")
        return rows

    def close(self) -> None:
        self._real.close()


class Plan:
    """Which of the next statements fail, and on which side of their work."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.armed = True
        self._faults = iter(faults)
        self._now = "ok"

    def __call__(self, sql: str, done: bool) -> bool:
        if not done:
            self._now = next(self._faults, "ok") if self.armed else "ok"
        return self._now == ("after" if done else "before")
