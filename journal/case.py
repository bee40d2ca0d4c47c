"""Everything that a day is judged by, read in one picture; and the judgement of it, pure."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.coverage import Coverage, Interval, LaneCoverage
from gateway.domain.model import PersonId
from gateway.domain.outages import ended
from gateway.domain.presence import Fact
from gateway.domain.register import Day, judge
from gateway.domain.statement import Statement
from journal.facts import Evidence, bounds, gather, interpret
from journal.notify.notice import PupilDay
from journal.roster import Member, members
from journal.rules import Rules
from journal.statements import Spoken, spoken_between

_SILENT = Spoken()
#: A boarder may have come in this many days before; whoever is in for longer is found at the next door.
NIGHTS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One day of a site, for some persons or for everybody."""

    site: str
    rules: Rules
    evidence: Evidence
    members: list[Member]
    #: By person.
    spoken: Mapping[str, Spoken]
    #: What was seen of those who sleep at school on the days before.
    nights: Sequence[Evidence] = ()

    @property
    def boarders(self) -> list[PersonId]:
        """Those of the members who sleep at school."""
        return [member.pupil.person for member in self.members if member.policy.overnight]

    def seen(self) -> tuple[Mapping[PersonId, Sequence[Fact]], Coverage, Coverage]:
        """Facts by person, and what was heard of every lane; then the same of the nights, too, as it counts for boarders.

        Of boarders alone there are the facts of the nights, too.
        """
        facts, coverage = interpret(self.evidence)
        nights: list[LaneCoverage] = []
        for night in self.nights:
            before, heard = interpret(night)
            _, midnight = bounds(night.date, night.zone)
            nights += (replace(lane, outages=tuple(ended(lane.outages, midnight))) for lane in heard.lanes)
            for person in self.boarders:
                facts[person] = [*before.get(person, ()), *facts.get(person, ())]
        return facts, coverage, replace(coverage, nights=_told_since(nights, coverage.lanes))

    def judge(self, as_of: dt.datetime) -> list[PupilDay]:
        """Pure, and the only costly part."""
        facts, of_day, of_nights = self.seen()
        found = []
        for member in self.members:
            person = member.pupil.person
            known = facts.get(person, ())
            coverage = of_nights if member.policy.overnight else of_day
            said = self.spoken.get(person, _SILENT)
            day = Day(person=person, date=self.evidence.date, site=self.site)
            heard: list[Fact | Statement] = [*known, *said.statements]
            marks = judge(day, member.slots, heard, said.excuses, coverage, as_of, member.policy)
            found.append(
                PupilDay(
                    site=self.site,
                    pupil=member.pupil,
                    slots=member.slots,
                    facts=known,
                    excuses=said.excuses,
                    statements=said.statements,
                    coverage=coverage,
                    policy=member.policy,
                    zone=self.rules.zone,
                    marks=marks,
                )
            )
        return found


def _told_since(nights: Sequence[LaneCoverage], today: Sequence[LaneCoverage]) -> tuple[LaneCoverage, ...]:
    """What is heard of an evening is often told on a later day."""
    heard: dict[str, list[Interval]] = defaultdict(list)
    for lane in (*today, *nights):
        heard[lane.name] += lane.intervals
    return tuple(replace(lane, intervals=tuple(heard[lane.name])) for lane in nights)


async def case_of(
    connection: AsyncConnection, site: str, date: str, rules: Rules, persons: Collection[str] | None
) -> Case:
    """Read it; `persons` None is everybody."""
    day = dt.date.fromisoformat(date)
    since, until = bounds(day, rules.zone)
    case = Case(
        site=site,
        rules=rules,
        evidence=await gather(connection, site, day, rules.zone, persons),
        members=await members(connection, site, date, rules, persons),
        spoken=await spoken_between(connection, site, since, until, persons),
    )
    if not case.boarders:
        return case
    days = [day - dt.timedelta(days=back) for back in range(1, NIGHTS + 1)]
    of_them = await spoken_between(connection, site, bounds(days[-1], rules.zone)[0], until, case.boarders)
    return replace(
        case,
        spoken={**case.spoken, **of_them},
        nights=[await gather(connection, site, night, rules.zone, case.boarders) for night in days],
    )
