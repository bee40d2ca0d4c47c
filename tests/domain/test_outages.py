"""When a lane could not name everybody who passed."""

import pytest

from gateway.domain.entry import DeviceState, ManualAction
from gateway.domain.evidence import interpret
from gateway.domain.model import Direction, LaneId
from tests.domain.build import at
from tests.domain.ledger import MAIN, Ledger, evidence, lane, outages, spans

MODE, ALARM, BLOCKED = DeviceState.MODE, DeviceState.FIRE_ALARM, DeviceState.BLOCKED
SIDE = LaneId("side")


def told(story: str) -> Ledger:
    """`07:40 mode free, 08:10 mode single, 08:20 guard open`."""
    ledger = Ledger()
    for line in story.split(", "):
        when, kind, *rest = line.split(" ", 2)
        if kind == "guard":
            ledger.guard(when, ManualAction(rest[0]))
        elif kind == "tap":
            ledger.tap("anna", when)
        else:
            ledger.tells(when, DeviceState(kind), " ".join(rest))
    return ledger


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("07:40 mode free, 08:10 mode single", ["main free 07:40-08:10"]),
        ("07:40 mode free, 07:50 mode free, 08:10 mode locked", ["main free 07:40-08:10", "main closed 08:10-08:10"]),
        ("07:40 mode free", ["main free 07:40-"]),
        ("07:40 mode ajar, 08:10 mode single", ["main free 07:40-08:10"]),
        ("07:40 mode single", []),
        ("10:00 fire_alarm alarm, 10:20 fire_alarm all-clear", ["main fire_alarm 10:00-10:20"]),
        ("10:00 fire_alarm the contact closed", ["main fire_alarm 10:00-"]),
        (
            "07:40 mode free, 10:00 fire_alarm alarm, 10:10 mode single, 10:20 fire_alarm all-clear",
            ["main free 07:40-10:10", "main fire_alarm 10:00-10:20"],
        ),
        ("07:40 blocked blocked, 07:45 blocked clear", ["main blind 07:40-07:45"]),
        ("07:40 down reader door: unplugged, 07:45 up reader door", ["main down 07:40-07:45"]),
        ("07:40 down reader door: unplugged, 07:42 up gate lamp, 07:45 up reader spare", ["main down 07:40-07:45"]),
        ("07:40 down reader, 07:45 up reader", ["main down 07:40-07:45"]),
        ("07:40 down reader door: unplugged, 07:45 up reader door: it is back", ["main down 07:40-07:45"]),
        ("07:40 up reader door", []),
        ("07:40 down gate lamp: gone", []),
        ("07:40 garbage 300 bytes of noise", ["main blind 07:40-07:40"]),
        ("07:40 storage the disk is full", ["main down 07:40-07:40"]),
        ("07:40 tamper the housing was opened", []),
        ("07:40 guard open", ["main opened 07:40-07:40"]),
        ("07:40 guard hold, 07:45 guard hold, 08:10 guard release", ["main opened 07:40-08:10"]),
        ("07:40 guard release", []),
        ("09:00 mode locked, 10:00 mode single", ["main closed 09:00-10:00"]),
        ("09:00 mode locked, 10:00 tap", ["main closed 09:00-10:00"]),
        ("09:00 mode locked, 09:30 fire_alarm alarm, 10:00 tap", ["main closed 09:00-09:30", "main fire_alarm 09:30-"]),
        ("09:00 mode locked, 09:30 guard hold, 10:00 tap", ["main closed 09:00-09:30", "main opened 09:30-"]),
        ("08:10 mode single, 07:40 mode free", ["main free 07:40-08:10"]),
        ("09:00 mode locked, 09:30 down gate x, 09:40 tap", ["main closed 09:00-09:30"]),
    ],
)
def test_what_a_lane_told_of_itself(story: str, expected: list[str]) -> None:
    assert outages(evidence(told(story).events)) == expected


def test_a_lane_that_needs_its_rotations_needs_its_gate() -> None:
    ledger = told("07:40 down gate lamp: gone, 07:45 up gate lamp")
    assert outages(evidence(ledger.events, lane(rotations=True))) == ["main down 07:40-07:45"]


def test_each_lane_speaks_for_itself() -> None:
    ledger = told("07:40 mode free, 08:10 mode single")
    ledger.tells("07:50", MODE, "free", lane=SIDE)
    ledger.guard("08:00", ManualAction.OPEN, lane=SIDE)
    both = evidence(ledger.events, lane(), lane(name=SIDE), lane(gateway="south"))
    assert outages(both) == ["main free 07:40-08:10", "side free 07:50-", "side opened 08:00-08:00"]


def test_a_lock_is_believed_as_far_as_nothing_is_missing() -> None:
    ledger = told("09:00 mode locked, 09:30 tap, 10:00 mode single, 11:00 tap")
    assert outages(evidence(ledger.events, through=4)) == ["main closed 09:00-10:00"]
    assert outages(evidence(ledger.events, through=2)) == ["main closed 09:00-09:30"]
    assert outages(evidence(ledger.events, through=0)) == []


def test_what_speaks_against_silence_counts_beyond_a_hole() -> None:
    ledger = told("07:40 mode free, 08:10 mode single")
    assert outages(evidence(ledger.events, through=0)) == ["main free 07:40-08:10"]


def test_a_gateway_whose_clock_nobody_knows_is_no_witness_in_any_lane() -> None:
    ledger = Ledger()
    ledger.tap("anna", "07:30")
    ledger.starts("b2", at("07:00") - at("08:00"))
    ledger.tap("boris", "07:40")
    ledger.starts("b3")
    ledger.tap("vera", "08:00")
    both = evidence(ledger.events, lane(), lane(name=SIDE), lane(gateway="south"))
    assert outages(both) == ["main unsynced 07:30-08:00", "side unsynced 07:30-08:00"]


def test_a_gateway_that_is_still_unsynced_is_none_from_the_last_known_moment_on() -> None:
    ledger = Ledger()
    ledger.starts("b1", at("07:00") - at("08:00"))
    ledger.tap("anna", "09:40")
    assert outages(evidence(ledger.events)) == ["main unsynced 00:00-"]


def test_a_mode_that_was_told_before_the_clock_was_set_has_its_repaired_time() -> None:
    ledger = Ledger()
    ledger.starts("b1", at("07:00") - at("10:00"))
    ledger.tells("07:40", MODE, "free")
    ledger.tells("08:10", MODE, "single")
    ledger.sets_clock("08:20")
    assert outages(evidence(ledger.events)) == ["main free 07:40-08:10"]


def test_a_new_epoch_goes_on_where_the_old_one_ended() -> None:
    old, new = told("07:40 mode free"), Ledger(epoch="e2", boot="b2")
    new.tells("08:10", MODE, "single")
    assert outages(evidence([*new.events, *old.events])) == ["main free 07:40-08:10"]


def test_an_unlisted_lane_says_nothing_about_the_others() -> None:
    ledger = Ledger()
    ledger.tells("07:40", MODE, "free", lane=SIDE)
    ledger.passes("07:41", None, way=Direction.IN)
    _, coverage = interpret(evidence(ledger.events))
    assert spans(coverage) == []
    assert [one.lane for one in coverage.lanes] == [MAIN]
