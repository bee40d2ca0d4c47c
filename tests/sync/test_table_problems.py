"""Everything that can be wrong with a folder of plain tables, each with the line a person gets."""

import pytest

from gateway.errors import MAX_PROBLEMS
from sync.sources import delimited
from sync.sources.columns import TABLES
from sync.sources.school import School
from sync.sources.table import parse
from tests.school import FILES, changed, lines_of

MEND = "mend this cell"
# A file, what is replaced in it by what; then the line a person gets, without the name of the file.
BROKEN = [
    ("people.csv", "p0001;", "Анна Образцова;", ":2:id: got a text of 14 characters, expected an opaque id of 1 to 64 letters, digits, . _ and - (a name is no id)"),
    ("people.csv", "p0001;", ";", ":2:id: got an empty cell, expected a value in every row (fill it in or remove the row)"),
    ("people.csv", "p0002;", "p0001;", ":3:id: got the same id as in people.csv:2, expected each id once (remove one of the rows)"),
    ("people.csv", "Анна;2А", "Анна;2A", ':2:class: got "2A", expected one that classes.csv has (did you mean "2А"? Latin and Cyrillic letters look alike)'),
    ("people.csv", "Анна;2А", "Анна;2а", ':2:class: got "2а", expected one that classes.csv has (did you mean "2А"?)'),
    ("people.csv", "Анна;2А", "Анна;9В", ':2:class: got "9В", expected one that classes.csv has (add it to classes.csv)'),
    ("people.csv", "7Б-англ-1;", "7Б-анг-1;", ':10:groups: got "7Б-анг-1", expected one that classes.csv has (did you mean "7Б-англ-1"?)'),
    ("people.csv", ";en", ";english", ":17:language: got a text of 7 characters, expected one of ru, en (take one of these words)"),
    ("people.csv", "Анна", "Ан\u200bна", ":2:first_name: got a text of 5 characters, expected at most 500 characters that can be seen (type the cell anew)"),
    ("people.csv", "Анна", "А" * 501, ":2:first_name: got a text of 501 characters, expected at most 500 characters that can be seen (type the cell anew)"),
    ("people.csv", "Анна", "А" * 20_000, ":2: got a longer line, expected at most 16384 characters (split the line)"),
    ("people.csv", "Анна", '"Анна', ':2: got a stray quote, expected quotes in pairs: "…" (mend the quotes in this line)'),
    ("people.csv", "Анна;2А;;", "Анна;2А;;;;ещё", ":2: got 8 cells, expected at most 6, as in the header (put a text with the separator into quotes)"),
    ("people.csv", "first_name", "frist_name", ':1: got another name of column 3, expected only id, last_name, first_name, class, language, groups, role (did you mean "first_name"?)'),
    ("people.csv", "first_name", "id", ":1:first_name: got no such column, expected a column first_name (add it)"),
    ("people.csv", "groups", "класс", ':1:class: got "класс" again, expected each column once (remove one of them)'),
    ("people.csv", "id;last_name;first_name;class;groups;language", "p0000;Иванова;Мария", ":1: got a first line that names no column, expected a line with id, last_name, first_name, class, language, groups, role (add the line above the others)"),
    ("contacts.csv", "parent-01@example.org", "8 900 000-00-00", ":2:address: got a text of 15 characters, expected an e-mail address or a URL of the notifier (mend this cell)"),
    ("contacts.csv", "p0002;parent-02", "p0001;parent-01", ":3:person: got the same person and address as in contacts.csv:2, expected each person and address once (remove one of the rows)"),
    ("contacts.csv", "p0001", "x9", ':2:person: got "x9", expected one that people.csv has (add it to people.csv)'),
    ("cards.csv", "p0001", "p00001", ':2:person: got "p00001", expected one that people.csv has (did you mean "p0001"?)'),
    ("cards.csv", "14443a", "13.56", ":2:technology: got a text of 5 characters, expected one of em4100, 14443a, felica, wiegand26, wiegand34, wiegand37, zkteco (take one of these words)"),
    ("cards.csv", "0414A2C3116180", "0814A2C3", ":2:uid: got 4 bytes, expected a fixed, complete UID: the UID is random: the card shows another one each time (ISO/IEC 14443-3) (give the pupil a card with a fixed UID)"),
    ("cards.csv", "0414A2C3116180", "8814A2C3", ":2:uid: got 4 bytes, expected a fixed, complete UID: the UID begins with the cascade tag 88 (half read) (give the pupil a card with a fixed UID)"),
    ("cards.csv", "0414A2C3116180", "0414A2C311", ":2:uid: got 5 bytes, expected a fixed, complete UID: a UID of 14443a has 4 or 7 or 10 bytes, got 5 (what is printed on a card may leave bytes out: read it at a reader, systemd/install.md, step 7)"),
    ("cards.csv", "0414A2C3116180", "4,14E+13", ":2:uid: got a text of 8 characters, expected hex digits in pairs, in air order (format the column as text before filling it: a spreadsheet turns digits into numbers)"),
    ("cards.csv", "223C7A42", "04 14 a2 c3 11 61 80", ":3:uid: got the card of cards.csv:2, expected a card that belongs to one person at a time (remove one of the rows, or end one with valid_to)"),
    ("cards.csv", "01.09.2025", "31.09.2025", ":18:valid_from: got a text of 10 characters, expected a date of this century like 2025-09-01 or 01.09.2025 (mend this cell)"),
    ("cards.csv", "01.09.2025", "2025-10-01", ":18:valid_to: got 2025-09-30, expected a date from 2025-10-01 on (mend one of the two)"),
    ("cards.csv", ";lost", ";lots", ':18:state: got a text of 4 characters, expected one of active, blocked, lost (did you mean "lost"?)'),
    ("classes.csv", "2А;2;1", "2А;second;1", f':2:grade: got "second", expected a whole number from 0 to 13 ({MEND})'),
    ("classes.csv", "2А;2;1", "2А;2;4", f':2:shift: got "4", expected a whole number from 1 to 3 ({MEND})'),
    ("classes.csv", "2;1;normal", "2;1;norml", ':2:bells: got "norml", expected one that bells.csv has (did you mean "normal"?)'),
    ("bells.csv", "08:30;09:15", "08:30;24:15", f':2:end: got "24:15", expected a time like 08:30 ({MEND})'),
    ("bells.csv", "08:30;09:15", "08:30;08:30", ":2:end: got 08:30, expected a time after 08:30, its start (mend one of the two)"),
    ("bells.csv", "normal;1;2", "normal;1;1", ":3:lesson: got the same lesson and bells and shift as in bells.csv:2, expected each lesson and bells and shift once (remove one of the rows)"),
    ("lessons.csv", "2А;1;1", "2А;0;1", f':2:weekday: got "0", expected a whole number from 1 to 7 ({MEND})'),
    ("lessons.csv", "2А;1;1", "2А;1;9", ":2:lesson: got lesson 9, expected one that has a bell (add it to the bells of 2А)"),
    ("lessons.csv", "2А;1;1", "2Ю;1;1", ':2:class: got "2Ю", expected one that classes.csv has (add it to classes.csv)'),
    ("lessons.csv", ";club;teacher", ";clubs;teacher", ':49:kind: got "clubs", expected one of lesson, care, club, exam (did you mean "club"?)'),
    ("lessons.csv", ";club;teacher", ";club;teachers", ':49:mode: got "teachers", expected one of gate, teacher, none (did you mean "teacher"?)'),
    ("calendar.csv", "short", "shrot", ':2:bells: got "shrot", expected one that bells.csv has (did you mean "short"?)'),
    ("calendar.csv", "holiday", "holidays", ':3:kind: got "holidays", expected one of holiday, school_day (did you mean "holiday"?)'),
    ("calendar.csv", "2025-11-04", "03.11.2025", ":4:date: got the same date as in calendar.csv:3, expected each date once (remove one of the rows)"),
    ("lanes.csv", "main;main-in", "main;Main in", ':2:lane: got "Main in", expected 1 to 32 of a-z, 0-9 and - (write it as in gateway.toml)'),
    ("lanes.csv", "main-in;in", "main-in;entry", ':2:direction: got "entry", expected one of in, out, both, arrival_only, alternating, checkpoint (take one of these words)'),
    ("lanes.csv", "07:00;20:00", "07:00;06:00", ":2:closes: got 06:00, expected a time after 07:00, its opens (mend one of the two)"),
    ("site.toml", '"Europe/Moscow"', '"Europe/Moskow"', ':zone: got "Europe/Moskow", expected an IANA zone that this machine knows (package tzdata) (for example: zone = "Europe/Moscow")'),
    ("site.toml", '"Europe/Moscow"', '"localtime"', ':zone: got "localtime", expected an IANA zone that this machine knows (package tzdata) (for example: zone = "Europe/Moscow")'),
    ("site.toml", '"Europe/Moscow"', '"Europe/../../passwd"', ':zone: got "Europe/../../passwd", expected an IANA zone that this machine knows (package tzdata) (for example: zone = "Europe/Moscow")'),
    ("site.toml", 'zone = "', 'zone = 3 # "', ':zone: got something that is no text, expected an IANA zone that this machine knows (package tzdata) (for example: zone = "Europe/Moscow")'),
    ("site.toml", '"ru"', '"rus"', ':language: got "rus", expected one of ru, en (language = "ru")'),
    ("site.toml", "name =", "nam =", ': got a key "nam", expected only name, language, zone, weeks, weeks_from (did you mean "name"?)'),
    ("site.toml", '"ru"', "ru", ': got a mistake at line 3, column 12, expected TOML in UTF-8 (write for example: zone = "Europe/Moscow")'),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "line"), BROKEN)
def test_a_broken_table_is_explained(file: str, old: str, new: str, line: str) -> None:
    lines = lines_of(changed(file, old, new))
    assert file + line in lines
    assert len(lines) <= 2, "one mistake is told once; a misspelt column also as missing"


def test_a_broken_table_is_not_held_against_the_others() -> None:
    files = changed("classes.csv", "grade", "level") | {"people.csv": b"\xff\xfei\0d\0"}
    lines = lines_of(files)
    assert [line.split(": ")[0] for line in lines] == ["people.csv", "classes.csv:1", "classes.csv:1:grade"]
    assert "save the table as CSV UTF-8" in lines[0]


def test_all_problems_come_together_and_no_more_than_a_person_reads() -> None:
    text = FILES["lessons.csv"].decode()
    files = FILES | {"lessons.csv": (text + "2А;8;1;;;\n" * 3).encode()} | {"lanes.csv": b"gateway;lane\n"}
    assert len(lines_of(files)) == 3 + 3
    assert len(lines_of(FILES | {"lessons.csv": (text + "2А;8;1;;;\n" * 5000).encode()})) == MAX_PROBLEMS


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_ROWS", 16)
    assert lines_of(FILES | {"cards.csv": FILES["cards.csv"]})[0].startswith("cards.csv:18: got more rows, expected at")
    monkeypatch.setattr(delimited, "MAX_BYTES", 100)
    assert "people.csv: got more than 16 MiB, expected at most 16 MiB (this is not the file you mean)" in lines_of(
        FILES
    )


def test_an_empty_table_is_no_school() -> None:
    header = FILES["people.csv"].splitlines()[0]
    lines = lines_of(FILES | {"people.csv": header, "contacts.csv": b"person;address\n", "cards.csv": b""})
    assert (
        "people: got no row, expected people from one of the sources "
        "(export the table again, or compare with the sample school)"
    ) in lines
    assert any(line.startswith("cards.csv:1: got a first line that names no column") for line in lines)


@pytest.mark.parametrize("name", TABLES)
def test_what_a_folder_may_lack(name: str) -> None:
    files = {key: data for key, data in FILES.items() if key != f"{name}.csv"}
    if TABLES[name].required:
        assert lines_of(files) == [
            f"{name}.csv: got no such table, expected {name} from one of the sources (export the table again, or compare with the sample school)"
        ]
    else:
        assert isinstance(parse(files), School)


def test_a_school_has_a_name_and_a_zone() -> None:
    lines = lines_of({key: data for key, data in FILES.items() if key != "site.toml"})
    assert [line.split(" ")[0] for line in lines] == ["site.toml:name:", "site.toml:zone:"]
