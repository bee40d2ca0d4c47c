"""What an import brings, before anything is written: how much of what, what differs from what stands, what to look at.

Everything is named by its id; no name, no address and no card number is ever part of it. A card is named by its holder.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from gateway.domain.credential import Credential
from gateway.domain.directory import GatewayRow
from gateway.domain.model import Slot
from sync.sources.school import Remark, School

#: Ids that are listed of one kind of change: in a text, and for machines.
SHOWN, LISTED = 10, 1000

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "nothing": "nothing changes",
        "nothing changed": "nothing changed",
        "more": "and {} more",
    },
    "ru": {
        "nothing": "ничего не меняется",
        "nothing changed": "ничего не изменилось",
        "more": "и ещё {}",
        "persons": "люди",
        "credentials": "карты",
        "groups": "классы и группы",
        "lanes": "проходы",
        "lessons": "уроки недели",
        "slots": "занятия по датам",
        "added": "добавлено",
        "changed": "изменено",
        "removed": "убрано",
        "warnings": "замечания",
    },
}


#: After what an import would do.
REHEARSED: Mapping[str, str] = {
    "en": "A dry run: nothing was written.",
    "ru": "Это проверка: ничего не записано.",
}


class Known(NamedTuple):
    """Something of a school: what it is called in a report, and everything else that counts of it."""

    id: str
    rest: Hashable


#: By whatever tells one from another.
Rows = Mapping[Hashable, Known]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What can be compared of a school; None is not known, and not compared."""

    persons: Rows | None = None
    credentials: Rows | None = None
    groups: Rows | None = None
    lanes: Rows | None = None
    lessons: Rows | None = None
    slots: Rows | None = None


def lane_rows(gateways: Iterable[GatewayRow]) -> Rows:
    """Lanes, named as coverage names them."""
    return {
        (gateway.id, lane.id): Known(
            f"{gateway.id}/{lane.id}", (lane.direction, lane.opens, lane.closes, lane.rotations)
        )
        for gateway in gateways
        for lane in gateway.lanes
    }


def outline(
    school: School, slots: Iterable[Slot] = (), *, key: Callable[[Credential], Hashable] = lambda card: card
) -> Outline:
    """What a school is, with these of its slots; `key` tells cards apart where their numbers are not at hand: a token."""
    contacts: dict[str, list[tuple[str, str]]] = {}
    for contact in school.contacts:
        contacts.setdefault(contact.person, []).append((contact.address, contact.language))
    return Outline(
        persons={
            one.id: Known(
                one.id,
                (
                    one.last_name,
                    one.first_name,
                    one.language,
                    one.role,
                    one.groups,
                    tuple(sorted(contacts.get(one.id, ()))),
                ),
            )
            for one in school.people
        },
        credentials={
            (key(card.credential), card.valid_from): Known(card.person, (card.person, card.valid_to, card.state))
            for card in school.cards
        },
        groups={
            one.id: Known(one.id, (one.grade, one.shift, one.bells, one.stage, one.part_of))
            for one in school.timetable.classes
        },
        lanes=lane_rows(school.gateways),
        # Origins are no part of equality: a lesson that moved to another row is the same.
        lessons={
            (one.group, one.weekday, one.lesson, one.week, one.first): Known(
                f"{one.group}-{one.weekday}-{one.lesson}", one
            )
            for one in school.timetable.lessons
        },
        slots={slot.id: Known(slot.id, slot) for slot in slots},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What becomes of one kind of thing, by sorted ids."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Between what stands and what an import brings; None was not compared."""

    persons: Changes | None = None
    credentials: Changes | None = None
    groups: Changes | None = None
    lanes: Changes | None = None
    lessons: Changes | None = None
    slots: Changes | None = None

    def plain(self) -> dict[str, Any]:
        """For JSON: counts, and at most LISTED ids of each."""
        return {kind: {what: _plain(ids) for what, ids in _each(changes)} for kind, changes in _each(self) if changes}

    def text(self, language: str, *, done: bool = False) -> str:
        """For a person, in ru or en: a line for each kind of thing that changes, or has changed."""
        words = _WORDS[language]
        lines = []
        for kind, changes in _each(self):
            said = [
                f"{words.get(what, what)} {_counted(ids, words)}" for what, ids in _each(changes or Changes()) if ids
            ]
            if said:
                lines.append(f"{words.get(kind, kind)}: {', '.join(said)}")
        return "\n".join(lines) or words["nothing changed" if done else "nothing"]


def difference(before: Outline | None, after: Outline) -> Difference:
    """What is added, changed and removed; before the first import there is nothing."""
    kinds = [field.name for field in fields(Outline)]
    pairs = {kind: ({} if before is None else getattr(before, kind), getattr(after, kind)) for kind in kinds}
    return Difference(
        **{kind: _changes(old, new) for kind, (old, new) in pairs.items() if old is not None and new is not None}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `import … --dry-run` says."""

    persons: int
    groups: int
    credentials: int
    slots: int
    warnings: Sequence[Remark] = ()
    difference: Difference | None = None

    @classmethod
    def of(
        cls, school: School, slots: Sequence[Slot], remarks: Iterable[Remark] = (), change: Difference | None = None
    ) -> "Report":
        """Of a school and its slots; `remarks` come after those of its sources: what the compiler could not place."""
        return cls(
            persons=len(school.people),
            groups=len(school.timetable.classes),
            credentials=len(school.cards),
            slots=len(slots),
            warnings=(*school.remarks, *remarks),
            difference=change,
        )

    def plain(self) -> dict[str, Any]:
        """As `--json` prints it."""
        counts = {"persons": self.persons, "groups": self.groups, "credentials": self.credentials, "slots": self.slots}
        warnings = [{"place": one.place, "problem": one.problem, "hint": one.hint} for one in self.warnings]
        change = {} if self.difference is None else {"difference": self.difference.plain()}
        return {**counts, "warnings": warnings, **change}

    def text(self, language: str, *, done: bool = False) -> str:
        """For a person, in ru or en; of an import that is done, or would be."""
        words = _WORDS[language]
        counts = [(kind, getattr(self, kind)) for kind in ("persons", "groups", "credentials", "slots")]
        lines = [", ".join(f"{words.get(kind, kind)}: {count}" for kind, count in counts)]
        lines += [] if self.difference is None else [self.difference.text(language, done=done)]
        lines += [f"{words.get('warnings', 'warnings')}: {len(self.warnings)}"] if self.warnings else []
        return "\n".join([*lines, *(f"  {one.place}: {one.problem} ({one.hint})" for one in self.warnings)])


def _changes(old: Rows, new: Rows) -> Changes:
    return Changes(
        added=tuple(sorted(new[key].id for key in new.keys() - old.keys())),
        changed=tuple(sorted(new[key].id for key in new.keys() & old.keys() if new[key] != old[key])),
        removed=tuple(sorted(old[key].id for key in old.keys() - new.keys())),
    )


def _each(whole: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(whole, field.name)) for field in fields(whole)]


def _plain(ids: Sequence[str]) -> dict[str, Any]:
    return {"count": len(ids), "ids": list(ids[:LISTED])}


def _counted(ids: Sequence[str], words: Mapping[str, str]) -> str:
    more = [words["more"].format(len(ids) - SHOWN)] if len(ids) > SHOWN else []
    return f"{len(ids)} ({', '.join([*ids[:SHOWN], *more])})"
