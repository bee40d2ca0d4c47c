"""The screen fits a small terminal in both languages, and the numbers on it are the ones it was given."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from simulators.live import _WORDS, LaneView, Row, Screen, Snapshot, Verdict, _board, _plain, language_of
from simulators.oracle import Lamp

NOW = Snapshot(
    clock=datetime(2026, 9, 9, 8, 12, 40, tzinfo=UTC),
    speed=60,
    passed=0.4,
    opens="08:00",
    lesson="08:30–09:15",
    lanes=[
        LaneView(
            gateway=gateway, lane=f"{gateway}-{kind}", reader=kind, alive=kind == "nfc", waiting=14, taps=123, lamp=lamp
        )
        for gateway in ("north", "south")
        for kind, lamp in (("rdm6300", Lamp.GREEN), ("nfc", None))
    ],
    others=[("broker", True), ("journal", False)],
    cards=213,
    green=208,
    recorded=240,
    journal=236,
    mails=[f"08:{minute} {'a long name ' * 9}" for minute in range(37, 44)],
)


def drawn(language: str) -> str:
    paper = io.StringIO()
    Console(width=80, height=24, file=paper).print(_board(NOW, _WORDS[language]))
    return paper.getvalue()


@pytest.mark.parametrize("language", ["ru", "en"])
def test_it_fits_80_by_24(language: str) -> None:
    lines = drawn(language).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    for number in (NOW.cards, NOW.green, NOW.recorded, NOW.journal, 7, 4):
        assert f"{number} " in drawn(language)


def test_both_languages_have_every_word() -> None:
    assert _WORDS["ru"].keys() == _WORDS["en"].keys()
    assert "213" in _plain(NOW, _WORDS["ru"])


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "ru_RU"}, "ru"),
    ],
)
def test_the_language_is_that_of_the_terminal(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


@pytest.mark.parametrize(("note", "told"), [("blind", True), ("", False)])
def test_what_looks_like_a_mistake_is_said_to_be_none(
    capsys: pytest.CaptureFixture[str], note: str, told: bool
) -> None:
    Screen("en", demo=True).end(Verdict(rows=[], mismatches=[], hints=[], note=note))
    assert ("no parent is told: that is intended" in capsys.readouterr().out) is told


def test_a_lie_is_seen_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Row(word="present", found="270", expected="270"), Row(word="late", found="15", expected="16", wrong=True)]
    Screen("en", demo=True).end(Verdict(rows=rows, mismatches=["p1 is absent"], hints=[("README.md", "read")]))
    told = capsys.readouterr().out
    assert "does not reconcile" in told
    assert "p1 is absent" in told
    assert "README.md" in told
