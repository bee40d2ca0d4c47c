"""Every number of the register in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Each with its meaning, unit and default. Sites, shifts and groups may override them.

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
    #: Coverage counts from this long before the person's first slot of the day.
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
        for field in fields(self):
            value = getattr(self, field.name)
            least, most = (0, _MOST[field.name]) if field.name in _MOST else (timedelta(0), _LONGEST)
            if not least <= value <= most:
                raise ValueError(f"{field.name}: got {value}, expected {least} to {most}")
