"""What an import would change, told by ids and counts before anything is written."""

import datetime as dt
import json
from dataclasses import fields, replace

import pytest

from gateway.domain.compiler import compile_days
from gateway.domain.directory import CredentialState
from gateway.domain.model import GroupId, LaneId, PersonId
from sync.sources.report import LISTED, Changes, Difference, Known, Outline, Report, difference, outline
from sync.sources.school import Remark, School
from sync.sources.table import parse
from tests.school import FILES

SCHOOL = parse(FILES)
WEEK = dt.date(2025, 9, 8), dt.date(2025, 9, 14)
NOTHING = Changes()


def outlined(school: School) -> Outline:
    return outline(school, compile_days(school.timetable, *WEEK).slots)


STANDS = outlined(SCHOOL)


def test_the_same_school_changes_nothing() -> None:
    moved = parse(
        {name: data.replace(b"\n", b"\n\n") if name == "lessons.csv" else data for name, data in FILES.items()}
    )
    found = difference(STANDS, outlined(moved))
    assert {getattr(found, kind.name) == NOTHING for kind in fields(Difference)} == {True}
    assert (found.text("en"), found.text("ru")) == ("nothing changes", "ничего не меняется")


def test_before_the_first_import_everything_is_added() -> None:
    found = difference(None, STANDS)
    assert found.persons
    assert found.persons.added == tuple(f"p{n:04}" for n in range(1, 17))
    assert found.credentials
    assert found.credentials.added.count("p0003") == 2, "a card is named by its holder"


def test_each_kind_is_added_changed_and_removed() -> None:
    first, second, *people = SCHOOL.people
    card, other, *cards = SCHOOL.cards
    lesson, *lessons = SCHOOL.timetable.lessons
    group, *groups = SCHOOL.timetable.classes
    lane, *lanes = SCHOOL.lanes
    after = replace(
        SCHOOL,
        people=[replace(first, id=PersonId("p0100")), replace(second, last_name="Другая"), *people],
        cards=[replace(other, person=card.person), replace(cards[0], state=CredentialState.LOST), *cards[1:]],
        lanes=[*lanes, replace(lane, id=LaneId("east"))],
        timetable=replace(
            SCHOOL.timetable,
            lessons=[replace(lesson, lesson=6), *lessons],
            classes=[replace(group, stage="начальная"), *groups, replace(group, id=GroupId("1А"))],
        ),
    )
    found = difference(STANDS, outlined(after))
    assert found.persons == Changes(added=("p0100",), changed=("p0002",), removed=("p0001",))
    assert found.credentials == Changes(changed=("p0001", "p0003"), removed=("p0001",))
    assert found.groups == Changes(added=("1А",), changed=("2А",))
    assert found.lanes == Changes(added=(f"{lane.gateway}/east",), removed=(f"{lane.gateway}/{lane.id}",))
    assert found.lessons == Changes(added=("2А-1-6",), removed=("2А-1-1",))
    assert found.slots == Changes(added=("2А-20250908-6",), removed=("2А-20250908-1",))
    assert found.text("en").splitlines()[0] == "persons: added 1 (p0100), changed 1 (p0002), removed 1 (p0001)"
    assert found.text("ru").splitlines()[1] == "карты: изменено 2 (p0001, p0003), убрано 1 (p0001)"
    shown = found.text("ru") + found.text("en") + json.dumps(found.plain(), ensure_ascii=False)
    for secret in (first.last_name, "Другая", card.credential.uid.hex().upper(), SCHOOL.contacts[0].address):
        assert secret not in shown


def test_a_contact_is_part_of_its_person() -> None:
    contact, *contacts = SCHOOL.contacts
    found = difference(
        STANDS, outlined(replace(SCHOOL, contacts=[replace(contact, address="new@example.org"), *contacts]))
    )
    assert found.persons == Changes(changed=("p0001",))


def test_what_is_not_known_is_not_compared() -> None:
    before = Outline(persons=STANDS.persons)
    found = difference(before, STANDS)
    assert (found.persons, found.slots) == (NOTHING, None)
    assert found.plain().keys() == {"persons"}


def test_cards_may_be_told_apart_by_another_key() -> None:
    keyed = outline(SCHOOL, key=lambda card: card.uid[::-1])
    assert keyed.credentials
    assert difference(replace(STANDS, credentials=keyed.credentials), keyed).credentials == NOTHING


def test_lists_end_where_nobody_reads_on() -> None:
    many = Outline(slots={n: Known(f"{n:05}", n) for n in range(LISTED + 5)})
    found = difference(Outline(slots={}), many)
    assert found.text("ru").startswith("занятия по датам: добавлено 1005 (00000, 00001,")
    assert found.text("ru").endswith("00009, и ещё 995)")
    assert (found.plain()["slots"]["added"]["count"], len(found.plain()["slots"]["added"]["ids"])) == (1005, LISTED)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "persons: 16, groups: 4, credentials: 17, slots: 48\nnothing changes\nwarnings: 2\n  a.xml:1: x (y)\n  b.csv:2: p (q)"),
        ("ru", "люди: 16, классы и группы: 4, карты: 17, занятия по датам: 48\nничего не меняется\nзамечания: 2\n  a.xml:1: x (y)\n  b.csv:2: p (q)"),
    ],
)  # fmt: skip
def test_a_report_for_people_and_for_machines(language: str, text: str) -> None:
    school = replace(SCHOOL, remarks=[Remark(place="a.xml:1", problem="x", hint="y")])
    slots = compile_days(school.timetable, *WEEK).slots
    said = Report.of(
        school, slots, [Remark(place="b.csv:2", problem="p", hint="q")], difference(STANDS, outlined(school))
    )
    assert said.text(language) == text
    kinds = ("persons", "credentials", "groups", "lanes", "lessons", "slots")
    none = {what: {"count": 0, "ids": []} for what in ("added", "changed", "removed")}
    assert json.loads(json.dumps(said.plain())) == {
        "persons": 16,
        "groups": 4,
        "credentials": 17,
        "slots": 48,
        "warnings": [
            {"place": "a.xml:1", "problem": "x", "hint": "y"},
            {"place": "b.csv:2", "problem": "p", "hint": "q"},
        ],
        "difference": dict.fromkeys(kinds, none),
    }
