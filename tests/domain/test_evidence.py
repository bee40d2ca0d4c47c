"""From events to facts and coverage."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.credential import Technology
from gateway.domain.decide import unreadable
from gateway.domain.entry import DeviceState, EpochData, ManualAction, PassageKind
from gateway.domain.evidence import interpret
from gateway.domain.model import Direction, LaneDirection, LaneId, PersonId, Reason, Verdict
from gateway.domain.presence import EntryRef
from tests.domain.build import at, instant
from tests.domain.ledger import MAIN, Ledger, evidence, facts, heard, lane

IN, OUT, UNKNOWN = Direction.IN, Direction.OUT, Direction.UNKNOWN
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("direction", "told", "kind"),
    [
        (LaneDirection.ARRIVAL_ONLY, UNKNOWN, "arrival"),
        (LaneDirection.ARRIVAL_ONLY, IN, "arrival"),
        (LaneDirection.ARRIVAL_ONLY, OUT, "out"),
        (LaneDirection.IN, UNKNOWN, "in"),
        (LaneDirection.OUT, UNKNOWN, "out"),
        (LaneDirection.BOTH, IN, "in"),
        (LaneDirection.BOTH, OUT, "out"),
        (LaneDirection.BOTH, UNKNOWN, "permit"),
        (LaneDirection.ALTERNATING, UNKNOWN, "alternating"),
        (LaneDirection.ALTERNATING, IN, "in"),
        (LaneDirection.ALTERNATING, OUT, "out"),
        (LaneDirection.CHECKPOINT, UNKNOWN, "checkpoint"),
        (LaneDirection.CHECKPOINT, OUT, "checkpoint"),
    ],
)
def test_what_a_tap_says_at_each_kind_of_lane(direction: LaneDirection, told: Direction, kind: str) -> None:
    ledger = Ledger()
    ledger.tap("anna", "08:20", way=told)
    assert facts(evidence(ledger.events, lane(direction))) == {"anna": f"{kind} 08:20"}


@pytest.mark.parametrize(
    ("reason", "admit", "kind"),
    [
        (Reason.KNOWN, True, "in"),
        (Reason.EXPIRED, True, "in"),
        (Reason.UNKNOWN_CARD, False, "in"),
        (Reason.BLOCKED, False, "permit"),
        (Reason.LOST, False, "permit"),
        (Reason.EXPIRED, False, "permit"),
    ],
)
def test_a_refused_card_was_seen_and_proves_nothing(reason: Reason, admit: bool, kind: str) -> None:
    ledger = Ledger()
    ledger.tap("anna", "08:20", verdict=Verdict(admit=admit, reason=reason))
    assert facts(evidence(ledger.events, lane(LaneDirection.IN))) == {"anna": f"{kind} 08:20"}


@pytest.mark.parametrize(
    ("passage", "with_rotations", "without"),
    [
        (None, "permit 08:20", "in 08:20"),
        (PassageKind.CONFIRMED, "in 08:21", "in 08:21"),
        (PassageKind.NOT_USED, "permit 08:21", "permit 08:21"),
    ],
)
def test_a_gate_that_reports_rotations_must_report_them(
    passage: PassageKind | None, with_rotations: str, without: str
) -> None:
    ledger = Ledger()
    tap = ledger.tap("anna", "08:20")
    if passage is not None:
        ledger.passes("08:21", tap, passage)
    assert facts(evidence(ledger.events, lane(LaneDirection.IN, rotations=True))) == {"anna": with_rotations}
    assert facts(evidence(ledger.events, lane(LaneDirection.IN))) == {"anna": without}


def test_the_gate_knows_the_way_better_than_the_reader() -> None:
    ledger = Ledger()
    ledger.passes("13:00", ledger.tap("anna", "12:59"), way=OUT)
    assert facts(evidence(ledger.events, lane(LaneDirection.BOTH, rotations=True))) == {"anna": "out 13:00"}


def test_a_confirmed_passage_outweighs_whatever_else_was_told_of_the_tap() -> None:
    for order in ([PassageKind.NOT_USED, PassageKind.CONFIRMED], [PassageKind.CONFIRMED, PassageKind.NOT_USED]):
        ledger = Ledger()
        tap = ledger.tap("anna", "08:20")
        for kind in order:
            ledger.passes("08:21", tap, kind)
        assert facts(evidence(ledger.events, lane(rotations=True))) == {"anna": "arrival 08:21"}


@pytest.mark.parametrize("kind", [k for k in PassageKind if k not in (PassageKind.CONFIRMED, PassageKind.NOT_USED)])
def test_a_passage_without_a_tap_is_nobody_s(kind: PassageKind) -> None:
    ledger = Ledger()
    ledger.tap("anna", "08:20")
    ledger.passes("08:21", None, kind)
    assert facts(evidence(ledger.events, lane(rotations=True))) == {"anna": "permit 08:20"}


def test_a_passage_belongs_to_the_tap_of_its_own_ledger() -> None:
    north, south = Ledger(), Ledger("south")
    north.tap("anna", "08:20")
    south.tap("boris", "08:20")
    south.passes("08:21", 1)
    lanes = lane(rotations=True), lane(gateway="south", rotations=True)
    assert facts(evidence([*north.events, *south.events], *lanes)) == {"anna": "permit 08:20", "boris": "arrival 08:21"}


def test_at_a_checkpoint_a_card_is_seen_whether_the_gate_turns_or_not() -> None:
    ledger = Ledger()
    ledger.passes("12:01", ledger.tap("anna", "12:00"), PassageKind.NOT_USED)
    ledger.tap("boris", "12:00")
    canteen = lane(LaneDirection.CHECKPOINT, rotations=True)
    assert facts(evidence(ledger.events, canteen)) == {"anna": "checkpoint 12:00", "boris": "checkpoint 12:00"}


@pytest.mark.parametrize(("direction", "kind"), [(LaneDirection.ARRIVAL_ONLY, "arrival"), (LaneDirection.OUT, "in")])
def test_everybody_on_the_guard_s_list_came_in(direction: LaneDirection, kind: str) -> None:
    ledger = Ledger()
    ledger.guard("08:25", ManualAction.ENTER, "anna", "boris")
    ledger.guard("08:26", ManualAction.OPEN)
    given = evidence(ledger.events, lane(direction, rotations=True))
    assert facts(given) == {"anna": f"{kind} 08:25", "boris": f"{kind} 08:25"}


def test_a_card_that_nobody_held_is_nobody_s() -> None:
    ledger = Ledger()
    ledger.tap("anna", "08:20")
    assert facts(evidence(ledger.events, others=["anna"])) == {}


def test_a_card_that_is_no_identity_is_nobody_s_whoever_holds_the_others() -> None:
    ledger = Ledger()
    ledger.append("08:20", unreadable(MAIN, Technology.EM4100, IN, instant("08:20")).data)
    assert facts(replace(evidence(ledger.events), holder=lambda *_: PersonId("anna"))) == {}


def test_a_lane_that_is_not_of_this_site_tells_who_arrived_and_nothing_of_silence() -> None:
    ledger = Ledger()
    ledger.tap("anna", "08:20", lane=LaneId("side"))
    assert facts(evidence(ledger.events, lane(LaneDirection.BOTH))) == {"anna": "arrival 08:20"}


def test_a_card_is_its_holder_s_of_the_repaired_time() -> None:
    ledger = Ledger()
    ledger.starts("b1", -2 * DAY)
    ledger.tap("anna", "08:20")
    ledger.guard("08:25", ManualAction.ENTER, "boris")
    ledger.sets_clock("08:30")
    asked: list[datetime] = []
    given = evidence(ledger.events)
    interpret(replace(given, holder=lambda _, moment: asked.append(moment)))
    assert asked == [at("08:20")]
    assert facts(given) == {"anna": "arrival 08:20", "boris": "arrival 08:25"}
    assert facts(evidence(ledger.events, day=-2)) == {}


def test_only_what_happened_on_the_day() -> None:
    ledger = Ledger()
    ledger.tap("anna", "00:00")
    ledger.tap("boris", "23:59:59")
    ledger.guard("23:59:59", ManualAction.ENTER, "vera")
    ledger.guard("24:00", ManualAction.ENTER, "vera")
    ledger.tap("gleb", "24:00")
    assert facts(evidence(ledger.events)) == {
        "anna": "arrival 00:00",
        "boris": "arrival 23:59",
        "vera": "arrival 23:59",
    }
    assert facts(evidence(ledger.events, day=1)) == {"vera": "arrival 00:00", "gleb": "arrival 00:00"}


def test_a_boot_that_nobody_synchronised_gives_uncertain_facts_between_its_neighbours() -> None:
    ledger = Ledger()
    ledger.tap("anna", "07:30")
    ledger.starts("b2", -20_000 * DAY)
    ledger.tap("boris", "08:20")
    ledger.guard("08:21", ManualAction.ENTER, "vera")
    ledger.starts("b3")
    ledger.tap("gleb", "09:00")
    given = evidence(ledger.events)
    assert facts(given) == {
        "anna": "arrival 07:30",
        "boris": "uncertain arrival 07:30",
        "vera": "uncertain arrival 07:30",
        "gleb": "arrival 09:00",
    }


def test_coverage_counts_up_to_the_first_hole_and_facts_beyond_it() -> None:
    ledger = Ledger()
    ledger.covers("07:00", "08:00")
    ledger.tap("anna", "08:20")
    ledger.covers("08:00", "09:00")
    assert heard(evidence(ledger.events)) == ["main 07:00-08:00", "main 08:00-09:00"]
    assert heard(evidence(ledger.events, through=2)) == ["main 07:00-08:00"]
    assert facts(evidence(ledger.events, through=1)) == {"anna": "arrival 08:20"}
    assert heard(replace(evidence(ledger.events), through={})) == []


def test_without_a_lane_nobody_can_be_seen() -> None:
    _, coverage = interpret(replace(evidence([]), lanes=()))
    assert [str(doubt) for doubt in coverage.gaps(at("08:00"), at("09:00"))] == [
        "no_lane since 2026-09-01T08:00:00.000Z"
    ]


def test_a_fact_names_its_entry_and_its_lane() -> None:
    ledger = Ledger()
    tap = ledger.tap("anna", "08:20")
    ledger.passes("08:21", tap)
    by_hand = ledger.guard("08:25", ManualAction.ENTER, "boris")
    known, coverage = interpret(evidence(ledger.events))
    for person, seq in (("anna", tap), ("boris", by_hand)):
        [fact] = known[PersonId(person)]
        assert (fact.ref, fact.lane) == (EntryRef(gateway="north", epoch="e1", seq=seq), f"north/{MAIN}")
    assert [(one.gateway, one.lane) for one in coverage.lanes] == [("north", MAIN)]


def test_a_rotation_finds_its_tap_that_stands_again_in_a_later_epoch() -> None:
    """The epoch ended between the two: the tap is known as it stood first, the rotation names where it stands again."""
    old, new = Ledger(), Ledger(epoch="e2")
    first = EntryRef(gateway="north", epoch="e1", seq=old.tap("anna", "08:20"))
    repeated = EntryRef(gateway="north", epoch="e2", seq=1)
    new.append("08:20", EpochData(previous="e1", reason="restored"))
    new.passes("08:21", repeated.seq)
    given = evidence([*old.events, *new.events], lane(rotations=True))
    assert facts(given) == {"anna": "permit 08:20"}
    assert facts(replace(given, again={repeated: first})) == {"anna": "arrival 08:21"}


KINDS = ["tap", "passage", "list", "open", "coverage", "mode", "alarm", "boot", "wrong boot", "clock"]


def ledger_of(gateway: str, steps: list[tuple[str, int]]) -> Ledger:
    ledger, minute, boots = Ledger(gateway), 7 * 60, 1
    for kind, number in steps:
        minute += number + 1
        now, before = f"{minute // 60:02}:{minute % 60:02}", f"{(minute - 1) // 60:02}:{(minute - 1) % 60:02}"
        person = f"p{number % 4}"
        match kind:
            case "tap":
                ledger.tap(person, now)
            case "passage":
                ledger.passes(now, max(len(ledger.events) - number, 1), list(PassageKind)[number % 2])
            case "list":
                ledger.guard(now, ManualAction.ENTER, person, "p9")
            case "open":
                ledger.guard(now, [ManualAction.OPEN, ManualAction.HOLD, ManualAction.RELEASE][number % 3])
            case "coverage":
                ledger.covers(before, now)
            case "mode":
                ledger.tells(now, DeviceState.MODE, ["single", "free", "locked"][number % 3])
            case "alarm":
                ledger.tells(now, DeviceState.FIRE_ALARM, ["alarm", "all-clear"][number % 2])
            case "clock":
                ledger.sets_clock(now)
            case _:
                boots += 1
                ledger.starts(f"b{boots}", DAY * -number if kind == "wrong boot" else timedelta(0))
    return ledger


stories = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 11)), max_size=25)


@given(stories, stories, st.data())
def test_order_batching_and_repetition_change_nothing(
    north: list[tuple[str, int]], south: list[tuple[str, int]], data: st.DataObject
) -> None:
    events = [*ledger_of("north", north).events, *ledger_of("south", south).events]
    again = data.draw(st.lists(st.sampled_from(events))) if events else []
    shuffled = data.draw(st.permutations([*events, *again]))
    lanes = lane(rotations=True), lane(LaneDirection.BOTH, gateway="south")
    assert interpret(evidence(shuffled, *lanes)) == interpret(evidence(events, *lanes))


@given(stories, st.integers(0, 25))
def test_a_hole_never_adds_to_what_was_heard(steps: list[tuple[str, int]], through: int) -> None:
    events = ledger_of("north", steps).events
    (whole,) = interpret(evidence(events))[1].lanes
    (holed,) = interpret(evidence(events, through=through))[1].lanes
    assert set(holed.intervals) <= set(whole.intervals)
    assert holed.outages == whole.outages
    for span in holed.closed:
        assert any(other.since <= span.since and span.until <= other.until for other in whole.closed)
