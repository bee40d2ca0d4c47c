"""Pupils from an export of aSc Timetables, where it has any and knows them by ids that last."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from gateway.domain.model import GroupId
from sync.sources.asc_document import Document, ids
from sync.sources.asc_groups import Groups
from sync.sources.identity import person_id
from sync.sources.markup import Element
from sync.sources.school import Person

MAX_MEMBERSHIPS = 500_000

#: Where it is told, the pupil's id in the file, the group.
_Membership = tuple[Element, str, GroupId]

_NO_IDS = "pupils are left out: there is nothing by which every one of them would be known again"
_NO_CLASS = "a pupil without a class is left out"
_NO_NAME = "a pupil without two names is left out"
_ONE_NAME = "the first word of a pupil's name is taken for the family name"


def read_pupils(document: Document, groups: Groups) -> Sequence[Person] | None:
    """None where the file has none, or none that could be known again: ids such as `*12` are others in every export."""
    rows = document.by_id("student")
    if not rows:
        return None
    lasting = _lasting(rows)
    if lasting is None:
        hint = "take pupils from another source, or give each a number of its own in aSc Timetables"
        document.remark(next(iter(rows.values())), _NO_IDS, hint)
        return None
    members = _members(document, groups, rows)
    people = []
    for key, row in rows.items():
        group, (last, first) = groups.class_of(row), _names(document, row)
        if group is None:
            document.remark(row, _NO_CLASS, "put the pupil into a class in aSc Timetables")
        elif not last or not first:
            document.remark(row, _NO_NAME, "fill in the names in aSc Timetables")
        else:
            person = Person(
                id=person_id(row.attributes[lasting]),
                last_name=last,
                first_name=first,
                language="",
                groups=tuple(dict.fromkeys([group.id, *members[key]])),
                origin=document.origin(row),
            )
            people.append(person)
    return tuple(people)


def _lasting(rows: Mapping[str, Element]) -> str | None:
    """The attribute that tells every pupil from the others, and will next time."""
    for attribute in ("partner_id", "number"):
        found = {row.attributes.get(attribute, "") for row in rows.values()}
        if len(found) == len(rows) and "" not in found:
            return attribute
    return None


def _names(document: Document, row: Element) -> tuple[str, str]:
    last, first = row.attributes.get("lastname", ""), row.attributes.get("firstname", "")
    if last and first:
        return last, first
    words = row.attributes.get("name", "").split()
    if len(words) < 2:
        return "", ""
    document.remark(row, _ONE_NAME, "compare some names after the import")
    return words[0], words[1]


def _members(document: Document, groups: Groups, rows: Mapping[str, Element]) -> Mapping[str, list[GroupId]]:
    """Parts of classes, and groups that were chosen, by the pupils' ids in the file."""
    found: dict[str, list[GroupId]] = defaultdict(list)
    for count, (row, pupil, group) in enumerate(chain(_of_parts(document, groups), _of_choice(document, groups, rows))):
        if count == MAX_MEMBERSHIPS:
            expected = f"at most {MAX_MEMBERSHIPS} places of pupils in groups"
            document.refuse(row, "more of them", expected, "this is not the file you mean")
            break
        found[pupil].append(group)
    return found


def _of_parts(document: Document, groups: Groups) -> Iterator[_Membership]:
    for row in document.rows("group"):
        pupils = ids(row, "studentids")
        if pupils and (part := groups.part(row, row.attributes.get("id", ""))) is not None:
            yield from ((row, pupil, part.id) for pupil in pupils)


def _of_choice(document: Document, groups: Groups, rows: Mapping[str, Element]) -> Iterator[_Membership]:
    """By the lesson's own list, as in older files; else by subject and section of those who chose it."""
    sections: dict[tuple[str, str, str], dict[GroupId, None]] = defaultdict(dict)
    for row in document.rows("lesson"):
        chosen = None if ids(row, "groupids", "groupid") else groups.chosen(row)
        if chosen is None:
            continue
        pupils = ids(row, "studentids")
        yield from ((row, pupil, chosen.id) for pupil in pupils)
        for key in () if pupils else ids(row, "classids", "classid"):
            sections[_section(row, key)][chosen.id] = None
    for row in document.rows("studentsubject"):
        pupil = row.attributes.get("studentid", "")
        if pupil in rows:
            chosen_by = sections.get(_section(row, rows[pupil].attributes.get("classid", "")), {})
            yield from ((row, pupil, group) for group in chosen_by)


def _section(row: Element, class_id: str) -> tuple[str, str, str]:
    return row.attributes.get("subjectid", ""), row.attributes.get("seminargroup", ""), class_id
