"""Lamps, buzzer and bolt in time, on a clock that jumps."""

import asyncio
from collections.abc import Set as AbstractSet

import pytest

from drivers.lamp import Lamp, Output
from drivers.signals import SIGNALS, signal, timeline
from gateway.domain.answer import Answer
from gateway.errors import DeviceLost
from tests.sync.virtual_time import run

ALL = frozenset(Output)
GREEN, AMBER, RED, BUZZER, UNLOCK = Output


class Played:
    """Everything that was switched, each time with what was on from then on."""

    def __init__(self, outputs: AbstractSet[Output] = ALL, *, opens: float = 5.0, silent: bool = False) -> None:
        self.switched: list[tuple[float, set[Output]]] = []
        self.gone = False
        self.lamp = Lamp(self.switch, outputs, opens=opens, silent=silent)

    def switch(self, on: AbstractSet[Output]) -> None:
        if self.gone:
            raise DeviceLost
        self.switched.append((round(asyncio.get_running_loop().time(), 6), set(on)))

    def of(self, *outputs: Output) -> list[tuple[float, set[Output]]]:
        """Only these, and only when they changed."""
        found: list[tuple[float, set[Output]]] = []
        for at, on in self.switched:
            mine = on & {*outputs}
            if not found or found[-1][1] != mine:
                found.append((at, mine))
        return found


def play(answer: Answer, *, admit: bool, seconds: float = 100.0, **options: object) -> Played:
    played = Played(**options)  # type: ignore[arg-type]

    async def main() -> None:
        played.lamp.show(answer, admit=admit)
        await asyncio.sleep(seconds)

    run(main())
    return played


def test_a_pass_is_one_beep_and_green_until_the_picture_ends() -> None:
    played = play(Answer.PASS, admit=True)
    assert played.switched == [(0, {GREEN, BUZZER, UNLOCK}), (0.1, {GREEN, UNLOCK}), (3.0, {UNLOCK}), (5.0, set())]


@pytest.mark.parametrize("answer", Answer)
def test_every_picture_is_what_the_table_says_and_ends(answer: Answer) -> None:
    shown = SIGNALS[answer]
    played = play(answer, admit=False)
    light = Output(shown.colour)
    assert played.switched[-1] == (shown.lasts, set())
    assert sum(BUZZER in on for _, on in played.of(BUZZER)) == shown.beeps
    blinks = [at for at, on in played.of(light) if on]
    period = shown.on + shown.off
    assert blinks == pytest.approx([period * n for n in range(len(blinks))])
    assert len(blinks) == (-(-shown.lasts * 10 // round(period * 10)) if shown.off else 1)
    assert [(at, lit, sounds) for at, lit, sounds in timeline(shown)] == [
        (at, light in on, BUZZER in on) for at, on in played.switched
    ]


def test_a_silent_lamp_shows_and_does_not_beep() -> None:
    played = play(Answer.NOT_RECORDED, admit=False, silent=True)
    assert played.of(BUZZER) == [(0, set())]
    assert [(at, lit) for at, lit, _ in timeline(signal(Answer.NOT_RECORDED, silent=True))] == [
        (at, RED in on) for at, on in played.switched
    ]


def test_a_lamp_without_amber_is_red_instead() -> None:
    assert play(Answer.GUARD, admit=False, outputs={GREEN, RED}).switched[0] == (0, {RED})
    assert play(Answer.PASS, admit=True, outputs={UNLOCK}).of(*ALL) == [(0, {UNLOCK}), (5.0, set())]


def test_a_pulse_is_short_whatever_the_lamp_does() -> None:
    assert play(Answer.WAITING, admit=True, opens=0.2).of(UNLOCK) == [(0, {UNLOCK}), (0.2, set())]


def test_the_next_answer_takes_the_place_of_the_last_and_its_time_begins_anew() -> None:
    played = Played()

    async def main() -> None:
        played.lamp.show(Answer.PASS, admit=True)
        await asyncio.sleep(2)
        played.lamp.show(Answer.PASS, admit=True)
        await asyncio.sleep(2)
        played.lamp.show(Answer.GUARD, admit=False)
        await asyncio.sleep(0.05)
        played.lamp.rest()
        await asyncio.sleep(100)

    run(main())
    assert played.of(GREEN) == [(0, {GREEN}), (4.0, set())]
    assert played.of(UNLOCK) == [(0, {UNLOCK}), (4.0, set())]
    assert played.of(AMBER) == [(0, set()), (4.0, {AMBER}), (4.05, set())]
    assert played.switched[-1] == (4.05, set())


def test_a_lamp_that_was_stopped_or_is_lost_switches_nothing_more() -> None:
    played = Played()

    async def main() -> None:
        played.lamp.show(Answer.WAITING, admit=True)
        played.lamp.stop()
        await asyncio.sleep(100)
        assert len(played.switched) == 1
        played.lamp.show(Answer.WAITING, admit=True)
        played.gone = True
        await asyncio.sleep(100)
        with pytest.raises(DeviceLost):
            played.lamp.show(Answer.PASS, admit=True)
        with pytest.raises(DeviceLost):
            played.lamp.rest()

    run(main())
