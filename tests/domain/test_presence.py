"""The order in which facts count, and what is odd about them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.domain.coverage import EVER
from gateway.domain.model import DoubtKind, PersonId, Source
from gateway.domain.policy import Policy
from gateway.domain.presence import NEVER, EntryRef, Fact, FactKind, FlagKind, Presence, presence
from gateway.domain.register import Outage, OutageKind
from gateway.domain.statement import Statement, StatementKind
from tests.domain.build import at

POLICY = Policy()


def fact(words: str, seq: int = 1, gateway: str = "north") -> Fact:
    """`in 08:00 north/1`; `?` after the time makes it a guess."""
    kind, clock, *lane = words.split()
    ref = EntryRef(gateway=gateway, epoch="e", seq=seq)
    place = lane[0] if lane else "north/1"
    return Fact(at=at(clock.rstrip("?")), kind=FactKind(kind), ref=ref, lane=place, uncertain=clock.endswith("?"))


def walked(*words: str, as_of: str = "12:00", alarms: tuple[Outage, ...] = (), policy: Policy = POLICY) -> Presence:
    found = [fact(word, seq) for seq, word in enumerate(words, 1)]
    return presence(found, as_of=at(as_of), ends=at("11:00"), alarms=alarms, policy=policy)


def stays(where: Presence) -> list[tuple[datetime, datetime]]:
    return [(stay.since, stay.until) for stay in where.stays]


def flags(where: Presence) -> list[tuple[FlagKind, datetime]]:
    return [(flag.kind, flag.step.at) for flag in where.flags]


def said(kind: StatementKind, moment: str, spoken: str = "09:00") -> Statement:
    return Statement(person=PersonId("p"), kind=kind, at=at(moment), source=Source.OFFICE, said=at(spoken))


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (("in 08:00", "out 09:00"), []),
        (("in 08:00", "in 08:05"), [FlagKind.IN_AGAIN]),
        (("in 08:00", "arrival 08:05"), [FlagKind.IN_AGAIN]),
        (("in 08:00:00", "in 08:01:00 south/1"), [FlagKind.REPEAT]),
        (("in 08:00:00", "in 08:01:01 south/1"), [FlagKind.IN_AGAIN]),
        (("in 08:00:00", "in 08:00:30 south/1", "in 08:01:20"), [FlagKind.REPEAT, FlagKind.REPEAT]),
        (("out 08:00",), [FlagKind.OUT_AGAIN]),
        (("in 07:00", "out 08:00", "out 08:05"), [FlagKind.OUT_AGAIN]),
        (("in 07:00", "out 08:00:00", "out 08:00:50"), [FlagKind.REPEAT]),
        (("in 08:00:00", "out 08:00:05"), [FlagKind.REPEAT]),
        (("in 08:00:00", "out 08:00:05 south/1"), []),
        (("alternating 08:00:00", "alternating 08:00:30"), [FlagKind.REPEAT]),
        (("permit 08:00", "checkpoint 08:05"), []),
    ],
)
def test_what_is_odd_is_flagged(words: tuple[str, ...], kinds: list[FlagKind]) -> None:
    where = walked(*words)
    assert [kind for kind, _ in flags(where)] == kinds
    assert all(moment == fact(words[-1]).at for kind, moment in flags(where)[-1:])


def test_an_exit_during_an_alarm_is_flagged_and_counts_for_nothing() -> None:
    alarm = Outage(kind=OutageKind.FIRE_ALARM, since=at("08:30"), until=at("08:40"))
    where = walked("in 08:00", "out 08:30", "out 08:35", "in 08:38", alarms=(alarm,))
    assert stays(where) == [(at("08:00"), at("11:00"))]
    assert [kind for kind, _ in flags(where)] == [FlagKind.ALARM, FlagKind.ALARM, FlagKind.IN_AGAIN]
    assert where.exits == []


def test_within_one_moment_a_gateway_is_ordered_by_its_chain() -> None:
    coming, going = fact("in 08:00 north/1", 9), fact("out 08:00 south/1", 10)
    for known in ([coming, going], [going, coming]):
        where = presence(known, as_of=at("12:00"), ends=at("11:00"), policy=POLICY)
        assert stays(where) == [(at("08:00"), at("08:00"))]
    swapped = [replace(coming, ref=replace(coming.ref, seq=11)), going]
    assert stays(presence(swapped, as_of=at("12:00"), ends=at("11:00"), policy=POLICY)) == [(at("08:00"), at("11:00"))]


def test_one_place_in_two_epochs_is_two_facts() -> None:
    old = fact("in 08:00")
    new = replace(old, ref=replace(old.ref, epoch="f"))
    for known in ([old, new, old], [new, old]):
        where = presence(known, as_of=at("12:00"), ends=at("11:00"), policy=POLICY)
        assert [(flag.kind, flag.step.epoch) for flag in where.flags] == [(FlagKind.REPEAT, "f")]


def test_within_one_moment_gateways_are_ordered_by_name() -> None:
    known = [fact("in 08:00 a/1", 10, "a"), fact("out 08:00 b/1", 9, "b")]
    assert stays(presence(known, as_of=at("12:00"), ends=at("11:00"), policy=POLICY)) == [(at("08:00"), at("08:00"))]


def test_within_one_moment_a_person_speaks_after_a_door() -> None:
    known: list[Fact | Statement] = [said(StatementKind.LEFT, "08:30"), fact("in 08:30")]
    assert stays(presence(known, as_of=at("12:00"), ends=at("11:00"), policy=POLICY)) == [(at("08:30"), at("08:30"))]


def test_what_was_not_said_yet_is_not_known() -> None:
    known = [said(StatementKind.CAME, "08:30", "09:00")]
    assert presence(known, as_of=at("08:59"), ends=at("11:00"), policy=POLICY).stays == []
    [stay] = presence(known, as_of=at("09:00"), ends=at("11:00"), policy=POLICY).stays
    assert (stay.since, stay.entry.source, stay.exit) == (at("08:30"), Source.OFFICE, None)


def test_a_word_about_a_mark_moves_nobody() -> None:
    known = [said(StatementKind.MARK, "08:30")]
    assert presence(known, as_of=at("12:00"), ends=at("11:00"), policy=POLICY).stays == []


def test_what_a_person_said_has_no_lane_that_could_echo() -> None:
    known = [said(StatementKind.CAME, "08:30:00"), said(StatementKind.LEFT, "08:30:02")]
    assert stays(presence(known, as_of=at("12:00"), ends=at("11:00"), policy=POLICY)) == [(at("08:30"), at("08:30:02"))]


def test_a_fact_counts_from_its_moment_on() -> None:
    assert walked("in 08:00", as_of="07:59").stays == []
    assert stays(walked("in 08:00", as_of="08:00")) == [(at("08:00"), at("11:00"))]


def test_a_stay_without_an_exit_ends_with_the_day_or_where_it_began() -> None:
    assert stays(walked("in 08:00")) == [(at("08:00"), at("11:00"))]
    assert stays(walked("in 11:30")) == [(at("11:30"), at("11:30"))]
    assert presence([fact("in 08:00")], as_of=at("12:00"), ends=NEVER, policy=POLICY).stays[0].until == NEVER


def test_hints_are_what_happened_outside() -> None:
    where = walked("permit 07:00", "in 08:00", "checkpoint 08:30", "out 09:00", "checkpoint 09:30 library/1")
    assert [(h.kind, h.lane, h.since) for h in where.hints] == [
        (DoubtKind.PERMIT, "north/1", at("07:00")),
        (DoubtKind.CHECKPOINT, "library/1", at("09:30")),
    ]


def test_a_guessed_exit_settles_nothing() -> None:
    where = walked("in 08:00", "out 09:00?", "in 09:30", "out 10:00")
    assert where.exits == [at("10:00")]
    assert [(h.kind, h.since) for h in where.hints] == [(DoubtKind.UNCERTAIN, at("09:00"))]
    assert (where.left(at("09:59")), where.left(at("10:00")), where.left(at("10:01"))) == (
        EVER,
        at("10:00"),
        at("10:00"),
    )


def test_the_last_of_several_exits_settles() -> None:
    where = walked("in 08:00", "out 09:00", "in 09:30", "out 10:00")
    assert (where.left(at("09:30")), where.left(at("10:30"))) == (at("09:00"), at("10:00"))


def test_the_stay_at_a_moment_or_the_next_one() -> None:
    where = walked("in 08:00", "out 09:00", "in 09:30", "out 10:00")
    first, second = where.stays
    expected = {"07:00": first, "09:00": first, "09:00:01": second, "10:00": second, "10:00:01": None}
    assert {clock: where.stay(at(clock)) for clock in expected} == expected


def test_an_alternating_lane_counts_turns_and_not_states() -> None:
    where = walked("alternating 08:00", "alternating 09:00", "alternating 10:00")
    assert stays(where) == [(at("08:00"), at("09:00")), (at("10:00"), at("11:00"))]
    assert where.exits == [at("09:00")]


def test_turns_begin_anew_after_an_alarm_and_not_before() -> None:
    alarm = Outage(kind=OutageKind.FIRE_ALARM, since=at("08:30"), until=at("08:40"))
    again = walked("alternating 08:00", "alternating 08:45", "alternating 09:00", alarms=(alarm,))
    assert stays(again) == [(at("08:00"), at("09:00"))]
    before = walked("alternating 08:00", "alternating 08:29", alarms=(alarm,))
    assert stays(before) == [(at("08:00"), at("08:29"))]
    during = walked("alternating 08:30", "alternating 08:45", alarms=(alarm,))
    assert stays(during) == [(at("08:45"), at("11:00"))]
    assert [(h.kind, h.since) for h in during.hints] == [(DoubtKind.PERMIT, at("08:30"))]


def test_a_repeated_turn_reaches_as_far_as_the_last_tap() -> None:
    policy = replace(POLICY, repeat_at_site=timedelta(seconds=10), repeat_at_lane=timedelta(seconds=20))
    apart = walked("alternating 08:00:00", "alternating 08:00:11 south/1", policy=policy)
    assert stays(apart) == [(at("08:00:00"), at("08:00:11"))]
    held = walked("alternating 08:00:00", "alternating 08:00:20", "alternating 08:00:40", policy=policy)
    assert stays(held) == [(at("08:00:00"), at("11:00"))]
