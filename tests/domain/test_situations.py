"""Every named situation: given, when, then, message or none."""

import random
from collections.abc import Sequence

import pytest

from gateway.domain.model import Mark, Slot, Source, Status
from gateway.domain.register import Fact, day_mark, judge
from gateway.domain.statement import Statement
from tests.domain.messages import messages
from tests.domain.situation import Situation, situations

ALL = situations()


def marks(situation: Situation, *, shuffled: int | None = None) -> list[Mark]:
    as_of = situation.at(situation.when)
    known: list[Fact | Statement] = [*situation.facts(as_of), *situation.statements(as_of)]
    excuses = situation.absences(as_of)
    if shuffled is not None:
        known, excuses = [*known, *known[::2]], [*excuses, *excuses]
        random.Random(shuffled).shuffle(known)
        excuses.reverse()
    coverage = situation.coverage(as_of)
    return judge(situation.whose, situation.slots(), known, excuses, coverage, as_of, situation.numbers)


def in_words(slots: Sequence[Slot], found: Sequence[Mark]) -> str:
    """`late 7 transport by teacher | unknown: silent south | -`: a slot without a mark is a dash."""
    by_slot = {mark.slot: mark for mark in found}
    return " | ".join(_words(by_slot[slot.id]) if slot.id in by_slot else "-" for slot in slots)


def _words(mark: Mark) -> str:
    doubts = sorted(f"{doubt.kind} {doubt.lane.removesuffix('/main')}".strip() for doubt in mark.doubts)
    parts = [
        mark.status.value,
        str(mark.minutes_late) if mark.status is Status.LATE else "",
        mark.reason.value if mark.reason else "",
        f"by {mark.source}" if mark.source is not Source.GATE else "",
    ]
    doubted = f": {', '.join(doubts)}" if mark.status is Status.UNKNOWN else ""
    return " ".join(part for part in parts if part) + doubted


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len({situation.name for situation in ALL}) == len(ALL) >= 150


@pytest.mark.parametrize("situation", ALL, ids=lambda situation: situation.name)
def test_marks(situation: Situation) -> None:
    found = marks(situation)
    assert in_words(situation.slots(), found) == situation.then
    for order in range(3):
        assert marks(situation, shuffled=order) == found
    if situation.day:
        day = day_mark(situation.slots(), found)
        late = f" {day.minutes_late}" if day.minutes_late else ""
        assert f"{day.status}{late}, missed {day.missed} of {day.lessons}" == situation.day


@pytest.mark.parametrize("situation", ALL, ids=lambda situation: situation.name)
def test_message_or_none(situation: Situation) -> None:
    assert messages(situation) == situation.message


@pytest.mark.parametrize(
    ("doors", "heard", "doubts"),
    [
        # What the gate let through while the boarder slept, or before the bell rang for who came with it, is no doubt.
        ("in yesterday:18:00", (), [[], []]),
        ("out yesterday:17:00, in 08:30", (), [[], []]),
        # A door that is silent while the boarder seems to sleep may have heard an exit.
        ("in yesterday:18:00", ("south 07:00-07:20",), [["silent 07:20"], ["silent 07:20"]]),
        ("in yesterday:18:00", ("south 07:00-08:10",), [["silent 08:10"], ["silent 08:10"]]),
    ],
)
def test_what_is_doubtful_of_a_boarder_who_is_present(
    doors: str, heard: tuple[str, ...], doubts: list[list[str]]
) -> None:
    nights = ("north yesterday:07:00-yesterday:20:00", "south yesterday:07:00-yesterday:20:00")
    night = (f"south {nights[1].split()[1]}", *heard) if heard else ()
    outages = ("north free yesterday:19:00-yesterday:19:30",)
    boarder = Situation(
        name="",
        when="10:15",
        then="",
        doors=doors,
        nights=nights,
        heard=night,
        outages=outages,
        policy={"overnight": True},
    )
    found = marks(boarder)
    assert in_words(boarder.slots(), found) == "present | present"
    here = boarder.here
    told = [[f"{one.kind} {one.since.astimezone(here):%H:%M}" for one in mark.doubts if one.since] for mark in found]
    assert told == doubts
