"""One tap, one decision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.credential import SiteKey, Token
from gateway.domain.decide import Recent, decide, elapsed, off, unreadable
from gateway.domain.directory import CredentialRow, CredentialState, Directory
from gateway.domain.entry import Entry, TapData
from gateway.domain.model import (
    Assurance,
    ClockState,
    Direction,
    Instant,
    LaneId,
    Match,
    PersonId,
    Reason,
    SlotId,
    Status,
    Verdict,
)
from tests.domain.build import CARD, KEY, LANE, MIDNIGHT, OTHER, at, directory, instant, slot, tap

ADMIT = Verdict(admit=True, reason=Reason.KNOWN)


def row(**changes: object) -> CredentialRow:
    return CredentialRow(token=KEY.token(CARD), person=PersonId("p-1")).model_copy(update=changes)


def decided(clock: str, known: Directory | None = None, direction: Direction = Direction.IN) -> TapData:
    entry = decide(tap(clock, direction=direction), known or directory(), Recent(timedelta(seconds=5)), [KEY])
    assert isinstance(entry, Entry)
    assert isinstance(entry.data, TapData)
    return entry.data


@pytest.mark.parametrize(
    ("clock", "status", "minutes"),
    [
        ("07:30:00", Status.PRESENT, 0),
        ("08:29:59", Status.PRESENT, 0),
        ("08:30:00", Status.PRESENT, 0),
        ("08:30:01", Status.LATE, 1),
        ("08:31:00", Status.LATE, 1),
        ("08:31:01", Status.LATE, 2),
        ("09:14:59", Status.LATE, 45),
    ],
)
def test_the_door_guesses_present_or_late(clock: str, status: Status, minutes: int) -> None:
    assert decided(clock).match == Match(slot=SlotId("5a-20260901-1"), status=status, minutes=minutes)


@pytest.mark.parametrize("clock", ["07:29:59", "09:15:00", "12:00:00"])
def test_a_tap_far_from_any_slot_matches_nothing_and_is_still_green(clock: str) -> None:
    data = decided(clock)
    assert data.match is None
    assert data.verdict == ADMIT


def test_a_way_out_matches_nothing() -> None:
    assert decided("08:31", direction=Direction.OUT).match is None


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (row(state=CredentialState.BLOCKED), Reason.BLOCKED),
        (row(state=CredentialState.LOST), Reason.LOST),
        (row(valid_to=at("08:00")), Reason.EXPIRED),
        (row(valid_from=at("09:00")), Reason.EXPIRED),
        (row(token=KEY.token(OTHER)), Reason.UNKNOWN_CARD),
        (None, Reason.UNKNOWN_CARD),
    ],
)
def test_what_the_office_or_nobody_knows_goes_to_the_guard_and_is_recorded(
    known: CredentialRow | None, reason: Reason
) -> None:
    data = decided("08:00", Directory.empty() if known is None else directory(known))
    assert data.verdict == Verdict(admit=False, reason=reason)
    assert data.person is None
    assert data.token == KEY.token(CARD)


def test_a_reissued_card_belongs_to_whoever_holds_it_at_that_time() -> None:
    known = directory(row(valid_to=at("08:00")), row(person=PersonId("p-2"), valid_from=at("08:00")))
    assert decided("07:59:59", known).person == "p-1"
    assert decided("08:00:00", known).person == "p-2"


def test_an_expired_directory_still_identifies_and_matches_nothing() -> None:
    later = MIDNIGHT + timedelta(days=15, hours=8)
    entry = decide(tap(later), directory(), Recent(timedelta(seconds=5)), [KEY])
    assert isinstance(entry, Entry)
    assert isinstance(entry.data, TapData)
    assert (entry.data.person, entry.data.match) == ("p-1", None)


def test_a_token_under_the_older_key_is_found_and_recorded_as_it_is_known() -> None:
    newer = SiteKey(version=2, secret=bytes(range(1, 33)))
    entry = decide(tap("08:00"), directory(), Recent(timedelta(seconds=5)), [newer, KEY])
    assert isinstance(entry, Entry)
    assert isinstance(entry.data, TapData)
    assert (entry.data.person, entry.data.token) == ("p-1", KEY.token(CARD))


def repeat(first: str, again: str, lane: LaneId = LANE, boots: tuple[str, str] = ("a", "a")) -> Entry | Verdict:
    recent = Recent(timedelta(seconds=5))
    entry = decide(tap(first), directory(), recent, [KEY])
    assert isinstance(entry, Entry)
    assert isinstance(entry.data, TapData)
    recent.note(instant(first, boots[0]), entry.data)
    second = tap(again, lane=lane)
    second = type(second)(lane=lane, credential=CARD, at=instant(again, boots[1]), direction=Direction.IN)
    return decide(second, directory(), recent, [KEY])


def test_the_same_card_within_five_seconds_at_one_lane_is_one_tap() -> None:
    assert repeat("08:00:00", "08:00:05") == ADMIT
    assert isinstance(repeat("08:00:00", "08:00:06"), Entry)


def test_a_card_that_is_read_twice_in_one_moment_is_one_tap() -> None:
    assert repeat("08:00:00", "08:00:00") == ADMIT


def test_the_taps_of_others_shorten_nobody_s_window() -> None:
    recent, data = Recent(timedelta(seconds=5)), decided("08:00")
    recent.note(instant("08:00:00"), data)
    recent.note(instant("08:00:05"), replace(data, token=KEY.token(OTHER)))
    assert recent.verdict(LANE, KEY.token(CARD), instant("08:00:05")) == ADMIT


def test_another_lane_is_another_entry() -> None:
    assert isinstance(repeat("08:00:00", "08:00:02", LaneId("north-2")), Entry)


def test_a_tap_from_before_a_restart_still_repeats() -> None:
    assert repeat("08:00:00", "08:00:04", boots=("a", "b")) == ADMIT


def test_a_wall_clock_that_jumped_back_loses_no_tap() -> None:
    assert isinstance(repeat("08:00:00", "07:00:00"), Entry)


def test_recent_forgets_what_is_older_than_its_window() -> None:
    recent = Recent(timedelta(seconds=5))
    data = decided("08:00")
    for minute in range(60):
        recent.note(instant(f"08:{minute:02d}"), replace(data, token=Token(f"1:{minute}")))
    assert len(recent._latest) == 1


def test_elapsed_trusts_the_boot_clock_within_a_boot() -> None:
    early, late = instant("08:00"), instant("09:00")
    jumped = type(late)(at=at("07:00"), boot=late.boot, boottime=late.boottime, clock=late.clock)
    assert elapsed(early, jumped) == timedelta(hours=1)


def test_a_card_that_is_no_identity_is_recorded_without_a_token() -> None:
    entry = unreadable(LANE, CARD.technology, Direction.IN, instant("08:00"))
    assert entry == Entry(
        at=instant("08:00"),
        data=TapData(
            lane=LANE,
            direction=Direction.IN,
            token=None,
            technology=CARD.technology,
            assurance=Assurance.UID,
            person=None,
            verdict=Verdict(admit=False, reason=Reason.UNREADABLE),
            match=None,
            directory=None,
        ),
    )


def test_two_slots_the_current_one_is_matched() -> None:
    known = directory(slots=(slot(), slot("09:25", "10:10", number=2)))
    match = decided("09:20", known).match
    assert match == Match(slot=SlotId("5a-20260901-2"), status=Status.PRESENT, minutes=0)


@pytest.mark.parametrize(("site", "matched"), [("", True), ("school-1", True), ("pool", False)])
def test_a_door_matches_what_is_held_at_its_site(site: str, matched: bool) -> None:
    known = directory(slots=(replace(slot(), site=site),))
    assert (decided("08:20", known).match is not None) is matched


def test_a_clock_that_nobody_has_set_sends_nobody_away_and_blames_nobody() -> None:
    known = directory(row(valid_from=at("00:00"), valid_to=MIDNIGHT + timedelta(days=300)))
    unset = Instant(at=datetime(1970, 1, 1, 9, tzinfo=UTC), boot="a", boottime=1, clock=ClockState.UNSYNCED)
    entry = decide(replace(tap("08:40"), at=unset), known, Recent(timedelta(seconds=5)), [KEY])
    assert isinstance(entry, Entry)
    assert isinstance(entry.data, TapData)
    assert (entry.data.verdict, entry.data.match, entry.expires) == (ADMIT, None, None)
    late = replace(instant("08:40"), clock=ClockState.UNSYNCED)
    entry = decide(replace(tap("08:40"), at=late), directory(), Recent(timedelta(seconds=5)), [KEY])
    assert isinstance(entry, Entry)
    assert isinstance(entry.data, TapData)
    assert entry.data.match is None


@pytest.mark.parametrize("state", [CredentialState.BLOCKED, CredentialState.LOST])
def test_a_blocked_card_stays_blocked_on_any_clock(state: CredentialState) -> None:
    unset = replace(instant("08:40"), clock=ClockState.UNSYNCED)
    entry = decide(replace(tap("08:40"), at=unset), directory(row(state=state)), Recent(timedelta(seconds=5)), [KEY])
    assert isinstance(entry, Entry)
    assert isinstance(entry.data, TapData)
    assert not entry.data.verdict.admit


@pytest.mark.parametrize(
    ("hours", "answer"),
    [
        (8, False),
        (20.9, False),  # still the same day in Moscow
        (21, True),
        (24 * 13, True),
        (24 * 14, False),  # the directory has expired: who knows
    ],
)
def test_a_day_off_is_one_of_the_school_s_own_days(hours: float, answer: bool) -> None:
    moment = instant(MIDNIGHT + timedelta(hours=hours))
    assert off(decided("08:00"), moment, directory()) is answer
    assert off(decided("08:00"), replace(moment, clock=ClockState.UNSYNCED), directory()) is False


def test_a_day_with_lessons_is_one_by_the_clock_of_the_school() -> None:
    """01:00 in Moscow is still yesterday in UTC; a lesson of another site is none of these doors."""
    known = directory(slots=(slot("22:00", "22:45"),))
    for hours, answer in ((8, True), (22, False), (36, False)):
        assert off(decided("08:00"), instant(MIDNIGHT + timedelta(hours=hours)), known) is answer
    elsewhere = directory(slots=(slot(), replace(slot("22:00", "22:45", number=2), site="pool")))
    assert off(decided("08:00"), instant(MIDNIGHT + timedelta(hours=36)), elsewhere) is True


def test_who_has_no_lessons_at_all_has_no_day_off() -> None:
    data, moment = decided("08:00"), instant(MIDNIGHT + timedelta(days=2))
    assert off(data, moment, directory(slots=(slot(group="6b"),))) is False
    assert off(replace(data, person=None), moment, directory()) is False
