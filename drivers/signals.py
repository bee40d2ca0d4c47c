"""What a lamp and a buzzer say: one table for every device, so that a pupil learns it once.

Green is "pass", amber "go to the guard", red "the gate is out of order: tell the guard". No two answers have the same
pattern, for eyes that do not tell green from red; short beeps are "pass", long ones "guard", for who does not look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Final

from gateway.domain.answer import Answer


class Colour(StrEnum):
    """Of a lamp. One light of two colours shows amber as both at once; lamps that stand apart show red."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One answer as light and sound. All times are seconds, multiples of 0.1."""

    colour: Colour
    #: The lamp is lit for `on`, then dark for `off`, and again; without `off` it is steady.
    on: float
    off: float = 0.0
    #: How often the buzzer sounds, each time for `beep` with as much silence after it.
    beeps: int
    beep: float = 0.0
    #: The picture ends by itself after this time at the latest.
    lasts: float = 3.0


SHORT, LONG = 0.1, 0.5
#: Longer than any lane waits for a passage.
_UNTIL_PASSAGE = 60.0

SIGNALS: Final[Mapping[Answer, Signal]] = {
    Answer.PASS: Signal(colour=Colour.GREEN, on=3.0, beeps=1, beep=SHORT),
    Answer.LATE: Signal(colour=Colour.GREEN, on=1.2, off=0.3, beeps=2, beep=SHORT),
    Answer.NOT_TODAY: Signal(colour=Colour.GREEN, on=0.3, off=1.2, beeps=3, beep=SHORT),
    Answer.WAITING: Signal(colour=Colour.GREEN, on=0.5, off=0.5, beeps=1, beep=SHORT, lasts=_UNTIL_PASSAGE),
    Answer.GUARD: Signal(colour=Colour.AMBER, on=0.2, off=0.2, beeps=1, beep=LONG),
    Answer.UNREADABLE: Signal(colour=Colour.AMBER, on=0.2, off=0.6, beeps=2, beep=LONG),
    Answer.NOT_RECORDED: Signal(colour=Colour.RED, on=0.6, off=0.2, beeps=3, beep=LONG),
}


def signal(answer: Answer, *, silent: bool = False) -> Signal:
    """What to show; `silent` for a hall where nothing may beep."""
    shown = SIGNALS[answer]
    return replace(shown, beeps=0, beep=0.0) if silent else shown


@cache
def timeline(shown: Signal) -> tuple[tuple[float, bool, bool], ...]:
    """For what can only be on or off: from which second on the lamp is lit, and whether the buzzer sounds; at the end neither."""
    on, off, beep, lasts = (round(seconds * 10) for seconds in (shown.on, shown.off, shown.beep, shown.lasts))
    changes: list[tuple[float, bool, bool]] = []
    for tick in range(lasts):
        lit = tick % (on + off) < on
        sounds = tick < shown.beeps * 2 * beep and tick % (2 * beep) < beep
        if not changes or changes[-1][1:] != (lit, sounds):
            changes.append((tick / 10, lit, sounds))
    return (*changes, (shown.lasts, False, False))
