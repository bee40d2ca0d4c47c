"""What comes and goes: told at once, until it chatters; an alarm is never late, and what is loose is told once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.steady import EACH, OFTEN, STILL, WITHIN, Steady
from gateway.domain.entry import DeviceState
from gateway.ports import DeviceNotice

OPENED = DeviceNotice(kind=DeviceState.TAMPER, detail="its housing was opened")
CLOSED = DeviceNotice(kind=DeviceState.TAMPER, detail="its housing is closed again")
FAILING = DeviceNotice(kind=DeviceState.POWER, detail="its power is failing")
LOOSE = DeviceNotice(kind=DeviceState.GARBAGE, detail=f"reader 1: tamper chatters: {OFTEN} times within {WITHIN:.0f} s")


def flap(steady: Steady, times: int, *, begin: float = 0.0, pace: float = 1.0) -> tuple[list[DeviceNotice], float]:
    """What is told while it opens and closes so often, and when that has ended."""
    told, now = [], begin
    for _ in range(times):
        for notice in (OPENED, CLOSED):
            told += steady.hear(notice, now, usual=notice is CLOSED)
            now += pace / 2
    return told, now


def test_what_opens_and_closes_now_and_then_is_told_each_time() -> None:
    told, _ = flap(Steady(), 3 * OFTEN, pace=WITHIN / (OFTEN - 1) + 0.1)
    assert told == [OPENED, CLOSED] * 3 * OFTEN


def test_what_is_said_again_is_told_once() -> None:
    steady = Steady()
    assert [steady.hear(OPENED, now, usual=False) for now in (0.0, 1.0)] == [[OPENED], []]


def test_what_chatters_is_told_once_and_stands_as_not_usual_until_it_was_still() -> None:
    steady = Steady("reader 1: ")
    told, now = flap(steady, 100)
    assert told == [*[OPENED, CLOSED] * (OFTEN - 1), OPENED, LOOSE]
    assert steady.settle(now - 0.5 + STILL - 0.1) == []
    assert steady.settle(now - 0.5 + STILL) == [CLOSED]
    assert steady.settle(now + 1000) == []
    assert flap(steady, 1, begin=now + 1000)[0] == [OPENED, CLOSED]


def test_an_alarm_is_never_late() -> None:
    steady = Steady()
    _, now = flap(steady, 100)
    assert steady.settle(now + STILL) == [CLOSED]
    assert OPENED in steady.hear(OPENED, now + STILL, usual=False)


def test_what_is_open_at_last_stays_so() -> None:
    steady = Steady()
    _, now = flap(steady, 100)
    assert steady.hear(OPENED, now, usual=False) == []
    assert steady.settle(now + 1000) == []
    assert steady.hear(CLOSED, now + 1000, usual=True) == []
    assert steady.settle(now + 1000 + STILL) == [CLOSED]


def test_one_that_chatters_hides_no_other() -> None:
    steady = Steady()
    _, now = flap(steady, 100)
    assert steady.hear(FAILING, now, usual=False) == [FAILING]


def test_what_is_over_at_once_is_told_a_few_times_and_again_after_a_pause() -> None:
    steady = Steady("reader 1: ")
    told = [notice for now in range(1000) for notice in steady.happen(OPENED, now / 10)]
    assert told == [*[OPENED] * OFTEN, LOOSE]
    assert steady.happen(OPENED, 1000.0) == [OPENED]


FREE = DeviceNotice(kind=DeviceState.MODE, detail="free")
LOCKED = DeviceNotice(kind=DeviceState.MODE, detail="locked")
SINGLE = DeviceNotice(kind=DeviceState.MODE, detail="single")


def test_from_one_unusual_state_to_another_nothing_is_held_back() -> None:
    steady = Steady()
    for now in range(20):
        for mode in (FREE, SINGLE):
            steady.hear(mode, now, usual=mode is SINGLE)
    assert steady.hear(LOCKED, 19.5, usual=False) == [LOCKED]
    assert steady.hear(FREE, 19.6, usual=False) == []
    assert steady.settle(19.5 + EACH - 0.1) == []
    assert steady.settle(19.5 + EACH) == [FREE]
    assert steady.hear(SINGLE, 26.0, usual=True) == []
    assert steady.settle(26.0 + STILL) == [SINGLE]


def test_two_unusual_states_that_chatter_are_told_now_and_then() -> None:
    steady = Steady()
    told = [notice for turn in range(6000) for notice in steady.hear((FREE, LOCKED)[turn % 2], turn / 10, usual=False)]
    assert len([notice for notice in told if notice.kind is DeviceState.GARBAGE]) == 1
    assert len(told) <= OFTEN + 1 + 600 / EACH


@given(st.lists(st.tuples(st.floats(0.0, 40.0), st.booleans()), max_size=200))
def test_what_was_told_last_is_how_it_stands_after_a_pause(story: list[tuple[float, bool]]) -> None:
    steady, now, last, told = Steady(), 0.0, CLOSED, [CLOSED]
    for pause, opens in story:
        now, last = now + pause, OPENED if opens else CLOSED
        told += steady.hear(last, now, usual=not opens)
        if opens:
            assert next(notice for notice in reversed(told) if notice in (OPENED, CLOSED)) == OPENED
    told += steady.settle(now + STILL)
    assert next(notice for notice in reversed(told) if notice in (OPENED, CLOSED)) == last


@pytest.mark.parametrize("pace", [0.01, 0.1, 1.0])
def test_an_hour_of_chattering_is_a_few_entries(pace: float) -> None:
    told, _ = flap(Steady(), int(3600 / pace / 10), pace=pace)
    assert len(told) == 2 * OFTEN
