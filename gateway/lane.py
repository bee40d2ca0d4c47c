"""The one use case: a tap at a lane is decided, committed, then shown. A green lamp without a durable record cannot happen."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Never, cast

from gateway.domain.credential import SiteKey
from gateway.domain.decide import Recent, decide, elapsed, off, unreadable
from gateway.domain.directory import Directory
from gateway.domain.entry import CoverageData, DeviceData, DeviceState, Entry, ManualAction, ManualData, TapData
from gateway.domain.model import (
    ClockState,
    Direction,
    Instant,
    LaneDirection,
    LaneId,
    PersonId,
    Reason,
    Seq,
    Tap,
    Verdict,
)
from gateway.domain.terminals import Told, covered, told_at
from gateway.doorway import Doorway
from gateway.errors import AttendanceError, NotRecorded
from gateway.ports import (
    CardRead,
    CardRefused,
    Clock,
    DeviceNotice,
    Gate,
    GateEvent,
    Outbox,
    Reader,
    ReaderEvent,
    Terminal,
    Upload,
)

#: A wall clock that moved this much against the boot clock since the last coverage was set by somebody.
_CLOCK_STEP = timedelta(seconds=2)
#: So many persons fit into one entry with room to spare.
_NAMES = 25
#: A disk that failed for longer than this many passages begins anew: the time before is not covered.
_MOST_OWED = 256
_OPEN = Verdict(admit=True, reason=Reason.KNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What all lanes of a gateway share."""

    outbox: Outbox
    clock: Clock
    #: The directory of this moment.
    directory: Callable[[], Directory]
    recent: Recent
    #: The newest first.
    keys: Sequence[SiteKey]
    #: Told of what could not be recorded; logs it once.
    report: Callable[[AttendanceError], None]
    #: What screens speak: ru or en.
    language: str = "ru"
    #: What terminals that decide alone have told so far.
    told: Told = field(default_factory=Told)


class Lane:
    """A reader and perhaps a gate, and which way they lead."""

    def __init__(
        self,
        site: Site,
        lane: LaneId,
        direction: LaneDirection,
        *,
        admits_unrecorded: bool = True,
        passage_lasts: timedelta | None = None,
        public: bool = True,
    ) -> None:
        """`passage_lasts` is how long a permit waits for its rotation; None where the gate reports no rotations.

        A screen that others can read is `public`.
        """
        self.id = lane
        self._site = site
        self._direction = direction.of_tap
        self._unrecorded = Verdict(admit=admits_unrecorded, reason=Reason.NOT_RECORDED)
        self._doorway = Doorway(lane, passage_lasts, language=site.language, public=public)
        #: What the device told and could not be recorded yet, oldest first.
        self._owed: deque[Entry] = deque(maxlen=_MOST_OWED)
        # Held from the moment an event gets its time until it is on the disk: what coverage says stays true.
        self._turn = asyncio.Lock()
        self._covered: Instant | None = None
        #: Told by the reader with its uploads, never by the clock alone.
        self._uploads = False
        #: Taps whose time a terminal cannot have meant.
        self._doubtful = 0
        self._failures = 0

    async def watch_reader(self, reader: Reader) -> None:
        """Serve a reader until it is lost. Raises DeviceLost."""
        self._covered, self._uploads = self._site.clock.now(), isinstance(reader, Terminal)
        try:
            async for event in reader.events():
                await self._on_reader(event)
        finally:
            self._covered = None

    async def watch_gate(self, gate: Gate) -> None:
        """Serve a gate until it is lost. Raises DeviceLost."""
        self._doorway.gate = gate
        try:
            async for event in gate.events():
                await self._on_gate(event)
        finally:
            self._doorway.gate = None

    async def end_permits(self) -> Never:
        """Record whoever does not go through in time, and let the lamp rest that waited for them."""
        while True:
            await self._doorway.permitted()
            await self._site.clock.sleep(self._doorway.left(self._site.clock.now()).total_seconds())
            async with self._turn:
                await self._keep(*self._doorway.expire(self._site.clock.now()))
                await self._doorway.rest()

    @property
    def state(self) -> dict[str, object]:
        """For health: whether the reader is heard, the gate is there and how it stands, and what went wrong how often."""
        return {
            "reader": self._covered is not None,
            "gate": self._doorway.gate is not None,
            "stand": [" ".join(word) for word in self._doorway.stand.words],
            "unpermitted": self._doorway.unpermitted,
            "not_recorded": self._failures,
            **({"doubtful": self._doubtful} if self._uploads else {}),
        }

    async def tell(self, kind: DeviceState, detail: str) -> None:
        """Record something about the lane's device."""
        async with self._turn:
            await self._on_notice(DeviceNotice(kind=kind, detail=detail))

    async def tell_stand(self) -> None:
        """Record again how the gate stands and what is away, unless all is as usual: a day is judged by its own entries."""
        async with self._turn:
            await self._keep(*(self._device(kind, word) for kind, word in self._doorway.stand.words))

    async def admit_by_hand(self, operator: str, persons: Sequence[PersonId], reason: str) -> None:
        """A guard lets these persons in, or somebody without a name. Opens also when it cannot be recorded."""
        async with self._turn:
            now = self._site.clock.now()
            action = ManualAction.ENTER if persons else ManualAction.OPEN
            names = [tuple(persons[first : first + _NAMES]) for first in range(0, max(len(persons), 1), _NAMES)]
            did = [
                ManualData(lane=self.id, operator=operator, action=action, persons=some, reason=reason[:200])
                for some in names
            ]
            if await self._record(*(Entry(at=now, data=data) for data in did)) is None:
                self._missed()
                await self._doorway.show(Verdict(admit=True, reason=Reason.NOT_RECORDED))
                return
            await self._keep(*self._doorway.permit(None, Direction.IN if persons else self._direction, now))
            await self._doorway.show(_OPEN)

    async def cover(self) -> None:
        """Record that everything up to now is recorded, where that is so."""
        async with self._turn:
            since, now = self._covered, self._site.clock.now()
            await self._keep(*self._doorway.expire(now))
            if not await self._pay() or since is None or self._uploads:
                return
            self._covered = now
            stepped = abs((now.at - since.at) - elapsed(since, now)) > _CLOCK_STEP
            if stepped or now.clock is ClockState.UNSYNCED or since.clock is ClockState.UNSYNCED:
                return
            data = CoverageData(lane=self.id, since=_millis(since.at), until=_millis(now.at))
            # A reader that was lost meanwhile stays uncovered, and one that came back begins anew.
            if await self._record(Entry(at=now, data=data)) is None and self._covered is now:
                self._covered = since

    async def _on_reader(self, event: ReaderEvent) -> None:
        async with self._turn:
            now = self._site.clock.now()
            match event:
                case CardRead():
                    await self._on_tap(self._tap(event, now))
                case Upload():
                    await self._on_upload(event, now)
                case CardRefused():
                    await self._append_and_show(unreadable(self.id, event.technology, self._direction, now))
                case DeviceNotice():
                    await self._on_notice(event)
                    if event.kind in (DeviceState.DOWN, DeviceState.UP):
                        # One of several readers on a bus that lives on.
                        self._covered = now if event.kind is DeviceState.UP else None

    def _tap(self, read: CardRead, at: Instant) -> Tap:
        direction = read.direction if read.direction is not Direction.UNKNOWN else self._direction
        return Tap(lane=self.id, credential=read.credential, at=at, direction=direction, assurance=read.assurance)

    async def _on_upload(self, upload: Upload, now: Instant) -> None:
        """Nothing is shown: the terminal has answered long since."""
        site = self._site
        taps = [
            self._tap(read, told_at(read.at, now, ambiguous=read.ambiguous))
            for read in upload.reads
            if read.at is not None
        ]
        entries = site.told.new(taps, site.directory(), site.keys)
        if upload.covers is not None and await self._pay():
            entries += covered(self.id, *upload.covers, now, site.directory().zone)
        recorded = not entries or await self._record(*entries) is not None
        if recorded:
            for entry in entries:
                site.told.note(entry.at, entry.data)
                self._doubtful += entry.at.clock is ClockState.UNSYNCED
        upload.recorded(recorded)

    async def _on_tap(self, tap: Tap) -> None:
        decided = decide(tap, self._site.directory(), self._site.recent, self._site.keys)
        if isinstance(decided, Verdict):
            await self._doorway.show(decided)
        else:
            await self._append_and_show(decided)

    async def _append_and_show(self, entry: Entry) -> None:
        data = cast("TapData", entry.data)
        seq = await self._record(entry)
        if seq is None:
            self._missed()
            await self._doorway.show(self._unrecorded)
            return
        self._site.recent.note(entry.at, data)
        if data.verdict.admit:
            await self._keep(*self._doorway.permit(seq, data.direction, entry.at))
        await self._doorway.show(data.verdict, data.match, off=off(data, entry.at, self._site.directory()))

    async def _on_gate(self, event: GateEvent) -> None:
        async with self._turn:
            if isinstance(event, DeviceNotice):
                await self._on_notice(event)
            else:
                await self._keep(*self._doorway.rotate(event.direction, self._site.clock.now()))
                await self._doorway.rest()

    async def _on_notice(self, notice: DeviceNotice) -> None:
        self._doorway.hear(notice)
        await self._keep(self._device(notice.kind, notice.detail))

    def _missed(self) -> None:
        # Somebody stood here who is not in the ledger: no coverage may say that nobody did.
        self._failures += 1
        self._covered = self._site.clock.now() if self._covered is not None else None

    async def _keep(self, *entries: Entry) -> None:
        """Record what nobody at the door waits for; what cannot be recorded now is recorded before any coverage."""
        if entries and await self._record(*entries) is None:
            self._owed.extend(entries)

    async def _pay(self) -> bool:
        """Whether everything is recorded that was owed, and nothing of it forgotten."""
        if not self._owed:
            return True
        forgotten = len(self._owed) == self._owed.maxlen
        again = [self._device(kind, word) for kind, word in self._doorway.stand.words] if forgotten else []
        if await self._record(*self._owed, *again) is None:
            return False
        self._owed.clear()
        if forgotten and self._covered is not None:
            self._covered = self._site.clock.now()
        return not forgotten

    async def _record(self, *entries: Entry) -> Seq | None:
        try:
            return await self._site.outbox.append(entries)
        except NotRecorded as error:
            self._site.report(error)
            return None

    def _device(self, kind: DeviceState, detail: str) -> Entry:
        return Entry(at=self._site.clock.now(), data=DeviceData(lane=self.id, kind=kind, detail=detail[:200]))


def _millis(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
