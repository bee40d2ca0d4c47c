"""Every number of the register in one place, and who departs from it: a site, a shift, a grade, a group."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, Final

from gateway.domain.model import GroupId

_LONGEST: Final = timedelta(days=1)
#: Of what is not a duration.
_MOST: Final[Mapping[str, int]] = {
    "absent_percent": 100,
    "late_notice_minutes": 24 * 60,
    "brake_percent": 100,
    "brake_pupils": 100_000,
    "brake_class_percent": 100,
    "brake_class_pupils": 100_000,
}
#: Durations that a school writes in seconds; the others it writes in minutes.
_IN_SECONDS: Final = frozenset({"repeat_at_lane", "repeat_at_site", "settle"})
_UNITS: Final = {"seconds": timedelta(seconds=1), "minutes": timedelta(minutes=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Each with its meaning, unit and default. Sites, shifts, grades and groups may override them.

    Raises ValueError for less than nothing and for more than a day, or than all: so no sum of times overflows.
    """

    #: The same card at the same lane within this time is the same tap.
    repeat_at_lane: timedelta = timedelta(seconds=5)
    #: The same card in the same direction anywhere on the site within this time is the same tap.
    repeat_at_site: timedelta = timedelta(seconds=60)
    #: Inside at start + grace is present.
    grace: timedelta = timedelta(0)
    #: A slot may be matched by a tap this long before its start.
    early: timedelta = timedelta(minutes=60)
    #: What impairs a lane counts from this long before the person's first slot of the day.
    coverage_before: timedelta = timedelta(minutes=60)
    #: After somebody's first slot began, coverage is told every minute for this long.
    watch: timedelta = timedelta(minutes=30)
    #: After the end of a slot, missing coverage is waited for this long before a mark is unknown.
    patience: timedelta = timedelta(minutes=2)
    #: Outside for at least this long within a slot is leaving early.
    left_early: timedelta = timedelta(minutes=15)
    #: Missing more than this share of a slot, in percent, is an absence.
    absent_percent: int = 50
    #: Presence without exit ends this long after the last slot.
    presence_after: timedelta = timedelta(minutes=60)
    #: Presence without exit outlasts the last slot and midnight: boarders.
    overnight: bool = False
    #: A late notice goes out from this many minutes on.
    late_notice_minutes: int = 5
    #: "The card was not seen" goes out this long after the start.
    not_seen_after: timedelta = timedelta(minutes=15)
    #: The same for grades 1 to 4.
    not_seen_after_primary: timedelta = timedelta(minutes=10)
    #: What a parent asked to hear after a lesson goes no later than this after it.
    told_after_lesson: timedelta = timedelta(minutes=60)
    #: Once parents of this share of the pupils of a shift, in percent, and of at least so many pupils would be alarmed,
    #: a person decides whether they are.
    brake_percent: int = 10
    brake_pupils: int = 15
    #: The same within a class.
    brake_class_percent: int = 40
    brake_class_pupils: int = 6
    #: Coverage entries follow a cut-off by this time, so that a tap in flight is before them.
    settle: timedelta = timedelta(seconds=2)

    def __post_init__(self) -> None:
        for number in fields(self):
            value = getattr(self, number.name)
            least, most = (timedelta(0), _LONGEST) if isinstance(value, timedelta) else (0, _MOST.get(number.name, 1))
            if not least <= value <= most:
                raise ValueError(f"{number.name}: got {value}, expected {least} to {most}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Other numbers for some. Every selector that is not empty must fit; without any it is for the whole site.

    Raises ValueError for a number that nobody knows or that is out of its range.
    """

    groups: frozenset[GroupId] = frozenset()
    shifts: frozenset[int] = frozenset()
    grades: frozenset[int] = frozenset()
    #: By the keys of KEYS, as whole numbers of the unit that the key names: `grace_minutes = 5`; overnight is a bool.
    numbers: Mapping[str, int | bool]

    def __post_init__(self) -> None:
        changed(Policy(), self.numbers)

    def fits(self, groups: Collection[GroupId], shift: int | None, grade: int | None) -> bool:
        """Whether it is for somebody of these groups, this shift and this grade."""
        return (
            (not self.groups or not self.groups.isdisjoint(groups))
            and (not self.shifts or shift in self.shifts)
            and (not self.grades or grade in self.grades)
        )


def _key(name: str, default: object) -> str:
    if not isinstance(default, timedelta):
        return name
    return f"{name}_{'seconds' if name in _IN_SECONDS else 'minutes'}"


#: What a table of settings calls each number, with its unit -> the field of Policy.
KEYS: Final[Mapping[str, str]] = {_key(number.name, number.default): number.name for number in fields(Policy)}


def resolve(
    policy: Policy,
    overrides: Iterable[Override],
    *,
    groups: Collection[GroupId] = (),
    shift: int | None = None,
    grade: int | None = None,
) -> Policy:
    """The numbers for somebody. A group outweighs a shift, a shift a grade, a grade the site; of two alike, the later one."""
    fitting = [override for override in overrides if override.fits(groups, shift, grade)]
    for override in sorted(fitting, key=lambda o: (bool(o.groups), bool(o.shifts), bool(o.grades))):
        policy = changed(policy, override.numbers)
    return policy


def changed(policy: Policy, numbers: Mapping[str, int | bool]) -> Policy:
    """The policy with other numbers. Raises ValueError."""
    values: dict[str, Any] = {}
    for key, value in numbers.items():
        if key not in KEYS:
            raise ValueError(f"{key}: no number of the policy is called so; there are: {', '.join(KEYS)}")
        name = KEYS[key]
        expected = type(getattr(policy, name)) if key == name else int
        if type(value) is not expected:
            raise ValueError(
                f"{key}: got {value!r}, expected {'true or false' if expected is bool else 'a whole number'}"
            )
        values[name] = value if key == name else value * _UNITS[key.rpartition("_")[2]]
    return replace(policy, **values)
