"""Whether a parser stood a spoilt file: a value or a clean SourceError, soon, and in bounded memory."""

import contextlib
import multiprocessing
import multiprocessing.connection
import random
import resource
import signal
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized

from gateway.errors import MAX_PROBLEMS, SourceError
from tests.fuzz.mutation import spoilt
from tests.fuzz.parsers import PARSERS

#: Of one file, of the processor's time: a spoilt one has at most 256 KiB, or expands to no more than a few MiB.
MOST_SECONDS = 20
#: Of address space, everything included.
MOST_MEMORY = 1536 * 1024 * 1024
_LONGEST_PROBLEM = 2_000
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A file that a parser did not stand."""

    parser: str
    seed: int
    number: int
    why: str

    def __str__(self) -> str:
        command = f"python -m tests.fuzz {self.parser} --seed {self.seed} --only {self.number}"
        return f"{self.why}\nreplay it: {command}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a run of files."""

    #: How many were understood, how many refused.
    taken: int
    refused: int
    failures: tuple[Failure, ...]
    #: The most that a process held, in KiB.
    memory: int

    @property
    def counts(self) -> tuple[int, int, int]:
        """Understood, refused, not stood."""
        return self.taken, self.refused, len(self.failures)


def case(parser: str, seed: int, number: int) -> Mapping[str, bytes]:
    """The files of one case."""
    chance = random.Random(f"{parser} {seed} {number}")
    return spoilt(chance, chance.choice(PARSERS[parser].samples()), PARSERS[parser].words)


def judge(parser: str, files: Mapping[str, bytes]) -> bool:
    """Whether the files were understood. Raises AssertionError for an unclean refusal, and whatever the parser lets through."""
    try:
        PARSERS[parser].read(files)
    except SourceError as refused:
        problems = refused.problems
        assert 0 < len(problems) <= MAX_PROBLEMS, f"{len(problems)} problems"
        for problem in problems:
            text = str(problem)
            assert all((problem.place, problem.got, problem.expected, problem.hint)), text
            assert text.isprintable(), ascii(text)
            assert len(text) <= _LONGEST_PROBLEM, text
        return False
    return True


def run(parser: str, seed: int, first: int, count: int) -> Outcome:
    """The cases first to first + count - 1, each process as long as it lives; a lost one costs its case only."""
    taken = refused = memory = 0
    failures: list[Failure] = []
    number = first
    while number < first + count:
        done = _in_child(parser, seed, number, first + count - number)
        taken, refused, memory = taken + done.taken, refused + done.refused, max(memory, done.memory)
        failures += done.failures
        number += done.taken + done.refused + len(done.failures)
    return Outcome(taken=taken, refused=refused, failures=tuple(failures), memory=memory)


def _in_child(parser: str, seed: int, first: int, count: int) -> Outcome:
    """Until a case kills the process, at the latest until the last one."""
    current: Synchronized[int] = _SPAWN.Value("q", first)
    ours, theirs = _SPAWN.Pipe(duplex=False)
    child = _SPAWN.Process(target=_serve, args=(theirs, current, parser, seed, first, count))
    child.start()
    theirs.close()
    counts, failures = [0, 0, 0], list[Failure]()
    with contextlib.suppress(EOFError):
        while True:
            match ours.recv():
                case Failure() as failure:
                    failures.append(failure)
                case told:
                    counts = told
    child.join()
    if child.exitcode != 0:
        why = f"the process ended by {_name(child.exitcode or 0)}"
        failures.append(Failure(parser=parser, seed=seed, number=current.value, why=why))
        # What it did not live to tell: none of them failed.
        counts[0] += current.value - first - counts[0] - counts[1] - len(failures) + 1
    return Outcome(taken=counts[0], refused=counts[1], failures=tuple(failures), memory=counts[2])


def _name(code: int) -> str:
    if code == -signal.SIGVTALRM:
        return f"{MOST_SECONDS} s of work on one file"
    return signal.Signals(-code).name if code < 0 else f"status {code}"


def _serve(
    pipe: "multiprocessing.connection.Connection[object, object]",
    current: "Synchronized[int]",
    parser: str,
    seed: int,
    first: int,
    count: int,
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    taken = refused = 0
    for number in range(first, first + count):
        current.value = number
        files = case(parser, seed, number)
        try:
            with _limited():
                understood = judge(parser, files)
        except BaseException:  # noqa: BLE001 - whatever it is, it is the finding
            pipe.send(Failure(parser=parser, seed=seed, number=number, why=traceback.format_exc(limit=-6)))
        else:
            taken, refused = taken + understood, refused + (not understood)
        if number % 100 == 0 or number == first + count - 1:
            pipe.send([taken, refused, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """The kernel ends the process when a file takes too long, wherever it hangs."""
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
