"""Scenario files: every one loads, a wrong one is refused with the place, and its expected journal follows from its crowd."""

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from simulators.crowd import gather
from simulators.oracle import plan
from simulators.scenario import SCENARIOS, Scenario

FILES = sorted(path.stem for path in SCENARIOS.glob("*.toml"))


@pytest.mark.parametrize("name", FILES)
def test_the_expected_journal_follows_from_the_crowd(name: str) -> None:
    scenario = Scenario.load(name)
    crowd = gather(scenario, pupils=scenario.expected.pupils, seed=scenario.expected.seed)
    assert plan(scenario, crowd) == scenario.expected


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("late = 4", "crowd.late"),
        ("peak = 08:18:00", "arrivals.peak"),
        ('zone = "Europe/Moscow"', "zone"),
        ("start = 08:30:00", "lesson.start"),
    ],
)
def test_a_missing_key_is_named(tmp_path: Path, wrong: str, place: str) -> None:
    text = (SCENARIOS / "ordinary.toml").read_text(encoding="utf-8")
    assert wrong in text
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(wrong, ""), encoding="utf-8")
    with pytest.raises(ConfigError, match=place):
        Scenario.load(str(path))


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("late = 4", "late = 400", "crowd.late"),
        ("late = 4", "late = 4\nlater = 5", "crowd.later"),
        ('"Europe/Moscow"', '"Europe/Atlantis"', "IANA"),
        ("last = 08:28:00", "last = 08:29:30", "a minute before"),
        ("opens = 08:00", "opens = 09:00", "follow each other"),
        ("late = 4", "late = 6", "less than 10 together"),
        ("[crowd]", "[crowd", "wrong.toml"),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, right: str, wrong: str, sentence: str) -> None:
    text = (SCENARIOS / "ordinary.toml").read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(ConfigError, match=sentence):
        Scenario.load(str(path))


def test_an_unknown_scenario_is_told_where_scenarios_are() -> None:
    with pytest.raises(ConfigError, match="nowhere") as caught:
        Scenario.load("nowhere")
    assert "scenarios" in caught.value.hint
