"""What was heard of the lanes of a site: silence means something only where nothing is missing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from gateway.domain.model import Doubt, DoubtKind, LaneId

#: Before everything.
EVER: Final = datetime.min.replace(tzinfo=UTC)


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
        """Whether any of it lies in [since, until]; one that took no time is at its moment."""
        return self.since <= until and (self.since >= since or self.until is None or self.until > since)


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
    #: When nothing is missing: heard of, or closed. In order of time, and apart from each other.
    _settled: tuple[Interval, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_settled", _joined((*self.intervals, *self.closed)))

    @property
    def name(self) -> str:
        """`gateway/lane`, as facts name it."""
        return f"{self.gateway}/{self.lane}"

    def missing(self, since: datetime, until: datetime) -> datetime | None:
        """The first moment of [since, until] within service hours that no interval covers."""
        reached = _reached(self._settled, max(since, self.opens))
        return reached if reached < min(until, self.closes) else None

    def serves(self, since: datetime, until: datetime) -> bool:
        """Whether the lane was in service at any moment of [since, until]."""
        return (
            self.opens < until and self.closes > since and self._open(max(since, self.opens), min(until, self.closes))
        )

    def impaired(self, since: datetime, until: datetime) -> list[Outage]:
        """Outages of [since, until] while the lane was in service."""
        begin, end = max(since, self.opens), min(until, self.closes)
        met = (outage for outage in self.outages if outage.meets(begin, end))
        return [o for o in met if self._open(max(begin, o.since), min(end, o.until or end))]

    def _open(self, since: datetime, until: datetime) -> bool:
        reached = _reached(_joined(self.closed), since)
        return since <= until and (reached < until or reached == since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was heard of every lane that serves the site."""

    lanes: tuple[LaneCoverage, ...]
    #: The same of days before, where those matter: of who sleeps at school.
    nights: tuple[LaneCoverage, ...] = ()
    #: Fire alarms of the site in order of time, each to the moment when the last lane told the all-clear.
    alarms: tuple[Outage, ...] = field(init=False, repr=False, compare=False)
    #: What was asked before: a class asks the same of each of its pupils.
    _answers: dict[tuple[datetime, datetime, datetime], tuple[Doubt, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "alarms", _alarms((*self.lanes, *self.nights)))

    def gaps(self, since: datetime, until: datetime, impaired_since: datetime | None = None) -> tuple[Doubt, ...]:
        """What was not heard of, or not to be trusted, in [since, until]; empty is complete.

        Outages before `impaired_since` do not matter where it is later. Where no lane was in service nobody could have
        been seen: that is a doubt, too. Since EVER the silence of a night is none: the school may have been closed.
        """
        asked = since, until, impaired_since or since
        answer = self._answers.get(asked)
        if answer is None:
            answer = self._answers[asked] = self._gaps(*asked)
        return answer

    def _gaps(self, since: datetime, until: datetime, impaired_since: datetime) -> tuple[Doubt, ...]:
        found = set()
        if not any(lane.serves(since, until) for lane in self.lanes):
            began = max(since, impaired_since)
            found.add(Doubt(kind=DoubtKind.NO_LANE, since=began if began > EVER else None))
        silent: dict[str, datetime] = {}
        for lane in self.lanes if since == EVER else (*self.lanes, *self.nights):
            if (at := lane.missing(since, until)) is not None:
                silent[lane.name] = min(at, silent.get(lane.name, at))
        found |= {Doubt(kind=DoubtKind.SILENT, lane=lane, since=at) for lane, at in silent.items()}
        for lane in (*self.lanes, *self.nights):
            for outage in lane.impaired(max(since, impaired_since), until):
                found.add(Doubt(kind=DoubtKind(outage.kind), lane=lane.name, since=outage.since))
        return tuple(sorted(found, key=str))


def _alarms(lanes: Iterable[LaneCoverage]) -> tuple[Outage, ...]:
    told = [outage for lane in lanes for outage in lane.outages if outage.kind is OutageKind.FIRE_ALARM]
    spans: list[Outage] = []
    for alarm in sorted(told, key=lambda outage: outage.since):
        last = spans.pop() if spans else alarm
        if last.until is not None and last.until < alarm.since:
            spans += [last, alarm]
        else:
            until = None if last.until is None or alarm.until is None else max(last.until, alarm.until)
            spans.append(Outage(kind=OutageKind.FIRE_ALARM, since=last.since, until=until))
    return tuple(spans)


def _joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same time in order, where intervals that meet are one."""
    joined: list[Interval] = []
    for interval in sorted(intervals, key=lambda i: i.since):
        if joined and interval.since <= joined[-1].until:
            last = joined.pop()
            joined.append(Interval(since=last.since, until=max(last.until, interval.until)))
        else:
            joined.append(interval)
    return tuple(joined)


def _reached(joined: Iterable[Interval], since: datetime) -> datetime:
    """How far these lead from `since` on without a hole."""
    return next((i.until for i in joined if i.since <= since < i.until), since)
