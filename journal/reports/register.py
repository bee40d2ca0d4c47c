"""The register of one day: what each pupil's doors say, by class."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import Doubt, Mark, MarkReason, PersonId, SlotId, Source, Status
from gateway.domain.register import day_mark, judged
from journal.roster import Member, members, rules_of
from journal.store import DOUBTS
from journal.tables import groups, marks, people

#: In the order of the columns.
COLUMNS = (Status.PRESENT, Status.LATE, Status.ABSENT, Status.UNKNOWN, Status.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilDay:
    """One pupil."""

    person: str
    #: Family name first.
    name: str = field(repr=False)
    status: Status
    #: At the first lesson.
    minutes_late: int
    missed: int
    lessons: int
    #: What was not heard of, where that left the day unknown.
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDay:
    """One class."""

    group: str
    title: str
    pupils: tuple[PupilDay, ...]

    def count(self, status: Status) -> int:
        """How many pupils have it."""
        return len(self.of(status))

    def of(self, status: Status) -> list[PupilDay]:
        """Who has it."""
        return [pupil for pupil in self.pupils if pupil.status is status]

    @property
    def truant(self) -> list[PupilDay]:
        """Who missed lessons, though not the whole day."""
        return [pupil for pupil in self.pupils if pupil.missed and pupil.status is not Status.ABSENT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """All classes that have lessons on that day."""

    site: str
    date: str
    zone: ZoneInfo
    classes: tuple[ClassDay, ...]


async def register(connection: AsyncConnection, site: str, date: str) -> Register:
    """Read the newest marks of the day. Raises ConfigError for a site that the journal does not know."""
    rules = await rules_of(connection)
    p, g = people.c, groups.c
    named = select(p.person, p.last_name, p.first_name, g.group, g.title).outerjoin_from(
        people, groups, (g.site == p.site) & (g.group == p.class_group)
    )
    described = {row.person: row for row in await connection.execute(named.where(p.site == site))}
    newest = await _marks(connection, site, date)
    by_class: dict[tuple[str, str], list[PupilDay]] = defaultdict(list)
    for member in await members(connection, site, date, rules[site], None):
        row = described[member.pupil.person]
        day = _pupil(member, f"{row.last_name} {row.first_name}", newest)
        if day.lessons:
            by_class[row.title or "–", row.group or ""].append(day)
    classes = [
        ClassDay(group=group, title=title, pupils=tuple(sorted(pupils, key=lambda d: (d.name, d.person))))
        for (title, group), pupils in sorted(by_class.items(), key=lambda item: _natural(item[0][0]))
    ]
    return Register(site=site, date=date, zone=rules[site].zone, classes=tuple(classes))


async def _marks(connection: AsyncConnection, site: str, date: str) -> dict[tuple[str, str], Mark]:
    c = marks.c
    query = select(marks).where(c.site == site, c.date == date).order_by(c.revision)
    return {
        (row["person"], row["slot"]): Mark(
            person=PersonId(row["person"]),
            slot=SlotId(row["slot"]),
            status=Status(row["status"]),
            minutes_late=row["minutes_late"],
            minutes_missed=row["minutes_missed"],
            complete=bool(row["complete"]),
            doubts=DOUBTS.validate_json(row["gaps"]),
            final=bool(row["final"]),
            reason=MarkReason(row["reason"]) if row["reason"] else None,
            source=Source(row["source"]),
        )
        for row in (await connection.execute(query)).mappings()
    }


def _pupil(member: Member, name: str, newest: dict[tuple[str, str], Mark]) -> PupilDay:
    person = member.pupil.person
    day = [newest.get((person, slot.id)) or _pending(person, slot.id) for slot in judged(member.slots)]
    whole = day_mark(member.slots, day)
    doubts = {doubt: None for mark in day if mark.status is Status.UNKNOWN for doubt in mark.doubts}
    return PupilDay(
        person=person,
        name=name,
        status=whole.status,
        minutes_late=whole.minutes_late,
        missed=whole.missed,
        lessons=whole.lessons,
        doubts=tuple(doubts) if whole.status is Status.UNKNOWN else (),
    )


def _pending(person: PersonId, slot: SlotId) -> Mark:
    return Mark(person=person, slot=slot, status=Status.PENDING, minutes_late=0, minutes_missed=0, complete=False)


def _natural(title: str) -> tuple[int, str]:
    """9Б before 10А."""
    digits = "".join(character for character in title[:2] if character.isdigit())
    return int(digits or 0), title


def plain(day: Register) -> dict[str, Any]:
    """For machines."""
    return {
        "site": day.site,
        "date": day.date,
        "classes": [
            {
                "group": group.group,
                "title": group.title,
                **{status.value: group.count(status) for status in COLUMNS},
                "pupils": [
                    {
                        "person": pupil.person,
                        "name": pupil.name,
                        "status": pupil.status.value,
                        "minutes_late": pupil.minutes_late,
                        "missed": pupil.missed,
                        "lessons": pupil.lessons,
                        "doubts": [str(doubt) for doubt in pupil.doubts],
                    }
                    for pupil in group.pupils
                ],
            }
            for group in day.classes
        ],
    }
