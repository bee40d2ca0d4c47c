"""Who is inside, asked at any moment; during a fire alarm the answer stands still until the all-clear."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from gateway.domain.coverage import Coverage
from gateway.domain.model import DoubtKind, PersonId
from gateway.domain.policy import Policy
from gateway.domain.presence import NEVER, Fact, FactKind, Presence, presence
from gateway.domain.statement import Statement

#: What tells nothing before the lanes open.
_UNHEARD = frozenset({DoubtKind.SILENT, DoubtKind.NO_LANE})


class Whereabouts(StrEnum):
    """Where somebody is, for those who count heads."""

    INSIDE = "inside"
    #: Came in where no lane tells exits, or stayed longer than anybody does: may have gone unseen.
    INSIDE_NO_EXIT = "inside_no_exit"
    #: Something speaks for being inside and nothing proves it, or a lane could not name everybody.
    UNKNOWN = "unknown"
    OUTSIDE = "outside"


def muster(
    facts: Mapping[PersonId, Iterable[Fact | Statement]],
    ends: Mapping[PersonId, datetime],
    coverage: Coverage,
    at: datetime,
    heard: datetime,
    policy: Policy,
) -> dict[PersonId, Whereabouts]:
    """Where everybody is at `at`, staff too; as it was when the alarm began, where there is one.

    `ends`: when presence without an exit ends; staff and boarders have no such moment. `heard`: up to when every lane ought
    to have been heard of; a silence since then means nothing yet.
    """
    alarm = next((alarm for alarm in coverage.alarms if alarm.meets(at, at)), None)
    moment = min(at, alarm.since) if alarm is not None else at
    found = {}
    for person, known in facts.items():
        where = presence(known, as_of=moment, ends=NEVER, alarms=coverage.alarms, policy=policy)
        found[person] = _of(where, ends.get(person, NEVER), coverage, moment, min(heard, moment))
    return found


def _of(where: Presence, ends: datetime, coverage: Coverage, moment: datetime, heard: datetime) -> Whereabouts:
    stay = where.stays[-1] if where.stays else None
    if stay is not None and stay.exit is None:
        told = stay.entry.kind is not FactKind.ARRIVAL and moment <= ends
        return Whereabouts.INSIDE if told else Whereabouts.INSIDE_NO_EXIT
    left = where.left(moment)
    hints = (hint for hint in where.hints if hint.since is not None and hint.since >= left)
    # Before the first lane opens there is nothing to hear yet; what the doors told of the night counts all the same.
    opened = not coverage.lanes or any(lane.opens < heard for lane in coverage.lanes)
    gaps = (gap for gap in coverage.gaps(left, heard) if opened or gap.kind not in _UNHEARD)
    # What begins at this very moment, as the alarm does, let nobody in unseen before it.
    before = (gap for gap in gaps if gap.since is None or gap.since < moment)
    return Whereabouts.UNKNOWN if any(hints) or any(before) else Whereabouts.OUTSIDE
