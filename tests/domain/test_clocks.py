"""When events really happened."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.clocks import TERMINAL, Clocks
from gateway.domain.entry import ClockData, EpochData
from gateway.domain.model import ClockState, Instant
from gateway.domain.wire import Event
from tests.domain.build import at
from tests.domain.ledger import Ledger

AGES = timedelta(days=-20_000)


def note(ledger: Ledger, when: str) -> None:
    ledger.append(when, EpochData(previous=None, reason="a line of the ledger"))


def times(events: list[Event]) -> list[str]:
    clocks = Clocks(events)
    moments = [clocks.of(event) for event in events]
    return [f"{moment.at:%H:%M}{'?' if moment.uncertain else ''}" for moment in moments]


def test_the_first_synchronisation_of_a_boot_repairs_what_was_before() -> None:
    ledger = Ledger()
    ledger.starts("b1", AGES)
    for when in ("07:40", "07:50"):
        note(ledger, when)
    ledger.sets_clock("08:00")
    note(ledger, "08:10")
    assert times(ledger.events) == ["07:40", "07:50", "08:00", "08:10"]
    assert Clocks(ledger.events).unset == []


def test_what_happened_in_the_moment_of_the_synchronisation_is_repaired() -> None:
    ledger = Ledger()
    ledger.starts("b1", AGES)
    note(ledger, "08:00")
    ledger.sets_clock("08:00")
    assert times(ledger.events) == ["08:00", "08:00"]


def test_whatever_sets_the_clock_later_repairs_nothing() -> None:
    ledger = Ledger()
    ledger.starts("b1", AGES)
    note(ledger, "07:40")
    ledger.sets_clock("08:00")
    boottime = ledger.events[-1].at.boottime + 60_000
    ledger.append("08:01", ClockData(boot="b1", boottime=boottime, wall=at("08:01"), correction=-3_600_000))
    assert times(ledger.events) == ["07:40", "08:00", "08:01"]


def test_a_clock_that_was_lost_again_is_not_repaired_by_what_set_it_before() -> None:
    ledger = Ledger()
    ledger.starts("b1", AGES)
    ledger.sets_clock("08:00")
    ledger.starts("b1", timedelta(minutes=-90))
    note(ledger, "09:00")
    assert times(ledger.events) == ["08:00", "08:00?"]


def test_a_boot_is_repaired_by_its_own_synchronisation_only() -> None:
    ledger = Ledger()
    ledger.starts("b1", AGES)
    note(ledger, "07:40")
    ledger.starts("b2", timedelta(hours=-3))
    note(ledger, "07:50")
    ledger.sets_clock("08:00")
    assert times(ledger.events) == ["07:40?", "07:50", "08:00"]


def test_two_gateways_may_have_booted_alike() -> None:
    north, south = Ledger(), Ledger("south")
    for ledger in (north, south):
        ledger.starts("b1", AGES)
        note(ledger, "07:40")
    south.sets_clock("08:00")
    note(south, "08:10")
    assert times(south.events) == ["07:40", "08:00", "08:10"]
    [unset] = Clocks([*north.events, *south.events]).unset
    assert (unset.stream.gateway, unset.since, unset.until) == ("north", None, None)


def test_what_nobody_repaired_lies_between_its_neighbours_and_is_uncertain() -> None:
    ledger = Ledger()
    note(ledger, "07:30")
    ledger.starts("b2", AGES)
    note(ledger, "07:40")
    ledger.starts("b3", -AGES)
    note(ledger, "07:50")
    ledger.starts("b4")
    note(ledger, "08:00")
    assert times(ledger.events) == ["07:30", "07:30?", "08:00?", "08:00"]
    [unset] = Clocks(ledger.events).unset
    assert (unset.since, unset.until) == (at("07:30"), at("08:00"))


def test_a_guess_that_lies_between_its_neighbours_is_kept() -> None:
    ledger = Ledger()
    note(ledger, "07:30")
    ledger.starts("b2", timedelta(minutes=-5))
    note(ledger, "07:40")
    ledger.starts("b3")
    note(ledger, "08:00")
    assert times(ledger.events) == ["07:30", "07:35?", "08:00"]


def test_a_stretch_without_neighbours_has_no_bounds() -> None:
    ledger = Ledger()
    ledger.starts("b1", timedelta(hours=-1))
    note(ledger, "08:00")
    [unset] = Clocks(ledger.events).unset
    assert (unset.since, unset.until) == (None, None)
    assert times(ledger.events) == ["07:00?"]


@given(st.data())
def test_order_and_repetition_change_no_time(data: st.DataObject) -> None:
    ledger = Ledger()
    for number in range(data.draw(st.integers(1, 5))):
        ledger.starts(f"b{number}", data.draw(st.sampled_from([timedelta(0), AGES, timedelta(hours=5)])))
        for minute in range(data.draw(st.integers(1, 3))):
            note(ledger, f"{8 + number:02}:{minute:02}")
        if data.draw(st.booleans()):
            ledger.sets_clock(f"{8 + number:02}:30")
    told = data.draw(st.permutations([*ledger.events, *data.draw(st.lists(st.sampled_from(ledger.events)))]))
    straight, shuffled = Clocks(ledger.events), Clocks(told)
    assert [straight.of(event) for event in ledger.events] == [shuffled.of(event) for event in ledger.events]
    assert straight.unset == shuffled.unset


def test_what_a_terminal_tells_late_bounds_nobody_s_time() -> None:
    ledger = Ledger()
    note(ledger, "08:00")
    ledger.starts("b2", AGES)
    note(ledger, "09:00")
    tell(ledger, told="07:30", recorded="09:10")
    ledger.starts("b3")
    note(ledger, "10:00")
    assert times(ledger.events) == ["08:00", "08:00?", "07:30", "10:00"]


def test_a_time_that_a_terminal_cannot_mean_is_about_when_it_was_told_and_no_lane_s_outage() -> None:
    ledger = Ledger()
    note(ledger, "08:00")
    tell(ledger, told="19:30", recorded="08:10", clock=ClockState.UNSYNCED)
    assert times(ledger.events) == ["08:00", "08:10?"]
    assert Clocks(ledger.events).unset == []


def tell(ledger: Ledger, *, told: str, recorded: str, clock: ClockState = ClockState.HOLDOVER) -> None:
    note(ledger, recorded)
    event = ledger.events.pop()
    instant = Instant(at=at(told), boot=TERMINAL, boottime=0, clock=clock)
    ledger.events.append(replace(event, at=instant, recorded=at(recorded)))
