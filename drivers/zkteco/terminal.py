"""One terminal: what it told is handed to its lane, and what the lane says of it goes back.

push, pull ──frames──> Upload ──> lane ──> disk
             True: the terminal may forget <──┘
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from drivers.channel import Channel
from drivers.frames import Frame
from drivers.presence import Presence
from drivers.zkteco.codec import Punch, moment
from drivers.zkteco.pull import Log, read_log
from drivers.zkteco.settings import TerminalSettings, host_and_port
from gateway.domain.model import Direction
from gateway.errors import DeviceLost
from gateway.ports import CardRead, ReaderEvent, Upload

#: Taps that are recorded at once.
_PORTION = 100
#: A disk that takes longer has not taken it.
_PATIENCE = 20.0
#: It asks for commands every ten seconds; after a longer silence a backlog may be on its way.
_IN_TOUCH = 60.0
#: A PIN that is none is told once in this time, however often the terminal repeats it.
_SILENCE = 86400.0


class Terminal:
    """`gateway.ports.Terminal`."""

    decides: Literal["device"] = "device"

    def __init__(self, settings: TerminalSettings) -> None:
        self.settings = settings
        self.channel: Channel[ReaderEvent] = Channel()
        self._presence = Presence(_SILENCE)
        self._zone = ZoneInfo(settings.zone)
        self._contact = Contact()
        self._pulled = Pulled()

    @property
    def faults(self) -> Counter[str]:
        """What was heard and could not be used, by name."""
        return self._presence.faults

    def events(self) -> AsyncIterator[ReaderEvent]:
        """Uploads, PINs that are none, storms."""
        return self.channel.events()

    def offset(self, now: datetime) -> float:
        """Hours that its clock is ahead of UTC."""
        ahead = now.astimezone(self._zone).utcoffset()
        return ahead.total_seconds() / 3600 if ahead is not None else 0.0

    def heard(self) -> None:
        """It asked for something."""
        self._contact.heard(asyncio.get_running_loop().time())

    async def pushed(self, frames: Sequence[Frame]) -> bool:
        """It told these; whether all of them are on the disk."""
        covers = self._contact.told(at for at, ambiguous in self._times(frames) if not ambiguous)
        done = await self._hand_over(frames, covers)
        if not done:
            self._contact.broke()
        return done

    async def keep_pulling(self, every: float) -> None:
        """Look into its log again and again; one that is not there is asked the next time."""
        while True:
            try:
                await self._pull()
            except (OSError, EOFError, ValueError, TimeoutError):
                self.faults["pull_failed"] += 1
            await asyncio.sleep(every)

    async def _pull(self) -> None:
        host, port = host_and_port(self.settings.pull or "")
        log = await read_log(host, port, key=self.settings.comm_key, known=self._pulled.records)
        until, ambiguous = moment(log.at, self._zone)
        since = self._pulled.since(log, (at for at, _ in self._times(log.frames)), until)
        if await self._hand_over(log.frames, (since, until) if since < until and not ambiguous else None):
            self._pulled = Pulled(log.count, until)

    async def _hand_over(self, frames: Sequence[Frame], covers: tuple[datetime, datetime] | None) -> bool:
        try:
            return await self._hand_over_all(frames, covers)
        except (DeviceLost, TimeoutError):
            return False

    async def _hand_over_all(self, frames: Sequence[Frame], covers: tuple[datetime, datetime] | None) -> bool:
        for frame in frames:
            if not isinstance(frame, Punch):
                event = self._presence.event(frame, asyncio.get_running_loop().time())
                if event is not None:
                    await self.channel.put(event)
        reads = [self._read(frame) for frame in frames if isinstance(frame, Punch)]
        for first in range(0, len(reads), _PORTION):
            if not await self._recorded(reads[first : first + _PORTION], None):
                return False
        return covers is None or await self._recorded([], covers)

    async def _recorded(self, reads: Sequence[CardRead], covers: tuple[datetime, datetime] | None) -> bool:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def recorded(done: bool) -> None:
            if not answer.done():
                answer.set_result(done)

        async with asyncio.timeout(_PATIENCE):
            await self.channel.put(Upload(reads=tuple(reads), covers=covers, recorded=recorded))
            return await answer

    def _read(self, punch: Punch) -> CardRead:
        at, ambiguous = moment(punch.local, self._zone)
        way = punch.direction if self.settings.status_tells else Direction.UNKNOWN
        return CardRead(credential=punch.credential, direction=way, at=at, ambiguous=ambiguous)

    def _times(self, frames: Iterable[Frame]) -> list[tuple[datetime, bool]]:
        return [moment(frame.local, self._zone) for frame in frames if isinstance(frame, Punch)]


class Contact:
    """How far the taps that a terminal pushes leave no gap: in order, and heard of all the while between two of them."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._newest: datetime | None = None

    def heard(self, now: float) -> None:
        """It is there; `now` is monotonic, in seconds."""
        if now - self._last > _IN_TOUCH:
            self._newest = None
        self._last = now

    def broke(self) -> None:
        """What it told was not taken: it comes again, and not first."""
        self._newest = None

    def told(self, times: Iterable[datetime]) -> tuple[datetime, datetime] | None:
        """What lies between the newest tap before these and the newest of them."""
        before, newest = self._newest, max(times, default=None)
        if newest is None or (before is not None and newest <= before):
            return None
        self._newest = newest
        return (before, newest) if before is not None else None


class Pulled(NamedTuple):
    """How far a terminal's own log was read and recorded."""

    records: int = 0
    until: datetime | None = None

    def since(self, log: Log, times: Iterable[datetime], until: datetime) -> datetime:
        """From when on this log leaves no gap: where the last one ended, or from its first record on."""
        if self.until is not None and not log.cleared:
            return self.until
        return min(times, default=until)
