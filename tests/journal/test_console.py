"""Commands that only read: they make no database, and bring none up to date."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from journal.cli import main

READING = (
    "report",
    "muster school-1",
    "explain p-1 2026-09-01",
    "notify list",
    "notify held school-1",
    "notify tasks",
    "card list p-1",
    "statement list",
    "timetable list",
    "gateway list",
    "broker-acl",
    "verify",
)


def refusal(folder: Path, words: str) -> str:
    result = CliRunner().invoke(main, [*words.split(), "--config", str(folder / "journal.toml")])
    assert result.exit_code == 1, (result.output, result.exception)
    told, hint = result.output.splitlines()
    assert hint == " hint: attendance-journal migrate"
    return told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "journal.toml").write_text(f'[state]\ndirectory = "{tmp_path}"\n', encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("words", READING)
def test_where_no_journal_ever_ran(folder: Path, words: str) -> None:
    assert "no journal ever ran on this database" in refusal(folder, words)
    assert [path.name for path in folder.iterdir()] == ["journal.toml"]


@pytest.mark.parametrize("words", READING)
def test_a_database_without_tables_or_of_another_version(folder: Path, words: str) -> None:
    with closing(sqlite3.connect(folder / "journal.db")) as database:
        database.execute("VACUUM")
        assert "no journal ever ran" in refusal(folder, words)
        database.execute("CREATE TABLE sites (site TEXT)")
        assert "cannot be read" in refusal(folder, words)
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("sites",)]
    assert not list(folder.glob("*.key"))
