"""What was heard of the lanes of a site: silence means something only where nothing is missing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.domain.model import Doubt, DoubtKind, LaneId


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """[since, until]."""

    since: datetime
    until: datetime


class OutageKind(StrEnum):
    """Why somebody may have passed a lane without a name. Each is a DoubtKind, too."""

    #: The lane, its device or its gateway did not work.
    DOWN = "down"
    #: The terminal decides alone and has not uploaded yet.
    BACKLOG = "backlog"
    #: The reader answers and reads nothing.
    BLIND = "blind"
    #: Nobody set the clock, and nothing repaired it since.
    UNSYNCED = "unsynced"
    #: The gate let everybody through.
    FREE = "free"
    #: From the alarm to the all-clear; for the whole site, whichever lane tells it.
    FIRE_ALARM = "fire_alarm"
    #: The guard opened by hand and named nobody.
    OPENED = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A lane could not name everybody during [since, until)."""

    kind: OutageKind
    since: datetime
    #: None is still going on.
    until: datetime | None = None

    def meets(self, since: datetime, until: datetime) -> bool:
        """Whether any of it lies in [since, until]."""
        return self.since <= until and (self.until is None or self.until > since)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCoverage:
    """What was heard of one lane on one day."""

    gateway: str
    lane: LaneId
    #: Service hours of that day; outside them nothing is waited for.
    opens: datetime
    closes: datetime
    #: From contiguous entries only, in any order.
    intervals: tuple[Interval, ...]
    #: In any order.
    outages: tuple[Outage, ...] = ()
    #: Locked, or set out of service by the office: then nothing is waited for. In any order.
    closed: tuple[Interval, ...] = ()

    def missing(self, since: datetime, until: datetime) -> datetime | None:
        """The first moment of [since, until] within service hours that no interval covers."""
        reached, end = max(since, self.opens), min(until, self.closes)
        for interval in sorted((*self.intervals, *self.closed), key=lambda i: i.since):
            if interval.since > reached:
                break
            reached = max(reached, interval.until)
        return reached if reached < end else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was heard of every lane that serves the site."""

    lanes: tuple[LaneCoverage, ...]

    def gaps(self, since: datetime, until: datetime) -> tuple[Doubt, ...]:
        """What was not heard of, or not to be trusted, in [since, until]; empty is complete."""
        if not any(lane.opens < until and lane.closes > since for lane in self.lanes):
            return (Doubt(kind=DoubtKind.NO_LANE, since=since),)
        found = []
        for lane in self.lanes:
            name = f"{lane.gateway}/{lane.lane}"
            if (at := lane.missing(since, until)) is not None:
                found.append(Doubt(kind=DoubtKind.SILENT, lane=name, since=at))
            found += [
                Doubt(kind=DoubtKind(outage.kind), lane=name, since=outage.since)
                for outage in lane.outages
                if outage.meets(since, until)
            ]
        return tuple(sorted(found, key=str))
