"""The register: a whole school judged for a day, and one tap decided with that school loaded; time and memory of both."""

import gc
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from bench.figure import Figure, over_rounds
from gateway.domain.credential import Credential, SiteKey, Technology
from gateway.domain.decide import Recent, decide
from gateway.domain.directory import Content, CredentialRow, Directory, PersonRow
from gateway.domain.model import ClockState, Direction, GroupId, Instant, LaneId, Mark, PersonId, Slot, SlotId, Tap
from gateway.domain.policy import Policy
from gateway.domain.register import Coverage, Day, EntryRef, Fact, FactKind, Interval, LaneCoverage, judge

_ROUNDS = 7
_PUPILS, _CLASSES, _LESSONS, _LANES = 2000, 80, 8, 4
_DAY_MS, _TAP_US, _DAY_MIB, _TAP_MIB = 100.0, 200.0, 50.0, 50.0
_TAPS = 2000

_DATE = date(2026, 9, 1)
_EIGHT = datetime(2026, 9, 1, 5, 0, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_KEY = SiteKey(version=1, secret=bytes(range(32)))

Pupil = tuple[Day, list[Slot], list[Fact]]


def run() -> Sequence[Figure]:
    """Takes some seconds."""
    school = [_pupil(number) for number in range(_PUPILS)]

    def day() -> list[Mark]:
        coverage, as_of, policy = _coverage(), _EIGHT + 600 * _MINUTE, Policy()
        return [
            mark for whose, slots, facts in school for mark in judge(whose, slots, facts, (), coverage, as_of, policy)
        ]

    directory, cards = _directory(), [_card(number) for number in range(_PUPILS)]

    def taps() -> list[object]:
        recent = Recent(Policy().repeat_at_lane)
        return [decide(_tap(cards[n * 7 % _PUPILS], n), directory, recent, [_KEY]) for n in range(_TAPS)]

    days, decided = _seconds(day), _seconds(taps)
    return [
        over_rounds("judge_school_day", "ms", [(s * 1000, _DAY_MS) for s in days], "budget", at_most=1),
        over_rounds("judge_school_day_memory", "MiB", [(_peak(day), _DAY_MIB)], "budget", at_most=1),
        over_rounds("decide_tap", "µs", [(s * 1e6 / _TAPS, _TAP_US) for s in decided], "budget", at_most=1),
        over_rounds("decide_directory_memory", "MiB", [(_peak(_directory), _TAP_MIB)], "budget", at_most=1),
    ]


def _seconds(work: Callable[[], object]) -> list[float]:
    """Of the processor: whoever else uses this machine does not count."""
    found = []
    for _ in range(_ROUNDS):
        gc.collect()
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return found


def _peak(work: Callable[[], object]) -> float:
    """MiB, with what the work returns."""
    gc.collect()
    tracemalloc.start()
    kept = work()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    del kept
    return peak


def _slots(group: GroupId) -> list[Slot]:
    starts = [_EIGHT + 55 * number * _MINUTE for number in range(_LESSONS)]
    return [
        Slot(id=SlotId(f"{group}-{n}"), group=group, number=n, start=start, end=start + 45 * _MINUTE)
        for n, start in enumerate(starts, 1)
    ]


_BY_CLASS = [_slots(GroupId(f"class-{n}")) for n in range(_CLASSES)]


def _pupil(number: int) -> Pupil:
    """Most come in time and leave at the end; some go out for lunch, some are late, some never come."""
    day = Day(person=PersonId(f"p-{number:06}"), date=_DATE, site="school-1")
    lane = f"north/{number % _LANES}"
    came = _EIGHT - (20 - number % 20) * _MINUTE if number % 25 else _EIGHT + 7 * _MINUTE
    ways = [(came, FactKind.IN), (_EIGHT + 440 * _MINUTE, FactKind.OUT)]
    if number % 4 == 0:
        ways[1:1] = [(_EIGHT + 210 * _MINUTE, FactKind.OUT), (_EIGHT + 217 * _MINUTE, FactKind.IN)]
    facts = [
        Fact(at=at, kind=kind, ref=EntryRef(gateway="north", epoch="e", seq=number * 4 + n), lane=lane)
        for n, (at, kind) in enumerate(ways)
    ]
    return day, _BY_CLASS[number % _CLASSES], facts if number % 40 else []


def _coverage() -> Coverage:
    """Four lanes, heard of every minute."""
    opens = _EIGHT - 60 * _MINUTE
    intervals = tuple(
        Interval(since=opens + n * _MINUTE, until=opens + (n + 1) * _MINUTE) for n in range(12 * 60)
    )  # fmt: skip
    return Coverage(
        lanes=tuple(
            LaneCoverage(
                gateway="north",
                lane=LaneId(str(n)),
                opens=opens,
                closes=opens + 720 * _MINUTE,
                intervals=intervals,
            )
            for n in range(_LANES)
        )
    )


def _card(number: int) -> Credential:
    return Credential(technology=Technology.EM4100, uid=b"\x55" + (number + 1).to_bytes(4, "big"))


def _directory() -> Directory:
    content = Content(
        site="school-1",
        zone="UTC",
        gateways=(),
        persons=tuple(
            PersonRow(id=PersonId(f"p-{n:06}"), groups=(GroupId(f"class-{n % _CLASSES}"),)) for n in range(_PUPILS)
        ),
        credentials=tuple(
            CredentialRow(token=_KEY.token(_card(n)), person=PersonId(f"p-{n:06}")) for n in range(_PUPILS)
        ),
        slots=tuple(slot for slots in _BY_CLASS for slot in slots),
    )
    return Directory.of(content, version=1, valid_until=_EIGHT + timedelta(days=14))


def _tap(card: Credential, number: int) -> Tap:
    at = Instant(
        at=_EIGHT - 10 * _MINUTE + timedelta(milliseconds=250 * number),
        boot="b",
        boottime=250 * number,
        clock=ClockState.SYNCED,
    )
    return Tap(lane=LaneId("north-1"), credential=card, at=at, direction=Direction.IN)
