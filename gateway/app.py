"""The daemon: the one place where all parts meet. Builds them from the configuration and keeps them running.

    one task per lane and device ─ the outbox's writer ─ the link ─ clockwork ─ watchdog

A lost device or link comes back by itself; any other exception is a bug and ends the process for systemd to restart.
"""

import asyncio
import contextlib
import logging
import shutil
import signal
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Never

from config.load import load_enrolment
from config.model import DeviceConfig, GatewayConfig, LaneConfig
from drivers.registry import build
from gateway import health
from gateway.check import judge_devices
from gateway.clockwork import Ages, every, tell_coverage, tell_stands
from gateway.domain.clocks import TERMINAL
from gateway.domain.decide import Recent
from gateway.domain.directory import Directory
from gateway.domain.entry import DeviceState
from gateway.domain.model import LaneId
from gateway.domain.terminals import Told
from gateway.domain.wire import decode
from gateway.errors import AttendanceError, DeviceLost, MalformedMessage, NotRecorded
from gateway.lane import Lane, Site
from gateway.link import Link
from gateway.log import Once
from gateway.ports import Device, Reader, Terminal
from gateway.rekeying import Rekeying
from gateway.supervisor import keep_open, together
from gateway.timekeeping import repair_times
from sync import systemd
from sync.certificates import validity, warning
from sync.clock import clock_from_environment
from sync.directory import DirectoryReceiver
from sync.export import Exported
from sync.outbox import SqliteOutbox
from sync.reserve import Reserve

_log = logging.getLogger("gateway")

_PRUNE_EVERY: Final = timedelta(hours=1)
_ANY_AGE: Final = datetime.max.replace(tzinfo=UTC)
_TURN_EVERY: Final = timedelta(minutes=1)
_LOOK_EVERY: Final = timedelta(seconds=5)


def serve(config: GatewayConfig) -> None:
    """Run until SIGTERM or SIGINT. Raises AttendanceError for what an operator must mend before it can start."""
    judge_devices(config)
    asyncio.run(_Daemon(config).run())


class _Stopped(Exception):
    """Somebody asked the daemon to stop."""


class _Daemon:
    def __init__(self, config: GatewayConfig) -> None:
        self._config = config
        self._clock = clock_from_environment()
        enrolment = load_enrolment(config.enrolment.file, owner=config)
        self._keys = enrolment.site_keys
        self._directory = DirectoryReceiver(
            config.state.roster, site=config.site, keys=enrolment.journal_keys, clock=self._clock
        )
        self._reserve = Reserve(config.state.ledger.with_name(f"{config.state.ledger.name}.reserve"))
        self._outbox = SqliteOutbox(
            config.state.ledger,
            site=config.site,
            gateway=config.gateway,
            clock=self._clock,
            make_room=self._reserve.make_room,
        )
        self._rekeying = Rekeying(config.state.key, self._outbox, self._clock, self._report)
        self._link = Link(config.uplink, self._outbox, self._directory, self._rekeying, self._health)
        self._lanes: dict[str, Lane] = {}
        self._readers: dict[str, Reader] = {}
        self._once = Once(_log)
        self._ages = Ages()
        self._last_failure: tuple[str, int] | None = None

    async def run(self) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with self._outbox:
            await self._directory.load()
            self._lanes = await self._build_lanes()
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._start(tasks)
                    systemd.notify(systemd.READY)
                    _log.info("ready", extra={"gateway": self._config.gateway, **self._position()})
                    await stop.wait()
                    systemd.notify(systemd.STOPPING)
                    for lane in self._lanes.values():
                        await lane.cover()
                    raise _Stopped
            except* _Stopped:
                _log.info("stopped", extra=self._position())

    async def _build_lanes(self) -> dict[str, Lane]:
        window = self._directory.current.policy.repeat_at_lane
        recent = Recent(window)
        for at, data in await self._outbox.taps_since(self._clock.now().at - 2 * window):
            if at.boot != TERMINAL:
                recent.note(at, data)
        told = Told()
        if any(self._is_terminal(lane) for lane in self._config.lanes):
            for at, data in await self._outbox.taps_of_terminals():
                told.note(at, data)
        site = Site(
            outbox=self._outbox,
            clock=self._clock,
            directory=self._current,
            recent=recent,
            keys=self._keys,
            report=self._report,
            language=self._config.language,
            told=told,
        )
        return {
            lane.id: Lane(
                site,
                LaneId(lane.id),
                lane.direction,
                admits_unrecorded=lane.on_storage_failure == "admit",
                passage_lasts=timedelta(seconds=lane.passage_seconds) if lane.passage_seconds is not None else None,
                public=lane.screen == "public",
            )
            for lane in self._config.lanes
        }

    def _is_terminal(self, lane: LaneConfig) -> bool:
        device = next(device for device in self._config.devices if device.id == lane.reader.device)
        return isinstance(build(device.kind, device.settings).reader(lane.reader.address), Terminal)

    def _start(self, tasks: asyncio.TaskGroup) -> None:
        for device in self._config.devices:
            tasks.create_task(self._keep_device(device), name=f"device {device.id}")
        lanes = list(self._lanes.values())
        for lane in lanes:
            tasks.create_task(lane.end_permits(), name=f"permits {lane.id}")
        tasks.create_task(tell_coverage(lanes, self._current, self._clock), name="coverage")
        tasks.create_task(tell_stands(lanes, self._current, self._clock), name="stands")
        tasks.create_task(repair_times(self._outbox, self._clock, self._report), name="clock")
        tasks.create_task(every(_TURN_EVERY, self._clock, self._directory.turn_day), name="directory")
        tasks.create_task(every(_LOOK_EVERY, self._clock, self._look), name="look")
        tasks.create_task(every(_PRUNE_EVERY, self._clock, self._prune), name="retention")
        if self._config.uplink.broker is not None:
            tasks.create_task(self._link.keep(), name="link")
        if (interval := systemd.watchdog_interval()) is not None:
            tasks.create_task(self._watchdog(interval), name="watchdog")

    async def _keep_device(self, device: DeviceConfig) -> Never:
        reading = [lane for lane in self._config.lanes if lane.reader.device == device.id]
        gated = [lane for lane in self._config.lanes if lane.gate is not None and lane.gate.device == device.id]

        async def serve(opened: Device) -> None:
            jobs: dict[str, Coroutine[Any, Any, None]] = {}
            for lane in reading:
                self._readers[lane.id] = opened.reader(lane.reader.address)
                jobs[f"{lane.id} reader"] = self._lanes[lane.id].watch_reader(self._readers[lane.id])
            for lane in gated:
                gate = opened.gate(lane.gate.address if lane.gate is not None else "")
                jobs[f"{lane.id} gate"] = self._lanes[lane.id].watch_gate(gate)
            await together(jobs)

        async def tell(error: DeviceLost | None) -> None:
            if error is None:
                _log.info("device up", extra={"device": device.id, "kind": device.kind})
            else:
                _log.warning("device lost: %s", error, extra={"device": device.id, "hint": error.hint})
            state, why = (DeviceState.DOWN, f": {error}") if error is not None else (DeviceState.UP, "")
            for lane in reading:
                await self._lanes[lane.id].tell(state, f"reader {device.id}{why}")
            for lane in gated:
                if lane not in reading:
                    await self._lanes[lane.id].tell(state, f"gate {device.id}{why}")

        await keep_open(lambda: build(device.kind, device.settings), serve, tell, self._clock)

    async def _watchdog(self, interval: float) -> Never:
        while True:
            # A thread of the database that hangs is a gateway that records nothing: systemd shall notice.
            # A disk that fails is another matter: the lamp says so, and a restart would not mend it.
            with contextlib.suppress(NotRecorded):
                await self._outbox.hash_of(self._outbox.position.last)
            systemd.notify(systemd.ALIVE)
            await asyncio.sleep(interval)

    async def _prune(self) -> None:
        old = self._ages.before(self._clock.now(), timedelta(days=self._config.retention.days))
        try:
            if self._config.uplink.broker is None and old is not None:
                await self._outbox.expire(old)
            # On a disk that is nearly full what is settled is not kept any longer, whatever its age.
            if (before := _ANY_AGE if self._reserve.low else old) is not None:
                await self._outbox.prune(before)
        except NotRecorded as error:
            self._report(error)

    def _current(self) -> Directory:
        return self._directory.current

    async def _look(self) -> None:
        """What an operator should hear of."""
        directory, damaged = self._directory, self._outbox.damaged
        unused = f"the newest directory is not in use: {directory.error}" if directory.error is not None else None
        self._once.say("directory", unused, hint=directory.hint)
        expired = directory.current.expired(self._clock.now().at)
        self._once.say(
            "expired",
            "the directory has expired: taps are recorded, but no lesson is known" if expired else None,
            hint="check the link, and 'attendance-journal directory publish' on the journal's machine",
        )
        nearly = "the disk is nearly full" if self._reserve.low else None
        self._once.say("space", nearly, hint="remove what is not needed; 'df -h' and 'du -xh / | sort -h | tail'")
        if nearly is not None:
            await self._prune()
        await self._take_export()
        await self._rekeying.look()
        hint = "make new ones in time: systemd/install.md, step 3"
        self._once.say("certificates", warning(self._certificates()), hint=hint)
        self._reserve.keep()
        lost = f"the ledger was damaged; what could not be sent of it is in {damaged}" if damaged is not None else None
        self._once.say("damaged", lost, hint="check the disk, and keep that file")

    async def _take_export(self) -> None:
        """What was carried away settles, where nobody else could confirm it."""
        ledger = self._config.state.ledger
        if self._config.uplink.broker is None and (done := Exported.read(ledger)) is not None:
            with contextlib.suppress(MalformedMessage):  # of an epoch before, or taken over already
                if done.through > self._outbox.position.through:
                    await self._outbox.settle(done.epoch, done.through)
            Exported.forget(ledger)

    def _certificates(self) -> dict[str, dict[str, object]]:
        return validity(self._config.uplink.certificates, self._clock.now().at)

    async def _health(self) -> dict[str, object]:
        position = self._outbox.position
        document = health.report(
            list(self._lanes.values()),
            self._directory.current,
            self._clock.now(),
            waiting=position.last - position.through,
            oldest=await self._oldest(),
            last=position.last,
            link=self._link.status.summary,
        )
        free: int | None = None
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self._config.state.directory).free
        faults = {lane: dict(getattr(reader, "faults", {})) for lane, reader in self._readers.items()}
        return document | {
            "directory_error": self._directory.error,
            "disk_free": free,
            "reserve": self._reserve.held,
            "faults": faults,
            "certificates": self._certificates(),
        }

    async def _oldest(self) -> datetime | None:
        """When the first entry that the journal has not confirmed was recorded."""
        with contextlib.suppress(NotRecorded, MalformedMessage):
            for envelope in await self._outbox.after(self._outbox.position.through, 1):
                return decode(envelope.body).recorded
        return None

    def _position(self) -> dict[str, object]:
        position = self._outbox.position
        return {"epoch": self._outbox.stream.epoch, "last": position.last, "waiting": position.last - position.through}

    def _report(self, error: AttendanceError) -> None:
        # What was recorded in between makes the same failure another one.
        failure = (str(error), self._outbox.position.last)
        if failure != self._last_failure:
            self._last_failure = failure
            _log.error("%s", error, extra={"hint": error.hint})
