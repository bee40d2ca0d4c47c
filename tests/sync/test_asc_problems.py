"""Everything that can be wrong with an export of aSc Timetables, each with the line a person gets; and files made to harm."""

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import SourceError
from sync.sources import asc_cards, asc_pupils, markup
from sync.sources.asc import parse
from tests.sync.asc_files import VECTOR, changed, lines_of

AGAIN = "export the file again"
EDITED = "export the file again; do not edit it"
CARD = '<card lessonid="L6" classroomids="" period="4" weeks="11" terms="1" days="000010"/>'
# What is replaced by what; then the line a person gets, without the name of the file.
BROKEN = [
    (CARD, CARD.replace('"4"', '"21"'), ':85:7: got period="21" of a card, expected a whole number from 0 to 20 (mend this cell)'),
    (CARD, CARD.replace('"4"', '"9"'), ":85:7: got period 9 of a card, expected one of the periods that the file has (export the file again with its periods)"),
    (CARD, CARD.replace("L6", "L66"), f":85:7: got a card of an unknown lesson, expected a lesson that the file has ({AGAIN})"),
    (CARD, CARD.replace("000010", "00002"), ':85:7: got days="00002" of a card, expected a mask of at most 60 digits 0 and 1 (export again)'),
    (CARD, CARD.replace("000010", "0000001"), ":85:7: got a day that is none of a week, expected one of the 6 days that the file names (a cycle of other days than a week's is not read here)"),
    (CARD, CARD.replace('days="000010"', 'day="9"'), f":85:7: got an unknown day of a card, expected a day of the week ({AGAIN})"),
    (CARD, CARD.replace('terms="1"', 'terms="10"'), ":85:7: got a lesson of some terms only, expected lessons of the whole year, or the dates of the terms (give the dates of the terms, or export the timetable of one term)"),
    ('periodspercard="2" periodsperweek="2.0" teacherids="" classroomids="" groupids="G20"', 'periodspercard="x" periodsperweek="2.0" teacherids="" classroomids="" groupids="G20"', f':72:7: got periodspercard="x" of a lesson, expected a number of periods from 1 to 20 ({AGAIN})'),
    ('groupids="G13,G23"', 'groupids="G13,G99"', f":71:7: got an unknown group of a lesson, expected a group that the file has ({AGAIN})"),
    ('classids="C1,C2"', 'classids="C1,C9"', ":71:7: got an unknown class of a lesson, expected a class that the file has (export it again)"),
    ('name="1 группа" classid="C1"', 'name="1 группа" classid="C9"', ":51:7: got an unknown class of a group, expected a class that the file has (export it again)"),
    ('<class id="C2" name="5 Б" short="5Б"', '<class id="C2" name="5А" short="5А"', ":46:7: got a class of the same name as another, expected a name of at most 32 characters without ; , and |, each name once (rename the class in aSc Timetables)"),
    ('<class id="C2" name="5 Б" short="5Б"', '<class id="C2" name="5; Б" short=""', ":46:7: got a class without a name that can be used, expected a name of at most 32 characters without ; , and |, each name once (rename the class in aSc Timetables)"),
    ('<subject id="S2"', '<subject id="S1"', f":34:7: got the id of the subject in line 33, expected each id once ({AGAIN})"),
    ('<lesson id="L7"', '<lesson id=""', f":74:7: got a lesson without an id, expected an id in every row ({AGAIN})"),
    ('starttime="7:40"', 'starttime="24:40"', ':8:7: got starttime="24:40" of a period, expected a time like 08:30 (mend this cell)'),
    ('starttime="7:40"', 'starttime="9:40"', ":8:7: got a period until 08:20, expected an end after 09:40, its start (mend its times)"),
    ('<period name="1"', '<period period="0" starttime="7:45" endtime="8:20"/><period name="1"', ":9:7: got period 0 again, at other times, expected each period once (remove one of them)"),
    ("</subjects>", "</subject>", f":38:6: got a mistake: mismatched tag, expected well-formed XML ({EDITED})"),
    ("<timetable ", "<!DOCTYPE timetable SYSTEM 'http://example.org/x.dtd'><timetable ", f":6:54: got a DOCTYPE, expected XML without one ({EDITED})"),
    ("5 Б", "5 &eacute;", f":46:7: got a mistake: undefined entity, expected well-formed XML ({EDITED})"),
    ("</timetable>", "", f":89:1: got a mistake: no element found, expected well-formed XML ({EDITED})"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line"), BROKEN)
def test_a_broken_export_is_explained(old: str, new: str, line: str) -> None:
    lines = lines_of(changed((old, new)))
    assert f"plan.xml{line}" in lines
    assert len(lines) <= 2, "one mistake is told once, and where else it shows"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", f"plan.xml:1:1: got a mistake: no element found, expected well-formed XML ({EDITED})"),
        (b"<school/>", "plan.xml:1:1: got something else, expected a file that begins with <timetable> (export it as aSc Timetables XML)"),
        (b"<timetable/>", "plan.xml: got a file without classes or without placed lessons, expected an export of the whole timetable (export it as 'aSc Timetables 2012 XML' with all its tables)"),
        ('<?xml version="1.0" encoding="windows-1251"?>\n<timetable a="По'.encode("cp1251") + b'\x98"/>', f"plan.xml:2:17: got bytes of something else, expected text in cp1251 ({AGAIN})"),
        (b'<?xml version="1.0" encoding="zlib"?><timetable a="\xff"/>', "plan.xml:1: got an encoding that is not read here, expected UTF-8 or an encoding like windows-1251 (export the file in UTF-8)"),
        (b'<?xml version="1.0" encoding="iso-8859-12"?><timetable a="\xff"/>', "plan.xml:1: got an encoding that is not read here, expected UTF-8 or an encoding like windows-1251 (export the file in UTF-8)"),
    ],
)  # fmt: skip
def test_something_else_is_refused(data: bytes, line: str) -> None:
    assert line in lines_of(data)


def test_no_message_names_anybody() -> None:
    spoilt = changed(
        ('partner_id="sis-1001"', 'partner_id=""'),
        ('<class id="C2" name="5 Б" short="5Б"', '<class id="C2" name="Примеров; надомник" short=""'),
        ('name="1 группа"', 'name="Английский (Образцова П. П., каб. 301)"'),
    )
    for data in (spoilt, VECTOR.replace("Примеров ".encode(), b"\xff")):
        for private in ("Пример", "Образцова", "sis-1", "example.org"):
            assert private not in "\n".join(lines_of(data))
    odd = changed(
        ('name="1 группа"', 'name="Английский (Образцова П. П., каб. 301)"'), ('partner_id="sis-1001"', 'partner_id=""')
    )
    assert "Образцова" not in repr(parse(odd, "plan.xml").remarks)


LAUGHS = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(20))


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (f'<!DOCTYPE t [<!ENTITY a "ha">{LAUGHS}]><t>&u;</t>'.encode(), "a DOCTYPE"),
        (b'<!DOCTYPE t [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]><t/>', "a DOCTYPE"),
        (b'<!DOCTYPE t [<!ENTITY p SYSTEM "file:///etc/passwd">]><timetable a="&p;"/>', "a DOCTYPE"),
        (b"<a>" * 1_000_000, "a deeper element"),
        (b"<timetable>" + b"<a/>" * 300_000, "more elements"),
        (b'<timetable a="' + b"x" * 15_000_000 + b'"/>', "more attributes or a longer one"),
        (b'<timetable a="' + b"x" * 15_000_000, "a mistake: unclosed token"),
        (b"<timetable " + b" ".join(b'a%d=""' % n for n in range(100_000)) + b"/>", "more attributes or a longer one"),
        (b"<" + b"x" * 15_000_000, "a mistake: unclosed token"),
        (b" " * (markup.MAX_BYTES + 1), "a larger file"),
    ],
    ids=["laughs", "parameter", "external", "deep", "many", "long", "unclosed", "attributes", "name", "large"],
)
def test_a_file_made_to_harm_is_refused(data: bytes, got: str) -> None:
    (line,) = lines_of(data)
    assert f": got {got}" in line
    assert len(line) < 300


def test_the_lessons_of_a_week_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asc_cards, "MAX_LESSONS", 10)
    (line,) = lines_of(VECTOR)
    assert "got more lessons, expected at most 10 lessons of a week" in line


def test_the_pupils_of_groups_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asc_pupils, "MAX_MEMBERSHIPS", 2)
    (line,) = lines_of(VECTOR)
    assert "got more of them, expected at most 2 places of pupils in groups" in line


@pytest.mark.parametrize("name", ["5А", "5" * 2 + "А" * 30])
def test_many_groups_of_one_name_are_told_apart(name: str) -> None:
    same = "".join(f'<group id="N{n}" name="1 группа" classid="C1" divisiontag="1"/>' for n in range(5_000))
    listed = ",".join(f"N{n}" for n in range(5_000))
    changes = [
        ('name="5А"', f'name="{name}"'),
        ("</groups>", f"{same}</groups>"),
        ('groupids="G10"', f'groupids="{listed}"'),
    ]
    names = [group.id for group in parse(changed(*changes), "plan.xml").classes or ()]
    assert len(names) == len(set(names)) == 8 + 5_000
    assert max(map(len, names)) <= 32


@settings(max_examples=150)
@given(st.randoms(use_true_random=False), st.integers(1, 12))
def test_any_damage_ends_in_a_clean_error_or_in_a_part(chance: random.Random, times: int) -> None:
    data = bytearray(VECTOR)
    for _ in range(times):
        at = chance.randrange(len(data))
        size = chance.choice((1, 1, 4, 40))
        data[at : at + size] = chance.choice(
            (b"", bytes([chance.randrange(256)]), b'"', b"<", b"0", b",", data[-size * 9 :])
        )
    with contextlib.suppress(SourceError):
        parse(bytes(data), "plan.xml")
