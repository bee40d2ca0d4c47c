"""The gate's half of a lane: how it stands, for whom it waits, and what its lamp says until they went through."""

import asyncio
import contextlib
from datetime import timedelta
from typing import cast

from gateway.domain.answer import Answer
from gateway.domain.entry import Entry, PassageData, PassageKind
from gateway.domain.model import Direction, Instant, LaneId, Match, Seq, Verdict
from gateway.domain.passage import Passages, Permit, Stand
from gateway.errors import DeviceLost
from gateway.ports import DeviceNotice, Gate
from gateway.words.door import words

_UNPERMITTED = (PassageKind.FORCED, PassageKind.TAILGATING, PassageKind.WRONG_DIRECTION)


class Doorway:
    """What is returned is to be recorded; a gate that is lost is told by the one who watches it."""

    def __init__(self, lane: LaneId, passage_lasts: timedelta | None, *, language: str, public: bool) -> None:
        """As Lane has it."""
        #: None while it is lost.
        self.gate: Gate | None = None
        self.stand = Stand()
        #: How often somebody went through whom nobody had permitted.
        self.unpermitted = 0
        self._passages = Passages(lane, passage_lasts) if passage_lasts is not None else None
        self._language = language
        self._public = public
        self._lamp_waits = False
        self._permitted = asyncio.Event()

    def hear(self, notice: DeviceNotice) -> None:
        """The gate told something of itself."""
        self.stand = self.stand.told(notice.kind, notice.detail)

    def permit(self, tap: Seq | None, direction: Direction, now: Instant) -> list[Entry]:
        """Somebody may go through."""
        if self._passages is None:
            return []
        self._permitted.set()
        return self._passages.grant(Permit(tap=tap, direction=direction, at=now))

    def rotate(self, direction: Direction, now: Instant) -> list[Entry]:
        """Somebody went through."""
        if self._passages is None:
            return []
        entries = self._passages.rotate(direction, self.stand, now)
        if cast("PassageData", entries[-1].data).kind in _UNPERMITTED:
            self.unpermitted += 1
        return entries

    def expire(self, now: Instant) -> list[Entry]:
        """Whoever did not go through in time does not any more."""
        return self._passages.expire(now) if self._passages is not None else []

    @property
    def waits(self) -> bool:
        """Whether somebody may still go through."""
        return self._passages is not None and self._passages.waits

    async def permitted(self) -> None:
        """Returns when somebody may."""
        while not self.waits:
            self._permitted.clear()
            await self._permitted.wait()

    def left(self, now: Instant) -> timedelta:
        """How long until `expire` ends the next permit."""
        return self._passages.left(now) if self._passages is not None else timedelta.max

    async def show(self, verdict: Verdict, match: Match | None = None, *, off: bool = False) -> None:
        """The answer to a tap."""
        said = words(verdict, match, self._language, public=self._public, off=off, waits=self.waits)
        self._lamp_waits = said.answer is Answer.WAITING
        with contextlib.suppress(DeviceLost):
            if self.gate is not None:
                await self.gate.show(verdict, said)

    async def rest(self) -> None:
        """Ends a picture that waits for nobody any more."""
        if self._lamp_waits and not self.waits:
            self._lamp_waits = False
            with contextlib.suppress(DeviceLost):
                if self.gate is not None:
                    await self.gate.rest()
