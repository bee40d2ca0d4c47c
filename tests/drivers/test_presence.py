"""Came, stayed, left: on a clock that is an argument."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import BadCard, BadFrame, Card, Noise, Removed
from drivers.presence import Presence
from gateway.domain.credential import Credential, Technology
from gateway.domain.entry import DeviceState
from gateway.ports import CardRead, CardRefused, DeviceNotice


def card(number: int) -> Card:
    uid = b"\x62" + number.to_bytes(3) + b"\x07"
    return Card(credential=Credential(technology=Technology.EM4100, uid=uid), raw=uid)


FIRST, SECOND = card(1), card(2)


def came(presence: Presence, seen: Card, *times: float) -> list[float]:
    return [now for now in times if presence.event(seen, now) == CardRead(credential=seen.credential)]


def test_a_card_held_for_minutes_came_once() -> None:
    assert came(Presence(0.5), FIRST, *(tick * 0.065 for tick in range(5000))) == [0]


def test_the_silence_counts_from_the_last_time_it_was_seen() -> None:
    assert came(Presence(0.5), FIRST, 0, 0.49, 0.98, 1.48, 1.97) == [0, 1.48]


def test_another_card_at_once_is_another_presentation() -> None:
    presence = Presence(0.5)
    assert came(presence, FIRST, 0) == [0]
    assert came(presence, SECOND, 0.01) == [0.01]


def test_two_cards_held_together_came_once_each() -> None:
    presence = Presence(0.5)
    seen = [presence.event(FIRST if tick % 2 else SECOND, tick * 0.065) for tick in range(1000)]
    assert sum(event is not None for event in seen) == 2


def test_a_reader_that_says_that_the_card_has_left_need_not_be_silent() -> None:
    presence = Presence(60)
    assert came(presence, FIRST, 0, 0.1) == [0]
    assert presence.event(Removed(raw=b"No card"), 0.2) is None
    assert came(presence, FIRST, 0.3, 0.4) == [0.3]


def test_a_random_uid_is_one_refusal_for_as_long_as_it_is_held() -> None:
    presence = Presence(0.5)
    asked = [
        presence.event(BadCard(technology=Technology.ISO14443A, raw=bytes([8, 0, 0, tick]), why="random"), tick * 0.1)
        for tick in range(100)
    ]
    assert [event for event in asked if event] == [CardRefused(technology=Technology.ISO14443A, why="random")]


def test_a_stray_byte_is_not_worth_a_notice() -> None:
    presence = Presence(0.5)
    hours = [presence.event(BadFrame(raw=b"\x0262E3", why="half"), now) for now in range(0, 36_000, 30)]
    assert not any(hours)
    assert presence.faults == {"bad_frames": 1200, "noise_bytes": 0}
    presence.event(Noise(size=3), 36_000)
    assert presence.faults == {"bad_frames": 1200, "noise_bytes": 3}


def test_a_storm_is_told_at_most_once_a_minute() -> None:
    presence = Presence(0.5)
    told = [now / 10 for now in range(3000) if presence.event(Noise(size=64), now / 10)]
    assert told
    assert all(later - earlier >= 60 for earlier, later in pairwise(told))


def test_the_notice_counts_and_holds_no_card() -> None:
    notice = Presence(0.5).event(BadFrame(raw=b"\x0262E3086CED" * 30, why="long"), 0)
    assert isinstance(notice, DeviceNotice)
    assert notice.kind is DeviceState.GARBAGE
    assert notice.detail.startswith("330 bytes")


@given(
    seen=st.lists(st.tuples(st.floats(0.001, 2), st.sampled_from([FIRST, SECOND])), max_size=50),
    silence=st.sampled_from([0.1, 0.5, 1.0]),
)
def test_came_is_exactly_not_seen_for_the_silence(seen: list[tuple[float, Card]], silence: float) -> None:
    presence, now = Presence(silence), 0.0
    last: dict[Credential, float] = {}
    for gap, held in seen:
        now += gap
        expected = now - last.get(held.credential, float("-inf")) >= silence
        last[held.credential] = now
        assert (presence.event(held, now) is not None) == expected


def test_a_flood_of_different_cards_is_forgotten() -> None:
    presence = Presence(3600)
    for number in range(10_000):
        presence.event(card(number), 0)
    assert len(presence._seen) <= 16
