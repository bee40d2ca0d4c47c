"""When events really happened: times of a clock that nobody had set are repaired, or bounded by their neighbours.

boot a  ·synced 16:00·            boot b  ·unsynced 1970· ·att.clock: +56 years· ·synced 08:00·     repaired
boot a  ·synced 16:00·            boot b  ·unsynced 1970·      boot c  ·synced 08:00·               16:00, uncertain
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, zip_longest
from typing import Final

from gateway.domain.entry import ClockData
from gateway.domain.model import ClockState
from gateway.domain.wire import Event, Stream

#: The boot of a time that a terminal told: its clock is its own, and no synchronisation of the gateway repairs it.
TERMINAL: Final = "terminal"

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When an event happened, as well as anybody can tell."""

    at: datetime
    #: Nobody set the clock before the event or repaired it since: `at` is its own guess, held between its neighbours.
    uncertain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unset:
    """A stretch of a ledger whose times nobody knows, between the last known moment before it and the first one after."""

    stream: Stream
    since: datetime | None
    until: datetime | None


class Clocks:
    """Of all these events; they may come in any order, and twice."""

    def __init__(self, events: Iterable[Event]) -> None:
        told = {(event.stream, event.seq): event for event in events}
        ordered = sorted(told.values(), key=chain_order)
        self._repairs = _repairs(ordered)
        self._moments: dict[tuple[Stream, int], Moment] = {}
        #: In the order of the chains.
        self.unset: list[Unset] = []
        for _, chain in groupby(ordered, lambda event: event.stream):
            self._resolve([*chain])

    def of(self, event: Event) -> Moment:
        """One of the events."""
        return self._moments[event.stream, event.seq]

    def _resolve(self, chain: Sequence[Event]) -> None:
        # What a terminal tells happened long before its neighbours, by another clock: it bounds none of them.
        for event in (event for event in chain if event.at.boot == TERMINAL):
            uncertain = event.at.clock is ClockState.UNSYNCED
            self._moments[event.stream, event.seq] = Moment(
                at=event.recorded if uncertain else event.at.at, uncertain=uncertain
            )
        self._resolve_own([event for event in chain if event.at.boot != TERMINAL])

    def _resolve_own(self, chain: Sequence[Event]) -> None:
        runs = [list(run) for _, run in groupby(chain, lambda event: self._known(event) is None)]
        before: datetime | None = None
        for run, following in zip_longest(runs, runs[1:]):
            after = self._known(following[0]) if following is not None else None
            if self._known(run[0]) is None:
                self.unset.append(Unset(stream=run[0].stream, since=before, until=after))
            for event in run:
                known = self._known(event)
                moment = Moment(at=_between(event.at.at, before, after), uncertain=True)
                self._moments[event.stream, event.seq] = Moment(at=known) if known is not None else moment
            before = self._known(run[-1])

    def _known(self, event: Event) -> datetime | None:
        if event.at.clock is not ClockState.UNSYNCED:
            return event.at.at
        repair = self._repairs.get((event.stream.gateway, event.at.boot))
        if repair is None or event.at.boottime > repair.boottime:
            return None
        return event.at.at + repair.correction * _MILLISECOND


def chain_order(event: Event) -> tuple[str, str, str, int]:
    """Sorts every ledger as it was written."""
    return event.stream.site, event.stream.gateway, event.stream.epoch, event.seq


def _repairs(ordered: Iterable[Event]) -> dict[tuple[str, str], ClockData]:
    """The first synchronisation of each boot; whatever sets the clock later repairs nothing."""
    found: dict[tuple[str, str], ClockData] = {}
    for event in ordered:
        if isinstance(event.data, ClockData):
            key = event.stream.gateway, event.data.boot
            found[key] = min(found.get(key, event.data), event.data, key=lambda data: (data.boottime, data.correction))
    return found


def _between(guess: datetime, since: datetime | None, until: datetime | None) -> datetime:
    bounded = max(guess, since) if since is not None else guess
    return min(bounded, until) if until is not None else bounded
