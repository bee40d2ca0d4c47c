"""The folder of plain tables: what real exports look like, and damage of any kind."""

import codecs
import contextlib
import csv
import datetime as dt
import io
import locale
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.compiler import compile_days
from gateway.domain.credential import Credential, Technology
from gateway.domain.directory import CredentialState
from gateway.domain.model import Mode, SlotKind
from gateway.errors import SourceError
from sync.sources.columns import TABLES
from sync.sources.rows import MAX_BYTES
from sync.sources.school import School
from sync.sources.table import parse, read_folder
from tests.school import FILES, SAMPLE, changed, lines_of

MOSCOW_MIDNIGHT = 21


def test_the_sample_school_is_read() -> None:
    school = read_folder(SAMPLE)
    assert (school.name, school.language, school.zone) == ("Школа для примера", "ru", "Europe/Moscow")
    assert [group.id for group in school.timetable.classes] == ["2А", "7Б", "7Б-англ-1", "7Б-англ-2"]
    assert len(school.people) == len(school.contacts) == 16
    assert school.people[0].groups == ("2А",)
    assert (school.people[15].groups, school.people[15].language) == (("7Б", "7Б-англ-2"), "en")
    assert school.cards[0].credential == Credential(
        technology=Technology.ISO14443A, uid=bytes.fromhex("0414A2C3116180")
    )
    lost = school.cards[-1]
    assert lost.state is CredentialState.LOST
    assert lost.valid_from == dt.datetime(2025, 8, 31, MOSCOW_MIDNIGHT, tzinfo=dt.UTC)
    assert lost.valid_to == dt.datetime(2025, 9, 30, MOSCOW_MIDNIGHT, tzinfo=dt.UTC), "the last day is a day of it"
    assert [(row.id, [lane.id for lane in row.lanes]) for row in school.gateways] == [
        ("main", ["main-in", "main-out"]),
        ("yard", ["yard-in", "canteen"]),
    ]
    assert school.gateways[1].lanes[0].opens == "07:30"


def test_the_sample_school_gives_slots() -> None:
    school = read_folder(SAMPLE)
    compiled = compile_days(school.timetable, dt.date(2025, 10, 27), dt.date(2025, 11, 9))
    assert compiled.unplaced == ()
    slots = compiled.slots
    by_id = {str(slot.id): slot for slot in slots}
    assert len(by_id) == len(slots)
    assert by_id["2А-20251027-1"].start == dt.datetime(2025, 10, 27, 5, 30, tzinfo=dt.UTC)
    assert by_id["7Б-20251027-1"].start == dt.datetime(2025, 10, 27, 11, 0, tzinfo=dt.UTC)
    assert by_id["7Б-20251101-1"].end == dt.datetime(2025, 11, 1, 9, 30, tzinfo=dt.UTC), "a short Saturday"
    assert by_id["2А-20251029-4"].mode is Mode.TEACHER
    assert by_id["2А-20251031-6"].kind is SlotKind.CLUB
    assert not [slot for slot in slots if slot.start.date() in (dt.date(2025, 11, 3), dt.date(2025, 11, 4))]


def test_its_description_names_every_table_and_column() -> None:
    rows_of_text = (SAMPLE / "README.md").read_text(encoding="utf-8").splitlines()
    for name, table in TABLES.items():
        (line,) = (text for text in rows_of_text if text.startswith(f"| `{name}.csv`"))
        described = [word.strip("`") for word in line.split("|")[2].split()]
        assert described == [column.name if column.default is ... else f"[{column.name}]" for column in table.columns]
        assert ("may be left out" in line) != table.required
    assert {f"{name}.csv" for name, table in TABLES.items() if table.required} <= FILES.keys()


def test_nobody_and_no_card_is_shown() -> None:
    school = read_folder(SAMPLE)
    shown = repr(school)
    for person, contact, card in zip(school.people, school.contacts, school.cards, strict=False):
        for private in (person.last_name, person.first_name, contact.address, card.credential.uid.hex().upper()):
            assert private not in shown


def test_cards_have_no_column_for_a_name() -> None:
    assert not {"last_name", "first_name"} & {column.name for column in TABLES["cards"].columns}
    text = FILES["cards.csv"].decode().replace("person;", "person;last_name;", 1)
    (line,) = lines_of(FILES | {"cards.csv": text.encode()})
    assert line == (
        "cards.csv:1: got another name of column 4, expected only technology, uid, person, valid_from, valid_to, state "
        "(rename the column, remove it, or let profile.toml ignore it: only what is needed is taken in)"
    )


RUSSIAN = {
    "people.csv": "Код;Фамилия;Имя;Класс;Группы;Язык",
    "contacts.csv": "Ученик;Адрес;Язык",
    "cards.csv": "Технология;Номер карты;Ученик;Действует с;Действует по;Состояние",
    "classes.csv": "Класс;Параллель;Смена;Звонки",
    "bells.csv": "Звонки;Смена;Урок;Начало;Конец",
    "lessons.csv": "Класс;День недели;Урок;Предмет;Вид;Учёт",
    "calendar.csv": "Дата;Вид;Звонки;День недели",
    "lanes.csv": "Шлюз;Проход;Направление;Открыт с;Открыт до",
}


def test_a_header_that_is_refused_among_russian_ones_is_told_the_russian_names() -> None:
    lanes = "Шлюз;Проход;Направление;Открыт с;Открывается\nmain;main-in;in;07:30;20:00\n"
    refused, missing, *_ = lines_of(FILES | {"lanes.csv": lanes.encode()})
    assert refused.startswith(
        'lanes.csv:1: got a column "Открывается", expected only шлюз, проход, направление, открыт_с, открыт_до, повороты'
    )
    assert missing == "lanes.csv:1:closes: got no such column, expected a column открыт_до (add it)"


@st.composite
def exports(draw: st.DrawFn) -> dict[str, bytes]:
    """The sample school as other programs would have written it."""
    files = dict(FILES)
    for name, header in RUSSIAN.items():
        table = list(csv.reader(FILES[name].decode().splitlines(), delimiter=";"))
        if draw(st.booleans()):
            table[0] = header.split(";")
        if draw(st.booleans()):
            table[0] = [cell.upper() for cell in table[0]]
        order = draw(st.permutations(range(len(table[0]))))
        out = io.StringIO()
        quoting: Literal[0, 1] = 1 if draw(st.booleans()) else 0
        end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
        writer = csv.writer(out, delimiter=draw(st.sampled_from(";,\t")), quoting=quoting, lineterminator=end)
        pad = draw(st.sampled_from(["", " ", "\u00a0"]))
        writer.writerows([pad + row[i] + pad for i in order] for row in table)
        text = out.getvalue() + end * draw(st.integers(0, 2))
        files[name] = text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1251"])))
    return files


@settings(max_examples=40)
@given(exports())
def test_every_way_to_export_the_same_school_reads_the_same(files: dict[str, bytes]) -> None:
    assert parse(files) == parse(FILES)


def test_the_machine_s_locale_and_zone_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    before = locale.setlocale(locale.LC_ALL)
    try:
        monkeypatch.setitem(os.environ, "TZ", "America/Los_Angeles")
        time.tzset()
        locale.setlocale(locale.LC_ALL, "C")
        assert parse(FILES) == read_folder(SAMPLE)
        elsewhere = read_folder(SAMPLE).cards[-1].valid_from
    finally:
        monkeypatch.undo()
        time.tzset()
        locale.setlocale(locale.LC_ALL, before)
    assert elsewhere == parse(FILES).cards[-1].valid_from


def test_russian_words_and_other_spellings_of_values() -> None:
    files = FILES | {
        "cards.csv": "Тип;Номер;Ученик;Состояние\nEM-Marine;01 00 a1 b2 6f;p0003;Утеряна\nMifare;04:14:A2:C3:11:61:80;p0001;\n".encode(),
        "lanes.csv": "Шлюз;Проход;Направление;Открыт с;Открыт до\nmain;a;Вход;7:00;20.00\n".encode(),
        "lessons.csv": "Группа;День;Урок;Вид\n2А;1;1;Продлёнка\n".encode("cp1251"),
        "people.csv": 'id,last_name,first_name,class,groups\np0001,А,Б,7Б,"7Б-англ-1, 7Б-англ-2,7Б"\np0003,А,Б,2А,7Б|2А\n'.encode(),
        "contacts.csv": b"person;address\np0001;tgram://token/chat\n",
    }  # fmt: skip
    school = parse(files)
    assert [str(card.credential) for card in school.cards] == ["em4100:0100A1B26F", "14443a:0414A2C3116180"]
    assert school.cards[0].state is CredentialState.LOST
    assert (school.lanes[0].opens, school.lanes[0].closes) == (dt.time(7), dt.time(20))
    assert school.timetable.lessons[0].kind is SlotKind.CARE
    assert [person.groups for person in school.people] == [("7Б", "7Б-англ-1", "7Б-англ-2"), ("2А", "7Б")]


def test_composed_and_decomposed_letters_are_the_same() -> None:
    short = "и\u0306"
    files = changed("classes.csv", "7Б-англ-1", "7й")
    files["people.csv"] = FILES["people.csv"].replace("7Б-англ-1".encode(), f"7{short}".encode())
    files["lessons.csv"] = FILES["lessons.csv"].replace("7Б-англ-1".encode(), f"7{short}".encode())
    assert parse(files).people[8].groups == ("7Б", "7й")


def copy(folder: Path) -> None:
    for name, data in FILES.items():
        (folder / name).write_bytes(data)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("spoil", [replace_by_folder, replace_by_pipe])
def test_what_is_no_file_is_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    copy(tmp_path)
    spoil(tmp_path / "cards.csv")
    with pytest.raises(
        SourceError, match=r"^cards\.csv: got (is a directory|something that is no file), expected"
    ) as it:
        read_folder(tmp_path)
    assert len(it.value.problems) == 1


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere: got no such file or directory, expected a folder of tables"):
        read_folder(tmp_path / "nowhere")


PRIVATE = [
    text
    for person, contact in zip(parse(FILES).people, parse(FILES).contacts, strict=True)
    for text in (person.last_name, person.first_name, contact.address)
] + [card.credential.uid.hex().upper() for card in parse(FILES).cards]


def shown(files: dict[str, bytes]) -> list[str]:
    """What is private and stands in the message, if the files are refused."""
    try:
        assert isinstance(parse(files), School)
    except SourceError as refused:
        return [text for text in PRIVATE if text in str(refused)]
    return []


@settings(max_examples=120)
@given(st.data())
def test_any_damage_is_explained_and_shows_nobody(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FILES)))
    raw = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        tricky = [
            b"\0",
            b'"',
            b";",
            b",",
            b"\t",
            b"\n",
            b"\r",
            b"\x98",
            b"\xff",
            "\u2028".encode(),
            codecs.BOM_UTF8,
            b"E+",
        ]
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.one_of(st.sampled_from(tricky), st.binary(max_size=4))
        )
        raw = raw or bytearray(b"\n")
    assert not shown(FILES | {name: bytes(raw)})


@pytest.mark.parametrize("end", [b"\n", b";\n", b"\r\n"])
@pytest.mark.parametrize("name", ["people.csv", "contacts.csv", "cards.csv"])
def test_columns_that_changed_places_show_nobody(name: str, end: bytes) -> None:
    lines = FILES[name].splitlines()
    for turn in range(1, 6):
        spoilt = end.join(
            [lines[0], *(b";".join([*line.split(b";")[turn:], *line.split(b";")[:turn]]) for line in lines[1:])]
        )
        joined = b"".join([lines[0], b";", *lines[1:3], end, *lines[3:]])
        for text in (spoilt, joined):
            assert not shown(FILES | {name: text})


def test_a_file_of_any_size_is_refused_in_little_memory(tmp_path: Path) -> None:
    copy(tmp_path)
    with (tmp_path / "people.csv").open("wb") as file:
        file.truncate(2**30)
    line = b"x" * (MAX_BYTES - 1)
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match=r"people\.csv: got more than 16 MiB"):
            read_folder(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2 * MAX_BYTES
        tracemalloc.reset_peak()
        assert "people.csv:1: got a longer line" in lines_of(FILES | {"people.csv": line})[0]
        assert tracemalloc.get_traced_memory()[1] < 2 * MAX_BYTES
    finally:
        tracemalloc.stop()


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(FILES)), st.binary(max_size=200) | st.text(max_size=100).map(str.encode)))
def test_any_bytes_are_explained(files: dict[str, bytes]) -> None:
    with contextlib.suppress(SourceError):
        parse(FILES | files)
