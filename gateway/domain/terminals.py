"""Taps that a terminal decided by itself and tells later, perhaps again: its time, its verdict, each of them once.

Upload ── told_at: can that time be? ──> taps ── Told.new: those that are not on the disk ──> entries
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gateway.domain.clocks import TERMINAL
from gateway.domain.credential import SiteKey, Token
from gateway.domain.decide import Recent, decide
from gateway.domain.directory import Directory
from gateway.domain.entry import CoverageData, Data, Entry, TapData, UnknownData
from gateway.domain.model import ClockState, Instant, LaneId, Tap

#: Two clocks that are both set differ by less.
_AHEAD: Final = timedelta(seconds=30)
#: Nobody is judged by what is older; a clock that lost its battery is.
_OLDEST: Final = timedelta(days=31)
#: So many taps are remembered: a terminal holds less, and the oldest are told again by nobody.
_MOST: Final = 200_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class _Key(NamedTuple):
    lane: LaneId
    token: Token
    at: datetime


class Told:
    """The taps of terminals that are on the disk: told again, they are no new entries."""

    def __init__(self) -> None:
        self._keys: dict[_Key, None] = {}

    def note(self, at: Instant, data: Data | UnknownData) -> None:
        """Remember what is on the disk."""
        if isinstance(data, TapData) and data.token is not None:
            self._keys[_Key(data.lane, data.token, at.at)] = None
        if len(self._keys) > _MOST:
            del self._keys[next(iter(self._keys))]

    def new(self, taps: Iterable[Tap], directory: Directory, keys: Sequence[SiteKey]) -> list[Entry]:
        """An entry for each tap that is not here, once. Who was let in was let in, whatever the directory says of the card."""
        found: dict[_Key, Entry] = {}
        for tap in taps:
            entry = decide(tap, directory, Recent(timedelta(0)), keys)
            if not isinstance(entry, Entry) or not isinstance(entry.data, TapData):
                continue
            told = [_Key(tap.lane, key.token(tap.credential), tap.at.at) for key in keys]
            if not any(key in self._keys or key in found for key in told):
                verdict = replace(entry.data.verdict, admit=True)
                found[told[0]] = replace(entry, data=replace(entry.data, verdict=verdict))
        return [*found.values()]


def told_at(at: datetime, now: Instant, *, ambiguous: bool = False) -> Instant:
    """The terminal's time. Where it cannot be right, or nobody can tell, it is unsynced: nobody is late on it."""
    possible = now.clock is not ClockState.UNSYNCED and now.at - _OLDEST <= at <= now.at + _AHEAD
    clock = ClockState.HOLDOVER if possible and not ambiguous else ClockState.UNSYNCED
    return Instant(at=at, boot=TERMINAL, boottime=max(0, (at - _EPOCH) // _MILLISECOND), clock=clock)


def covered(lane: LaneId, since: datetime, until: datetime, now: Instant, zone: str) -> list[Entry]:
    """That everything of the lane in [since, until] was told, as far as the last day of it goes; nothing on a wrong clock."""
    at = told_at(until, now)
    until = min(until, now.at).replace(microsecond=0)
    midnight = datetime.combine(until.astimezone(ZoneInfo(zone)).date(), time(), ZoneInfo(zone))
    since = max(since, midnight)
    if at.clock is ClockState.UNSYNCED or since >= until:
        return []
    return [Entry(at=at, data=CoverageData(lane=lane, since=since, until=until))]
