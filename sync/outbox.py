"""The gateway's ledger in SQLite: what append returned is on the disk, and its number is never given again.

    append --numbered and chained at once--> waiting --one writer, one INSERT--> disk --> every append of the group returns

A lone tap waits for nothing; what arrives while a group is being written is the next group (group commit, no timer).
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from gateway.domain.entry import Entry, EpochData, TapData
from gateway.domain.handshake import Receipt
from gateway.domain.model import Instant, Seq, timestamp
from gateway.domain.wire import Envelope, Stream, chain, encode
from gateway.errors import ConfigError, MalformedMessage, NotRecorded
from gateway.ports import Clock
from sync.database import SQL, Connect, Database, connect, damaged
from sync.epochs import EPOCH, begin, beyond, insertion, salvage
from sync.files import ledger_claimed
from sync.recent import taps
from sync.storage import Row, Storage

#: Rows of one INSERT; an append of its own that is longer is still one INSERT.
_GROUP_ROWS = 100
_PRUNE_ROWS = 200
#: Among these are the taps of any repeat window; a wall clock far in the past must not read the whole ledger.
_RECENT_ROWS = 500

_Waiter: TypeAlias = tuple[Sequence[Envelope], "asyncio.Future[None]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far the running epoch has come."""

    #: Newest seq on the disk.
    last: Seq
    #: h(last).
    head: bytes
    #: Oldest seq that can still be sent; last + 1 when none can.
    floor: Seq
    #: Every seq up to this one is settled.
    through: Seq


class SqliteOutbox:
    """`gateway.ports.Outbox` on one file. The constructor touches nothing; `async with` opens the file, or makes it.

    Entering raises NotRecorded when the disk does not serve, ConfigError when the file belongs to another gateway or
    another process has its folder: two writers would give the same number twice.
    After any failure of the disk the next call opens the file again and takes its position from there. When the file
    itself is damaged it is put aside and a new epoch begins: `stream` is then another one.
    """

    def __init__(
        self,
        path: Path,
        *,
        site: str,
        gateway: str,
        clock: Clock,
        connect: Connect = connect,
        make_room: Callable[[], bool] = lambda: False,
    ) -> None:
        """`make_room` is asked on a full disk before a tap is refused, and says whether it made any."""
        self._path = path
        self._clock = clock
        #: Where a damaged database was put, if this process met one.
        self.damaged: Path | None = None
        self._stream = Stream(site=site, gateway=gateway, epoch="")
        self._claim = ExitStack()
        self._base = self._oldest = self._last = self._through = 0
        self._head = b""
        # The newest number that was given, on the disk or not yet.
        self._newest, self._newest_hash = 0, b""
        self._waiting: list[_Waiter] = []
        self._writer: asyncio.Task[None] | None = None
        self._grown = asyncio.Event()
        self._storage = Storage(
            path, connect=connect, begin=self._begin, loaded=self._load, lost=self._lose, make_room=make_room
        )

    async def __aenter__(self) -> Self:
        self._claim.enter_context(ledger_claimed(self._path))
        try:
            await self._storage.open()
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            await asyncio.wait({self._writer})
        await self._leave()

    @property
    def stream(self) -> Stream:
        """Whose ledger it is."""
        return self._stream

    @property
    def position(self) -> Position:
        """A snapshot of what is on the disk."""
        # The oldest row that pruning left lends its hash to its successor and is not sent itself.
        floor = self._oldest + 1 if self._oldest > 1 else 1
        return Position(last=Seq(self._last), head=self._head, floor=Seq(floor), through=Seq(self._through))

    async def append(self, entries: Sequence[Entry]) -> Seq:
        """Fsynced before it returns the seq of the last entry; all or nothing. Raises NotRecorded.

        A caller that is cancelled while it waits cannot know: its entries are numbered and will be written.
        """
        if not self._storage.is_open:
            await self._storage.open()
        if not entries:
            return Seq(self._last)
        envelopes = self._number(entries)
        durable = asyncio.get_running_loop().create_future()
        self._waiting.append((envelopes, durable))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="outbox writer")
        await durable
        return envelopes[-1].seq

    async def after(self, seq: Seq, limit: int) -> Sequence[Envelope]:
        """At most `limit` envelopes with consecutive seqs from seq + 1 on, or from the floor where that is pruned."""
        key = self._base + max(seq, self.position.floor - 1)
        rows = await self._storage.run(SQL["after"], {"key": key, "limit": limit})
        return [Envelope(seq=Seq(key % EPOCH), body=body, hash=hash_) for key, body, hash_ in rows]

    async def apply(self, receipt: Receipt) -> None:
        """Settles everything up to receipt.through, or unsettles what is beyond it; the caller has verified the receipt.

        Raises MalformedMessage, and settles nothing, where it speaks of another epoch or of entries that are not here.
        """
        await self.settle(receipt.epoch, receipt.through)

    async def settle(self, epoch: str, through: int) -> None:
        """The same on another authority: what was exported where no journal is. Raises MalformedMessage as `apply`."""
        if epoch != self._stream.epoch or through > self._last:
            here = f"the ledger {self._stream.epoch}, which ends at {self._last}"
            raise MalformedMessage(f"a receipt for {epoch} through {through} does not fit {here}")
        if through != self._through:
            await self._storage.run(SQL["settle"], {"through": through, "number": self._base // EPOCH})
            self._through = through

    async def expire(self, before: datetime) -> None:
        """Settles by age what was recorded before that moment: where there is nobody who could confirm it."""
        wanted = {"after": self._base + self._through, "since": timestamp(before)}
        rows = await self._storage.run(SQL["first_recorded"], wanted)
        await self.settle(self._stream.epoch, rows[0][0] % EPOCH - 1 if rows else self._last)

    async def begin_again(self, agreed: Seq, reason: str) -> None:
        """A new epoch, in which everything after `agreed` stands again with its origin. Raises NotRecorded.

        Appends that come meanwhile wait for it and belong to the new epoch.
        """
        await self._storage.open()
        while self._writer is not None and not self._writer.done():
            await asyncio.wait({self._writer})
            await self._storage.open()
        # From here to the renewal nothing is awaited: no append can be numbered in between.
        old, number, now = self._stream, self._base // EPOCH, self._clock.now()
        data = EpochData(previous=old.epoch, reason=reason)
        await self._storage.renew(lambda db: begin(db, data, now, old=old, kept=beyond(db, number, agreed)))

    async def hash_of(self, seq: Seq) -> bytes | None:
        """h(seq); None where it is pruned or not yet written."""
        if seq == 0:
            return self._stream.genesis
        rows = await self._storage.run(SQL["hash"], {"key": self._base + seq})
        return rows[0][0] if rows else None

    async def wait_beyond(self, seq: Seq) -> None:
        """Returns when there is something after seq, or when a new epoch has begun: a wake-up, the row is the hand-off."""
        stream = self._stream
        while self._last <= seq and self._stream == stream:
            self._grown.clear()
            await self._grown.wait()

    async def taps_since(self, moment: datetime) -> Sequence[tuple[Instant, TapData]]:
        """The taps since that moment among the newest few hundred entries, in the order of append, whatever their epoch."""
        return await taps(self._storage, "before", self._base + self._last + 1, since=moment, rows=_RECENT_ROWS)

    async def taps_of_terminals(self) -> Sequence[tuple[Instant, TapData]]:
        """All that are here and have a time that a terminal told."""
        return await taps(self._storage, "of_terminals", self._base + self._last + 1)

    async def prune(self, before: datetime) -> None:
        """Drops settled entries that were recorded before that moment, oldest first; the newest always stays."""
        old = {"base": self._base, "since": timestamp(before)}
        while await self._storage.run(SQL["prune_epochs"], old | {"limit": _PRUNE_ROWS}):
            pass
        while True:
            stop = self._base + min(self._through + 1, self._oldest + _PRUNE_ROWS)
            rows = await self._storage.run(SQL["prune"], old | {"stop": stop})
            if not rows:
                return
            self._oldest += len(rows)

    async def _leave(self) -> None:
        try:
            await self._storage.close()
        finally:
            self._claim.close()

    def _number(self, entries: Sequence[Entry]) -> Sequence[Envelope]:
        now, first = self._clock.now().at, Seq(self._newest + 1)
        bodies = (
            encode(entry, stream=self._stream, seq=Seq(seq), recorded=now) for seq, entry in enumerate(entries, first)
        )
        try:
            envelopes = chain(self._newest_hash, first, bodies)
        except MalformedMessage as error:
            raise NotRecorded(str(error), hint="report this as a bug: every entry should fit the contract") from error
        self._newest, self._newest_hash = envelopes[-1].seq, envelopes[-1].hash
        return envelopes

    async def _write(self) -> None:
        while self._waiting:
            group = self._take()
            envelopes = [envelope for part, _ in group for envelope in part]
            try:
                await self._storage.run(*insertion(self._base, envelopes))
            except Exception as error:  # noqa: BLE001 - it belongs to those who wait; none of them waits for ever
                _reject(group, error)
                if self._storage.is_open:  # it has not taken place, and what was numbered after it has lost its own
                    self._lose(error)
                    self._newest, self._newest_hash = self._last, self._head
                continue
            self._last, self._head = envelopes[-1].seq, envelopes[-1].hash
            self._grown.set()
            for _, durable in group:
                if not durable.done():
                    durable.set_result(None)

    def _take(self) -> Sequence[_Waiter]:
        rows, count = 0, 0
        for part, _ in self._waiting:
            rows += len(part)
            if rows > _GROUP_ROWS and count:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    def _lose(self, error: Exception) -> None:
        # What waits was numbered after an entry that may not be there: it has lost its place.
        _reject(self._waiting, error)
        self._waiting = []

    def _load(self, row: Row) -> None:
        number, epoch, site, gateway, self._through, self._oldest, self._last, self._head = row
        stream = Stream(site=site, gateway=gateway, epoch=epoch)
        if replace(self._stream, epoch=epoch) != stream:
            raise ConfigError(
                f"{self._path} is the ledger of gateway {gateway} of site {site}, which is not configured here",
                hint="name site and gateway as before, or give a new gateway a new state directory",
            )
        self._base = number * EPOCH
        self._stream = stream
        self._newest, self._newest_hash = self._last, self._head
        self._grown.set()

    def _begin(self, database: Database) -> None:
        self.damaged = damaged(self._path)
        old, reason = None, "first start"
        kept: Sequence[Envelope] = ()
        if self.damaged is not None:
            old, kept = salvage(self.damaged)
            reason = f"damaged database put aside as {self.damaged.name}"
        data = EpochData(previous=old.epoch if old else None, reason=reason)
        begin(database, data, self._clock.now(), old=old or self._stream, kept=kept)


def _reject(waiters: Sequence[_Waiter], error: Exception) -> None:
    for _, durable in waiters:
        if not durable.done():
            durable.set_exception(error)
