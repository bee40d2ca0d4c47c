"""Substitutions, each a readable row: what is said, what is held. The class 5А has lessons 1, 2, 3 on Monday and Tuesday."""

import pytest

from gateway.domain.model import GroupId, Mode, SlotKind
from gateway.domain.timetable import Substitution, Timetable
from tests.domain.timetables import bell, change, group, holiday, hourly, lessons, school, week

TEACHER, NONE = Mode.TEACHER, Mode.NONE
CLASS = "5А"


def one_class(*said: Substitution) -> Timetable:
    """Lessons 1 to 3 on Monday, 1 and 2 on Tuesday."""
    return school([group(CLASS)], lessons(CLASS, "123 12"), substitutions=said)


def held(*said: Substitution) -> str:
    return ", ".join(line.removeprefix(f"{CLASS} ") for line in week(one_class(*said)))


TUESDAY = "Tu1 08:00, Tu2 09:00"
CASES: dict[str, tuple[list[Substitution], str]] = {
    "nothing": ([], f"Mo1 08:00, Mo2 09:00, Mo3 10:00, {TUESDAY}"),
    "first lesson cancelled": ([change("cancelled", 0, CLASS, "1")], f"Mo2 09:00, Mo3 10:00, {TUESDAY}"),
    "sent home after the first": ([change("cancelled", 0, CLASS, "23")], f"Mo1 08:00, {TUESDAY}"),
    "a run of one date": ([change("cancelled", 0, CLASS, "1", until=0)], f"Mo2 09:00, Mo3 10:00, {TUESDAY}"),
    "day cancelled": ([change("cancelled", 0, CLASS)], TUESDAY),
    "quarantine": ([change("cancelled", 0, CLASS, until=6)], ""),
    "first lesson cancelled all week": (
        [change("cancelled", 0, CLASS, "1", until=6)],
        "Mo2 09:00, Mo3 10:00, Tu2 09:00",
    ),
    "cancelled twice": ([change("cancelled", 0, CLASS, "12")] * 2, f"Mo3 10:00, {TUESDAY}"),
    "replaced": (
        [change("replaced", 0, CLASS, "1")],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00, {TUESDAY}",
    ),
    "cancelled, then somebody was found": (
        [change("cancelled", 0, CLASS, "12"), change("replaced", 0, CLASS, "1")],
        f"Mo1 08:00, Mo3 10:00, {TUESDAY}",
    ),
    "day cancelled, then held after all": (
        [change("cancelled", 0, CLASS), change("replaced", 0, CLASS)],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00, {TUESDAY}",
    ),
    "replaced elsewhere": (
        [change("replaced", 0, CLASS, "1", site="pool")],
        f"Mo1 08:00 @pool, Mo2 09:00, Mo3 10:00, {TUESDAY}",
    ),
    "moved to another number": (
        [change("moved", 0, CLASS, "1", to_lesson=4)],
        f"Mo2 09:00, Mo3 10:00, Mo4 11:00, {TUESDAY}",
    ),
    "moved to another date": (
        [change("moved", 0, CLASS, "3", to=1)],
        f"Mo1 08:00, Mo2 09:00, {TUESDAY}, Tu3 10:00",
    ),
    "moved to another date and number": (
        [change("moved", 1, CLASS, "1", to=0, to_lesson=0)],
        "Mo0 07:00, Mo1 08:00, Mo2 09:00, Mo3 10:00, Tu2 09:00",
    ),
    "moved to other times": (
        [change("moved", 0, CLASS, "3", start="12:10", end="13:00")],
        f"Mo1 08:00, Mo2 09:00, Mo3 12:10, {TUESDAY}",
    ),
    "moved to another start": (
        [change("moved", 0, CLASS, "3", start="12:10")],
        f"Mo1 08:00, Mo2 09:00, Mo3 12:10, {TUESDAY}",
    ),
    "double lesson moved": (
        [change("moved", 0, CLASS, "23", to_lesson=5)],
        f"Mo1 08:00, Mo5 12:00, Mo6 13:00, {TUESDAY}",
    ),
    "two change places": (
        [change("moved", 0, CLASS, "1", to_lesson=3), change("moved", 0, CLASS, "3", to_lesson=1)],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00, {TUESDAY}",
    ),
    "all of a day moved to Saturday": (
        [change("moved", 0, CLASS, to=5)],
        f"{TUESDAY}, Sa1 08:00, Sa2 09:00, Sa3 10:00",
    ),
    "two days moved by three": (
        [change("moved", 0, CLASS, "12", until=1, to=3)],
        "Mo3 10:00, Th1 08:00, Th2 09:00, Fr1 08:00, Fr2 09:00",
    ),
    "moved, then somewhere else": (
        [change("moved", 0, CLASS, "1", to_lesson=4), change("moved", 0, CLASS, "1", to_lesson=5)],
        f"Mo2 09:00, Mo3 10:00, Mo5 12:00, {TUESDAY}",
    ),
    "moved to another number, and that begins later": (
        [change("moved", 0, CLASS, "1", to_lesson=4), change("moved", 0, CLASS, "4", start="11:20")],
        f"Mo2 09:00, Mo3 10:00, Mo4 11:20, {TUESDAY}",
    ),
    "moved on from where it was moved to": (
        [change("moved", 0, CLASS, "1", to=2), change("moved", 2, CLASS, "1", to=3, to_lesson=2)],
        f"Mo2 09:00, Mo3 10:00, {TUESDAY}, Th2 09:00",
    ),
    "moved there and back": (
        [change("moved", 0, CLASS, "1", to=2), change("moved", 2, CLASS, "1", to=0)],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00, {TUESDAY}",
    ),
    "moved, then cancelled there": (
        [change("moved", 0, CLASS, "3", to=2), change("cancelled", 2, CLASS, "3")],
        f"Mo1 08:00, Mo2 09:00, {TUESDAY}",
    ),
    "moved, then cancelled by its old name": (
        [change("moved", 0, CLASS, "3", to=2), change("cancelled", 0, CLASS, "3")],
        f"Mo1 08:00, Mo2 09:00, {TUESDAY}",
    ),
    "cancelled there, then held there after all": (
        [
            change("moved", 0, CLASS, "3", to=2),
            change("cancelled", 2, CLASS, "3"),
            change("replaced", 2, CLASS, "3"),
        ],
        f"Mo1 08:00, Mo2 09:00, {TUESDAY}, We3 10:00",
    ),
    "cancelled, then moved": (
        [change("cancelled", 0, CLASS, "3"), change("moved", 0, CLASS, "3", to=2)],
        f"Mo1 08:00, Mo2 09:00, {TUESDAY}, We3 10:00",
    ),
    "a day that was moved away is not cancelled with what is left of it": (
        [change("moved", 0, CLASS, "123", to=5), change("cancelled", 0, until=1)],
        "Sa1 08:00, Sa2 09:00, Sa3 10:00",
    ),
    "room made after it was needed": (
        [change("moved", 0, CLASS, "3", to=1, to_lesson=1), change("cancelled", 1, CLASS, "1")],
        "Mo1 08:00, Mo2 09:00, Tu1 08:00, Tu2 09:00",
    ),
    "added": ([change("added", 0, CLASS, "4")], f"Mo1 08:00, Mo2 09:00, Mo3 10:00, Mo4 11:00, {TUESDAY}"),
    "added with times": (
        [change("added", 0, CLASS, "8", start="16:10", end="16:50")],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00, Mo8 16:10, {TUESDAY}",
    ),
    "added for as long as the bell": (
        [change("added", 0, CLASS, "8", start="16:10")],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00, Mo8 16:10, {TUESDAY}",
    ),
    "added without a number": (
        [change("added", 0, CLASS, start="14:30", end="15:00", kind=SlotKind.CLUB, obligatory=False)],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00, Mo 14:30 club free, {TUESDAY}",
    ),
    "added double": (
        [change("added", 0, CLASS, "45", kind=SlotKind.EXAM)],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00, Mo4 11:00 exam, Mo5 12:00 exam, {TUESDAY}",
    ),
    "added all week on days with lessons": (
        [change("added", 0, CLASS, "4", until=6)],
        "Mo1 08:00, Mo2 09:00, Mo3 10:00, Mo4 11:00, Tu1 08:00, Tu2 09:00, Tu4 11:00",
    ),
    "added in another's place": (
        [change("cancelled", 0, CLASS, "3"), change("added", 0, CLASS, "3", kind=SlotKind.EXAM, site="hall")],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00 exam @hall, {TUESDAY}",
    ),
    "added before the other is cancelled": (
        [change("added", 0, CLASS, "3", kind=SlotKind.EXAM), change("cancelled", 0, CLASS, "3")],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00 exam, {TUESDAY}",
    ),
    "added, then cancelled": (
        [change("added", 0, CLASS, "4"), change("cancelled", 0, CLASS, "4")],
        f"Mo1 08:00, Mo2 09:00, Mo3 10:00, {TUESDAY}",
    ),
    "remote all week": (
        [change("mode", 0, CLASS, until=6, mode=NONE)],
        "Mo1 08:00 none, Mo2 09:00 none, Mo3 10:00 none, Tu1 08:00 none, Tu2 09:00 none",
    ),
    "stadium": (
        [change("mode", 0, CLASS, "2", mode=TEACHER, site="stadium")],
        f"Mo1 08:00, Mo2 09:00 teacher @stadium, Mo3 10:00, {TUESDAY}",
    ),
    "a mode leaves the site": (
        [change("replaced", 0, CLASS, "1", site="pool"), change("mode", 0, CLASS, "1", mode=TEACHER)],
        f"Mo1 08:00 teacher @pool, Mo2 09:00, Mo3 10:00, {TUESDAY}",
    ),
    "remote, but one day": (
        [change("mode", 0, CLASS, until=6, mode=NONE), change("mode", 1, CLASS, mode=Mode.GATE)],
        f"Mo1 08:00 none, Mo2 09:00 none, Mo3 10:00 none, {TUESDAY}",
    ),
    "moved into a remote week by a later row": (
        [change("mode", 2, CLASS, until=6, mode=NONE), change("moved", 0, CLASS, "3", to=2)],
        f"Mo1 08:00, Mo2 09:00, {TUESDAY}, We3 10:00 none",
    ),
    "moved into a remote week with a mode of its own": (
        [change("mode", 2, CLASS, until=6, mode=NONE), change("moved", 0, CLASS, "3", to=2, mode=TEACHER)],
        f"Mo1 08:00, Mo2 09:00, {TUESDAY}, We3 10:00 teacher",
    ),
    "the mode follows a lesson that was moved": (
        [change("moved", 0, CLASS, "3", to_lesson=5), change("mode", 0, CLASS, "3", mode=TEACHER)],
        f"Mo1 08:00, Mo2 09:00, Mo5 12:00 teacher, {TUESDAY}",
    ),
    "the mode is of what is held there in the end": (
        [
            change("mode", 0, CLASS, "1", mode=TEACHER),
            change("moved", 0, CLASS, "1", to_lesson=4),
            change("moved", 0, CLASS, "3", to_lesson=1),
        ],
        f"Mo1 08:00 teacher, Mo2 09:00, Mo4 11:00, {TUESDAY}",
    ),
    "cancelled stays cancelled in another mode": (
        [change("cancelled", 0, CLASS, "1"), change("mode", 0, CLASS, "1", mode=TEACHER)],
        f"Mo2 09:00, Mo3 10:00, {TUESDAY}",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_class(name: str) -> None:
    said, expected = CASES[name]
    assert held(*said) == expected


def divided(*said: Substitution) -> list[str]:
    """7Б has lessons 1 and 3, its two parts lesson 2 at once; 7В has lesson 2 and, in the second shift's bells, 5."""
    classes = [group("7Б"), *(group(f"7Б-{n}", part_of=GroupId("7Б")) for n in (1, 2)), group("7В")]
    taught = [*lessons("7Б", "13"), *lessons("7Б-1", "2"), *lessons("7Б-2", "2"), *lessons("7В", "25")]
    return week(school(classes, taught, substitutions=said))


WHOLE = ["7Б Mo1 08:00", "7Б-1 Mo2 09:00", "7Б-2 Mo2 09:00", "7В Mo2 09:00", "7Б Mo3 10:00", "7В Mo5 12:00"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], WHOLE),
        ([change("cancelled", 0, "7Б", "2")], [WHOLE[0], *WHOLE[3:]]),
        ([change("cancelled", 0, "7Б")], ["7В Mo2 09:00", "7В Mo5 12:00"]),
        ([change("cancelled", 0, "7Б-2", "2")], [*WHOLE[:2], *WHOLE[3:]]),
        ([change("cancelled", 0, "", "2")], ["7Б Mo1 08:00", "7Б Mo3 10:00", "7В Mo5 12:00"]),
        ([change("mode", 0, "7Б", "2", mode=TEACHER)], [WHOLE[0], f"{WHOLE[1]} teacher", f"{WHOLE[2]} teacher", *WHOLE[3:]]),
        ([change("moved", 0, "7Б", "2", to_lesson=4)], [WHOLE[0], *WHOLE[3:5], "7Б-1 Mo4 11:00", "7Б-2 Mo4 11:00", WHOLE[5]]),
        # A lesson is added for the class, not once more for each part; of the whole school for each class.
        ([change("added", 0, "7Б", "6")], [*WHOLE, "7Б Mo6 13:00"]),
        ([change("added", 0, "", "6")], [*WHOLE, "7Б Mo6 13:00", "7В Mo6 13:00"]),
        ([change("added", 0, "7Б-1", "6")], [*WHOLE, "7Б-1 Mo6 13:00"]),
        # The class goes as one; its parts leave theirs.
        ([change("merged", 0, "7Б", "2", with_group="7В")], [WHOLE[0], "7Б Mo2 09:00", *WHOLE[3:]]),
        # Everything that the other has, and nothing else.
        (
            [change("merged", 0, "7Б", with_group="7В")],
            ["7Б Mo2 09:00", "7В Mo2 09:00", "7Б Mo5 12:00", "7В Mo5 12:00"],
        ),
        ([change("merged", 0, "7Б", "5", with_group="7В")], [*WHOLE[:5], "7Б Mo5 12:00", WHOLE[5]]),
        # Of a class that is divided at that time the first part that has it.
        ([change("merged", 0, "7В", "2", with_group="7Б")], WHOLE),
        # What the other does not hold is not held together either; who is merged with a row follows its mode.
        (
            [change("merged", 0, "7Б", "2", with_group="7В"), change("cancelled", 0, "7В", "2")],
            [WHOLE[0], *WHOLE[4:]],
        ),
        (
            [change("merged", 0, "7Б", "2", with_group="7В"), change("mode", 0, "7В", "2", mode=TEACHER)],
            [WHOLE[0], "7Б Mo2 09:00 teacher", "7В Mo2 09:00 teacher", *WHOLE[4:]],
        ),
        # Each with the other: both stay.
        (
            [change("merged", 0, "7Б", "2", with_group="7В"), change("merged", 0, "7В", "2", with_group="7Б")],
            [WHOLE[0], "7Б Mo2 09:00", *WHOLE[3:]],
        ),
        # A part joins the lesson of the whole class.
        ([change("merged", 0, "7Б-1", "3", with_group="7Б")], [*WHOLE[:4], "7Б-1 Mo3 10:00", *WHOLE[4:]]),
    ],
)  # fmt: skip
def test_divided_classes(said: list[Substitution], expected: list[str]) -> None:
    assert divided(*said) == expected


def test_the_other_s_bells_ring_for_who_is_merged() -> None:
    early = group("1А", bells="early")
    bells = [*hourly(), bell(2, "08:50", "09:20", bells="early")]
    said = [change("merged", 0, "5А", "2", with_group="1А")]
    timetable = school(
        [early, group(CLASS)], [*lessons("1А", "2"), *lessons(CLASS, "12")], bells=bells, substitutions=said
    )
    assert week(timetable) == ["5А Mo1 08:00", "1А Mo2 08:50", "5А Mo2 08:50"]


def test_on_a_holiday_only_what_says_its_own_times_is_added() -> None:
    exam = change("added", 0, CLASS, "1", start="10:00", end="13:00", kind=SlotKind.EXAM)
    timetable = school([group(CLASS)], lessons(CLASS, "12"), calendar=[holiday(0)], substitutions=[exam])
    assert week(timetable) == ["5А Mo1 10:00 exam"]
