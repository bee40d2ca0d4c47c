"""What must be true after a morning, computed from what happened at the doors and from nothing that the product said.

doors (cards shown, lamps seen) ──> expected entries, marks and notices ──> compared ──> sentences, one per lie
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from simulators.crowd import Arrival, Card, Crowd, Pupil
from simulators.scenario import Expected, Scenario

_MINUTE = timedelta(minutes=1)
_LATE_NOTICE_MINUTES = 5
#: After the start, for grades 1 to 4 and for the others.
NOT_SEEN_AFTER = (10 * _MINUTE, 15 * _MINUTE)
_PRIMARY = 4


class Lamp(StrEnum):
    """What the pupil saw."""

    GREEN = "green"
    AMBER = "amber"
    NOT_RECORDED = "not_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A card was held to a reader once."""

    gateway: str
    lane: str
    card: Card
    #: None for a visitor.
    pupil: str | None
    #: Simulated time just before the card came into the field.
    presented: datetime
    #: Simulated time at which the lamp was seen, or no longer waited for.
    ended: datetime
    #: Simulated time at which the card was taken away.
    left: datetime
    lamp: Lamp | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The numbers of this morning."""

    start: datetime
    end: datetime
    #: False where a lane was blind: then nobody is absent, and no parent is told anything.
    complete: bool
    #: Around a cut-off, for so long after it both stories are true: not seen and then an update, or just late.
    margin: timedelta

    @classmethod
    def of(cls, scenario: Scenario, *, complete: bool, margin: timedelta) -> "Rules":
        """Of a scenario's lesson."""
        lesson = scenario.lesson
        return cls(start=scenario.at(lesson.start), end=scenario.at(lesson.end), complete=complete, margin=margin)

    def not_seen_at(self, pupil: Pupil) -> datetime:
        """When a parent is told that the card was not seen."""
        return self.start + NOT_SEEN_AFTER[pupil.grade > _PRIMARY]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What may truthfully be said of one pupil."""

    #: Each a status and its minutes.
    marks: frozenset[tuple[str, int]]
    #: Each the templates of all notices to the parent, in order.
    notices: frozenset[tuple[str, ...]]
    #: When a parent is told that the card was not seen.
    not_seen: datetime
    #: The entry's time lies between these two; None for who never came.
    came: tuple[datetime, datetime] | None = None


def plan(scenario: Scenario, crowd: Crowd) -> Expected:
    """What the journal must hold when nobody waits at the door and nothing is killed."""
    rules = Rules.of(scenario, complete=True, margin=timedelta(0))
    stories = stories_of(crowd.pupils, [_undelayed(arrival) for arrival in crowd.arrivals], rules)
    (told, marked) = ([n for s in stories.values() for n in s.notices], [m for s in stories.values() for m in s.marks])
    return Expected(
        pupils=len(crowd.pupils),
        seed=scenario.expected.seed,
        present=sum(status == "present" for status, _ in marked),
        late=sum(status == "late" for status, _ in marked),
        absent=sum(status == "absent" for status, _ in marked),
        late_notices=sum(templates == ("late",) for templates in told),
        not_seen_notices=sum(templates[:1] == ("not_seen",) for templates in told),
    )


def _undelayed(arrival: Arrival) -> Attempt:
    return Attempt(
        gateway="",
        lane="",
        card=arrival.card,
        pupil=arrival.pupil,
        presented=arrival.at,
        ended=arrival.at,
        left=arrival.at,
        lamp=Lamp.GREEN if arrival.pupil is not None else Lamp.AMBER,
    )


def stories_of(pupils: Iterable[Pupil], attempts: Iterable[Attempt], rules: Rules) -> dict[str, Story]:
    """The story of each pupil."""
    of: dict[str | None, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        of[attempt.pupil].append(attempt)
    return {pupil.id: story(pupil, of[pupil.id], rules) for pupil in pupils}


def story(pupil: Pupil, attempts: Iterable[Attempt], rules: Rules) -> Story:
    """From all attempts of one pupil."""
    mine = sorted(attempts, key=lambda a: a.presented)
    seen = [a for a in mine if a.lamp is Lamp.GREEN]
    if not mine:
        return _never_came(pupil, rules)
    came = _came(pupil, mine[0].presented, seen[0].ended if seen else mine[-1].ended, rules)
    if seen:
        return came
    never = _never_came(pupil, rules)
    return replace(came, marks=came.marks | never.marks, notices=came.notices | never.notices)


def _never_came(pupil: Pupil, rules: Rules) -> Story:
    status, told = ("absent", ("not_seen",)) if rules.complete else ("unknown", ())
    return Story(marks=frozenset({(status, 0)}), notices=frozenset({told}), not_seen=rules.not_seen_at(pupil))


def _came(pupil: Pupil, earliest: datetime, latest: datetime, rules: Rules) -> Story:
    """The entry's time lies between the card's coming into the field and the lamp."""
    minutes = range(_minutes(earliest - rules.start), _minutes(latest - rules.start) + 1)
    cutoff = rules.not_seen_at(pupil)
    told: set[tuple[str, ...]] = set() if rules.complete else {()}
    if rules.complete and earliest <= cutoff + rules.margin:
        told |= {("late",) if m >= _LATE_NOTICE_MINUTES else () for m in minutes}
    if rules.complete and latest > cutoff:
        told.add(("not_seen", "update"))
    return Story(
        marks=frozenset(_mark(m, rules) for m in minutes),
        notices=frozenset(told),
        not_seen=cutoff,
        came=(earliest, latest),
    )


def _mark(minutes: int, rules: Rules) -> tuple[str, int]:
    if minutes <= 0:
        return "present", 0
    if minutes * _MINUTE <= (rules.end - rules.start) / 2:
        return "late", minutes
    # Who came too late to count as late missed the lesson, and no minutes are told.
    return ("absent" if rules.complete else "unknown"), 0


def _minutes(after: timedelta) -> int:
    return max(0, -(-after // _MINUTE))


def lamps(crowd: Crowd, attempts: Sequence[Attempt]) -> Iterator[str]:
    """What is wrong with what people saw: who came gets in, and the cards that nobody knows are sent to the guard."""
    seen: dict[str | None, set[Lamp | None]] = defaultdict(set)
    for attempt in attempts:
        seen[attempt.pupil].add(attempt.lamp)
    strange = seen.pop(None, set()) - {Lamp.AMBER, None}
    yield from (f"a card that nobody knows was shown {lamp}" for lamp in sorted(filter(None, strange)))
    for pupil, lamps in seen.items():
        yield from (f"{pupil} was shown {lamp}" for lamp in sorted(filter(None, lamps - {Lamp.GREEN})))
    for arrival in crowd.arrivals:
        if arrival.pupil is not None and Lamp.GREEN not in seen[arrival.pupil]:
            yield f"{arrival.pupil} gave up at the door"


def marks(stories: Mapping[str, Story], found: Mapping[str, tuple[str, int]]) -> Iterator[str]:
    """What is wrong with the marks of the journal, by pupil."""
    for pupil, expected in stories.items():
        mark = found.get(pupil)
        if mark is None:
            yield f"{pupil} has no mark, expected {_words(expected.marks)}"
        elif mark not in expected.marks:
            yield f"{pupil} is {mark[0]} ({mark[1]} min), expected {_words(expected.marks)}"
    yield from (f"{pupil} has a mark and is no pupil" for pupil in found.keys() - stories.keys())


def notices(stories: Mapping[str, Story], told: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What is wrong with what parents were told: templates in order of sending, by pupil."""
    for pupil, expected in stories.items():
        got = tuple(told.get(pupil, ()))
        if got not in expected.notices:
            wanted = " or ".join(sorted(" + ".join(n) or "nothing" for n in expected.notices))
            yield f"the parent of {pupil} was told {' + '.join(got) or 'nothing'}, expected {wanted}"
    yield from (f"somebody was told about {pupil}, who is no pupil" for pupil in told.keys() - stories.keys())


def mails(sent: Mapping[str, int], uncertain: Mapping[str, int], arrived: Mapping[str, int]) -> Iterator[str]:
    """Whether each mailbox holds what the journal says it sent; of an attempt that broke it may say that it does not know."""
    for address in sorted(sent.keys() | arrived.keys()):
        least, got = sent.get(address, 0), arrived.get(address, 0)
        if not least <= got <= least + uncertain.get(address, 0):
            yield f"{address} received {got} mails, the journal says {least}"


def _words(marks: Iterable[tuple[str, int]]) -> str:
    return " or ".join(f"{status} ({minutes} min)" for status, minutes in sorted(marks))
