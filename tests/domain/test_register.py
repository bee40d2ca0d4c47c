"""What present, late and absent mean: named situations, then what must hold for all of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.instants import cutoffs
from gateway.domain.model import LaneId, Mark, MarkReason, Mode, PersonId, Slot, SlotKind, Status
from gateway.domain.policy import Policy
from gateway.domain.register import (
    Coverage,
    Day,
    EntryRef,
    Fact,
    FactKind,
    Interval,
    LaneCoverage,
    day_mark,
    judge,
    presence,
)
from gateway.domain.statement import Excuse
from tests.domain.build import at, slot

PERSON = PersonId("p-1")
DAY = Day(person=PERSON, date=date(2026, 9, 1))
POLICY = Policy()


def facts(text: str) -> list[Fact]:
    """`in 08:00, out 08:40`: the words of FactKind; `?` after a time makes it uncertain."""
    found = []
    for number, part in enumerate(filter(None, text.split(", "))):
        kind, clock = part.split(" ")
        ref = EntryRef(gateway="north", epoch="e", seq=number + 1)
        found.append(Fact(at=at(clock.rstrip("?")), kind=FactKind(kind), ref=ref, uncertain=clock.endswith("?")))
    return found


def lane(name: str = "north-1", *intervals: tuple[str, str]) -> LaneCoverage:
    heard = tuple(Interval(since=at(since), until=at(until)) for since, until in intervals)
    return LaneCoverage(gateway="north", lane=LaneId(name), opens=at("07:00"), closes=at("18:00"), intervals=heard)


TWO = (slot(), slot("09:25", "10:10", number=2))
WHOLE = Coverage(lanes=(lane("north-1", ("06:30", "18:00")),))
DOWN_0720_0725 = Coverage(lanes=(lane("north-1", ("06:30", "07:20"), ("07:25", "18:00")),))
DOWN_0800_0805 = Coverage(lanes=(lane("north-1", ("06:30", "08:00"), ("08:05", "18:00")),))
UNTIL_0845 = Coverage(lanes=(lane("north-1", ("06:30", "08:45")),))
OPENS_LATER = Coverage(lanes=(replace(lane("north-1", ("06:30", "18:00")), opens=at("09:15")),))
ONE_OF_TWO = Coverage(lanes=(lane("north-1", ("06:30", "18:00")), lane("north-2")))


class Case(NamedTuple):
    name: str
    given: str
    as_of: str
    status: Status
    late: int = 0
    coverage: Coverage = WHOLE


CASES = [
    Case("before the lesson nothing is due", "", "08:29", Status.PENDING),
    Case("not seen yet", "", "08:40", Status.PENDING),
    Case("in time", "arrival 08:10", "08:30", Status.PRESENT),
    Case("on the bell", "arrival 08:30", "08:30", Status.PRESENT),
    Case("one second after the bell", "arrival 08:30:01", "08:31", Status.LATE, 1),
    Case("seven minutes and a bit", "arrival 08:37:10", "08:40", Status.LATE, 8),
    Case("late stays late after the lesson", "arrival 08:37:10", "10:00", Status.LATE, 8),
    Case("never seen", "", "09:15", Status.ABSENT),
    Case("came after more than half", "arrival 08:53", "09:15", Status.ABSENT, 23),
    Case("came at exactly half", "arrival 08:52:30", "09:15", Status.LATE, 23),
    Case("came after the lesson", "arrival 09:20", "09:30", Status.ABSENT),
    Case("in, out and in again before the lesson", "in 08:00, out 08:10, in 08:25", "08:30", Status.PRESENT),
    Case("in and out again before the lesson", "in 08:00, out 08:10", "09:15", Status.ABSENT),
    Case("out in time to be called early", "in 08:00, out 08:55", "09:15", Status.LEFT_EARLY),
    Case("out for a moment", "in 08:00, out 09:05", "09:15", Status.PRESENT),
    Case("out for most of it", "in 08:00, out 08:40", "09:15", Status.ABSENT),
    Case("in twice without out", "in 08:00, in 08:20", "09:15", Status.PRESENT),
    Case("out twice without in", "in 08:00, out 09:00, out 09:10", "09:15", Status.LEFT_EARLY),
    Case("out alone proves nothing", "out 08:20", "09:15", Status.ABSENT),
    Case("seen in the canteen, never at a door", "checkpoint 08:40", "09:15", Status.UNKNOWN),
    Case("seen at a door, then in the canteen", "arrival 08:10, checkpoint 08:40", "09:15", Status.PRESENT),
    Case("let in, no rotation seen", "permit 08:20", "09:15", Status.UNKNOWN),
    Case("let in, no rotation, then rotated", "permit 08:20, in 08:21", "09:15", Status.PRESENT),
    Case("late by an uncertain clock", "arrival 08:40?", "08:45", Status.UNKNOWN, 10),
    Case("in time by an uncertain clock", "arrival 08:00?", "08:45", Status.PRESENT),
    Case("lane down for five minutes", "", "09:20", Status.UNKNOWN, 0, DOWN_0800_0805),
    Case("lane silent for a while after it opened", "", "09:20", Status.UNKNOWN, 0, DOWN_0720_0725),
    Case("late although a lane was down", "arrival 08:40", "08:45", Status.LATE, 10, DOWN_0800_0805),
    Case("backlog: the news has not come yet", "", "09:16", Status.PENDING, 0, UNTIL_0845),
    Case("backlog: the news does not come", "", "09:17", Status.UNKNOWN, 0, UNTIL_0845),
    Case("one of two lanes was never heard of", "", "09:17", Status.UNKNOWN, 0, ONE_OF_TWO),
    Case("nobody opened a lane", "", "09:17", Status.UNKNOWN, 0, Coverage(lanes=())),
    Case("a lane that opens after the lesson", "", "09:17", Status.UNKNOWN, 0, OPENS_LATER),
    Case("present needs no coverage", "arrival 08:10", "09:17", Status.PRESENT, 0, ONE_OF_TWO),
]


def marks(
    given: list[Fact], as_of: datetime, coverage: Coverage = WHOLE, slots: tuple[Slot, ...] = (slot(),)
) -> list[Mark]:
    return judge(DAY, slots, given, [], coverage, as_of, POLICY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_situation(case: Case) -> None:
    [mark] = marks(facts(case.given), at(case.as_of), case.coverage)
    assert (mark.status, mark.minutes_late) == (case.status, case.late)


def test_a_gap_is_named() -> None:
    [mark] = marks([], at("09:20"), DOWN_0800_0805)
    assert [str(doubt) for doubt in mark.doubts] == ["silent north/north-1 since 2026-09-01T08:00:00.000Z"]
    assert not mark.complete


@pytest.mark.parametrize(
    "other",
    [
        replace(slot(), mode=Mode.TEACHER),
        replace(slot(), mode=Mode.NONE),
        replace(slot(), kind=SlotKind.CLUB),
        replace(slot(), kind=SlotKind.CARE),
    ],
)
def test_what_the_doors_do_not_judge_gets_no_mark(other: Slot) -> None:
    assert marks([], at("09:20"), slots=(other,)) == []


def test_an_excuse_to_the_end_is_not_leaving_early() -> None:
    excuse = Excuse(person=PERSON, since=at("08:50"), until=at("18:00"), reason=MarkReason.RELEASED)
    left = facts("in 08:00, out 08:55")
    [mark] = judge(DAY, [slot()], left, [excuse], WHOLE, at("09:20"), POLICY)
    assert mark.status is Status.PRESENT


@pytest.mark.parametrize(
    ("statuses", "day"),
    [
        ("", Status.PENDING),
        ("pending pending", Status.PENDING),
        ("present pending", Status.PRESENT),
        ("late present", Status.LATE),
        ("present late", Status.PRESENT),
        ("absent present", Status.PRESENT),
        ("absent absent", Status.ABSENT),
        ("absent pending", Status.PENDING),
        ("unknown absent", Status.UNKNOWN),
        ("unknown present", Status.PRESENT),
    ],
)
def test_the_day_in_one_word(statuses: str, day: Status) -> None:
    blank = marks([], at("08:00"), slots=TWO)
    given_ = [replace(mark, status=Status(word)) for mark, word in zip(blank, statuses.split(), strict=False)]
    assert day_mark(TWO, given_).status is day


def test_cut_offs_are_when_something_becomes_due() -> None:
    due = cutoffs([slot(), slot("09:25", "10:10", number=2), slot(group="1b")], POLICY, UTC)
    assert due == sorted(set(due))
    assert {at("08:30"), at("08:31"), at("08:40"), at("08:45"), at("09:00"), at("09:15"), at("10:10")} <= set(due)
    assert at("09:26") not in due


def test_a_day_begins_where_the_school_is() -> None:
    """At UTC+10 the first lesson and the third lie on two dates of UTC."""
    monday, tuesday = (
        [replace(slot(number=n), start=at("00:00") + day + begins, end=at("00:00") + day + begins + timedelta(minutes=45))
         for n, begins in ((1, timedelta(hours=-1, minutes=-30)), (3, timedelta(minutes=25)))]
        for day in (timedelta(0), timedelta(days=1))
    )  # fmt: skip
    due = cutoffs([*monday, *tuesday], POLICY, ZoneInfo("Asia/Vladivostok"))
    for first, third in (monday, tuesday):
        assert {first.start + timedelta(minutes=minute) for minute in range(31)} <= set(due)
        assert third.start + timedelta(minutes=7) not in due


def test_a_hint_after_the_slot_says_nothing_about_it() -> None:
    first, second = marks(facts("checkpoint 09:20"), at("11:00"), slots=TWO)
    assert (first.status, second.status) == (Status.ABSENT, Status.UNKNOWN)


def test_a_fact_after_the_moment_of_judging_is_not_known_yet() -> None:
    [mark] = marks(facts("arrival 08:40"), at("08:39"))
    assert mark.status is Status.PENDING


def test_presence_without_an_exit_outlasts_the_last_slot_by_an_hour() -> None:
    evening = slot("12:00", "12:45", number=5)
    assert [m.status for m in marks(facts("in 08:00"), at("13:00"), slots=(slot(), evening))] == [Status.PRESENT] * 2
    for words, since, until in (("in 08:00", "08:00", "10:00"), ("in 11:00", "11:00", "11:00")):
        [stay] = presence(facts(words), as_of=at("12:00"), ends=at("10:00"), policy=POLICY).stays
        assert (stay.since, stay.until) == (at(since), at(until))


def test_the_excuse_of_another_person_excuses_nobody_else() -> None:
    excuse = Excuse(person=PersonId("p-2"), since=at("08:50"), until=at("18:00"), reason=MarkReason.RELEASED)
    [mark] = judge(DAY, [slot()], facts("in 08:00, out 08:55"), [excuse], WHOLE, at("09:20"), POLICY)
    assert mark.status is Status.LEFT_EARLY


def test_who_came_after_more_than_half_is_judged_at_once() -> None:
    heard = Coverage(lanes=(lane("north-1", ("06:30", "08:56")),))
    [mark] = marks(facts("arrival 08:55"), at("08:57"), heard)
    assert (mark.status, mark.minutes_late) == (Status.ABSENT, 25)


moments = st.integers(0, 3 * 60 * 4).map(lambda n: at("07:00") + timedelta(seconds=15 * n))
kinds = st.sampled_from(sorted(FactKind))
some_facts = st.lists(
    st.builds(
        Fact,
        at=moments,
        kind=kinds,
        ref=st.builds(EntryRef, gateway=st.sampled_from(["n", "s"]), epoch=st.just("e"), seq=st.integers(1, 99)),
        uncertain=st.booleans(),
    ),
    max_size=8,
)
some_coverage = st.lists(
    st.lists(st.tuples(moments, moments).filter(lambda pair: pair[0] < pair[1]), max_size=4), max_size=3
).map(
    lambda lanes: Coverage(
        lanes=tuple(
            LaneCoverage(
                gateway="n",
                lane=LaneId(str(number)),
                opens=at("07:00"),
                closes=at("18:00"),
                intervals=tuple(Interval(since=since, until=until) for since, until in intervals),
            )
            for number, intervals in enumerate(lanes)
        )
    )
)


@given(some_facts, some_coverage, moments, st.randoms())
def test_order_and_repetition_of_facts_change_no_mark(
    given_: list[Fact], coverage: Coverage, as_of: datetime, random: object
) -> None:
    shuffled = [*given_, *given_[::2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert marks(given_, as_of, coverage, TWO) == marks(shuffled, as_of, coverage, TWO)


@given(some_facts, some_coverage, moments)
def test_partial_coverage_never_yields_absent(given_: list[Fact], coverage: Coverage, as_of: datetime) -> None:
    for mark, lesson in zip(marks(given_, as_of, coverage, TWO), TWO, strict=True):
        if mark.status is Status.ABSENT:
            assert coverage.gaps(at("07:30"), lesson.end if mark.minutes_late == 0 else lesson.start) == ()


ORDER = [Status.PRESENT, Status.LATE, Status.LEFT_EARLY, Status.UNKNOWN, Status.PENDING, Status.ABSENT]


@given(some_facts, moments)
@settings(max_examples=200)
def test_a_late_arrival_never_worsens_a_mark(given_: list[Fact], when: datetime) -> None:
    # A checkpoint is a doubt that an arrival may settle either way.
    certain = [replace(f, uncertain=False) for f in given_ if f.kind is FactKind.ARRIVAL]
    arrival = Fact(at=when, kind=FactKind.ARRIVAL, ref=EntryRef(gateway="z", epoch="e", seq=1))
    before, after = marks(certain, at("12:00"), WHOLE, TWO), marks([*certain, arrival], at("12:00"), WHOLE, TWO)
    for old, new in zip(before, after, strict=True):
        assert ORDER.index(new.status) <= ORDER.index(old.status)
