"""The register of one day: what the doors and the staff say of each pupil, by class."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.model import Doubt, Mark, MarkReason, Slot, Source, Status
from gateway.domain.reasons import RANK
from gateway.domain.register import day_mark, first_obligatory, judged, taken
from journal.reports.codes import code_of
from journal.revisions import newest_marks, not_held
from journal.roster import Member, members
from journal.rules import rules_of, the_site
from journal.settings import CodesTable
from journal.tables import groups, people

#: In the order of the columns.
COLUMNS = (Status.PRESENT, Status.LATE, Status.ABSENT, Status.UNKNOWN, Status.PENDING)
_MENDABLE = frozenset({Status.LATE, Status.LEFT_EARLY})


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
    #: Of the first lesson that was missed, left or begun late with one.
    reason: MarkReason | None
    #: The weightiest that any of the marks rests on.
    source: Source
    #: As the school's own register calls the day.
    code: str
    #: Whether the lateness is.
    provisional: bool
    #: What was not heard of, where that left the day unknown or provisional.
    doubts: tuple[Doubt, ...]
    #: Lessons that no door sees and nobody has marked yet: they are the teacher's to mark.
    unmarked: int
    #: In order of time, with the code of each.
    marks: tuple[tuple[Slot, Mark, str], ...]

    @property
    def left_provisionally(self) -> bool:
        """Whether a door that was not heard of may still tell that the pupil came back."""
        return any(mark.status is Status.LEFT_EARLY and provisional(mark) for _, mark, _ in self.marks)

    @property
    def teachers(self) -> bool:
        """Whether nothing is known but what a teacher will say."""
        return self.unmarked > 0 and not self.marks


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDay:
    """One class."""

    group: str
    title: str
    pupils: tuple[PupilDay, ...]

    def of(self, status: Status) -> list[PupilDay]:
        """Who has it; who is the teacher's to mark has none."""
        return [pupil for pupil in self.pupils if pupil.status is status and not pupil.teachers]

    @property
    def truant(self) -> list[PupilDay]:
        """Who missed lessons, though not the whole day."""
        return [pupil for pupil in self.pupils if pupil.missed and pupil.status is not Status.ABSENT]

    @property
    def left_early(self) -> list[PupilDay]:
        """Who left a lesson before its end."""
        return [p for p in self.pupils if any(mark.status is Status.LEFT_EARLY for _, mark, _ in p.marks)]

    @property
    def teachers(self) -> list[PupilDay]:
        """Who is the teacher's to mark: no door sees them."""
        return [pupil for pupil in self.pupils if pupil.teachers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """All classes that have lessons on that day."""

    site: str
    date: str
    zone: ZoneInfo
    classes: tuple[ClassDay, ...]


def provisional(mark: Mark | None) -> bool:
    """Whether it tells against the pupil what a door that was not heard of may still mend."""
    return mark is not None and mark.status in _MENDABLE and not mark.complete


async def register(connection: AsyncConnection, site: str, date: str, codes: CodesTable) -> Register:
    """Read the newest marks of the day. Raises ConfigError for a site that the journal does not know."""
    rules = await rules_of(connection)
    the_site(rules, site)
    p, g = people.c, groups.c
    named = select(p.person, p.last_name, p.first_name, g.group, g.title).outerjoin_from(
        people, groups, (g.site == p.site) & (g.group == p.class_group)
    )
    described = {row.person: row for row in await connection.execute(named.where(p.site == site))}
    newest = {place: mark for place, (mark, _) in (await newest_marks(connection, site, date)).items()}
    by_class: dict[tuple[str, str], list[PupilDay]] = defaultdict(list)
    for member in await members(connection, site, date, rules[site], None):
        row = described[member.pupil.person]
        day = _pupil(member, f"{row.last_name} {row.first_name}", site, newest, codes)
        if day.marks or day.unmarked:
            by_class[row.title or "–", row.group or ""].append(day)
    classes = [
        ClassDay(group=group, title=title, pupils=tuple(sorted(pupils, key=lambda d: (d.name, d.person))))
        for (title, group), pupils in sorted(by_class.items(), key=lambda item: natural(item[0][0]))
    ]
    return Register(site=site, date=date, zone=rules[site].zone, classes=tuple(classes))


def _pupil(member: Member, name: str, site: str, newest: Mapping[tuple[str, str], Mark], codes: CodesTable) -> PupilDay:
    person = member.pupil.person
    at_the_doors = {slot.id for slot in judged(member.slots, site)}
    marked: list[tuple[Slot, Mark]] = []
    unmarked = 0
    for slot in taken(member.slots):
        mark = newest.get((person, slot.id))
        if slot.id in at_the_doors:
            marked.append((slot, mark or not_held(person, slot.id)))
        elif mark is not None and mark.status is not Status.PENDING:
            marked.append((slot, mark))
        else:
            unmarked += 1
    whole = day_mark(member.slots, [mark for _, mark in marked])
    reason = next((mark.reason for _, mark in marked if mark.reason and mark.status is not Status.PRESENT), None)
    first = first_obligatory(member.slots)
    late = [mark for slot, mark in marked if whole.status is Status.LATE and slot == first and provisional(mark)]
    left = [mark for _, mark in marked if mark.status is Status.LEFT_EARLY and provisional(mark)]
    unknown = [mark for _, mark in marked if whole.status is Status.UNKNOWN and mark.status is Status.UNKNOWN]
    return PupilDay(
        person=person,
        name=name,
        status=whole.status,
        minutes_late=whole.minutes_late,
        missed=whole.missed,
        lessons=whole.lessons,
        reason=reason,
        source=_weightiest(mark for _, mark in marked),
        code=code_of(whole.status, reason, codes),
        provisional=bool(late),
        doubts=tuple(dict.fromkeys(doubt for mark in (*late, *left, *unknown) for doubt in mark.doubts)),
        unmarked=unmarked,
        marks=tuple((slot, mark, code_of(mark.status, mark.reason, codes)) for slot, mark in marked),
    )


def _weightiest(marks: Iterable[Mark]) -> Source:
    return max((mark.source for mark in marks), key=RANK.__getitem__, default=Source.GATE)


def natural(title: str) -> tuple[int, str]:
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
                **{status.value: len(group.of(status)) for status in COLUMNS},
                "teacher": len(group.teachers),
                "pupils": [_plain_pupil(pupil) for pupil in group.pupils],
            }
            for group in day.classes
        ],
    }


def _plain_pupil(pupil: PupilDay) -> dict[str, Any]:
    return {
        "person": pupil.person,
        "name": pupil.name,
        "status": pupil.status.value,
        "minutes_late": pupil.minutes_late,
        "missed": pupil.missed,
        "lessons": pupil.lessons,
        "unmarked": pupil.unmarked,
        "reason": pupil.reason and pupil.reason.value,
        "source": pupil.source.value,
        "code": pupil.code,
        "provisional": pupil.provisional,
        "doubts": [str(doubt) for doubt in pupil.doubts],
        "marks": [plain_mark(*one) for one in pupil.marks],
    }


def plain_mark(slot: Slot, mark: Mark, code: str) -> dict[str, Any]:
    """One lesson."""
    return {
        "slot": slot.id,
        "lesson": slot.number,
        "status": mark.status.value,
        "minutes_late": mark.minutes_late,
        "minutes_missed": mark.minutes_missed,
        "final": mark.final,
        "provisional": provisional(mark),
        "reason": mark.reason and mark.reason.value,
        "source": mark.source.value,
        "code": code,
        "doubts": [str(doubt) for doubt in mark.doubts],
    }


def _yes(it: bool) -> str:
    return "yes" if it else ""


def rows(day: Register, *, by_lesson: bool) -> Sequence[Sequence[object]]:
    """For a spreadsheet: a line for each pupil, or for each of their lessons; the first is the header."""
    if by_lesson:
        head = ["date", "class", "person", "name", "lesson", "status", "minutes_late"]
        return [
            [*head, "reason", "source", "code", "provisional"],
            *(
                (
                    *(day.date, group.title, p.person, p.name, slot.number, mark.status, mark.minutes_late),
                    *(mark.reason or "", mark.source, code, _yes(provisional(mark))),
                )
                for group in day.classes
                for p in group.pupils
                for slot, mark, code in p.marks
            ),
        ]
    head = ["date", "class", "person", "name", "status", "minutes_late", "missed", "lessons"]
    return [
        [*head, "unmarked", "reason", "source", "code", "provisional"],
        *(
            (
                *(day.date, group.title, p.person, p.name, p.status, p.minutes_late, p.missed, p.lessons),
                *(p.unmarked, p.reason or "", p.source, p.code, _yes(p.provisional)),
            )
            for group in day.classes
            for p in group.pupils
        ),
    ]
