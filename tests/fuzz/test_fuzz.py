"""Some hundred spoilt files of every kind with each run of the tests, and the judge judged: what it must not let pass."""

import random
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.errors import Problem, SourceError
from tests.fuzz import judge as court
from tests.fuzz.judge import case, judge, run
from tests.fuzz.mutation import MOST_BYTES, spoilt
from tests.fuzz.parsers import PARSERS, Parser

_FILES = {"xlsx": 60}


@pytest.mark.parametrize("parser", PARSERS)
def test_files_as_they_are_are_understood(parser: str) -> None:
    assert [judge(parser, files) for files in PARSERS[parser].samples()] == [True] * len(PARSERS[parser].samples())


@pytest.mark.parametrize("parser", PARSERS)
def test_spoilt_files_are_understood_or_cleanly_refused(parser: str) -> None:
    refused = [number for number in range(_FILES.get(parser, 200)) if not judge(parser, case(parser, 1, number))]
    assert refused


def test_the_same_seed_spoils_the_same_way_and_never_without_end() -> None:
    assert case("table", 1, 7) == case("table", 1, 7) != case("table", 2, 7)
    chance = random.Random(1)
    large = [spoilt(chance, {"a": b"x;y\n" * 30_000}, [b"word"]) for _ in range(40)]
    assert max(len(files["a"]) for files in large) == MOST_BYTES


def refusing(got: str, *, problems: int = 1) -> Parser:
    def read(_: Mapping[str, bytes]) -> object:
        raise SourceError.of([Problem(place="a:1", got=got, expected="b", hint="c")] * problems)

    return Parser(samples=list, read=read, words=[])


@pytest.mark.parametrize(
    "parser",
    [refusing("\u202etxt"), refusing("two\nlines"), refusing(""), refusing("x" * 3000), refusing("x", problems=0)],
)
def test_a_refusal_that_is_not_clean_is_a_finding(monkeypatch: pytest.MonkeyPatch, parser: Parser) -> None:
    monkeypatch.setattr(court, "PARSERS", {"it": parser, "clean": refusing("x")})
    assert judge("clean", {}) is False
    with pytest.raises(AssertionError):
        judge("it", {})


# The number of a case is in its file, so that the bad ones are known.
_BAD = """
import os, signal
import tests.fuzz.judge as court
from tests.fuzz.parsers import Parser

bad = {
    1: lambda: [].pop(),
    3: lambda: [None for _ in iter(int, 1)],
    5: lambda: bytearray(1 << 40),
    7: lambda: os._exit(3),
    8: lambda: os.kill(os.getpid(), signal.SIGSEGV),
}
court.MOST_SECONDS, court.MOST_MEMORY = 1, 1 << 32
court.case = lambda parser, seed, number: {"number": str(number).encode()}
court.PARSERS = {"it": Parser(samples=list, read=lambda files: bad.get(int(files["number"]), int)(), words=[])}
if __name__ == "__main__":
    outcome = court.run("it", 1, 0, 10)
    print(outcome.counts)
    for failure in outcome.failures:
        print(failure.number, failure)
"""


def test_what_a_process_does_not_survive_is_one_finding_and_all_others_are_judged(tmp_path: Path) -> None:
    script = tmp_path / "bad.py"
    script.write_text(_BAD, encoding="utf-8")
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.startswith("(5, 0, 5)\n")
    whys = ("IndexError", "1 s of work on one file", "MemoryError", "status 3", "SIGSEGV")
    for number, why in zip((1, 3, 5, 7, 8), whys, strict=True):
        assert re.search(rf"(?s)\n{number} .*{why}.*python -m tests.fuzz it --seed 1 --only {number}\n", done.stdout)


def test_a_finding_is_replayed_by_its_command() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "icalendar", "--seed", "1", "--only", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"icalendar: {'understood' if judge('icalendar', case('icalendar', 1, 7)) else 'refused'}\n"


def test_a_run_in_child_processes_finds_what_this_process_finds() -> None:
    outcome = run("icalendar", 3, 10, 40)
    here = [judge("icalendar", case("icalendar", 3, number)) for number in range(10, 50)]
    assert outcome.counts == (sum(here), 40 - sum(here), 0)
