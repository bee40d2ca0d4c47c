"""What terminals told: once, on whatever key, and never more than fits into memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain import terminals
from gateway.domain.clocks import TERMINAL
from gateway.domain.credential import SiteKey
from gateway.domain.decide import unreadable
from gateway.domain.directory import Directory
from gateway.domain.entry import CoverageData, Entry, EpochData, TapData
from gateway.domain.model import ClockState, Direction, Instant, LaneId, Reason, Tap, Verdict
from gateway.domain.terminals import Told, covered, told_at
from tests.domain.build import CARD, KEY, LANE, OTHER, at, directory, instant, tap

NEWER = SiteKey(version=2, secret=bytes(range(1, 33)))
NOW = instant("09:00")
UNSET = replace(NOW, clock=ClockState.UNSYNCED)


def told(clock: str) -> Tap:
    one = tap(clock)
    return replace(one, at=told_at(one.at.at, instant("09:00")))


def note(memory: Told, *taps: Tap) -> None:
    for entry in memory.new(taps, directory(), [KEY]):
        memory.note(entry.at, entry.data)


def test_a_tap_that_is_on_the_disk_is_not_new_under_a_newer_key() -> None:
    memory = Told()
    note(memory, told("08:00"))
    assert memory.new([told("08:00")], directory(), [NEWER, KEY]) == []
    assert len(memory.new([told("08:01")], directory(), [NEWER, KEY])) == 1


def test_what_is_not_on_the_disk_stays_new() -> None:
    memory = Told()
    assert len(memory.new([told("08:00")], directory(), [KEY])) == 1
    assert len(memory.new([told("08:00")], directory(), [KEY])) == 1


def test_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "_MOST", 2)
    memory, taps = Told(), [told(clock) for clock in ("08:00", "08:01", "08:02")]
    note(memory, *taps)
    assert [entry.at.at for entry in memory.new(taps, directory(), [KEY])] == [taps[0].at.at]


def test_each_tap_is_new_once_however_often_it_is_told() -> None:
    entries = Told().new([told("08:00"), told("08:00"), told("08:01")], directory(), [NEWER, KEY])
    assert [entry.at.at for entry in entries] == [at("08:00"), at("08:01")]


@pytest.mark.parametrize("other", [replace(tap("08:00"), lane=LaneId("north-2")), tap("08:00", OTHER)])
def test_another_lane_and_another_card_are_other_taps(other: Tap) -> None:
    memory = Told()
    note(memory, told("08:00"))
    assert len(memory.new([replace(other, at=told("08:00").at)], directory(), [KEY])) == 1


@pytest.mark.parametrize(("known", "reason"), [(directory(), Reason.KNOWN), (Directory.empty(), Reason.UNKNOWN_CARD)])
def test_who_was_let_in_was_let_in(known: Directory, reason: Reason) -> None:
    [entry] = Told().new([told("08:00")], known, [KEY])
    assert isinstance(entry.data, TapData)
    assert entry.at == told("08:00").at
    assert (entry.data.lane, entry.data.token) == (LANE, KEY.token(CARD))
    assert entry.data.verdict == Verdict(admit=True, reason=reason)


def test_what_is_no_tap_or_has_no_token_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "_MOST", 1)
    memory = Told()
    note(memory, told("08:00"))
    memory.note(NOW, EpochData(previous=None, reason="first start"))
    memory.note(NOW, unreadable(LANE, CARD.technology, Direction.IN, NOW).data)
    assert memory.new([told("08:00")], directory(), [KEY]) == []


@pytest.mark.parametrize(
    ("moment", "now", "ambiguous", "clock"),
    [
        (at("08:00"), NOW, False, ClockState.HOLDOVER),
        (at("09:00:30"), NOW, False, ClockState.HOLDOVER),
        (at("09:00:31"), NOW, False, ClockState.UNSYNCED),
        (NOW.at - timedelta(days=31), NOW, False, ClockState.HOLDOVER),
        (NOW.at - timedelta(days=31, seconds=1), NOW, False, ClockState.UNSYNCED),
        (at("08:00"), NOW, True, ClockState.UNSYNCED),
        (at("08:00"), UNSET, False, ClockState.UNSYNCED),
    ],
)
def test_a_terminal_s_time_is_believed_where_it_can_be(
    moment: datetime, now: Instant, ambiguous: bool, clock: ClockState
) -> None:
    milliseconds = int(moment.timestamp()) * 1000
    expected = Instant(at=moment, boot=TERMINAL, boottime=milliseconds, clock=clock)
    assert told_at(moment, now, ambiguous=ambiguous) == expected


def test_a_terminal_s_time_before_all_times_counts_from_none() -> None:
    for moment, milliseconds in (
        (datetime(1969, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 0, 0, 1, 500, UTC), 1000),
    ):
        assert told_at(moment, NOW).boottime == milliseconds


@pytest.mark.parametrize(
    ("since", "until", "zone", "span"),
    [
        ("07:00", "08:00", "UTC", ("07:00", "08:00")),
        ("07:00", "09:00:20", "UTC", ("07:00", "09:00")),
        ("00:00", "08:00", "Asia/Novosibirsk", ("00:00", "08:00")),
        ("-04:00", "08:00", "UTC", ("00:00", "08:00")),
        ("-09:00", "08:00", "Asia/Novosibirsk", ("-07:00", "08:00")),
        ("-20:00", "06:00", "America/Los_Angeles", ("-17:00", "06:00")),
        ("08:00", "08:00", "UTC", None),
        ("08:00", "07:00", "UTC", None),
        ("07:00", "09:00:31", "UTC", None),
    ],
)
def test_a_terminal_covers_the_last_day_that_it_told(
    since: str, until: str, zone: str, span: tuple[str, str] | None
) -> None:
    def clock(text: str) -> datetime:
        return at("00:00") - (at(text[1:]) - at("00:00")) if text.startswith("-") else at(text)

    found = covered(LANE, clock(since), clock(until) + timedelta(milliseconds=7), NOW, zone)
    at_ = told_at(clock(until) + timedelta(milliseconds=7), NOW)
    expected = [] if span is None else [CoverageData(lane=LANE, since=clock(span[0]), until=clock(span[1]))]
    assert found == [Entry(at=at_, data=data) for data in expected]
    assert covered(LANE, clock(since), clock(until), UNSET, zone) == []
