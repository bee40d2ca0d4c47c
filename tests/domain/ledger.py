"""A gateway's ledger as its events, entry by entry; and what the domain makes of it, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.domain.coverage import Coverage
from gateway.domain.credential import Technology, Token
from gateway.domain.entry import (
    ClockData,
    CoverageData,
    Data,
    DeviceData,
    DeviceState,
    ManualAction,
    ManualData,
    PassageData,
    PassageKind,
    TapData,
)
from gateway.domain.evidence import Evidence, ServedLane, interpret
from gateway.domain.model import (
    Assurance,
    ClockState,
    Direction,
    Instant,
    LaneDirection,
    LaneId,
    PersonId,
    Reason,
    Seq,
    Verdict,
)
from gateway.domain.presence import Fact
from gateway.domain.wire import Event, Stream
from tests.domain.build import MIDNIGHT, at

MAIN = LaneId("main")
KNOWN = Verdict(admit=True, reason=Reason.KNOWN)


@dataclass
class Ledger:
    """One epoch of one gateway."""

    gateway: str = "north"
    epoch: str = "e1"
    boot: str = "b1"
    #: What the wall clock is wrong by, and whether anybody knows.
    wrong: timedelta = timedelta(0)
    clock: ClockState = ClockState.SYNCED
    events: list[Event] = field(default_factory=list)

    def append(self, when: str | datetime, data: Data) -> int:
        true = at(when) if isinstance(when, str) else when
        boottime = (true - MIDNIGHT) // timedelta(milliseconds=1)
        instant = Instant(at=true + self.wrong, boot=self.boot, boottime=boottime, clock=self.clock)
        stream, seq = Stream(site="s", gateway=self.gateway, epoch=self.epoch), Seq(len(self.events) + 1)
        self.events.append(Event(stream=stream, seq=seq, at=instant, recorded=instant.at, data=data, expires=None))
        return seq

    def tap(
        self,
        person: str,
        when: str,
        *,
        way: Direction = Direction.UNKNOWN,
        lane: LaneId = MAIN,
        verdict: Verdict = KNOWN,
    ) -> int:
        """The token is the name of who holds the card."""
        data = TapData(
            lane=lane,
            direction=way,
            token=Token(person),
            technology=Technology.EM4100,
            assurance=Assurance.UID,
            person=None,
            verdict=verdict,
            match=None,
            directory=None,
        )
        return self.append(when, data)

    def passes(
        self, when: str, tap: int | None, kind: PassageKind = PassageKind.CONFIRMED, way: Direction = Direction.IN
    ) -> int:
        seq = Seq(tap) if tap is not None else None
        return self.append(when, PassageData(lane=MAIN, direction=way, kind=kind, tap=seq))

    def covers(self, since: str, until: str) -> int:
        return self.append(until, CoverageData(lane=MAIN, since=at(since), until=at(until)))

    def tells(self, when: str, kind: DeviceState, detail: str, lane: LaneId = MAIN) -> int:
        return self.append(when, DeviceData(lane=lane, kind=kind, detail=detail))

    def guard(self, when: str, action: ManualAction, *persons: str, lane: LaneId = MAIN) -> int:
        names = tuple(map(PersonId, persons))
        return self.append(when, ManualData(lane=lane, operator="guard", action=action, persons=names, reason=""))

    def starts(self, boot: str, wrong: timedelta = timedelta(0)) -> None:
        """Anew; on a clock that is wrong until it is set."""
        self.boot, self.wrong = boot, wrong
        self.clock = ClockState.UNSYNCED if wrong else ClockState.SYNCED

    def sets_clock(self, when: str) -> int:
        """The first synchronisation of the boot."""
        true, amount = at(when), -self.wrong // timedelta(milliseconds=1)
        self.wrong, self.clock = timedelta(0), ClockState.SYNCED
        boottime = (true - MIDNIGHT) // timedelta(milliseconds=1)
        return self.append(when, ClockData(boot=self.boot, boottime=boottime, wall=true, correction=amount))


def lane(
    direction: LaneDirection = LaneDirection.ARRIVAL_ONLY,
    *,
    rotations: bool = False,
    gateway: str = "north",
    name: LaneId = MAIN,
) -> ServedLane:
    return ServedLane(
        gateway=gateway, lane=name, direction=direction, opens=at("07:00"), closes=at("20:00"), rotations=rotations
    )


def evidence(
    events: Iterable[Event], *lanes: ServedLane, through: int = 10**6, day: int = 0, others: Sequence[str] = ()
) -> Evidence:
    """Everybody but `others` holds a card."""
    known = list(events)
    return Evidence(
        since=MIDNIGHT + timedelta(days=day),
        until=MIDNIGHT + timedelta(days=day + 1),
        events=known,
        through={(event.stream.gateway, event.stream.epoch): through for event in known},
        lanes=lanes or (lane(),),
        holder=lambda token, _: PersonId(token) if token not in others else None,
    )


def facts(given: Evidence) -> dict[str, str]:
    """`{"anna": "arrival 08:20, uncertain out 13:00"}`."""
    found, _ = interpret(given)
    return {person: ", ".join(map(_word, sorted(mine, key=lambda f: (f.at, f.ref)))) for person, mine in found.items()}


def spans(coverage: Coverage) -> list[str]:
    """`main free 07:40-08:10`, `main closed 09:00-10:00`; a span without an end is still going on."""
    found = []
    for one in coverage.lanes:
        timed = [(span.kind.value, span.since, span.until) for span in one.outages]
        for kind, since, until in [*timed, *(("closed", span.since, span.until) for span in one.closed)]:
            found.append((since, f"{one.lane} {kind} {since:%H:%M}-" + (f"{until:%H:%M}" if until else "")))
    return [word for _, word in sorted(found)]


def outages(given: Evidence) -> list[str]:
    return spans(interpret(given)[1])


def heard(given: Evidence) -> list[str]:
    """`main 07:00-08:00`."""
    _, coverage = interpret(given)
    return [f"{one.lane} {i.since:%H:%M}-{i.until:%H:%M}" for one in coverage.lanes for i in one.intervals]


def _word(fact: Fact) -> str:
    return f"{'uncertain ' if fact.uncertain else ''}{fact.kind} {fact.at:%H:%M}"
