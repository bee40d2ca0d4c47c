"""Hundreds of simulated mornings keep every promise under every fault; and with a bug in the product they do not."""

import re

import pytest
from click.testing import CliRunner

from tests.faults.__main__ import main, span, tally
from tests.faults.plants import PLANTS, Plant, green_before_the_commit
from tests.faults.world import play, prepared

#: A planted bug shows within so many seeds.
_SEEDS = 60

pytestmark = pytest.mark.timeout(600)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", ["1-50", "51-100", "101-150", "151-200"])
def test_no_seed_breaks_a_promise_and_every_fault_has_happened(seeds: str) -> None:
    found = tally(span(seeds))
    assert found.complaints == []
    assert found.never == []
    # Nobody can break the promise to call nobody absent wrongly where nobody is called absent at all.
    assert found.absences > 0
    assert found.mails > 0
    assert found.green > found.taps / 2


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Plant) -> None:
    with prepared() as database, pytest.MonkeyPatch.context() as patch:
        plant(patch)
        first, words = PLANTS[plant]
        assert any(words in (play(seed, database).wrong or "") for seed in range(first, first + _SEEDS))


def test_a_seed_tells_the_same_story_each_time() -> None:
    with prepared() as database:
        stories = {re.sub(r"\S*simulated-\w+", "", "\n".join(play(3, database).chance.story)) for _ in range(2)}
    assert len(stories) == 1


def test_a_red_seed_names_the_command_that_replays_it_and_tells_its_story(monkeypatch: pytest.MonkeyPatch) -> None:
    green_before_the_commit(monkeypatch)
    told = CliRunner().invoke(main, ["1"])
    assert told.exit_code == 1
    assert "make simulate SEEDS=1\n" in told.stderr
    assert "shows green and has no entry of it" in told.stderr
    assert "north starts" in told.stdout
