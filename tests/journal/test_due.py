"""Named mornings: what the doors told, what parents heard before, and what they are due now."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.model import LaneId, Mode, SlotKind
from gateway.domain.policy import Policy
from gateway.domain.register import Coverage, Day, EntryRef, Fact, FactKind, Interval, LaneCoverage, judge
from journal.notify.due import due
from journal.notify.notice import Recipient, Template
from tests.journal.morning import BOTH_DOORS, FIRST, PARENT, PERSON, SECOND, TODAY, Morning, at, slot, told

MORNINGS = [
    Morning(name="in time", doors="arrival 08:20", now="08:50"),
    Morning(name="in time on the second", doors="arrival 08:30:00", now="08:50"),
    Morning(name="4 minutes late", doors="arrival 08:34", now="08:40"),
    Morning(name="5 minutes late", doors="arrival 08:35", now="08:40", expected="late 08:35 5"),
    Morning(name="4 minutes and a second is 5", doors="arrival 08:34:01", now="08:40", expected="late 08:34 5"),
    Morning(name="late, heard of a minute later", doors="arrival 08:36", now="08:37", expected="late 08:36 6"),
    Morning(
        name="late, but the other door is not heard of yet",
        doors="arrival 08:36",
        heard="north 07:00-08:37, south 07:00-08:35",
        now="08:37",
    ),
    Morning(
        name="late with a lane down since before the lesson",
        doors="arrival 08:36",
        heard="north 07:00-08:40, south 07:00-08:10",
        now="08:40",
    ),
    Morning(
        name="late with a hole in the coverage",
        doors="arrival 08:36",
        heard="north 07:00-08:40, south 07:00-08:10, south 08:11-08:40",
        now="08:40",
    ),
    Morning(
        name="late with a hole in the coverage hours before the lesson",
        doors="arrival 08:36",
        heard="north 07:00-08:40, south 07:00-07:10, south 07:11-08:40",
        now="08:40",
    ),
    Morning(name="not seen with a hole hours before", heard="north 07:00-08:46, south 07:05-08:46", now="08:46"),
    Morning(name="late through an unset clock", doors="uncertain arrival 08:36", now="08:40"),
    Morning(name="late after a permit that nobody confirmed", doors="permit 08:25, in 08:36", now="08:40"),
    Morning(name="late for more than half of the lesson", doors="arrival 08:55", now="08:56", expected="late 08:55 25"),
    Morning(
        name="late for more than half of the lesson, doors heard of up to then only",
        doors="arrival 08:55",
        heard=BOTH_DOORS.format("08:55"),
        now="08:57",
        expected="late 08:55 25",
    ),
    Morning(name="late, then at an unset clock's door before", doors="uncertain in 08:33, in 08:40", now="08:41"),
    Morning(name="late with an excuse", doors="arrival 08:36", excuse=("08:00", "08:40"), now="08:40"),
    Morning(
        name="in, out, and in again too late",
        doors="in 08:10, out 08:12, in 08:37",
        now="08:40",
        expected="late 08:37 7",
    ),
    Morning(name="a grown pupil is waited for 15 minutes", now="08:44"),
    Morning(name="not seen", now="08:45", expected="not_seen 08:45"),
    Morning(name="not seen, told once", said="not_seen 08:45", now="08:50"),
    Morning(
        name="not seen in grade 3 at the earlier cut-off",
        primary=True,
        now="08:40",
        expected="not_seen 08:40",
    ),
    Morning(name="not seen with one door silent", heard="north 07:00-08:46, south 07:00-08:44", now="08:46"),
    Morning(
        name="not seen, the silent door is heard of later",
        heard="north 07:00-08:55, south 07:00-08:45",
        now="08:55",
        expected="not_seen 08:45",
    ),
    Morning(name="not seen with an excuse", excuse=("00:00", "23:59"), now="08:46"),
    Morning(name="seen, only the rotation is missing", doors="permit 08:25", now="08:46"),
    Morning(name="seen going out", doors="in 08:00, out 08:10", now="08:46"),
    Morning(name="seen by an unset clock", doors="uncertain arrival 08:20", now="08:46"),
    Morning(name="seen in the canteen", doors="checkpoint 08:20", now="08:46"),
    Morning(
        name="seen in the canteen before coming in late, as it seems",
        doors="checkpoint 08:33, arrival 08:40",
        now="08:41",
    ),
    Morning(
        name="seen in the canteen after not_seen",
        doors="checkpoint 08:52",
        said="not_seen 08:45",
        now="08:53",
        expected="seen 08:52",
    ),
    Morning(
        name="seen in the canteen, told once",
        doors="checkpoint 08:52, checkpoint 08:54, arrival 08:55",
        said="not_seen 08:45, seen 08:52",
        now="08:56",
    ),
    Morning(
        name="seen in the canteen with the brother's card",
        said="not_seen 08:45, seen 08:52",
        now="08:56",
        expected="correction -",
    ),
    Morning(name="after the lesson nothing is new", now="09:15"),
    Morning(name="a missed second lesson is not told", doors="arrival 08:20, out 09:16", now="09:50"),
    Morning(
        name="came in after not_seen",
        doors="arrival 08:52",
        said="not_seen 08:45",
        now="08:53",
        expected="update 08:52",
    ),
    Morning(
        name="came in after not_seen while a door is silent",
        doors="arrival 08:52",
        heard="north 07:00-08:53, south 07:00-08:46",
        said="not_seen 08:45",
        now="08:53",
        expected="update 08:52",
    ),
    Morning(name="a clock ahead tells of later", doors="arrival 08:50", now="08:46", expected="not_seen 08:45"),
    Morning(
        name="an unset clock proves nothing against not_seen",
        doors="uncertain arrival 08:20",
        said="not_seen 08:45",
        now="08:50",
    ),
    Morning(
        name="came in after not_seen, by an unset clock and then by a right one",
        doors="uncertain arrival 08:50, arrival 08:52",
        said="not_seen 08:45",
        now="08:53",
        expected="update 08:52",
    ),
    Morning(name="updated once", doors="arrival 08:52", said="not_seen 08:45, update 08:52", now="08:58"),
    Morning(name="came in before anybody heard not_seen", doors="arrival 08:52", now="08:53", expected="late 08:52 22"),
    Morning(
        name="a backlog shows the arrival after not_seen was heard",
        doors="arrival 08:25",
        said="not_seen 08:45",
        now="08:50",
        expected="correction 08:25",
    ),
    Morning(name="a backlog shows the arrival before anybody heard", doors="arrival 08:25", now="08:50"),
    Morning(
        name="late was said, a repaired clock says in time",
        doors="arrival 08:29",
        said="late 08:36",
        now="08:50",
        expected="correction 08:29",
    ),
    Morning(
        name="the card was the brother's",
        said="late 08:36",
        now="08:50",
        expected="correction -",
    ),
    Morning(name="late was said and is true to the minute", doors="arrival 08:36:40", said="late 08:36", now="08:50"),
    Morning(
        name="after a correction silence", doors="arrival 08:40", said="not_seen 08:45, correction 08:25", now="08:50"
    ),
    Morning(
        name="no correction after the lesson",
        doors="arrival 08:25",
        said="not_seen 08:45",
        now="09:20",
    ),
    Morning(name="the teacher takes attendance", slots=(replace(FIRST, mode=Mode.TEACHER), SECOND), now="08:50"),
    Morning(
        name="a first lesson at home moves the start",
        slots=(replace(FIRST, mode=Mode.NONE), SECOND),
        now="09:41",
        expected="not_seen 09:40",
    ),
    Morning(
        name="a club before lessons is not waited for",
        slots=(slot("07:30", "08:15", number=0, kind=SlotKind.CLUB), FIRST),
        now="08:46",
        expected="not_seen 08:45",
    ),
    Morning(name="no lessons", slots=(), now="08:50"),
    Morning(
        name="quiet hours in the evening",
        slots=(slot("20:50", "21:35"),),
        doors="arrival 20:56",
        heard="north 07:00-21:00",
        now="21:00",
    ),
    Morning(
        name="just before the quiet hours",
        slots=(slot("20:50", "21:35"),),
        doors="arrival 20:56",
        heard="north 07:00-21:00",
        now="20:58",
        expected="late 20:56 6",
    ),
]


@pytest.mark.parametrize("morning", MORNINGS, ids=lambda m: m.name)
def test_what_a_parent_is_due(morning: Morning) -> None:
    assert morning.answer() == morning.expected


def test_nobody_sleeps_badly_because_of_an_early_lesson() -> None:
    morning = Morning(
        name="", slots=(slot("06:30", "07:15"),), doors="arrival 06:36", heard="north 05:00-06:40", now="06:40"
    )
    (notice,) = due(morning.day(), [], at("06:40"))
    assert (notice.window.opens, notice.window.expires) == (at("07:00"), at("07:15"))


def test_each_parent_has_a_history_of_his_own() -> None:
    day = Morning(name="", doors="arrival 08:52", now="08:53").day()
    mother, father = Recipient(address=PARENT, language="ru"), Recipient(address="father@example.org", language="en")
    both = replace(day, pupil=replace(day.pupil, recipients=(mother, father)))
    found = due(both, told("not_seen 08:45"), at("08:53"))
    assert {n.recipient: n.template for n in found} == {mother: Template.UPDATE, father: Template.LATE}


def test_no_address_shows_in_a_repr() -> None:
    day = Morning(name="", now="08:45").day()
    shown = repr((day, due(day, told("late 08:36"), at("08:45"))))
    assert PARENT not in shown
    assert "Иван" not in shown


@given(
    minutes=st.lists(st.integers(-90, 44), max_size=4),
    holes=st.lists(st.integers(-90, 44), max_size=2),
    now=st.integers(0, 46),
)
def test_silence_is_told_only_when_every_door_was_heard(minutes: list[int], holes: list[int], now: int) -> None:
    start, as_of = FIRST.start, FIRST.start + timedelta(minutes=now)
    edges = sorted({at("07:00"), as_of, *(start + timedelta(minutes=m) for m in holes)})
    # each hole is one second long
    heard = tuple(Interval(since=a + timedelta(seconds=1), until=b) for a, b in pairwise(edges))
    lane = LaneCoverage(gateway="g", lane=LaneId("l"), opens=at("07:00"), closes=at("20:00"), intervals=heard)
    seen = [
        Fact(at=start + timedelta(minutes=m), kind=FactKind.ARRIVAL, ref=EntryRef(gateway="g", epoch="e", seq=i))
        for i, m in enumerate(minutes)
    ]
    known = Coverage(lanes=(lane,))
    marks = judge(Day(person=PERSON, date=TODAY), [FIRST], seen, [], known, as_of, Policy())
    day = replace(Morning(name="", now="08:45").day(), slots=[FIRST], facts=seen, coverage=known, marks=marks)
    for notice in due(day, [], as_of):
        assert notice.at is not None
        assert not known.gaps(lane.opens, notice.at)
        arrived = [f.at for f in seen if f.at <= as_of]
        assert min(arrived, default=None) == (notice.at if notice.template is Template.LATE else None)
