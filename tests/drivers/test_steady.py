"""What comes and goes: told at once, until it chatters; an alarm is never late, and what is loose is told once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.steady import OFTEN, STILL, WITHIN, Steady
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
