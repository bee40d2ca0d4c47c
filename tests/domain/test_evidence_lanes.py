"""A lane that changes during the day: what it was at that moment counts, and what it was told to be before or afterwards does not."""

from dataclasses import replace

import pytest

from gateway.domain.entry import DeviceState, ManualAction, PassageKind
from gateway.domain.evidence import ServedLane, interpret
from gateway.domain.model import Direction, LaneDirection
from tests.domain.build import at
from tests.domain.ledger import Ledger, evidence, facts, lane, outages

IN, OUT, UNKNOWN = Direction.IN, Direction.OUT, Direction.UNKNOWN


def between(one: ServedLane, since: str = "00:00", until: str = "24:00") -> ServedLane:
    return replace(one, since=at(since), until=at(until))


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (lane(LaneDirection.OUT), "arrival 08:20, out 08:30"),
        (lane(LaneDirection.CHECKPOINT), "arrival 08:20, checkpoint 08:30"),
        (lane(LaneDirection.ALTERNATING), "arrival 08:20, alternating 08:30"),
        (lane(LaneDirection.BOTH), "arrival 08:20, permit 08:30"),
        (lane(rotations=True), "arrival 08:20, permit 08:30"),
    ],
)
def test_a_tap_is_read_by_what_its_lane_was_at_that_moment(later: ServedLane, expected: str) -> None:
    ledger = Ledger()
    for when in ("08:20", "08:30"):
        ledger.tap("anna", when)
    rows = between(lane(), until="08:30"), between(later, since="08:30")
    for order in (rows, rows[::-1]):
        assert facts(evidence(ledger.events, *order)) == {"anna": expected}


def test_a_rotation_is_read_by_what_the_lane_was_at_the_tap() -> None:
    ledger = Ledger()
    ledger.passes("08:30", ledger.tap("anna", "08:29"), PassageKind.NOT_USED)
    rows = between(lane(LaneDirection.CHECKPOINT), until="08:30"), between(lane(), since="08:30")
    assert facts(evidence(ledger.events, *rows)) == {"anna": "checkpoint 08:29"}


def test_the_guard_s_list_is_read_by_what_the_lane_was() -> None:
    ledger = Ledger()
    ledger.guard("08:20", ManualAction.ENTER, "anna")
    ledger.guard("08:30", ManualAction.ENTER, "anna")
    rows = between(lane(), until="08:30"), between(lane(LaneDirection.BOTH), since="08:30")
    assert facts(evidence(ledger.events, *rows)) == {"anna": "arrival 08:20, in 08:30"}


@pytest.mark.parametrize(("way", "kind"), [(OUT, "permit"), (IN, "arrival"), (UNKNOWN, "arrival")])
def test_an_exit_at_a_lane_that_does_not_serve_is_a_doubt_and_an_entry_counts(way: Direction, kind: str) -> None:
    """Nobody waits to hear of the way back."""
    ledger = Ledger()
    for when in ("08:29", "08:35"):
        ledger.tap("anna", when, way=way)
    for row in (between(lane(), "08:30", "08:35"), lane(gateway="south")):
        assert facts(evidence(ledger.events, row)) == {"anna": f"{kind} 08:29, {kind} 08:35"}


def test_so_is_an_exit_that_the_gate_of_such_a_lane_reports() -> None:
    ledger = Ledger()
    ledger.passes("08:36", ledger.tap("anna", "08:35"), way=OUT)
    assert facts(evidence(ledger.events, lane(gateway="south"))) == {"anna": "permit 08:36"}


def test_an_alarm_lasts_no_longer_than_its_lane_serves() -> None:
    ledger = Ledger()
    ledger.tells("10:05", DeviceState.FIRE_ALARM, "alarm")
    given = evidence(ledger.events, between(lane(), until="10:06"), lane(gateway="south"))
    assert outages(given) == ["main fire_alarm 10:05-10:06"]
    [alarm] = interpret(given)[1].alarms
    assert (alarm.since, alarm.until) == (at("10:05"), at("10:06"))


def test_an_alarm_after_its_lane_is_gone_is_none_and_one_after_service_hours_is() -> None:
    ledger = Ledger()
    ledger.tells("20:30", DeviceState.FIRE_ALARM, "alarm")
    ledger.tells("20:40", DeviceState.FIRE_ALARM, "all-clear")
    assert outages(evidence(ledger.events, between(lane(), until="20:30"))) == []
    assert outages(evidence(ledger.events, between(lane(), until="20:35"))) == ["main fire_alarm 20:30-20:35"]
    assert outages(evidence(ledger.events)) == ["main fire_alarm 20:30-20:40"]
