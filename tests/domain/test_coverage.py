"""What was heard of a lane, and what it could not name, to the moment."""

from datetime import datetime

import pytest

from gateway.domain.coverage import EVER, Coverage, Interval, LaneCoverage, Outage, OutageKind
from gateway.domain.model import Doubt, DoubtKind, LaneId
from tests.domain.build import at

SINCE, UNTIL = at("08:00"), at("09:00")


def span(words: str) -> Interval:
    since, until = words.split("-")
    return Interval(since=at(since), until=at(until))


def outage(words: str, kind: OutageKind = OutageKind.DOWN) -> Outage:
    since, until = words.split("-")
    return Outage(kind=kind, since=at(since), until=at(until) if until else None)


def lane(heard: str = "07:00-20:00", hours: str = "07:00-20:00", closed: str = "", *outages: Outage) -> LaneCoverage:
    return LaneCoverage(
        gateway="n",
        lane=LaneId("1"),
        opens=span(hours).since,
        closes=span(hours).until,
        intervals=tuple(map(span, filter(None, heard.split(" ")))),
        closed=tuple(map(span, filter(None, closed.split(" ")))),
        outages=outages,
    )


def gaps(*lanes: LaneCoverage, impaired_since: datetime | None = None) -> list[str]:
    found = Coverage(lanes=lanes).gaps(SINCE, UNTIL, impaired_since)
    return [f"{doubt.kind} {doubt.since:%H:%M}" for doubt in found]


@pytest.mark.parametrize(
    ("heard", "hours", "closed", "found"),
    [
        ("08:00-09:00", "07:00-20:00", "", []),
        ("07:00-08:30 08:30-09:00", "07:00-20:00", "", []),
        ("08:30-09:00 07:00-08:30", "07:00-20:00", "", []),
        ("07:00-08:30 08:31-09:00", "07:00-20:00", "", ["silent 08:30"]),
        ("07:00-08:59", "07:00-20:00", "", ["silent 08:59"]),
        ("08:01-09:00", "07:00-20:00", "", ["silent 08:00"]),
        ("", "07:00-20:00", "", ["silent 08:00"]),
        ("07:00-08:40 07:30-08:20 08:40-09:00", "07:00-20:00", "", []),
        ("08:10-09:00", "08:10-20:00", "", []),
        ("08:11-09:00", "08:10-20:00", "", ["silent 08:10"]),
        ("07:00-08:40", "07:00-08:40", "", []),
        ("07:00-08:39", "07:00-08:40", "", ["silent 08:39"]),
        ("", "09:00-20:00", "", ["no_lane 08:00"]),
        ("", "06:00-08:00", "", ["no_lane 08:00"]),
        ("", "07:00-20:00", "07:00-20:00", ["no_lane 08:00"]),
        ("", "07:00-20:00", "08:00-09:00", ["no_lane 08:00"]),
        ("", "07:00-20:00", "08:00-08:30 08:30-09:00", ["no_lane 08:00"]),
        ("08:59-09:00", "07:00-20:00", "08:00-08:59", []),
        ("07:00-08:01", "07:00-20:00", "08:01-20:00", []),
        ("", "07:00-20:00", "08:01-20:00", ["silent 08:00"]),
    ],
)
def test_what_was_not_heard_of(heard: str, hours: str, closed: str, found: list[str]) -> None:
    assert gaps(lane(heard, hours, closed)) == found


@pytest.mark.parametrize(
    ("words", "hours", "closed", "found"),
    [
        ("08:10-08:20", "07:00-20:00", "", ["down 08:10"]),
        ("07:00-08:00", "07:00-20:00", "", []),
        ("07:00-08:01", "07:00-20:00", "", ["down 07:00"]),
        ("08:00-08:00", "07:00-20:00", "", ["down 08:00"]),
        ("09:00-09:00", "07:00-20:00", "", ["down 09:00"]),
        ("09:00-", "07:00-20:00", "", ["down 09:00"]),
        ("09:01-", "07:00-20:00", "", []),
        ("07:00-", "07:00-20:00", "", ["down 07:00"]),
        ("08:10-08:20", "08:30-20:00", "", []),
        ("08:10-08:31", "08:30-20:00", "", ["down 08:10"]),
        ("08:50-", "07:00-08:40", "", []),
        ("08:10-08:20", "07:00-20:00", "08:05-08:25", []),
        ("08:10-08:20", "07:00-20:00", "08:10-08:20", []),
        ("08:10-08:30", "07:00-20:00", "08:05-08:25", ["down 08:10"]),
        ("08:00-08:10", "07:00-20:00", "08:05-08:25", ["down 08:00"]),
        ("08:05-", "07:00-20:00", "08:05-20:00", []),
        ("08:15-08:15", "07:00-20:00", "08:05-08:25", []),
        ("08:25-08:25", "07:00-20:00", "08:05-08:25", ["down 08:25"]),
    ],
)
def test_what_a_lane_could_not_name(words: str, hours: str, closed: str, found: list[str]) -> None:
    assert gaps(lane("07:00-20:00", hours, closed, outage(words))) == found


def test_an_outage_of_long_ago_does_not_matter() -> None:
    down = lane("07:00-20:00", "07:00-20:00", "", outage("08:10-08:20"))
    assert gaps(down, impaired_since=at("08:19")) == ["down 08:10"]
    assert gaps(down, impaired_since=at("08:20")) == []
    assert gaps(down, impaired_since=at("07:00")) == ["down 08:10"]
    assert gaps(lane("", "06:00-08:00"), impaired_since=at("08:30")) == ["no_lane 08:30"]


def test_nights_count_beside_the_day_and_their_silence_only_since_a_moment() -> None:
    noon = lane("12:00-20:00", "12:00-20:00")
    dark = lane("", "08:00-09:00", "", outage("08:10-08:20"), outage("08:30-08:40", OutageKind.FIRE_ALARM))
    known = Coverage(lanes=(noon,), nights=(dark, lane("", "10:00-11:00")))
    assert [str(doubt)[:-8] for doubt in known.gaps(SINCE, at("12:30"))] == [
        "down n/1 since 2026-09-01T08:10",
        "fire_alarm n/1 since 2026-09-01T08:30",
        "silent n/1 since 2026-09-01T08:00",
    ]
    assert [doubt.kind for doubt in known.gaps(EVER, at("12:30"))] == [DoubtKind.DOWN, DoubtKind.FIRE_ALARM]
    assert [doubt.kind for doubt in known.gaps(EVER, at("12:30"), at("08:25"))] == [DoubtKind.FIRE_ALARM]
    assert known.gaps(EVER, at("08:05")) == (Doubt(kind=DoubtKind.NO_LANE),)
    assert [(alarm.since, alarm.until) for alarm in known.alarms] == [(at("08:30"), at("08:40"))]


def test_doubts_have_the_order_of_their_words_and_are_told_once() -> None:
    twice = lane("", "07:00-20:00", "", outage("08:10-08:20"), outage("08:10-"), outage("08:05-", OutageKind.FREE))
    found = Coverage(lanes=(twice,)).gaps(SINCE, UNTIL)
    assert [str(doubt) for doubt in found] == [
        "down n/1 since 2026-09-01T08:10:00.000Z",
        "free n/1 since 2026-09-01T08:05:00.000Z",
        "silent n/1 since 2026-09-01T08:00:00.000Z",
    ]


def test_what_was_asked_before_is_answered_alike() -> None:
    known = Coverage(lanes=(lane("07:00-08:30"),))
    first = known.gaps(SINCE, UNTIL)
    assert known.gaps(SINCE, UNTIL) is first
    assert known.gaps(SINCE, at("08:20")) == ()
    assert known == Coverage(lanes=known.lanes)


def test_a_doubt_in_words() -> None:
    assert str(Doubt(kind=DoubtKind.UNCERTAIN)) == "uncertain"
    assert str(Doubt(kind=DoubtKind.SILENT, lane="n/1")) == "silent n/1"


@pytest.mark.parametrize(
    ("spans", "merged"),
    [
        ("08:00-08:10", "08:00-08:10"),
        ("08:20-08:30 08:00-08:10", "08:00-08:10 08:20-08:30"),
        ("08:40-08:50 08:20-08:30 08:00-08:10", "08:00-08:10 08:20-08:30 08:40-08:50"),
        ("08:00-08:10 08:10-08:20", "08:00-08:20"),
        ("08:00-08:30 08:10-08:20", "08:00-08:30"),
        ("08:00- 08:10-08:20", "08:00-"),
        ("08:00-08:10 08:05-", "08:00-"),
        ("08:00-08:10 08:05-08:20 08:15-08:30 09:00-", "08:00-08:30 09:00-"),
        ("", ""),
    ],
)
def test_alarms_of_several_lanes_are_the_alarms_of_the_site(spans: str, merged: str) -> None:
    alarms = [outage(words, OutageKind.FIRE_ALARM) for words in spans.split()]
    halves = (alarms[::2], alarms[1::2])
    lanes = tuple(lane("", "07:00-20:00", "", *half, outage("08:00-09:00", OutageKind.FREE)) for half in halves)
    expected = [outage(words, OutageKind.FIRE_ALARM) for words in merged.split()]
    assert list(Coverage(lanes=lanes).alarms) == expected
