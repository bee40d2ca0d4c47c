"""From what a gateway wrote to the mark of the first lesson: 08:30 to 09:15, judged at 09:20."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from gateway.domain.entry import DeviceState, ManualAction, PassageKind
from gateway.domain.evidence import Evidence, ServedLane, interpret
from gateway.domain.model import Direction, LaneDirection, PersonId
from gateway.domain.policy import Policy
from gateway.domain.register import Day, judge
from tests.domain.build import at, slot
from tests.domain.ledger import Ledger, evidence, lane

ANNA = PersonId("anna")
ARRIVALS, TURNSTILE = lane(), lane(LaneDirection.BOTH, rotations=True)


def mark(given: Evidence) -> str:
    """`late 6`, `unknown: free`."""
    facts, coverage = interpret(given)
    day = Day(person=ANNA, date=date(2026, 9, 1))
    [found] = judge(day, [slot()], facts.get(ANNA, []), [], coverage, at("09:20"), Policy())
    doubts = ", ".join(sorted({doubt.kind.value for doubt in found.doubts}))
    late = f" {found.minutes_late}" if found.minutes_late else ""
    return f"{found.status}{late}" + (f": {doubts}" if doubts else "")


def nothing(_: Ledger) -> None:
    """A morning on which Anna did nothing."""


def comes(when: str, way: Direction = Direction.UNKNOWN) -> Callable[[Ledger], object]:
    return lambda ledger: ledger.tap(ANNA, when, way=way)


def turns(when: str, kind: PassageKind = PassageKind.CONFIRMED) -> Callable[[Ledger], object]:
    return lambda ledger: ledger.passes(when, ledger.tap(ANNA, when), kind)


def tells(since: str, kind: DeviceState, word: str, until: str, end: str) -> Callable[[Ledger], object]:
    def both(ledger: Ledger) -> None:
        ledger.tells(since, kind, word)
        ledger.tells(until, kind, end)

    return both


def loses_its_reader(ledger: Ledger) -> None:
    ledger.tells("08:00", DeviceState.DOWN, "reader door: unplugged")
    ledger.tells("08:05", DeviceState.UP, "reader door")


def passes_twice(ledger: Ledger) -> None:
    ledger.passes("08:10", ledger.tap(ANNA, "08:10"))
    ledger.passes("08:58", ledger.tap(ANNA, "08:58"), way=Direction.OUT)


def starts_on_a_wrong_clock(ledger: Ledger) -> None:
    ledger.starts("b2", timedelta(days=-300))
    ledger.tap(ANNA, "08:36")
    ledger.sets_clock("08:40")


def never_learns_the_time(ledger: Ledger) -> None:
    ledger.tap("boris", "08:35")
    ledger.starts("b2", timedelta(days=-300))
    ledger.tap(ANNA, "08:36")
    ledger.starts("b3")


@pytest.mark.parametrize(
    ("door", "morning", "expected"),
    [
        (ARRIVALS, nothing, "absent"),
        (ARRIVALS, comes("08:20"), "present"),
        (ARRIVALS, comes("08:35:01"), "late 6"),
        (TURNSTILE, turns("08:20"), "present"),
        (TURNSTILE, turns("08:36"), "late 6"),
        (TURNSTILE, turns("08:20", PassageKind.NOT_USED), "unknown: permit"),
        (TURNSTILE, comes("08:20", Direction.IN), "unknown: permit"),
        (TURNSTILE, passes_twice, "left_early"),
        (ARRIVALS, tells("07:40", DeviceState.MODE, "free", "08:10", "single"), "unknown: free"),
        (ARRIVALS, tells("06:00", DeviceState.MODE, "free", "07:00", "single"), "absent"),
        (ARRIVALS, tells("09:16", DeviceState.MODE, "free", "09:18", "single"), "absent"),
        (ARRIVALS, tells("08:40", DeviceState.FIRE_ALARM, "alarm", "08:50", "all-clear"), "unknown: fire_alarm"),
        (TURNSTILE, tells("08:00", DeviceState.BLOCKED, "blocked", "08:01", "clear"), "unknown: blind"),
        (ARRIVALS, loses_its_reader, "unknown: down"),
        (ARRIVALS, lambda ledger: ledger.guard("08:10", ManualAction.OPEN), "unknown: opened"),
        (ARRIVALS, lambda ledger: ledger.guard("08:10", ManualAction.ENTER, "boris"), "absent"),
        (TURNSTILE, lambda ledger: ledger.guard("08:10", ManualAction.ENTER, "boris", ANNA), "present"),
        (TURNSTILE, lambda ledger: ledger.passes("08:10", None, PassageKind.FORCED), "absent"),
        (ARRIVALS, starts_on_a_wrong_clock, "late 6"),
        (ARRIVALS, never_learns_the_time, "unknown 5: uncertain, unsynced"),
    ],
)
def test_a_morning(door: ServedLane, morning: Callable[[Ledger], object], expected: str) -> None:
    ledger = Ledger()
    ledger.covers("00:00", "07:00")
    morning(ledger)
    ledger.covers("07:00", "09:20")
    assert mark(evidence(ledger.events, door)) == expected


def test_a_backlog_makes_nobody_absent_and_what_arrives_late_is_judged_again() -> None:
    ledger = Ledger()
    ledger.covers("00:00", "08:00")
    ledger.tap(ANNA, "08:20")
    ledger.covers("08:00", "09:20")
    assert mark(evidence(ledger.events[:1])) == "unknown: silent"
    assert mark(evidence([ledger.events[0], ledger.events[2]], through=1)) == "unknown: silent"
    assert mark(evidence(ledger.events)) == "present"


def test_a_lane_that_was_locked_is_not_waited_for_as_long_as_its_gateway_is_heard() -> None:
    north, south = Ledger(), Ledger("south")
    north.covers("00:00", "09:20")
    south.covers("00:00", "07:01")
    south.tells("07:01", DeviceState.MODE, "locked")
    both = lane(), lane(gateway="south")
    assert mark(evidence([*north.events, *south.events], *both)) == "unknown: silent"
    south.tells("09:20", DeviceState.TAMPER, "the housing was opened")
    assert mark(evidence([*north.events, *south.events], *both)) == "absent"
    assert mark(evidence([*north.events, *south.events], *both, through=2)) == "unknown: silent"
