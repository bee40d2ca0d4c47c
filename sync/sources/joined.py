"""Parts of a school, each told by a source of its own, to a school whose parts fit together.

All or nothing: SourceError names every place to mend. Names and card numbers are never part of a message.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.credential import Credential
from gateway.domain.model import GroupId
from gateway.domain.timetable import SchoolClass, Timetable
from sync.sources.cells import quoted, similar
from sync.sources.columns import TABLES
from sync.sources.rows import Problems
from sync.sources.school import Card, Part, School
from sync.sources.site import SITE, read_zone

#: Without these there is no school. Who tells of events may do without lessons, and then without bells.
_NEEDED = tuple(name for name, table in TABLES.items() if table.required)
_UNLESS_EVENTS = frozenset({"bells", "lessons"})


@dataclass(frozen=True, slots=True)
class _Key:
    """What no two values of a field may share, and the columns that say so to a person, the one that is shown first."""

    field: str
    names: tuple[str, ...]
    of: Callable[[Any], Hashable]


_KEYS = (
    _Key("people", ("id",), lambda person: person.id),
    _Key("contacts", ("person", "address"), lambda contact: (contact.person, contact.address)),
    _Key("classes", ("class",), lambda group: group.id),
    _Key("bells", ("lesson", "bells", "shift"), lambda row: (row.lesson, row.bells, row.shift, row.stage)),
    _Key(
        "calendar",
        ("date",),
        lambda row: (row.date, row.last or row.date, row.on, row.grades, row.groups),
    ),
    _Key("events", ("id", "class"), lambda event: (event.id, event.group)),
    _Key("lanes", ("lane", "gateway"), lambda lane: (lane.id, lane.gateway)),
)


@dataclass(frozen=True, slots=True)
class _Reference:
    """Which values of a field name a value of another."""

    field: str
    column: str
    names: Callable[[Any], Iterable[str | None]]
    target: str
    called: Callable[[Any], str]
    #: A wrong name may be somebody's, or a card's: it is shown only where it resembles one that is known.
    private: bool = False


def _id(value: Any) -> str:
    return str(value.id)


_REFERENCES = (
    _Reference("people", "class", lambda person: person.groups[:1], "classes", _id, private=True),
    _Reference("people", "groups", lambda person: person.groups[1:], "classes", _id, private=True),
    _Reference("contacts", "person", lambda contact: (contact.person,), "people", _id, private=True),
    _Reference("cards", "person", lambda card: (card.person,), "people", _id, private=True),
    _Reference("excuses", "person", lambda excuse: (excuse.person,), "people", _id, private=True),
    _Reference("plans", "person", lambda plan: (plan.person,), "people", _id, private=True),
    _Reference("classes", "bells", lambda group: (group.bells or None,), "bells", lambda bell: str(bell.bells)),
    _Reference("classes", "part_of", lambda group: (group.part_of,), "classes", _id),
    _Reference("lessons", "class", lambda lesson: (lesson.group,), "classes", _id),
    _Reference("calendar", "bells", lambda day: (day.bells,), "bells", lambda bell: str(bell.bells)),
    _Reference("calendar", "classes", lambda day: day.groups, "classes", _id),
    _Reference("substitutions", "classes", lambda change: change.groups, "classes", _id),
    _Reference("substitutions", "with_class", lambda change: (change.with_group,), "classes", _id),
    _Reference("events", "class", lambda event: (event.group,), "classes", _id),
)


def complete(parts: Sequence[Part]) -> School:
    """One school: what a later part tells replaces what earlier ones tell of the same; classes add up. Raises SourceError."""
    return join(parts, Problems())


def join(parts: Sequence[Part], problems: Problems, unread: Collection[str] = ()) -> School:
    """The same beside problems that are known already.

    `unread` are the fields of a part that could not be read whole: they are not missed, and nothing is held against
    them.
    """
    told = _together(parts)
    _Check(told, problems, set(unread)).all()
    zone = ZoneInfo("UTC") if told.zone is None else read_zone(told.zone, problems)
    problems.settle()
    language = told.language or "ru"
    return School(
        name=told.name or "",
        language=language,
        zone=told.zone or "",
        people=[replace(person, language=person.language or language) for person in told.people or ()],
        contacts=[replace(contact, language=contact.language or language) for contact in told.contacts or ()],
        cards=told.cards or (),
        lanes=told.lanes or (),
        timetable=_timetable(told, zone or dt.UTC),
        excuses=told.excuses or (),
        plans=told.plans or (),
        remarks=told.remarks,
    )


def _together(parts: Sequence[Part]) -> Part:
    told: dict[str, Any] = {}
    for part in parts:
        said = {field.name: getattr(part, field.name) for field in fields(part)}
        told |= {name: value for name, value in said.items() if value is not None}
    told["classes"] = _classes(parts)
    # Each class may have a feed of its own, and holidays of one source do not end those of another.
    told |= {name: _all(parts, name) for name in ("events", "calendar")}
    told["remarks"] = tuple(remark for part in parts for remark in part.remarks)
    told["headers"] = {place: header for part in parts for place, header in part.headers.items()}
    return Part(**told)


def _all(parts: Sequence[Part], field: str) -> Sequence[object] | None:
    """What all parts tell, each once."""
    told = [values for part in parts if (values := getattr(part, field)) is not None]
    return [*dict.fromkeys(value for values in told for value in values)] if told else None


def _classes(parts: Sequence[Part]) -> Sequence[SchoolClass] | None:
    """Those of all parts: one source knows the groups of pupils, another those of lessons, and neither is all.

    A part of a class that a later source tells again follows it: shift, bells and stage are the class's.
    """
    if all(part.classes is None for part in parts):
        return None
    found: list[SchoolClass] = []
    for part in parts:
        told = part.classes or ()
        later = {group.id: group for group in told}
        found = [*(_following(group, later) for group in found if group.id not in later), *told]
    return found


def _following(group: SchoolClass, classes: Mapping[GroupId, SchoolClass]) -> SchoolClass:
    whole = None if group.part_of is None else classes.get(group.part_of)
    if whole is None:
        return group
    return replace(group, grade=whole.grade, shift=whole.shift, bells=whole.bells, stage=whole.stage)


def _timetable(told: Part, zone: dt.tzinfo) -> Timetable:
    return Timetable(
        zone=zone,
        classes=told.classes or (),
        bells=told.bells or (),
        lessons=told.lessons or (),
        calendar=told.calendar or (),
        substitutions=told.substitutions or (),
        events=told.events or (),
        weeks=told.weeks or (),
        weeks_from=told.weeks_from,
    )


@dataclass(frozen=True, slots=True)
class _Check:
    """Holds the parts against each other."""

    told: Part
    problems: Problems
    #: Fields that something is wrong with: others are not held against them.
    doubtful: set[str]

    def all(self) -> None:
        self.missing()
        for key in _KEYS:
            self.unique(key)
        for reference in _REFERENCES:
            if reference.target not in self.doubtful:
                self.refer(reference)
        self.cards()
        if self.doubtful.isdisjoint({"classes", "bells", "lessons"}):
            self.bells()

    def values(self, field: str) -> Sequence[Any]:
        return getattr(self.told, field) or ()

    def add(self, field: str, origin: str, column: str, got: str, expected: str, hint: str) -> None:
        """A problem of a value of a field, at the place where it was read."""
        self.doubtful.add(field)
        file, _, row = origin.rpartition(":")
        header = self.told.headers.get((file, column), column)
        self.problems.add(
            file or "a source", got, expected, hint, row=int(row) if row.isdecimal() else None, column=header
        )

    def missing(self) -> None:
        for name in ("name", "zone"):
            if getattr(self.told, name) is None and "site" not in self.doubtful:
                hint = "write it, or compare with the sample school"
                self.problems.add(SITE, "nothing", f"the {name} of the school in this file", hint, column=name)
        for field in _NEEDED:
            if self.values(field) or field in self.doubtful or (self.told.events and field in _UNLESS_EVENTS):
                continue
            place, got = field, "no row"
            if getattr(self.told, field) is None:
                place, got = f"{field}.csv", "no such table"
            hint = "export the table again, or compare with the sample school"
            self.doubtful.add(field)
            self.problems.add(place, got, f"{field} from one of the sources", hint)

    def unique(self, key: _Key) -> None:
        first: dict[Hashable, Any] = {}
        for value in self.values(key.field):
            if (before := first.setdefault(key.of(value), value)) is not value:
                names = " and ".join(key.names)
                got = f"the same {names} as in {before.origin}"
                self.add(key.field, value.origin, key.names[0], got, f"each {names} once", "remove one of the rows")

    def refer(self, reference: _Reference) -> None:
        targets = self.values(reference.target)
        known = dict.fromkeys(reference.called(target) for target in targets)
        source = targets[0].origin.rpartition(":")[0] if targets else ""
        source = source or f"{reference.target}.csv"
        otherwise = f"add it to {source}"
        for value in self.values(reference.field):
            for name in sorted(name for name in reference.names(value) if name is not None and name not in known):
                hint = similar(name, known, otherwise)
                shown = hint is not otherwise or not reference.private or _harmless(name)
                got = quoted(name) if shown else f"a text of {len(name)} characters"
                self.add(reference.field, value.origin, reference.column, got, f"one that {source} has", hint)

    def cards(self) -> None:
        holders: dict[Credential, list[Card]] = defaultdict(list)
        for card in self.values("cards"):
            for other in holders[card.credential]:
                if _overlap(card, other):
                    got, expected = f"the card of {other.origin}", "a card that belongs to one person at a time"
                    self.add(
                        "cards", card.origin, "uid", got, expected, "remove one of the rows, or end one with valid_to"
                    )
            holders[card.credential].append(card)

    def bells(self) -> None:
        """Every lesson has a bell by its class's own bells; what the calendar makes of it, the compiler says."""
        timetable = _timetable(self.told, dt.UTC)
        for lesson in self.values("lessons"):
            if timetable.ring(lesson.group, lesson.lesson) is None:
                hint = f"add it to the bells of {lesson.group}"
                self.add("lessons", lesson.origin, "lesson", f"lesson {lesson.lesson}", "one that has a bell", hint)


def _harmless(name: str) -> bool:
    """A class is short and has a digit; a name or a card number is not both."""
    return len(name) <= 4 and any(letter.isdigit() for letter in name)


def _overlap(one: Card, other: Card) -> bool:
    lowest, highest = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)
    begin = max(one.valid_from or lowest, other.valid_from or lowest)
    return begin < min(one.valid_to or highest, other.valid_to or highest)
