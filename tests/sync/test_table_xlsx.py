"""Tables as workbooks: cells as a spreadsheet shows them, and files that only look like workbooks."""

import contextlib
import csv
import datetime as dt
import io
import sys
import zipfile
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.cell import Cell

from gateway.errors import SourceError
from sync.sources import xlsx
from sync.sources.school import School
from sync.sources.table import parse, parse_part
from tests.school import FILES, lines_of

WHOLE = parse(FILES)


def cells_of(name: str) -> list[list[str]]:
    return list(csv.reader(FILES[name].decode().splitlines(), delimiter=";"))


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]], formats: Mapping[str, str] | None = None) -> bytes:
    """A workbook of these sheets; formats by the header of a column."""
    book = Workbook()
    book.remove(book["Sheet"])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        for at, header in enumerate(rows[0] if rows else (), 1):
            for cell in next(sheet.iter_cols(min_col=at, max_col=at, min_row=2), ()):
                if isinstance(cell, Cell) and (shown := (formats or {}).get(str(header))):
                    cell.number_format = shown
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_workbooks() -> dict[str, bytes]:
    return {"site.toml": FILES["site.toml"]} | {
        name.replace(".csv", ".xlsx"): workbook({"Лист1": cells_of(name)}) for name in FILES if name.endswith(".csv")
    }


def test_a_workbook_for_each_table_is_the_same_school() -> None:
    assert parse(as_workbooks()) == WHOLE


def test_a_sheet_for_each_table_is_the_same_school() -> None:
    russian = {"people": "Ученики", "lessons": "Уроки"}
    tables = [name.removesuffix(".csv") for name in FILES if name.endswith(".csv") and name != "cards.csv"]
    book = workbook({"Памятка": [["что-то"]]} | {russian.get(name, name): cells_of(f"{name}.csv") for name in tables})
    files = {name: FILES[name] for name in ("site.toml", "cards.csv")}
    assert parse(files | {"school.xlsx": book}) == WHOLE
    assert parse(files | {"Школа.XLSX": book}) == WHOLE


def test_cells_are_read_as_they_are_shown() -> None:
    bells: list[Sequence[object]] = [
        ["bells", "shift", "lesson", "start", "end"],
        ["normal", 1.0, 1, dt.time(8, 30), dt.timedelta(hours=9)],
    ]
    monday, opens = (dt.datetime.fromisoformat(f"2025-10-27T{time}") for time in ("00:00", "07:30"))
    calendar: list[Sequence[object]] = [["date", "date_to", "kind"], [monday, dt.date(2025, 11, 3), "holiday"]]
    people: list[Sequence[object]] = [["id", "last_name", "first_name", "class"], [7, "\u00a0А\u00a0\nБ", "В", 5]]
    header = ["gateway", "lane", "direction", "opens", "closes", "rotations"]
    lanes: list[Sequence[object]] = [header, ["main", "a", "in", opens, dt.time(20), True]]
    part = parse_part(
        {
            "bells.xlsx": workbook({"a": bells}, {"end": "[h]:mm"}),
            "calendar.xlsx": workbook({"a": calendar}),
            "people.xlsx": workbook({"a": people}, {"id": "0000"}),
            "lanes.xlsx": workbook({"a": lanes}, {"opens": "hh:mm"}),
        }
    )
    assert part.bells
    assert (part.bells[0].shift, part.bells[0].start, part.bells[0].end) == (1, dt.time(8, 30), dt.time(9))
    assert part.calendar
    assert (part.calendar[0].date, part.calendar[0].last) == (dt.date(2025, 10, 27), dt.date(2025, 11, 3))
    assert part.people
    assert (part.people[0].id, part.people[0].last_name, part.people[0].groups) == ("0007", "А Б", ("5",))
    assert part.lanes
    assert (part.lanes[0].opens, part.lanes[0].closes, part.lanes[0].rotations) == (dt.time(7, 30), dt.time(20), True)


@pytest.mark.parametrize("lost", [4141234, 41412340000000.0, "0000000000"])
def test_a_uid_in_a_cell_of_numbers_is_refused(lost: object) -> None:
    number = 12345678 if lost == "0000000000" else lost
    shown = {"uid": str(lost)} if isinstance(lost, str) else {}
    rows: list[Sequence[object]] = [["technology", "uid", "person"], ["14443a", number, "p0001"]]
    (line,) = lines_of(
        {name: data for name, data in FILES.items() if name != "cards.csv"}
        | {"cards.xlsx": workbook({"a": rows}, shown)}
    )
    assert line.startswith("cards.xlsx:2:uid: got a text of ")
    assert "expected a UID in a cell of text: a number has lost its leading zeros (format the column as text" in line


def test_places_are_rows_and_headers_of_the_sheet() -> None:
    classes = [[], ["Класс", "Параллель", "Звонки"], [], ["2А", "вторая", "normal"]]
    profile = b"[classes]\nheader = 2\n"
    (line,) = lines_of(
        {"school.xlsx": workbook({"классы": classes}), "profile.toml": profile}
        | {name: data for name, data in FILES.items() if name != "classes.csv"}
    )
    assert (
        line == 'school.xlsx[классы]:4:Параллель: got "вторая", expected a whole number from 0 to 13 (mend this cell)'
    )


def test_cards_never_stand_beside_names() -> None:
    book = workbook({name: cells_of(f"{name}.csv") for name in ("people", "cards")})
    files = {name: data for name, data in FILES.items() if name not in {"people.csv", "cards.csv"}}
    assert lines_of(files | {"school.xlsx": book}) == [
        "school.xlsx: got cards beside names, expected cards in a file of their own (move the sheet into a file of its own: cards.xlsx)"
    ]


def test_two_files_for_one_table() -> None:
    (line,) = lines_of(FILES | {"people.xlsx": workbook({"a": cells_of("people.csv")})})
    assert line.startswith("people.xlsx: got a table that people.csv is, too, expected one file for each table")


def test_a_sheet_that_is_not_there() -> None:
    files = {name: data for name, data in FILES.items() if name != "people.csv"}
    book = workbook({"Список": cells_of("people.csv")})
    (line,) = lines_of(files | {"people.xlsx": book, "profile.toml": '[people]\nsheet = "Спсок"\n'.encode()})
    assert line == 'people.xlsx: got no sheet "Спсок", expected a sheet of this name (did you mean "Список"?)'


def spoilt(member: str, data: bytes, compress: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A workbook of people one of whose members is replaced, or added."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook({"a": cells_of("people.csv")}))) as whole,
        zipfile.ZipFile(out, "w", compress) as copy,
    ):
        for name in whole.namelist():
            if name != member:
                copy.writestr(name, whole.read(name))
        copy.writestr(member, data)
    return out.getvalue()


def test_the_library_prints_nothing_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook({"a": cells_of("people.csv")}))) as whole:
        styles = whole.read("xl/styles.xml").replace(
            b'<cellStyle name="Normal" xfId="0"', b'<cellStyle name="Normal" xfId="32"'
        )
    assert b'xfId="32"' in styles
    with pytest.raises(SourceError):
        parse_part({"people.xlsx": spoilt("xl/styles.xml", styles)})
    assert capsys.readouterr() == ("", "")


LAUGHS = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>'
SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/><sheetData>'
TITLES = (
    b"<row>"
    + b"".join(b'<c t="inlineStr"><is><t>%s</t></is></c>' % name.encode() for name in cells_of("people.csv")[0])
    + b"</row>"
)
TAIL = b"</sheetData></worksheet>"


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (spoilt("xl/bomb.xml", b"\0" * (64 * 1024 * 1024 + 1)), "something that expands to more than 64 MiB"),
        (spoilt("xl/sharedStrings.xml", LAUGHS.encode()), 'a document type in "xl/sharedStrings.xml"'),
        (spoilt("xl/styles.xml", LAUGHS.encode("utf-16")), 'a document type in "xl/styles.xml"'),
        (spoilt("xl/styles.xml", b" " * (1024 * 1024 - 3) + LAUGHS.encode()), 'a document type in "xl/styles.xml"'),
        (spoilt(SHEET, HEAD + b"<row>" + b"<c/>" * xlsx.MAX_CELL_TAGS + b"</row>" + TAIL), "a larger workbook"),
        (spoilt("xl/styles.xml", HEAD + b"<xf/>" * xlsx.MAX_OTHER_TAGS + TAIL), "a larger workbook"),
        (spoilt(SHEET, HEAD + TITLES + b'<row r="1048576"><c r="XFD1"><v>1</v></c></row>' + TAIL), "more rows"),
        (spoilt(SHEET, HEAD + b'<row><c t="s"><v>99</v></c></row>' + TAIL), "a damaged workbook (IndexError)"),
        (spoilt("xl/workbook.xml", b"<workbook"), "a damaged workbook (ParseError)"),
        (b"PK\x01\x02" * 1001, "more members"),
        (b"id;last_name\n", "a damaged workbook (BadZipFile)"),
        (b"x" * (16 * 1024 * 1024 + 1), "more than 16 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_workbook_is_refused_before_it_grows(data: bytes, got: str) -> None:
    files = {name: data for name, data in FILES.items() if name != "people.csv"}
    (line,) = lines_of(files | {"people.xlsx": data})
    assert f": got {got}, expected" in line


@settings(max_examples=60)
@given(st.data())
def test_any_damage_to_a_workbook_is_explained(data: st.DataObject) -> None:
    whole = workbook({"a": cells_of("people.csv")})
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        member = data.draw(st.sampled_from(archive.namelist()))
        raw = bytearray(archive.read(member))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 8))] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b'r="A9999999"', b"<c>", b"1e999"])
        )
    files = {name: data for name, data in FILES.items() if name != "people.csv"}
    with contextlib.suppress(SourceError):
        assert isinstance(parse(files | {"people.xlsx": spoilt(member, bytes(raw))}), School)


def test_without_openpyxl_a_workbook_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    files = {name: data for name, data in FILES.items() if name != "people.csv"}
    (line,) = lines_of(files | {"people.xlsx": spoilt("a", b"")})
    assert (
        line == "people.xlsx: got a workbook, expected CSV, as openpyxl is not installed here (save each table as CSV)"
    )
