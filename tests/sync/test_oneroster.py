"""OneRoster: what the vectors mean, in both versions, as a zip and as a folder, and what real exports look like."""

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.sources.oneroster import parse, read
from sync.sources.school import Part
from tests.sync.oneroster_files import EXPORTS, OLD, changed, zipped

SEPTEMBER, NOVEMBER = dt.date(2026, 9, 10), dt.date(2026, 11, 23)
VERA = "x-d8eea6015e9f7bee7f71fb709e80ec93"


def groups(part: Part) -> dict[str, tuple[str, ...]]:
    return {str(person.id): tuple(map(str, person.groups)) for person in part.people or ()}


def problems(part: Part) -> set[str]:
    return {remark.problem.split(" (and ")[0] for remark in part.remarks}


@pytest.mark.parametrize("version", EXPORTS)
def test_the_vectors_mean_this_school(version: str) -> None:
    part = parse(EXPORTS[version], on=NOVEMBER)
    assert part.name == "Школа для примера"
    assert [(person.last_name, person.first_name) for person in part.people or ()] == [
        ("Примерова", "Анна"),
        ("Примеров", "Борис"),
        ("Примерова", "Вера"),
    ]
    assert groups(part) == {
        "u-1": ("5А", "Английский EN-1"),
        "u-2": ("5Б", "Английский EN-2"),
        VERA: ("5Б", "Английский EN-2"),
    }
    assert [(group.id, group.grade, group.part_of) for group in part.classes or ()] == [
        ("5А", 5, None),
        ("5Б", 5, None),
        ("Английский EN-1", 5, "5А"),
        ("Английский EN-2", 5, "5Б"),
    ]
    assert problems(part) == {
        "the school year is from 2026-09-01 to 2027-05-31",
        "no term from 2026-10-26 to 2026-11-02",
        "a row that is not active any more is passed over",
        "only pupils are taken in; teachers, parents and others are left out: 2",
        "a pupil may not use systems (enabledUser), and is taken in all the same",
        "parents of pupils are left out: nobody is written to without having agreed",
    }


def test_both_versions_mean_the_same() -> None:
    one, other = (parse(files, on=NOVEMBER) for files in EXPORTS.values())
    assert (one.people, one.classes) == (other.people, other.classes)


def test_an_enrolment_counts_until_its_last_day() -> None:
    assert groups(parse(OLD, on=SEPTEMBER))["u-2"] == ("5А", "Английский EN-2")
    assert groups(parse(OLD, on=dt.date(2026, 10, 1)))["u-2"] == ("5А", "Английский EN-2")
    assert groups(parse(OLD, on=dt.date(2026, 10, 2)))["u-2"] == ("5Б", "Английский EN-2")


def test_without_a_day_the_homeroom_begun_last_counts() -> None:
    part = parse(OLD)
    assert groups(part)["u-2"] == ("5Б", "Английский EN-2")
    assert "a pupil has two homerooms: the primary one counts, of several the one begun last" in problems(part)
    assert any(problem.startswith("enrolments have dates, which do not count") for problem in problems(part))


def test_a_class_whose_terms_are_over_is_left_out() -> None:
    part = parse(OLD, on=dt.date(2027, 2, 1))
    assert [group.id for group in part.classes or ()] == ["5Б", "Английский EN-1", "Английский EN-2"]
    assert groups(part)["u-1"] == ("Английский EN-1",)
    assert "a pupil has groups, but no homeroom: the first group counts as the class" in problems(part)


def test_cards_addresses_and_whoever_is_no_pupil_are_never_read() -> None:
    for files in EXPORTS.values():
        part = parse(files)
        assert (part.cards, part.contacts, part.bells, part.lessons, part.calendar) == (None,) * 5
        everything = repr([(person.last_name, person.first_name, person) for person in part.people or ()]) + repr(part)
        for private in ("RFID", "0414A2C3116180", "example.org", "+7", "secret", "Образцов", "Мария", "Ушёл"):
            assert private not in everything
        assert "Примеров" not in repr(part)


@pytest.mark.parametrize("folder", ["", "export/", "Экспорт\\2026\\"])
def test_a_zip_and_a_folder_are_read_alike(tmp_path: Path, folder: str) -> None:
    (tmp_path / "roster.zip").write_bytes(zipped({**OLD, "readme.txt": b"\xff"}, folder))
    (tmp_path / "roster").mkdir()
    for name, data in OLD.items():
        (tmp_path / "roster" / name.upper()).write_bytes(data)
    assert read(tmp_path / "roster.zip") == read(tmp_path / "roster") == parse(OLD)


@st.composite
def exports(draw: st.DrawFn) -> dict[str, bytes]:
    """The vector of 1.1 as other systems would have written it."""
    files = {}
    for name, data in OLD.items():
        table = list(csv.reader(data.decode().splitlines()))
        case = draw(st.sampled_from(["as it is", "lower", "upper", "spaces"]))
        header = [
            {"lower": cell.lower(), "upper": cell.upper(), "spaces": f" {cell} "}.get(case, cell) for cell in table[0]
        ]
        extra = draw(st.sampled_from([[], ["metadata.jp.kanaGivenName"], ["ext_color", "ext_color", ""], ["", ""]]))
        rows = [[*row, *("x" if cell.strip() else "" for cell in extra)] for row in table[1:]]
        if name != "manifest.csv":
            rows += draw(st.lists(st.sampled_from(rows), max_size=2))
        if draw(st.booleans()):
            rows.append(["" for _ in rows[0]])
        order = (
            draw(st.permutations(range(len(header) + len(extra))))
            if "" not in extra
            else range(len(header) + len(extra))
        )
        quoting: Literal[0, 1] = 1 if draw(st.booleans()) else 0
        out = io.StringIO()
        end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
        writer = csv.writer(out, delimiter=draw(st.sampled_from(",;")), quoting=quoting, lineterminator=end)
        writer.writerows([row[at] for at in order] for row in ([*header, *extra], *rows))
        text = out.getvalue().removesuffix(end) + draw(st.sampled_from(["", end]))
        files[draw(st.sampled_from([name, name.lower(), name.upper()]))] = text.encode(
            draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1251"]))
        )
    return files


@settings(max_examples=60)
@given(exports())
def test_every_way_to_export_the_same_school_reads_the_same(files: dict[str, bytes]) -> None:
    part, plain = parse(files, on=NOVEMBER), parse(OLD, on=NOVEMBER)
    assert groups(part) == groups(plain)
    assert part.classes == plain.classes
    assert problems(part) == problems(plain)


BULK = "a row that is not active any more is passed over"
# What it is, a file, what is changed in it, and the remark that there is besides those of the vector.
QUIRKS = [
    ("misspelt dates", "users.csv", [("dateLastModified", "dataLastModified")], ""),
    ("singular names", "users.csv", [("grades", "grade"), ("agentSourcedIds", "agents"), ("orgSourcedIds", "orgSourcedId")], ""),
    ("status in words of another case", "users.csv", [("u-1,,", "u-1,Active,")], ""),
    ("a role in another case", "users.csv", [("school-12,student", "school-12,Student")], ""),
    ("grades as a list of JSON", "users.csv", [('"u-8,u-9",05', '"u-8,u-9","[""05""]"')], ""),
    ("a cell over two lines", "users.csv", [("teacher,,Пётр", 'teacher,,"Пётр\nИванович"')], ""),
    ("a homeroom in another case", "classes.csv", [("homeroom", "HomeRoom")], ""),
    ("a date with a time", "enrollments.csv", [("2026-09-01,2027", "2026-09-01T00:00:00Z,2027")], ""),
    ("a user for each school", "users.csv", [("u-2,,,true,school-12", "u-2,,,true,dist,student,b.primerov,,Борис,Примеров,,1002,,,,,05,\nu-2,,,true,school-12")], ""),
    ("an older word for what is gone", "users.csv", [("u-4,tobedeleted", "u-4,inactive")], ""),
    ("a school of no organisation", "classes.csv", [("EN-1,scheduled,301,school-12", "EN-1,scheduled,301,nowhere")], "a class of an organisation that the export does not have is taken for one of the school"),
    ("a session of no year", "classes.csv", [('"q1,q2"', "q9")], "a class names a session that the export does not have: its dates do not count"),
    ("an enrolment of nobody", "enrollments.csv", [("c-5a,school-12,u-7,teacher", "c-5a,school-12,u-99,student")], "an enrolment of a user that the export does not have is left out"),
    ("an enrolment in nothing", "enrollments.csv", [("c-5a,school-12,u-7,teacher", "c-99,school-12,u-1,student")], "an enrolment of a class that the export does not have is left out"),
    ("a session turned round", "academicSessions.csv", [("2026-11-03,2026-12-28", "2026-12-28,2026-11-03")], "a session ends before it begins: its dates do not count"),
    ("a file that should be absent", "manifest.csv", [("file.academicSessions,bulk", "file.academicSessions,absent")], "the manifest says that this file is absent: it is passed over"),
    ("a class that tells no grade", "classes.csv", [("year-27,,,\nc-eng1", "year-27,,,\nc-new,,,Дети,,,,homeroom,,school-12,,,,\nc-eng1")], "no grade can be told for a class, 0 is taken"),
    ("no homeroom at all", "classes.csv", [("homeroom", "scheduled"), ("homeroom", "scheduled")], "no class is a homeroom: every class is taken for a group"),
    ("a pupil in no class", "enrollments.csv", [("u-1,student,false", "u-1,proctor,false"), ("u-1,student,true", "u-1,proctor,true")], "a pupil who is in no class is left out"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "changes", "remark"), [quirk[1:] for quirk in QUIRKS], ids=[quirk[0] for quirk in QUIRKS]
)
def test_a_quirk_is_taken_or_told(file: str, changes: list[tuple[str, str]], remark: str) -> None:
    part, plain = parse(changed(file, *changes), on=NOVEMBER), parse(OLD, on=NOVEMBER)
    assert (remark in problems(part)) == bool(remark)
    if not remark:
        assert problems(part) == problems(plain)
        assert (groups(part), part.classes) == (groups(plain), plain.classes)
    assert all(item.place and item.hint for item in part.remarks)


def test_without_a_manifest_the_files_tell() -> None:
    part = parse({name: data for name, data in EXPORTS["1.2"].items() if name != "manifest.csv"}, on=NOVEMBER)
    assert groups(part) == groups(parse(OLD, on=NOVEMBER))
    assert "no manifest: taken for a whole export in OneRoster 1.2" in problems(part)


def test_of_several_schools_one_is_taken() -> None:
    files = changed("orgs.csv", ("school-12,,", "school-9,,,Другая школа,school,9,dist\nschool-12,,"))
    files = changed("users.csv", ("u-2,,,true,school-12", 'u-2,,,true,"dist,school-9"'), of=files)
    for name in ("12", "school-12", "Школа для примера"):
        part = parse(files, school=name, on=NOVEMBER)
        assert list(groups(part)) == ["u-1", VERA]
        assert part.name == "Школа для примера"
    assert parse(files, school="9", on=NOVEMBER).classes == ()


def test_a_role_counts_while_it_lasts() -> None:
    files = changed(
        "roles.csv", ("r-2,,,u-2,primary,student,,", "r-2,,,u-2,primary,student,,2026-10-31"), of=EXPORTS["1.2"]
    )
    assert "u-2" in groups(parse(files, on=SEPTEMBER))
    assert "u-2" not in groups(parse(files, on=NOVEMBER))


def test_groups_are_told_apart_whatever_their_order() -> None:
    lines = OLD["classes.csv"].decode().splitlines(keepends=True)
    same = "".join(lines).replace("EN-2", "EN-1").encode()
    turned = (lines[0] + "".join(reversed(lines[1:]))).replace("EN-2", "EN-1").encode()
    one, other = (parse({**OLD, "classes.csv": data}, on=NOVEMBER) for data in (same, turned))
    assert groups(one) == groups(other)
    assert len({group.id for group in one.classes or ()}) == 4
