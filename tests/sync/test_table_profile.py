"""Exports as they are: a profile says what their words mean, and errors speak in those words."""

import re

import pytest

from sync.sources.columns import TABLES
from sync.sources.school import Part
from sync.sources.table import parse, parse_part
from tests.school import FILES, SAMPLE, lines_of

EXPORT = """Отчёт;;;;
по состоянию на сегодня;;;;
;;;;
Личный номер;ФИО;Класс;СНИЛС;Форма
p0001;Примерова  Анна Ивановна;Седьмой Б;1;очная
p0002;Образцов Борис;2А;2;
"""
PROFILE = """
[people]
file = "Контингент.csv"
header = 4
ignore = ["СНИЛС", "Форма"]
[people.columns]
id = "Личный номер"
last_name = { header = "ФИО", word = 1 }
first_name = { header = "ФИО", word = 2 }
[people.fixed]
language = "en"
[people.values.class]
"седьмой б" = "7Б"
"""


def told(export: str = EXPORT, profile: str = PROFILE) -> Part:
    return parse_part({"Контингент.csv": export.encode("cp1251"), "profile.toml": profile.encode()})


def test_an_export_is_read_as_it_is() -> None:
    part = told()
    assert part.people
    assert [
        (person.id, person.last_name, person.first_name, person.groups, person.language) for person in part.people
    ] == [
        ("p0001", "Примерова", "Анна", ("7Б",), "en"),
        ("p0002", "Образцов", "Борис", ("2А",), "en"),
    ]
    assert part.people[0].origin == "Контингент.csv:5"


def test_the_profile_of_the_description_is_one() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (SAMPLE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    export = EXPORT.replace("Класс", "class").replace(";Форма", "").replace(";очная", "")
    example = example.replace("Контингент.xlsx", "Контингент.csv")
    assert told(export, example).people == list(told(EXPORT, PROFILE.replace('"en"', '"ru"')).people or ())


def test_errors_name_the_header_of_the_file() -> None:
    files = {name: data for name, data in FILES.items() if name != "people.csv"}
    export = EXPORT.replace("2А;2", "2Ю;2").replace("p0002", "p 2")
    lines = lines_of(files | {"Контингент.csv": export.encode(), "profile.toml": PROFILE.encode()})
    place = "Контингент.csv:6:Личный номер"
    assert lines[0].startswith(f"{place}: got a text of 3 characters, expected an opaque id")
    lines = lines_of(
        files
        | {"Контингент.csv": EXPORT.replace("2А;2", "2Ю;2").encode(), "profile.toml": PROFILE.encode()}
        | {"contacts.csv": "Ученик;Почта\nz;a@b\n".encode()}
    )
    assert 'Контингент.csv:6:Класс: got "2Ю", expected one that classes.csv has (add it to classes.csv)' in lines


def test_what_the_export_lacks_is_named_in_its_words() -> None:
    files = {"Контингент.csv": EXPORT.replace("Личный номер", "Номер").encode(), "profile.toml": PROFILE.encode()}
    lines = lines_of(files)
    assert lines[:2] == [
        'Контингент.csv:4: got another name of column 1, expected only "Личный номер", "ФИО", "ФИО", класс, язык, группы, роль (rename the column, remove it, or let profile.toml ignore it: only what is needed is taken in)',
        'Контингент.csv:4:id: got no such column, expected a column "Личный номер" (add it)',
    ]


@pytest.mark.parametrize(
    ("profile", "line"),
    [
        ("[poeple]", ': got a table "poeple", expected one of people, contacts, cards, classes, bells, lessons, calendar, substitutions, excuses, plans, lanes (did you mean "people"?)'),
        ("[people.columns]\nlastname = 'x'", ':people.columns: got "lastname", expected one of id, last_name, first_name, class, language, groups, role (did you mean "last_name"?)'),
        ("[people.values]\nx = {}", ':people.values: got "x", expected one of id, last_name, first_name, class, language, groups, role (remove it)'),
        ("[people]\nfile = '../people.csv'", ':people.file: got "../people.csv", expected the name of a csv or xlsx file beside the profile'),
        ("[people]\nfile = 'nobody.csv'", ":people.file: got no such file, expected a file beside it (compare it with the name of the file)"),
        ("[people]\nheader = 0", ":people.header: got something else, expected input should be greater than or equal to 1"),
        ("[people]\nfiel = 'people.csv'", ':people.fiel: got a key that nobody knows, expected one of file, sheet, header, ignore, columns, fixed, values (did you mean "file"?)'),
        ("[people.columns.id]\nheader = 'x'\nwrod = 1", ':people.columns.id.wrod: got a key that nobody knows, expected one of header, word (did you mean "word"?)'),
        ("[people.columns.id]\nword = 1", ":people.columns.id.header: got nothing, expected a value"),
        (f"[people]\n{'k' * 5000} = 1", ':people."' + "k" * 60 + '…": got a key that nobody knows'),
        ("[people]\n'\u202e' = 1", ':people."\\u202e": got a key that nobody knows'),
        ("people = 1", ":people: got something else, expected input should be a valid dictionary or instance of headings"),
        ("people", ": got a mistake at end of document, expected TOML in UTF-8"),
        ("#" * (256 * 1024 + 1), ": got more than 256 KiB, expected at most 256 KiB"),
    ],
)  # fmt: skip
def test_a_broken_profile_is_explained(profile: str, line: str) -> None:
    (found,) = lines_of(FILES | {"profile.toml": profile.encode()})
    assert found.startswith("profile.toml" + line)


def test_a_fixed_value_stands_for_a_column_and_for_empty_cells() -> None:
    profile = b"[lessons.fixed]\nmode = 'teacher'\nweek = 'A'\n"
    site = FILES["site.toml"] + b'weeks = ["A", "B"]\nweeks_from = 2025-09-01\n'
    lessons = parse(FILES | {"profile.toml": profile, "site.toml": site}).timetable.lessons
    assert {lesson.mode for lesson in lessons} == {"teacher"}
    assert {lesson.week for lesson in lessons} == {"A"}


def test_a_word_of_a_list_of_words_is_not_guessed() -> None:
    (line,) = lines_of(FILES | {"profile.toml": b"[lessons.values.kind]\nclub = 'circle'\n"})
    assert line == 'lessons.csv:49:kind: got "club", expected one of lesson, care, club, exam (take one of these words)'


def test_every_table_has_a_name_in_russian() -> None:
    titles = [table.title for table in TABLES.values()]
    assert len(set(titles)) == len(titles)
    files = {
        f"{TABLES[name.removesuffix('.csv')].title.upper()}.CSV" if name.endswith(".csv") else name: data
        for name, data in FILES.items()
    }
    assert parse(files) == parse(FILES)
