"""What lamp and buzzer say is told apart by colour, by pattern alone and by sound alone."""

import pytest

from drivers.signals import LONG, SHORT, SIGNALS, Colour, signal
from gateway.domain.answer import Answer

PASS = (Answer.PASS, Answer.LATE, Answer.NOT_TODAY, Answer.WAITING)


def test_every_answer_has_its_signal() -> None:
    assert set(SIGNALS) == set(Answer)


def test_green_and_short_is_pass_and_nothing_else_is() -> None:
    for answer, shown in SIGNALS.items():
        assert (shown.colour is Colour.GREEN) is (answer in PASS)
        assert shown.beep == (SHORT if answer in PASS else LONG)


def test_who_does_not_see_colours_or_does_not_look_can_tell() -> None:
    assert len({(shown.on, shown.off) for shown in SIGNALS.values()}) == len(Answer)
    heard = {(shown.beeps, shown.beep) for answer, shown in SIGNALS.items() if answer is not Answer.WAITING}
    assert len(heard) == len(Answer) - 1


@pytest.mark.parametrize("answer", Answer)
def test_a_silent_device_shows_the_same_light(answer: Answer) -> None:
    loud, quiet = signal(answer), signal(answer, silent=True)
    assert loud.beeps
    assert not quiet.beeps
    assert (quiet.colour, quiet.on, quiet.off, quiet.lasts) == (loud.colour, loud.on, loud.off, loud.lasts)


def test_a_picture_is_whole_and_over_before_it_is_unclear_whose_it_is() -> None:
    for answer, shown in SIGNALS.items():
        assert shown.beeps * 2 * shown.beep <= shown.lasts
        assert shown.on + shown.off <= shown.lasts
        assert (shown.lasts > 5) is (answer is Answer.WAITING)
        for seconds in (shown.on, shown.off, shown.beep, shown.lasts):
            assert round(seconds * 10) / 10 == seconds
