"""Who is inside, by the head."""

import pytest

from gateway.domain.coverage import Coverage, Interval, LaneCoverage, Outage, OutageKind
from gateway.domain.model import LaneDirection, LaneId, PersonId
from gateway.domain.muster import Whereabouts, by_night, muster, stayed
from gateway.domain.policy import Policy
from tests.domain.build import at
from tests.domain.test_presence import fact

INSIDE, NO_EXIT = Whereabouts.INSIDE, Whereabouts.INSIDE_NO_EXIT
UNKNOWN, OUTSIDE = Whereabouts.UNKNOWN, Whereabouts.OUTSIDE
P = PersonId("p")


def coverage(until: str = "18:00", *outages: tuple[OutageKind, str, str | None]) -> Coverage:
    told = tuple(Outage(kind=kind, since=at(a), until=None if b is None else at(b)) for kind, a, b in outages)
    heard = (Interval(since=at("07:00"), until=at(until)),)
    lane = LaneCoverage(
        gateway="n", lane=LaneId("1"), opens=at("07:00"), closes=at("20:00"), intervals=heard, outages=told
    )
    return Coverage(lanes=(lane,))


ALARM = coverage("18:00", (OutageKind.FIRE_ALARM, "10:00", "10:20"))
ENDLESS = coverage("18:00", (OutageKind.FIRE_ALARM, "10:00", None))
FREE = coverage("18:00", (OutageKind.FREE, "08:00", "08:10"))


@pytest.mark.parametrize(
    ("words", "moment", "known", "where"),
    [
        ("", "06:30", coverage(), OUTSIDE),
        ("", "07:00", coverage(), OUTSIDE),
        ("", "09:00", coverage(), OUTSIDE),
        ("", "09:00", Coverage(lanes=()), UNKNOWN),
        ("in 08:00", "09:00", coverage(), INSIDE),
        ("in 08:00", "07:59", coverage(), OUTSIDE),
        ("in 08:00", "08:00", coverage(), INSIDE),
        ("arrival 08:00", "09:00", coverage(), NO_EXIT),
        ("in 08:00, out 08:30", "09:00", coverage(), OUTSIDE),
        ("in 08:00, out 08:30, in 08:40", "09:00", coverage(), INSIDE),
        ("out 08:30", "09:00", coverage(), OUTSIDE),
        ("permit 08:00", "09:00", coverage(), UNKNOWN),
        ("checkpoint 08:00", "09:00", coverage(), UNKNOWN),
        ("in 08:00?", "09:00", coverage(), INSIDE),
        ("in 08:00, out 08:30?", "09:00", coverage(), UNKNOWN),
        ("permit 08:00, out 08:30", "09:00", coverage(), OUTSIDE),
        ("in 08:00, out 08:30, permit 08:31", "09:00", coverage(), UNKNOWN),
        ("in 08:00, out 08:30, permit 08:30", "09:00", coverage(), UNKNOWN),
        ("", "09:00", coverage("08:00"), UNKNOWN),
        ("in 07:30", "09:00", coverage("08:00"), INSIDE),
        ("in 07:30, out 07:50", "09:00", coverage("08:00"), UNKNOWN),
        ("", "09:00", FREE, UNKNOWN),
        ("", "07:59", FREE, OUTSIDE),
        ("in 07:30, out 08:20", "09:00", FREE, OUTSIDE),
        ("in 07:30, out 07:50", "09:00", FREE, UNKNOWN),
        ("in 08:00", "14:30", coverage(), INSIDE),
        ("in 08:00", "14:30:01", coverage(), NO_EXIT),
        ("in 08:00, out 10:05", "10:10", ALARM, INSIDE),
        ("in 08:00, out 09:59", "10:10", ALARM, OUTSIDE),
        ("in 10:05", "10:10", ALARM, OUTSIDE),
        ("in 10:05", "10:20", ALARM, INSIDE),
        ("in 08:00, out 10:05", "10:30", ALARM, INSIDE),
        ("in 08:00, out 10:05, out 10:25", "10:30", ALARM, OUTSIDE),
        ("in 08:00, out 10:05", "17:00", ENDLESS, INSIDE),
    ],
)
def test_where_somebody_is(words: str, moment: str, known: Coverage, where: Whereabouts) -> None:
    facts = {P: [fact(word, seq) for seq, word in enumerate(filter(None, words.split(", ")), 1)]}
    assert muster(facts, {P: at("14:30")}, known, at(moment), at(moment), Policy()) == {P: where}


def test_a_silence_that_was_not_due_yet_means_nothing() -> None:
    known = coverage("08:45")
    assert muster({P: []}, {}, known, at("08:59"), at("08:45"), Policy()) == {P: OUTSIDE}
    assert muster({P: []}, {}, known, at("08:59"), at("08:46"), Policy()) == {P: UNKNOWN}


def test_staff_have_no_end_of_the_day() -> None:
    staff = PersonId("t")
    facts = {P: [fact("in 08:00")], staff: [fact("in 08:00")]}
    found = muster(facts, {P: at("14:30")}, coverage("19:00"), at("19:00"), at("19:00"), Policy())
    assert found == {P: NO_EXIT, staff: INSIDE}


def test_lanes_that_tell_exits() -> None:
    told = {direction for direction in LaneDirection if direction.tells_exits}
    assert told == {LaneDirection.OUT, LaneDirection.BOTH, LaneDirection.ALTERNATING}


def test_an_arrival_of_yesterday_says_nothing_where_nobody_is_seen_leaving() -> None:
    evening = [fact("in 18:00"), fact("arrival 18:10", 2), fact("checkpoint 18:20", 3)]
    assert by_night(evening, exits=False) == [fact("in 18:00")]
    assert by_night(evening, exits=True) == [fact("in 18:00"), fact("checkpoint 18:10", 2), fact("checkpoint 18:20", 3)]


@pytest.mark.parametrize(
    ("words", "moment", "seen", "counts"),
    [
        ("", "27:00", True, False),
        ("in 19:00", "27:00", False, True),
        ("in 19:00", "42:59", False, True),
        ("in 19:00", "43:00", False, False),
        ("in 19:00", "43:00", True, True),
        ("in 19:00, out 23:00", "27:00", True, False),
        ("in 09:30, out 10:05", "27:00", False, True),
        ("in 09:30, out 10:25", "27:00", False, False),
        ("checkpoint 19:00", "27:00", False, True),
        ("checkpoint 19:00", "43:00", False, False),
        ("in 18:00, out 18:30, checkpoint 18:30", "27:00", False, True),
        ("checkpoint 18:20, out 18:30", "27:00", False, False),
        ("in 18:00, out 18:30, permit 19:00", "27:00", False, False),
    ],
)
def test_who_of_the_evening_counts_by_night(words: str, moment: str, seen: bool, counts: bool) -> None:
    evening = [fact(word, seq) for seq, word in enumerate(filter(None, words.split(", ")), 1)]
    assert stayed(evening, at(moment), ALARM.alarms, Policy(), seen=seen) is counts
