"""Everything that can be wrong with a OneRoster export, each with the line a person gets; and archives made to harm."""

import contextlib
import os
import random
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import SourceError
from sync.sources import archive
from sync.sources.oneroster import parse, read
from sync.sources.rows import MAX_BYTES, Problems
from tests.sync.oneroster_files import EXPORTS, OLD, changed, lines_of, zipped

# A file, what is replaced in it by what; then the line a person gets.
BROKEN = [
    ("manifest.csv", "oneroster.version,1.1", "oneroster.version,1.0", 'manifest.csv: got version "1.0", expected OneRoster 1.1 or 1.2 (export it in one of these versions)'),
    ("manifest.csv", "oneroster.version,1.1\n", "", "manifest.csv: got no oneroster.version, expected OneRoster 1.1 or 1.2 (export it in one of these versions)"),
    ("manifest.csv", "file.users,bulk", "file.users,delta", "users.csv: got a delta, expected a bulk export (export everything: what a delta leaves out cannot be known here)"),
    ("manifest.csv", "file.users,bulk", "file.users,some", 'manifest.csv:file.users: got "some", expected one of bulk, delta, absent (export it again)'),
    ("manifest.csv", "file.users,bulk", "file.users,absent", "users.csv: got no such file, expected this file in the export (export it again)"),
    ("users.csv", "sourcedId", "id", "users.csv:1:sourcedid: got no such column, expected a column sourcedid (add it)"),
    ("users.csv", "u-1,,", ",,", "users.csv:2:sourcedid: got an empty cell, expected a value in every row (fill it in or remove the row)"),
    ("users.csv", "u-1,,", "u-1,maybe,", "users.csv:2:status: got a text of 5 characters, expected one of active, tobedeleted (take one of these words)"),
    ("users.csv", "Анна,Примерова", ",Примерова", "users.csv:2:givenname: got an empty cell, expected a name for every pupil (fill it in where the export comes from)"),
    ("users.csv", "u-2,,,true", "u-1,,,true", "users.csv:3:sourcedid: got two pupils of one id, expected each id once, or always the same names (mend it where the export comes from)"),
    ("users.csv", ",role,", ",rolle,", "users.csv:role: got no role in any row, expected a column role, or roles.csv (export the roles as well)"),
    ("users.csv", "Анна,Примерова", "Анна\x07,Примерова", "users.csv:2:givenname: got a text of 5 characters, expected at most 500 characters that can be seen (type the cell anew)"),
    ("users.csv", "sourcedId,", 'sourced"Id",', "users.csv:1:sourcedid: got no such column, expected a column sourcedid (add it)"),
    ("users.csv", "sourcedId,", '"sourced"Id,', "users.csv:1: got a cell without an end, expected quotes in pairs, around cells of ordinary length (mend the quotes, or export it again)"),
    ("users.csv", "Анна", '"Анна', "users.csv:2: got a cell without an end, expected quotes in pairs, around cells of ordinary length (mend the quotes, or export it again)"),
    ("users.csv", ",secret", ",secret,more", "users.csv:2: got 19 cells, expected at most 18, as in the header (put a text with the separator into quotes)"),
    ("classes.csv", "c-5b,,,5Б", "c-5a,,,5Б", "classes.csv:3:sourcedid: got the id of row 2, otherwise unlike it, expected each class once (remove one of the rows)"),
    ("enrollments.csv", "2026-10-01", "1.13.2026", "enrollments.csv:4:enddate: got a text of 9 characters, expected a date of this century like 2025-09-01 or 01.09.2025 (mend this cell)"),
    ("orgs.csv", "dist,,,Пример-город,district", "dist,,,Пример-город,school", "orgs.csv: got 2 schools, expected one, or its name beside the export (say which of them is meant: --school NAME)"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "line"), BROKEN)
def test_a_broken_export_is_explained(file: str, old: str, new: str, line: str) -> None:
    lines = lines_of(changed(file, (old, new)))
    assert line in lines
    assert len(lines) <= 2, "one mistake is told once, and where else it shows"


@pytest.mark.parametrize("name", ["users.csv", "classes.csv", "enrollments.csv", "orgs.csv"])
def test_a_file_that_is_missing_is_named(name: str) -> None:
    files = {file: data for file, data in OLD.items() if file != name}
    assert lines_of(files) == [f"{name}: got no such file, expected this file in the export (export it again)"]


def test_a_school_that_is_not_there_is_not_guessed() -> None:
    assert lines_of(OLD, school="Школа для примеру") == [
        'orgs.csv: got 0 schools of that name, expected the school that is asked for (did you mean "Школа для примера"?)'
    ]


def test_no_message_names_anybody() -> None:
    said = []
    for export in EXPORTS.values():
        for file, whole in export.items():
            for spoil in ("\x07", '"', ",,,,,,,,,,,,,,,,,,,,,,,,,,,x", "\n"):
                data = whole.decode().replace(",", f"{spoil},").encode()
                with contextlib.suppress(SourceError):
                    said.append(repr(parse({**export, file: data}).remarks))
                    continue
                said += lines_of({**export, file: data})
    assert said
    for private in ("Пример", "Анна", "Образцов", "vera@", "example.org", "+7", "secret", "u-1", "RFID"):
        assert not [line for line in said if private in line]


def bomb(size: int, times: int = 1) -> bytes:
    return zipped({f"{'x/' * n}users.csv": bytes(size) for n in range(times)})


def listing(entries: int) -> bytes:
    """An archive without files that lists very many."""
    entry = b"PK\x01\x02" + bytes(42)
    return entry * entries + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, len(entry) * entries, 0, 0)


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (bomb(MAX_BYTES + 1), "more when it is unpacked"),
        (bomb(MAX_BYTES, 5), "more when it is unpacked"),
        (listing(300_000), "a larger archive"),
        (zipped({f"{n}.csv": b"" for n in range(1_001)}), "a larger archive"),
        (bytes(MAX_BYTES + 1), "a larger archive"),
        (zipped(OLD, method=zipfile.ZIP_BZIP2), "a file that cannot be unpacked here"),
        (zipped(OLD, method=zipfile.ZIP_LZMA), "a file that cannot be unpacked here"),
        (zipped(OLD)[:-30], "no zip, or a damaged one"),
        (b"sourcedId,status", "no zip, or a damaged one"),
        (b"", "no zip, or a damaged one"),
        (zipped({"a/users.csv": b"1", "b/users.csv": b"2"}), "another users.csv"),
    ],
    ids=["large", "together", "listing", "many", "size", "bzip2", "lzma", "cut", "csv", "empty", "twice"],
)
def test_an_archive_made_to_harm_is_refused(tmp_path: Path, data: bytes, got: str) -> None:
    (tmp_path / "roster.zip").write_bytes(data)
    with pytest.raises(SourceError) as caught:
        read(tmp_path / "roster.zip")
    assert f"roster.zip: got {got}" in str(caught.value)


def test_what_a_zip_lists_and_what_it_holds_may_differ(tmp_path: Path) -> None:
    data = bytearray(zipped({"users.csv": bytes(100_000)}))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    data[at + 16 : at + 20] = zlib.crc32(bytes(10)).to_bytes(4, "little")
    (tmp_path / "roster.zip").write_bytes(data)
    with pytest.raises(SourceError):
        read(tmp_path / "roster.zip")


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"users.csv": b"sourcedId"}))
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.find(mark) + offset] |= 1
    (tmp_path / "roster.zip").write_bytes(data)
    with pytest.raises(SourceError, match="expected an archive without a password"):
        read(tmp_path / "roster.zip")


def test_a_pipe_and_nothing_are_no_archives(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    for name in ("pipe.zip", "nothing.zip", "no/folder.zip"):
        with pytest.raises(SourceError):
            read(tmp_path / name)


def test_what_nobody_wants_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED", 20_000)
    (tmp_path / "roster.zip").write_bytes(zipped({**OLD, "photos.csv": bytes(1_000_000)}))
    assert read(tmp_path / "roster.zip") == parse(OLD)


@settings(max_examples=100)
@given(st.randoms(use_true_random=False), st.integers(1, 12), st.sampled_from(sorted(EXPORTS)))
def test_any_damage_ends_in_a_clean_error_or_in_a_part(chance: random.Random, times: int, version: str) -> None:
    files = dict(EXPORTS[version])
    for _ in range(times):
        name = chance.choice(sorted(files))
        data = bytearray(files[name])
        at = chance.randrange(len(data) + 1)
        data[at : at + chance.choice((1, 1, 4, 40))] = chance.choice(
            (b"", bytes([chance.randrange(256)]), b'"', b",", b"\n", data[-99:])
        )
        files[name] = bytes(data)
    with contextlib.suppress(SourceError):
        parse(files)


@settings(max_examples=100)
@given(st.randoms(use_true_random=False), st.integers(1, 12))
def test_a_damaged_zip_ends_in_a_clean_error_or_in_a_part(chance: random.Random, times: int) -> None:
    data = bytearray(zipped(OLD))
    for _ in range(times):
        data[chance.randrange(len(data))] = chance.randrange(256)
    problems = Problems()
    files = archive.unpack("roster.zip", bytes(data), {name.lower() for name in OLD}, problems)
    assert sum(map(len, files.values())) <= archive.MAX_UNPACKED
    with contextlib.suppress(SourceError):
        problems.settle()
        parse(files)
