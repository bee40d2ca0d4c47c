"""The brake on alarming notices: where many parents would be alarmed at once, a person decides.

A bus of a whole village, a class that went to the stadium, a reader that reads nothing: what is true of each pupil alone
is a mistake of somebody else when it is true of a tenth of the shift.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from gateway.domain.policy import Policy
from journal.notify.notice import Template


class Wave(Enum):
    """What is counted together: the mornings of a shift have nothing to do with who leaves it early."""

    COMING = auto()
    LEAVING = auto()


#: Whatever is not here eases a parent, or follows up what was said: it is never held.
WAVES: Mapping[Template, Wave] = {
    Template.LATE: Wave.COMING,
    Template.NOT_SEEN: Wave.COMING,
    Template.ABSENT: Wave.COMING,
    Template.LEFT_EARLY: Wave.LEAVING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarming:
    """An alarming notice of one day that was said, or shall be."""

    #: Of its row.
    id: int
    person: str
    template: Template
    #: The class of the pupil; None belongs to no class.
    group: str | None
    shift: int
    #: Nobody heard it, and nobody let it go.
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How many pupils with somebody to tell were expected through the gates that day."""

    shifts: Mapping[int, int]
    groups: Mapping[str, int]


def brake(alarming: Iterable[Alarming], expected: Expected, policies: Mapping[int | str, Policy]) -> set[int]:
    """The ids of those that a person must let go: all open ones of a shift or a class that has reached its limit.

    `policies`: the numbers of each shift and each class that somebody belongs to.
    Pupils are counted, not messages, and those count, too, whose parents were told before the limit was reached: what was
    said stays said, and is followed up and corrected as ever. More of them never hold fewer.
    """
    found = list(alarming)
    pupils: dict[tuple[Wave, int | str], set[str]] = defaultdict(set)
    for one in found:
        for scope in _scopes(one):
            pupils[scope].add(one.person)
    reached = {
        scope for scope, persons in pupils.items() if _reached(scope[1], len(persons), expected, policies[scope[1]])
    }
    return {one.id for one in found if one.open and not reached.isdisjoint(_scopes(one))}


def _scopes(one: Alarming) -> list[tuple[Wave, int | str]]:
    """Its shift is a number, its class a name."""
    wave = WAVES[one.template]
    return [(wave, one.shift), *([] if one.group is None else [(wave, one.group)])]


def _reached(place: int | str, pupils: int, expected: Expected, policy: Policy) -> bool:
    if isinstance(place, int):
        share, least, of = policy.brake_percent, policy.brake_pupils, expected.shifts.get(place, 0)
    else:
        share, least, of = policy.brake_class_percent, policy.brake_class_pupils, expected.groups.get(place, 0)
    return pupils >= least and pupils * 100 >= share * of
