"""Every list of commands says what each does to the end of a sentence."""

import click
import pytest
from click.testing import CliRunner

from gateway.cli import main as gateway
from journal.cli import main as journal
from simulators.cli import main as simulators

PROGRAMS: dict[str, click.Group] = {"gateway": gateway, "journal": journal, "sim": simulators}
LISTS = [(name,) for name in PROGRAMS] + [
    ("journal", group) for group in ("statement", "card", "timetable", "notify", "directory", "gateway", "key")
]


@pytest.mark.parametrize("path", LISTS, ids=" ".join)
def test_no_list_is_cut(path: tuple[str, ...]) -> None:
    said = CliRunner().invoke(PROGRAMS[path[0]], [*path[1:], "--help"])
    assert said.exit_code == 0
    _, heading, listed = said.stdout.partition("Commands:")
    assert heading
    assert "..." not in listed
