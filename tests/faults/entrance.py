"""A gateway as `gateway.app` composes it: real ledger, lanes, clockwork, directory and relay; a reader and a lamp by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Never, Self, cast

from config.model import UplinkConfig
from gateway.clockwork import Ages, every, tell_coverage, tell_stands
from gateway.domain.answer import Words
from gateway.domain.credential import Credential
from gateway.domain.decide import Recent
from gateway.domain.directory import Directory
from gateway.domain.entry import DeviceState
from gateway.domain.model import LaneDirection, Verdict
from gateway.errors import AttendanceError, DeviceLost, NotRecorded
from gateway.lane import Lane, Site
from gateway.link import Link
from gateway.ports import CardRead, GateEvent, ReaderEvent
from gateway.supervisor import keep_open, together
from gateway.timekeeping import repair_times
from sync.broker import Broker
from sync.database import Database
from sync.directory import DirectoryReceiver
from sync.outbox import SqliteOutbox
from sync.reconnect import keep_link
from sync.relay import Limits, relay
from sync.signing import Signer
from sync.uplink import MqttUplink, open_uplink
from tests.faults.engine import Engine, Told
from tests.faults.machine import Machine
from tests.journal.school import KEY, LANE, SITE

JOURNAL_KEY = Signer(b"\2" * 32)
_PRUNE = timedelta(seconds=20)
Shown = Callable[["Entrance", Credential, Verdict], None]


def signer_of(name: str) -> Signer:
    """The key that the journal knows of this gateway."""
    return Signer(name.encode("ascii").ljust(32, b"."))


class _Device:
    """A reader and its lamp; `feed` puts a card on it."""

    def __init__(self, shown: Callable[[Credential, Verdict], None]) -> None:
        self._cards: asyncio.Queue[Credential | None] = asyncio.Queue()
        self._shown, self._card = shown, None
        self._never = asyncio.Event()

    _card: Credential | None

    def feed(self, card: Credential | None) -> None:
        self._cards.put_nowait(card)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def reader(self, _address: str) -> "_Reader":
        return _Reader(self)

    def gate(self, _address: str) -> "_Gate":
        return _Gate(self)


class _Reader:
    def __init__(self, device: _Device) -> None:
        self._device = device

    async def events(self) -> AsyncIterator[ReaderEvent]:
        while (card := await self._device._cards.get()) is not None:
            self._device._card = card
            yield CardRead(credential=card)
        raise DeviceLost


class _Gate:
    def __init__(self, device: _Device) -> None:
        self._device = device

    async def events(self) -> AsyncIterator[GateEvent]:
        await self._device._never.wait()
        return
        yield

    async def show(self, verdict: Verdict, words: Words) -> None:
        if self._device._card is not None:
            self._device._shown(self._device._card, verdict)

    async def rest(self) -> None: ...


class _Link(Link):
    """Dials the simulated broker."""

    dial: Any
    signer: Signer
    limits = Limits()

    def _session(self) -> AbstractAsyncContextManager[MqttUplink]:
        name = self._outbox.stream.gateway
        return open_uplink(
            Broker.parse("mqtt://127.0.0.1", client_id=name),
            birth_of=self._birth,
            signer=self.signer,
            keys=lambda: self._directory.keys,
            dropped=self.status.dropped,
            met=self._meet,
            dial=self.dial,
        )

    async def keep(self) -> Never:
        await keep_link(self._session, (self._relay, self._receive), self.status)

    async def _relay(self, uplink: MqttUplink) -> None:
        await relay(self._outbox, uplink, self.status, self.limits)


async def _nothing() -> Mapping[str, object]:
    return {}


class Entrance:
    """One gateway and what a test may look at."""

    def __init__(self, machine: Machine, told: Callable[["Entrance", Engine, str], None], shown: Shown) -> None:
        self.machine, self._told, self._shown = machine, told, shown
        self.device: _Device | None = None
        self.outbox: SqliteOutbox | None = None
        self.engine: Engine | None = None

    @property
    def name(self) -> str:
        return self.machine.name

    async def main(self) -> None:
        """One life of the process."""
        machine, life = self.machine, self.machine.disk.life
        self._ages = Ages()
        clock, folder = machine.clock, machine.disk.folder
        outbox = self.outbox = SqliteOutbox(
            folder / "ledger.db",
            site=SITE,
            gateway=self.name,
            clock=clock,
            connect=lambda path: self._connect(path, life),
        )
        directory = DirectoryReceiver(folder / "directory.json", site=SITE, keys=[JOURNAL_KEY.public], clock=clock)
        async with outbox:
            await directory.load()
            lane = await self._lane(outbox, directory)
            link = _Link(cast("UplinkConfig", None), outbox, directory, cast("Any", None), _nothing)
            link.dial, link.signer = machine.network.connect, signer_of(self.name)
            self.device = _Device(lambda card, verdict: self._show(life, card, verdict))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_device(lane, self.device))
                tasks.create_task(tell_coverage([lane], lambda: directory.current, clock))
                tasks.create_task(tell_stands([lane], lambda: directory.current, clock))
                tasks.create_task(repair_times(outbox, clock, self._report))
                tasks.create_task(every(timedelta(minutes=1), clock, directory.turn_day))
                tasks.create_task(every(_PRUNE, clock, self._prune))
                tasks.create_task(link.keep())

    async def _lane(self, outbox: SqliteOutbox, directory: DirectoryReceiver) -> Lane:
        def current() -> Directory:
            return directory.current

        recent, clock = Recent(timedelta(seconds=5)), self.machine.clock
        for at, data in await outbox.taps_since(clock.now().at - timedelta(seconds=10)):
            recent.note(at, data)
        site = Site(outbox=outbox, clock=clock, directory=current, recent=recent, keys=[KEY], report=self._report)
        return Lane(site, LANE, LaneDirection.ARRIVAL_ONLY)

    async def _keep_device(self, lane: Lane, device: _Device) -> None:
        async def serve(opened: _Device) -> None:
            await together({"reader": lane.watch_reader(opened.reader("")), "gate": lane.watch_gate(opened.gate(""))})

        async def tell(error: DeviceLost | None) -> None:
            await lane.tell(DeviceState.DOWN if error is not None else DeviceState.UP, "reader")

        await keep_open(cast("Any", lambda: device), cast("Any", serve), tell, self.machine.clock)

    async def _prune(self) -> None:
        assert self.outbox is not None
        if (before := self._ages.before(self.machine.clock.now(), timedelta(days=30))) is None:
            return
        try:
            await self.outbox.prune(before)
        except NotRecorded as error:
            self._report(error)

    def _connect(self, path: Path, life: int) -> Database:
        engine = Engine(path, self._look, life=life)
        self.engine = engine
        return engine

    @property
    def _look(self) -> Told:
        return lambda engine, sql: self._told(self, engine, sql)

    def _show(self, life: int, card: Credential, verdict: Verdict) -> None:
        if life == self.machine.disk.life:
            self._shown(self, card, verdict)

    def _report(self, error: AttendanceError) -> None:
        self.machine.chance.tell(f"{self.name}: {error}")
