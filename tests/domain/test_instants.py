"""When the clock alone changes something: at these moments, and between them nothing does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.instants import cutoffs, instants
from gateway.domain.model import Mode, SlotKind
from gateway.domain.policy import Policy
from gateway.domain.register import Fact, judge
from gateway.domain.statement import Excuse, Statement
from tests.domain import given as any_
from tests.domain.build import at, slot
from tests.domain.given import DAY, TWO, WHOLE

POLICY = Policy(grace=timedelta(minutes=3))


def test_the_moments_of_a_slot() -> None:
    assert sorted(instants([slot()], POLICY)) == [
        at(clock) for clock in ("08:30", "08:33", "08:40", "08:45", "09:15", "09:17")
    ]


def test_a_slot_that_nobody_takes_attendance_of_has_none() -> None:
    others = [replace(slot(), mode=Mode.NONE), replace(slot(), kind=SlotKind.CLUB)]
    assert instants(others, POLICY) == set()
    assert instants([replace(slot(), mode=Mode.TEACHER)], POLICY) == instants([slot()], POLICY)


@given(
    st.lists(any_.facts | any_.statements, max_size=6), st.lists(any_.excuses, max_size=2), any_.moments, any_.moments
)
def test_between_two_of_them_no_mark_changes(
    known: list[Fact | Statement], excuses: list[Excuse], one: datetime, other: datetime
) -> None:
    since, until = sorted([one, other])
    if any(since < moment <= until for moment in instants(TWO, POLICY)):
        return
    told = [f for f in known if (f.at if isinstance(f, Fact) else max(f.at, f.said)) <= since]
    before, after = (judge(DAY, TWO, told, excuses, WHOLE, moment, POLICY) for moment in (since, until))
    assert before == after


def test_lanes_tell_each_minute_while_latecomers_are_watched_for() -> None:
    due = cutoffs([slot("09:25", "10:10", number=2), slot(), slot(group="1b")], Policy(), UTC)
    assert due == sorted(set(due))
    minutes = {at("08:30") + timedelta(minutes=n) for n in range(31)}
    assert set(due) == minutes | instants([slot(), slot("09:25", "10:10", number=2)], Policy())


def test_every_group_is_watched_for_at_its_own_first_slot() -> None:
    due = cutoffs([slot(), slot("09:25", "10:10", number=2, group="1b")], Policy(), UTC)
    assert {at("08:31"), at("09:26"), at("09:55")} <= set(due)


def test_a_day_begins_where_the_school_is() -> None:
    """At UTC+10 the first lesson and the third lie on two dates of UTC."""
    monday, tuesday = (
        [
            replace(
                slot(number=n),
                start=at("00:00") + day + begins,
                end=at("00:00") + day + begins + timedelta(minutes=45),
            )
            for n, begins in ((1, timedelta(hours=-1, minutes=-30)), (3, timedelta(minutes=25)))
        ]
        for day in (timedelta(0), timedelta(days=1))
    )
    due = cutoffs([*monday, *tuesday], Policy(), ZoneInfo("Asia/Vladivostok"))
    for first, third in (monday, tuesday):
        assert {first.start + timedelta(minutes=minute) for minute in range(31)} <= set(due)
        assert third.start + timedelta(minutes=7) not in due
