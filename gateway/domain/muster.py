"""Who is inside, asked at any moment; during a fire alarm the answer stands still until the all-clear."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.domain.coverage import Coverage, Outage
from gateway.domain.model import DoubtKind, PersonId
from gateway.domain.policy import Policy
from gateway.domain.presence import NEVER, Fact, FactKind, Presence, presence
from gateway.domain.statement import Statement

#: What tells nothing before the lanes open.
_UNHEARD = frozenset({DoubtKind.SILENT, DoubtKind.NO_LANE})
#: Nobody of the staff works for longer without going through a door.
_SHIFT = timedelta(hours=24)
#: Who was seen so and went home by a door that tells no exits would be inside for ever.
_ENDLESS = frozenset({FactKind.ARRIVAL, FactKind.CHECKPOINT})


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


def by_night(evening: Iterable[Fact], *, exits: bool) -> list[Fact]:
    """What the doors told of somebody of the staff on the day before, as far as it says anything after midnight.

    Where no lane tells `exits`, an arrival says nothing: everybody has gone home unseen. Where another lane tells them, who
    came by a lane that does not was inside at that moment, and nothing else is known.
    """
    told = (fact for fact in evening if exits or fact.kind not in _ENDLESS)
    return [replace(fact, kind=FactKind.CHECKPOINT) if fact.kind is FactKind.ARRIVAL else fact for fact in told]


def stayed(
    evening: Iterable[Fact | Statement], at: datetime, alarms: Sequence[Outage], policy: Policy, *, seen: bool
) -> bool:
    """Whether the day before still counts at `at`: inside since, or seen inside last; for a shift, or until `seen` again."""
    where = presence(evening, as_of=at, ends=NEVER, alarms=alarms, policy=policy)
    here = _here_since(where)
    return here is not None and (seen or here > at - _SHIFT)


def _here_since(where: Presence) -> datetime | None:
    if where.stays and where.stays[-1].exit is None:
        return where.stays[-1].since
    left = where.left(NEVER)
    hints = (hint.since for hint in where.hints if hint.kind is DoubtKind.CHECKPOINT and hint.since is not None)
    return max((at for at in hints if at >= left), default=None)


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
