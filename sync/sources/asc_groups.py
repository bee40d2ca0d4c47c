"""Classes, their parts, and the groups that pupils chose, from an export of aSc Timetables.

A class is divided several times over (`divisiontag`); a part is a group of its own, and what befalls the class befalls it.
"""

import re
from collections import Counter
from collections.abc import Mapping

from gateway.domain.model import GroupId
from gateway.domain.timetable import SchoolClass
from sync.sources.asc_document import Document, ids
from sync.sources.grades import HIGHEST, grade_of
from sync.sources.identity import NAME_LENGTH, fits
from sync.sources.markup import Element

#: The one schedule of bells that such a file has.
BELLS = "normal"
_STEM = 25
_NO_GRADE = "no grade can be told from the name of a class, 0 is taken"
_TWO_GRADES = "the name of a class and its grade do not agree, the name counts"


class Groups:
    """Who is taught together; parts and chosen groups are kept once a lesson or a pupil has them."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._names: set[str] = set()
        self._again = Counter[str]()
        # By their ids in older files; newer ones have none, and a class says its grade itself.
        grades = {row.attributes.get("id", ""): row.attributes.get("grade", "") for row in document.rows("grade")}
        self._classes: dict[str, SchoolClass] = {}
        self._class_rows = document.by_id("class")
        for key, row in self._class_rows.items():
            if (group := self._class(row, grades)) is not None:
                self._classes[key] = group
        self._rows = document.by_id("group")
        self._parts: dict[str, SchoolClass | None] = {}
        self._place = Counter[tuple[str, str]]()
        self._ordinals = {key: self._ordinal(row) for key, row in self._rows.items()}
        self._chosen: dict[tuple[str, ...], SchoolClass] = {}
        self._subjects = document.by_id("subject")

    @property
    def all(self) -> list[SchoolClass]:
        """Every class, then what else came up."""
        parts = [part for part in self._parts.values() if part is not None and part.part_of is not None]
        return [*self._classes.values(), *parts, *self._chosen.values()]

    def class_of(self, row: Element) -> SchoolClass | None:
        """The class that a pupil is in."""
        return self._classes.get(row.attributes.get("classid", ""))

    def subject(self, row: Element) -> str:
        """The subject of a lesson in short; empty where the file does not say."""
        subject = self._subjects.get(row.attributes.get("subjectid", ""))
        return "" if subject is None else subject.attributes.get("short") or subject.attributes.get("name", "")

    def of_lesson(self, lesson: Element) -> list[SchoolClass]:
        """Who is taught: the groups that are named, whole any class of which none is; none for a lesson of nobody."""
        classes = {key: self._known(lesson, key) for key in ids(lesson, "classids", "classid")}
        named = ids(lesson, "groupids", "groupid")
        if not named and (chosen := self.chosen(lesson)) is not None:
            return [chosen]
        found: dict[GroupId, SchoolClass] = {}
        for key in named:
            if (part := self.part(lesson, key)) is not None:
                found[part.id] = part
        divided = {self._rows[key].attributes.get("classid", "") for key in named if key in self._rows}
        for key, group in classes.items():
            if group is not None and key not in divided:
                found[group.id] = group
        return list(found.values())

    def part(self, row: Element, key: str) -> SchoolClass | None:
        """The group of this id: a class whole, or a part of it."""
        if key not in self._parts:
            self._parts[key] = self._part(row, key)
        return self._parts[key]

    def chosen(self, lesson: Element) -> SchoolClass | None:
        """The group of pupils who chose this lesson one by one; None for an ordinary lesson."""
        section, pupils = lesson.attributes.get("seminargroup", ""), lesson.attributes.get("studentids", "")
        classes = [self._classes[key] for key in ids(lesson, "classids", "classid") if key in self._classes]
        if not (section or pupils) or not classes:
            return None
        key = (lesson.attributes.get("subjectid", ""), section, pupils, *(group.id for group in classes))
        if key not in self._chosen:
            name = "-".join(part for part in (classes[0].id, self.subject(lesson), section or "1") if part)
            self._chosen[key] = SchoolClass(
                id=self._name(lesson, name, f"{classes[0].id}-{len(self._chosen) + 1}"),
                grade=classes[0].grade,
                shift=1,
                bells=BELLS,
                part_of=classes[0].id if len(classes) == 1 else None,
                origin=self._document.origin(lesson),
            )
        return self._chosen[key]

    def _class(self, row: Element, grades: Mapping[str, str]) -> SchoolClass | None:
        names = [row.attributes.get("name", ""), row.attributes.get("short", "")]
        name = next((name for name in names if fits(name)), None)
        if name is None or name in self._names:
            got = "a class without a name that can be used" if name is None else "a class of the same name as another"
            expected = "a name of at most 32 characters without ; , and |, each name once"
            self._document.refuse(row, got, expected, "rename the class in aSc Timetables")
            return None
        self._names.add(name)
        told = row.attributes.get("grade", "")
        told = grades.get(told, told) if told else ""
        grade = int(told) if re.fullmatch(r"[0-9]{1,2}", told) and int(told) <= HIGHEST else None
        by_name = grade_of(name)
        if by_name is None and grade is None:
            self._document.remark(row, _NO_GRADE, "begin the name with the grade, like 5А")
        elif by_name is not None and grade is not None and by_name != grade:
            self._document.remark(row, _TWO_GRADES, "compare the class with its grade in aSc Timetables")
        grade = by_name if by_name is not None else grade or 0
        return SchoolClass(id=GroupId(name), grade=grade, shift=1, bells=BELLS, origin=self._document.origin(row))

    def _ordinal(self, row: Element) -> str:
        """`1.2` is the second part of the first division."""
        division = row.attributes.get("divisiontag") or "1"
        self._place[row.attributes.get("classid", ""), division] += 1
        return f"{division}.{self._place[row.attributes.get('classid', ''), division]}"

    def _part(self, referring: Element, key: str) -> SchoolClass | None:
        row = self._rows.get(key)
        if row is None:
            expected = "a group that the file has"
            self._document.refuse(
                referring, f"an unknown group of a {referring.name}", expected, "export the file again"
            )
            return None
        group = self._known(row, row.attributes.get("classid", ""))
        if group is None or row.attributes.get("entireclass") == "1":
            return group
        return SchoolClass(
            id=self._name(row, f"{group.id}-{row.attributes.get('name', '')}", f"{group.id}-{self._ordinals[key]}"),
            grade=group.grade,
            shift=group.shift,
            bells=group.bells,
            part_of=group.id,
            origin=self._document.origin(row),
        )

    def _known(self, row: Element, key: str) -> SchoolClass | None:
        if key not in self._class_rows:
            self._document.refuse(
                row, f"an unknown class of a {row.name}", "a class that the file has", "export it again"
            )
        return self._classes.get(key)

    def _name(self, row: Element, wanted: str, otherwise: str) -> GroupId:
        if not fits(wanted) or wanted in self._names:
            problem = "the name of a group is too long, or is taken: it is called by its division and number"
            self._document.remark(row, problem, "give the group a short name of its own in aSc Timetables")
            wanted = otherwise
        name = wanted[:NAME_LENGTH]
        while name in self._names:
            # Counted on, not from the start: there may be very many of one name.
            self._again[wanted[:_STEM]] += 1
            name = f"{wanted[:_STEM]}.{self._again[wanted[:_STEM]]}"
        self._names.add(name)
        return GroupId(name)
