"""aSc Timetables: what the vector means, what real exports look like, and what stands in older ones."""

import datetime as dt

import pytest
from hypothesis import assume, given, settings

from gateway.domain.timetable import Lesson
from sync.sources.asc import parse
from sync.sources.school import Part
from tests.sync.asc_files import VECTOR, Plan, changed, plans


def told(part: Part) -> set[tuple[str, int, int, str]]:
    assert part.lessons is not None
    return {(item.group, item.weekday, item.lesson, item.week) for item in part.lessons}


def lessons(part: Part, group: str) -> list[Lesson]:
    return [item for item in part.lessons or () if item.group == group]


def test_the_vector_means_this_week() -> None:
    assert told(parse(VECTOR, "plan.xml")) == {
        ("5А", 1, 1, ""),
        ("5А", 6, 0, ""),
        ("5А-1 группа", 1, 2, ""),
        ("5А-2 группа", 1, 2, "Ч"),
        ("5А-Мальчики", 2, 3, ""),
        ("5А-Мальчики", 2, 4, ""),
        ("5 Б-Мальчики", 2, 3, ""),
        ("5 Б-Мальчики", 2, 4, ""),
        ("5 Б", 3, 1, ""),
        ("5 Б", 3, 2, ""),
        ("10-А-Физика-1", 5, 4, ""),
    }


def test_the_vector_has_these_classes_bells_and_pupils() -> None:
    part = parse(VECTOR, "plan.xml")
    assert [(group.id, group.grade, group.part_of) for group in part.classes or ()] == [
        ("5А", 5, None),
        ("5 Б", 5, None),
        ("10-А", 10, None),
        ("5А-1 группа", 5, "5А"),
        ("5А-2 группа", 5, "5А"),
        ("5А-Мальчики", 5, "5А"),
        ("5 Б-Мальчики", 5, "5 Б"),
        ("10-А-Физика-1", 10, "10-А"),
    ]
    assert [(bell.lesson, f"{bell.start:%H:%M}") for bell in part.bells or ()][:2] == [(0, "07:40"), (1, "08:30")]
    assert [(person.id, person.last_name, person.groups) for person in part.people or ()] == [
        ("sis-1001", "Примерова", ("5А", "5А-1 группа")),
        ("sis-1002", "Примеров", ("5А", "5А-2 группа")),
        ("sis-1003", "Примерова", ("10-А", "10-А-Физика-1")),
    ]
    assert part.weeks == ("Ч", "З")
    assert [remark.problem for remark in part.remarks] == ["weeks take turns: Ч, З"]
    assert {item.origin for item in lessons(part, "10-А-Физика-1")} == {"plan.xml:85"}
    assert (part.contacts, part.cards, part.calendar) == (None, None, None)


def test_nobody_is_shown() -> None:
    part = parse(VECTOR, "plan.xml")
    assert "Пример" not in repr(part)
    assert "Образцова" not in repr(part), "teachers are not even read"


@settings(max_examples=60)
@given(plans())
def test_every_export_means_what_it_was_made_of(plan: Plan) -> None:
    assume(plan.lessons)
    assert told(parse(plan.data, "plan.xml")) == plan.lessons


# A name, what is changed in the vector, then what the class or the lessons become, or what is remarked.
QUIRKS = [
    ("the declaration lies: the file is UTF-8", [('encoding="UTF-8"', 'encoding="windows-1251"')], ""),
    ("an id with an asterisk", [('id="C3"', 'id="*3"'), ('classid="C3"', 'classid="*3"'), ('classid="C3"', 'classid="*3"'), ('classids="C3"', 'classids="*3"')], ""),
    ("a comma at the end of a list", [('classids="C1,C2"', 'classids="C1,C2,"')], ""),
    ("attributes in upper case", [('lessonid="L6" classroomids="" period="4"', 'LESSONID="L6" classroomids="" Period="4"')], ""),
    ("a time with a zero in front", [('starttime="7:40"', 'starttime="07:40"')], ""),
    ("times with a dot", [('starttime="7:40"', 'starttime="7.40"')], ""),
    ("a table and an attribute that nobody knows", [("<lessons ", '<gizmos columns="id"><gizmo id="1"/></gizmos><lessons '), ("<card ", '<card locked="1" ')], ""),
    ("a name that tells no grade", [('name="10-А" short="10А"', 'name="Дети" short=""')], "no grade can be told from the name of a class, 0 is taken"),
    ("a grade that is not the name's", [('short="5Б" teacherid="" classroomids="" grade="5"', 'short="5Б" teacherid="" classroomids="" grade="6"')], "the name of a class and its grade do not agree, the name counts"),
    ("a lesson without a place", [('period="4" weeks="11" terms="1" days="000010"', 'period="" weeks="" terms="" days=""')], "a lesson that has no place in the week is left out"),
    ("a lesson without a card", [('<card lessonid="L6" classroomids="" period="4" weeks="11" terms="1" days="000010"/>', "")], "a lesson that has no place in the week is left out"),
    ("two lessons at once", [('lessonid="L7" classroomids="" period="1" weeks="11" terms="1" days="000010"', 'lessonid="L5" classroomids="" period="1" weeks="11" terms="1" days="100000"'), ('id="L7" classids=""', 'id="L7" classids="C1"'), ('<card lessonid="L1" classroomids="R9" period="0"', '<card lessonid="L7" classroomids="R9" period="0"')], "a group has two lessons at once, the first of them is taken"),
    ("a lesson in some weeks under one of every week", [('lessonid="L7" classroomids="" period="1" weeks="11" terms="1" days="000010"', 'lessonid="L7" classroomids="" period="1" weeks="01" terms="1" days="100000"'), ('id="L7" classids=""', 'id="L7" classids="C1"')], "a group has two lessons at once, the first of them is taken"),
    ("days by other names", [('name="Понедельник" short="Пн"', 'name="День 1" short="1"')], "the names of the days are not known here, the first is taken for Monday"),
    ("a period without times", [('starttime="7:40" endtime="8:20"', 'starttime="" endtime=""')], "a period without times has no bell"),
    ("a group with a long name", [('id="G11" name="1 группа"', 'id="G11" name="Английский язык с углублённым изучением"')], "the name of a group is too long, or is taken: it is called by its division and number"),
    ("pupils with nothing that lasts", [('partner_id="sis-1001"', 'partner_id=""')], "pupils are left out: there is nothing by which every one of them would be known again"),
    ("a pupil without a class", [('id="P3" classid="C3"', 'id="P3" classid=""')], "a pupil without a class is left out"),
    ("pupils with one name", [('firstname="Вера" lastname="Примерова"', 'firstname="" lastname=""')], "the first word of a pupil's name is taken for the family name"),
    ("a pupil with one word", [('name="Примерова Вера" number="1"', 'name="Вера" number="1"'), ('firstname="Вера" lastname="Примерова"', 'firstname="" lastname=""')], "a pupil without two names is left out"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "remark"), [quirk[1:] for quirk in QUIRKS], ids=[quirk[0] for quirk in QUIRKS])
def test_a_quirk_is_taken_or_told(changes: list[tuple[str, str]], remark: str) -> None:
    part = parse(changed(*changes), "plan.xml")
    before = parse(VECTOR, "plan.xml")
    found = {item.problem for item in part.remarks} - {item.problem for item in before.remarks}
    assert {problem.split(" (and ")[0] for problem in found} == ({remark} if remark else set())
    if not remark:
        assert (part.classes, part.bells, part.lessons, part.people) == (
            before.classes,
            before.bells,
            before.lessons,
            before.people,
        )
    assert all(item.place.startswith("plan.xml") and item.hint for item in part.remarks)


def test_a_group_that_cannot_keep_its_name_is_called_by_its_place() -> None:
    part = parse(changed(('id="G11" name="1 группа"', 'id="G11" name="Группа; углублённая"')), "plan.xml")
    assert ("5А-1.1", 1, 2, "") in told(part)


def test_a_school_week_may_begin_on_sunday() -> None:
    changes = [
        (f'name="{old}" short="{short}"', f'name="{new}" short=""')
        for old, short, new in (
            ("Понедельник", "Пн", "Воскресенье"),
            ("Вторник", "Вт", "Понедельник"),
            ("Среда", "Ср", "Вторник"),
            ("Четверг", "Чт", "Среда"),
            ("Пятница", "Пт", "Четверг"),
            ("Суббота", "Сб", "Пятница"),
        )
    ]
    part = parse(changed(*changes), "plan.xml")
    assert [(item.weekday, item.lesson) for item in lessons(part, "5А")] == [(7, 1), (5, 0)]


def test_terms_have_the_dates_that_one_gives_them() -> None:
    half = changed(('period="4" weeks="11" terms="1"', 'period="4" weeks="11" terms="01"'))
    terms = [(dt.date(2026, 9, 1), dt.date(2026, 12, 28)), (dt.date(2027, 1, 11), dt.date(2027, 5, 28))]
    (lesson,) = lessons(parse(half, "plan.xml", terms=terms), "10-А-Физика-1")
    assert (lesson.first, lesson.last) == terms[1]


OLD = """<?xml version="1.0" encoding="windows-1251"?>
<timetable importtype="database" options="idprefix:X{option}">
<days columns="day,name,short">{days}</days>
<periods columns="period,starttime,endtime"><period period="1" starttime="8:00" endtime="8:45"/>
<period period="2" starttime="8:55" endtime="9:40"/></periods>
<grades columns="id,name,short,grade"><grade id="*7" name="Старшие" short="С" grade="11"/></grades>
<classes columns="id,name,short,grade"><class id="*1" name="Выпускной" short="В" grade="*7"/></classes>
<students columns="id,classid,name,number"><student id="*1" classid="*1" name="Примеров Глеб" number="7"/></students>
<lessons columns="id,subjectid,classids,groupids,studentids,durationperiods,weeks">
<lesson id="*1" classids="*1" durationperiods="2" weeks="1"/><lesson id="*2" classids="*1" studentids="*1" weeks="10"/></lessons>
<cards columns="lessonid,day,period"><card lessonid="*1" {day}="{first}" period="1"/><card lessonid="*2" {day}="{second}" period="2"/></cards>
</timetable>"""


@pytest.mark.parametrize(
    ("option", "days", "first", "second", "remarked"),
    [
        (",daynumbering1", "", 1, 3, False),
        ("", "", 0, 2, False),
        ("", "", 1, 3, True),
        ("", '<day day="2" name="Понедельник"/><day day="3" name="Вторник"/><day day="4" name="Среда"/>', 2, 4, False),
    ],
)
@pytest.mark.parametrize("day", ["day", "dayid"])
def test_an_export_of_2008(option: str, days: str, first: int, second: int, remarked: bool, day: str) -> None:
    text = OLD.format(option=option, days=days, first=first, second=second, day=day)
    part = parse(text.encode("cp1251"), "old.xml")
    assert [(group.id, group.grade) for group in part.classes or ()] == [("Выпускной", 11), ("Выпускной-1", 11)]
    assert told(part) == {("Выпускной", 1, 1, ""), ("Выпускной", 1, 2, ""), ("Выпускной-1", 3, 2, "A")}
    assert [(person.id, person.groups) for person in part.people or ()] == [("7", ("Выпускной", "Выпускной-1"))]
    assert any(item.problem.startswith("days are counted") for item in part.remarks) == remarked
