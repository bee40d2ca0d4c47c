"""The journal as `journal.app` composes it: real inbox, publisher, judge loop and messages over a forgetful disk."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import aiosqlite
from sqlalchemy import delete, event, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from gateway.domain.policy import Policy
from gateway.errors import LinkError
from gateway.tasks import apart
from journal import tables
from journal.database import _begin_sqlite, _settle_sqlite
from journal.directory import Publisher
from journal.inbox import Inbox
from journal.judge import JudgeLoop
from journal.notify.templates import Message
from journal.notify.worker import Attempt, Outcome, Worker
from journal.rules import Numbers, written
from journal.store import Store, milliseconds
from sync.broker import Broker
from sync.mqtt import Connection
from tests.faults.driver import Driver
from tests.faults.engine import Engine
from tests.faults.entrance import JOURNAL_KEY, signer_of
from tests.faults.machine import Machine
from tests.journal.school import at, school

PUPILS = 6
GATEWAYS = ("north", "south")
#: A short lesson of a short morning.
BEGINS, ENDS = at("08:30"), at("08:36")
OPENS = "08:26"
_SLOWEST_SERVER = 20.0
_POLICY = Policy(
    patience=timedelta(minutes=2),
    not_seen_after=timedelta(minutes=3),
    not_seen_after_primary=timedelta(minutes=3),
    grace=timedelta(minutes=1),
    watch=timedelta(0),
)


async def furnish(path: Path) -> None:
    """The database of a school that has never heard of its gateways."""
    with TemporaryDirectory() as folder:
        async with (
            school(Path(folder), pupils=PUPILS, policy=written(Numbers(_POLICY))["policy"]) as made,
            made.store.begin() as connection,
        ):
            for name in GATEWAYS:
                key = {"public_key": signer_of(name).public}
                await connection.execute(update(tables.gateways).where(tables.gateways.c.gateway == name).values(key))
            await connection.execute(update(tables.lanes).values(opens=OPENS))
            await connection.execute(delete(tables.slots).where(tables.slots.c.number != 1))
            times = {"start": milliseconds(BEGINS), "end": milliseconds(ENDS)}
            await connection.execute(update(tables.slots).values(times))
        shutil.copy(Path(folder) / "journal.db", path)


async def introduce(database: Path) -> None:
    """SQLAlchemy asks the first connection of an engine some questions: no run shall be the one that answers them."""
    _STORE.opens = lambda: Engine(database)
    engine = _STORE.engine()
    async with engine.connect():
        pass
    await engine.dispose()


class Registry:
    """The journal's process, and what a test may look at."""

    #: What answers gateways.
    inbox: type[Inbox] = Inbox

    def __init__(
        self, machine: Machine, told: Callable[[Engine, str], None], mailed: Callable[[str, Message], None]
    ) -> None:
        self.machine, self._told, self._mailed = machine, told, mailed
        self.engine: Engine | None = None

    async def main(self) -> None:
        """One life of the process."""
        store, clock = self._store(), self.machine.clock
        inbox = self.inbox(store, JOURNAL_KEY, clock, self._alarm)
        publisher = Publisher(store, JOURNAL_KEY, clock, self._alarm, days=1)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_link(inbox, publisher))
                tasks.create_task(JudgeLoop(store, clock).run())
                tasks.create_task(Worker(store, clock, self).run())
        finally:
            await store.engine.dispose()

    async def send(self, address: str, message: Message) -> Attempt:
        """`journal.notify.worker.Channel`: a server that takes its time before it takes a message, and before it says so."""
        life, dice = self.machine.disk.life, self.machine.chance.dice
        await asyncio.sleep(dice.uniform(0.01, 1))
        if life == self.machine.disk.life:
            self._mailed(address, message)
        await asyncio.sleep(dice.uniform(0.01, _SLOWEST_SERVER))
        return Attempt(outcome=Outcome.SENT)

    def _store(self) -> Store:
        life = self.machine.disk.life
        _STORE.opens = lambda: self._connect(life)
        return Store(_STORE.engine())

    def _connect(self, life: int) -> Engine:
        self.engine = Engine(self.machine.disk.folder / "journal.db", self._told, life=life)
        return self.engine

    async def _keep_link(self, inbox: Inbox, publisher: Publisher) -> None:
        async def serve(connection: Connection) -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(inbox.serve(connection))
                tasks.create_task(publisher.serve(connection))

        broker = Broker.parse("mqtt://127.0.0.1", client_id=self.machine.name)
        while True:
            try:
                async with self.machine.network.connect(broker) as wire:
                    await apart(serve(wire))  # type: ignore[arg-type]
            except* LinkError as errors:
                self.machine.chance.tell(f"{self.machine.name}: {errors.exceptions[0]}")
            await asyncio.sleep(1.0)

    def _alarm(self, sentence: str, **fields: object) -> None:
        self.machine.chance.tell(f"{self.machine.name}: {sentence} {fields.get('code', '')}")


class _Stores:
    """One SQLAlchemy engine for all lives of all journals: statements are compiled once. Its pool is new in each life.

    One connection instead of several: each has the file to itself, because this VFS has no shared memory.
    """

    opens: Callable[[], Engine]
    _engine: AsyncEngine | None = None

    def engine(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = create_async_engine(
                "sqlite+aiosqlite:///journal.db",
                async_creator=self._connected,
                poolclass=AsyncAdaptedQueuePool,
                pool_size=1,
                max_overflow=0,
                pool_timeout=600,
                hide_parameters=True,
            )
            event.listen(self._engine.sync_engine, "connect", _settle_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)
        return self._engine

    async def _connected(self) -> aiosqlite.Connection:
        return await Driver(self.opens, iter_chunk_size=64)  # type: ignore[arg-type]


_STORE = _Stores()
