"""What a mark says besides its status; the named situations and the properties stand beside it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from gateway.domain.model import LaneId, Mark, MarkReason, Mode, PersonId, Slot, SlotKind, Source, Status
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
    judged,
)
from gateway.domain.statement import Excuse, Statement, StatementKind
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
ONE_SILENT = Coverage(lanes=(lane("north-1", ("06:30", "18:00")), lane("north-2")))
WHOLE = Coverage(lanes=(lane("north-1", ("06:30", "18:00")),))
DOWN_0800_0805 = Coverage(lanes=(lane("north-1", ("06:30", "08:00"), ("08:05", "18:00")),))


def marks(
    given: list[Fact], as_of: datetime, coverage: Coverage = WHOLE, slots: tuple[Slot, ...] = (slot(),)
) -> list[Mark]:
    return judge(DAY, slots, given, [], coverage, as_of, POLICY)


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


def test_the_doors_of_a_site_judge_what_names_it_or_none() -> None:
    here, there, anywhere = replace(slot(), site="here"), replace(slot(), site="there"), slot()
    assert judged([here, there, anywhere], "here") == [here, anywhere]
    assert judged([here, there, anywhere], "") == [anywhere]


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


def test_a_hint_after_the_slot_says_nothing_about_it() -> None:
    first, second = marks(facts("checkpoint 09:20"), at("11:00"), slots=TWO)
    assert (first.status, second.status) == (Status.ABSENT, Status.UNKNOWN)


def test_a_fact_after_the_moment_of_judging_is_not_known_yet() -> None:
    [mark] = marks(facts("arrival 08:40"), at("08:39"))
    assert mark.status is Status.PENDING


def test_presence_without_an_exit_outlasts_the_last_slot_by_an_hour() -> None:
    club = replace(slot("12:00", "12:45", number=5), kind=SlotKind.CLUB)
    lesson = slot("13:30", "14:15", number=6)
    [mark] = marks(facts("in 08:00"), at("13:00"), slots=(slot(), club))
    assert mark.status is Status.PRESENT
    assert [m.status for m in marks(facts("in 08:00"), at("14:20"), slots=(slot(), lesson))] == [Status.PRESENT] * 2


@pytest.mark.parametrize(
    ("given", "as_of", "late", "missed", "final"),
    [
        ("", "09:14", 0, 0, False),
        ("", "09:15", 0, 45, True),
        ("in 08:00", "08:40", 0, 0, False),
        ("in 08:00", "09:15", 0, 0, True),
        ("in 08:36:20", "08:40", 7, 0, False),
        ("in 08:36:20", "09:15", 7, 7, True),
        ("in 08:36:20, out 08:50", "09:15", 7, 32, True),
        ("in 08:00, out 08:59:30", "09:15", 0, 16, True),
        ("permit 08:20", "09:15", 0, 45, True),
    ],
)
def test_minutes_are_rounded_up_and_final_at_the_end(
    given: str, as_of: str, late: int, missed: int, final: bool
) -> None:
    [mark] = marks(facts(given), at(as_of))
    assert (mark.minutes_late, mark.minutes_missed, mark.final) == (late, missed, final)
    assert (mark.person, mark.slot) == (PERSON, slot().id)


@pytest.mark.parametrize(
    ("status", "minutes", "missed"),
    [(Status.LATE, 7, 7), (Status.ABSENT, 0, 45), (Status.LEFT_EARLY, 0, 16), (Status.PRESENT, 0, 0)],
)
def test_what_a_person_said_has_its_minutes(status: Status, minutes: int, missed: int) -> None:
    word = Statement(
        person=PERSON,
        kind=StatementKind.MARK,
        at=at("08:30"),
        status=status,
        minutes_late=7,
        reason=MarkReason.ORDER,
        source=Source.TEACHER,
        said=at("08:31"),
    )
    known: list[Fact | Statement] = [*facts("in 08:00, out 08:59:30"), word]
    for as_of, final in ((at("09:14"), False), (at("09:15"), True)):
        [mark] = judge(DAY, [slot()], known, [], ONE_SILENT, as_of, POLICY)
        assert mark == Mark(
            person=PERSON,
            slot=slot().id,
            status=status,
            minutes_late=minutes,
            minutes_missed=missed if final else 0,
            complete=True,
            final=final,
            reason=None if status is Status.PRESENT else MarkReason.ORDER,
            source=Source.TEACHER,
        )


def said(kind: StatementKind, moment: str, reason: MarkReason | None = None, status: Status | None = None) -> Statement:
    return Statement(
        person=PERSON, kind=kind, at=at(moment), status=status, reason=reason, source=Source.OFFICE, said=at("08:00")
    )


def test_on_the_bell_who_is_inside_is_present_and_what_a_person_said_counts() -> None:
    word = said(StatementKind.MARK, "08:30", status=Status.ABSENT)
    known: Sequence[Fact | Statement]
    for known, status in ((facts("in 08:00"), Status.PRESENT), ([word], Status.ABSENT)):
        for as_of, expected in (("08:29:59", Status.PENDING), ("08:30", status)):
            [mark] = judge(DAY, [slot()], known, [], WHOLE, at(as_of), POLICY)
            assert mark.status is expected


@pytest.mark.parametrize(("came", "late"), [("08:00", 0), ("08:32", 0), ("08:33", 0), ("08:33:01", 4)])
def test_within_the_grace_nobody_is_a_minute_late(came: str, late: int) -> None:
    [mark] = judge(DAY, [slot()], facts(f"in {came}"), [], WHOLE, at("09:15"), Policy(grace=timedelta(minutes=3)))
    assert (mark.minutes_late, mark.status is Status.LATE) == (late, late > 0)


def test_who_missed_nothing_needs_no_reason() -> None:
    word = said(StatementKind.MARK, "08:30", MarkReason.ORDER)
    for came, reason in (("08:00", None), ("08:40", MarkReason.ORDER)):
        known: list[Fact | Statement] = [*facts(f"in {came}"), word]
        [mark] = judge(DAY, [slot()], known, [], WHOLE, at("09:15"), POLICY)
        assert mark.reason is reason


@pytest.mark.parametrize("moment", ["09:15", "09:20"])
def test_who_came_by_word_after_a_slot_was_absent_from_it_by_the_doors(moment: str) -> None:
    first, second = judge(DAY, TWO, [said(StatementKind.CAME, moment)], [], WHOLE, at("10:15"), POLICY)
    assert (first.status, first.source) == (Status.ABSENT, Source.GATE)
    assert (second.status, second.source) == (Status.PRESENT, Source.OFFICE)


@pytest.mark.parametrize(("overnight", "reason"), [(False, None), (True, MarkReason.TRANSPORT)])
def test_who_is_let_in_long_after_the_last_lesson_is_not_excused_for_the_first(
    overnight: bool, reason: MarkReason | None
) -> None:
    """By then the stay of the morning has ended, but for boarders, who stay."""
    known: list[Fact | Statement] = [*facts("in 08:40"), said(StatementKind.CAME, "10:16", MarkReason.TRANSPORT)]
    [mark] = judge(DAY, [slot()], known, [], WHOLE, at("10:20"), replace(POLICY, overnight=overnight))
    assert (mark.status, mark.reason) == (Status.LATE, reason)


def test_what_a_person_said_of_somebody_else_is_about_somebody_else() -> None:
    came = Statement(
        person=PersonId("p-2"), kind=StatementKind.CAME, at=at("08:00"), source=Source.OFFICE, said=at("08:01")
    )
    [mark] = judge(DAY, [slot()], [came], [], WHOLE, at("09:15"), POLICY)
    assert mark.status is Status.ABSENT


def test_the_excuse_of_another_person_excuses_nobody_else() -> None:
    excuse = Excuse(person=PersonId("p-2"), since=at("08:50"), until=at("18:00"), reason=MarkReason.RELEASED)
    [mark] = judge(DAY, [slot()], facts("in 08:00, out 08:55"), [excuse], WHOLE, at("09:20"), POLICY)
    assert mark.status is Status.LEFT_EARLY


def test_who_came_after_more_than_half_is_judged_at_once() -> None:
    heard = Coverage(lanes=(lane("north-1", ("06:30", "08:56")),))
    [mark] = marks(facts("arrival 08:55"), at("08:57"), heard)
    assert (mark.status, mark.minutes_late) == (Status.ABSENT, 25)
