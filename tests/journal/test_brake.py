"""When a person decides: so many pupils of a shift or a class at once that perhaps it is not the pupils."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.policy import Policy
from journal.notify.brake import WAVES, Alarming, Expected, brake
from journal.notify.notice import Template

SCHOOL = Expected(shifts={1: 300, 2: 100}, groups={"5А": 25, "5Б": 10, "9А": 25})


def alarming(
    count: int, group: str | None = "5А", *, first: int = 0, shift: int = 1, **changed: object
) -> list[Alarming]:
    template = Template(str(changed.pop("template", "not_seen")))
    return [
        Alarming(
            id=number,
            person=f"p{number}",
            template=template,
            group=group,
            shift=shift,
            open=bool(changed.get("open", True)),
        )
        for number in range(first, first + count)
    ]


def everywhere(policy: Policy) -> dict[int | str, Policy]:
    """No shift and no class departs from it."""
    return dict.fromkeys([1, 2, 3, "5А", "5Б", "9А"], policy)


@pytest.mark.parametrize(
    ("name", "found", "held"),
    [
        ("a class, one pupil less than 40 %", alarming(9), 0),
        ("a class, 40 %: it went to the stadium", alarming(10), 10),
        ("a small class: 4 of 10 are 40 %, but not 6", alarming(5, "5Б"), 0),
        ("a small class, 6 of 10", alarming(6, "5Б"), 6),
        ("a shift, one less than 10 %", alarming(29, None), 0),
        ("a shift, 10 %: the bus of a village", alarming(30, None), 30),
        ("a small shift: 10 % are 10, but not 15", alarming(14, None, shift=2), 0),
        ("a small shift, 15", alarming(15, None, shift=2), 15),
        ("a shift that nobody is expected in", alarming(14, None, shift=3), 0),
        ("two shifts do not add up", [*alarming(20, None), *alarming(14, None, first=20, shift=2)], 0),
        ("two classes do not add up", [*alarming(9), *alarming(9, "9А", first=9)], 0),
        ("late is counted with not seen", [*alarming(5), *alarming(5, first=5, template="late")], 10),
        ("confirmed ones, too", [*alarming(5), *alarming(5, first=5, template="absent")], 10),
        ("leaving is counted apart", [*alarming(9), *alarming(9, first=9, template="left_early")], 0),
        ("two messages about one pupil are one", [*alarming(9), *alarming(9, template="absent")], 0),
        ("nine were told before: the tenth waits", [*alarming(9, open=False), *alarming(1, first=9)], 1),
        ("eight were told before", [*alarming(8, open=False), *alarming(1, first=8)], 0),
        ("what was told stays told", alarming(25, open=False), 0),
        ("a class holds its own, not its neighbour's", [*alarming(10), *alarming(3, "9А", first=10)], 10),
        ("a shift holds every class", [*alarming(9), *alarming(9, "9А", first=9), *alarming(12, None, first=18)], 30),
    ],
)
def test_who_waits(name: str, found: list[Alarming], held: int) -> None:
    assert len(brake(found, SCHOOL, everywhere(Policy()))) == held, name


def test_a_school_sets_its_own_numbers() -> None:
    policy = Policy(brake_percent=20, brake_pupils=2, brake_class_percent=100, brake_class_pupils=1)
    expected = Expected(shifts={1: 10}, groups={"5А": 10})
    assert brake(alarming(1), expected, everywhere(policy)) == set()
    assert brake(alarming(2), expected, everywhere(policy)) == {0, 1}
    assert brake(alarming(9), Expected(shifts={1: 100}, groups={"5А": 10}), everywhere(policy)) == set()
    assert brake(alarming(10), Expected(shifts={1: 100}, groups={"5А": 10}), everywhere(policy)) == set(range(10))


ONE = st.builds(
    Alarming,
    id=st.integers(),
    person=st.integers(0, 60).map("p{}".format),
    template=st.sampled_from(sorted(WAVES)),
    group=st.sampled_from([None, "5А", "5Б", "9А"]),
    shift=st.integers(1, 2),
    open=st.booleans(),
)


@given(found=st.lists(ONE, max_size=60, unique_by=lambda one: one.id), more=st.lists(ONE, max_size=20))
def test_more_alarms_never_hold_fewer(found: list[Alarming], more: list[Alarming]) -> None:
    policy = Policy(brake_pupils=4, brake_class_pupils=2, brake_percent=2, brake_class_percent=20)
    known = {one.id for one in found}
    added = [one for one in more if one.id not in known]
    held = brake(found, SCHOOL, everywhere(policy))
    assert held <= brake([*found, *{one.id: one for one in added}.values()], SCHOOL, everywhere(policy))
    assert held <= {one.id for one in found if one.open}
    told = [replace(one, open=False) for one in found if one.id not in held]
    assert held == brake([*told, *(one for one in found if one.id in held)], SCHOOL, everywhere(policy)), (
        "what goes out changes nothing"
    )
