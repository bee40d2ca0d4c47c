"""Spoils files for the parsers of sources and prints which of them a parser did not stand: `python -m tests.fuzz --help`."""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.judge import Outcome, case, judge, run
from tests.fuzz.parsers import PARSERS

#: Files of one process: what leaks would show, what is killed costs little.
_CHUNK = 1000


def main() -> int:
    """0 when every file was stood, 1 when one was not."""
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    arguments.add_argument("parsers", nargs="*", metavar="PARSER", help=f"of {', '.join(PARSERS)}; all if none is named")
    arguments.add_argument("--files", type=int, default=1000, help="how many for each parser (1000)")
    arguments.add_argument("--seed", type=int, default=1, help="other files with another one (1)")
    arguments.add_argument("--processes", type=int, default=os.cpu_count(), help="at the same time")
    arguments.add_argument("--only", type=int, help="replay this one, in this process")
    arguments.add_argument("--save", type=Path, help="with --only: where the files are put first")
    given = arguments.parse_args()
    if unknown := set(given.parsers) - PARSERS.keys():
        arguments.error(f"no parser is called {', '.join(sorted(unknown))}")
    if given.only is not None:
        files = case(given.parsers[0], given.seed, given.only)
        for name, data in files.items() if given.save else ():
            (given.save / name).write_bytes(data)
        print("understood" if judge(given.parsers[0], files) else "refused")
        return 0
    return max([_fuzz(parser, given.seed, given.files, given.processes) for parser in given.parsers or PARSERS])


def _fuzz(parser: str, seed: int, files: int, processes: int) -> int:
    begun = time.monotonic()
    chunks = [(first, min(_CHUNK, files - first)) for first in range(0, files, _CHUNK)]

    def told(chunk: tuple[int, int]) -> Outcome:
        outcome = run(parser, seed, *chunk)
        for failure in outcome.failures:
            print(failure, flush=True)
        return outcome

    # Each thread waits for its own child.
    with ThreadPoolExecutor(processes) as pool:
        outcomes = [*pool.map(told, chunks)]
    failed = sum(len(outcome.failures) for outcome in outcomes)
    understood, refused = (sum(getattr(outcome, name) for outcome in outcomes) for name in ("taken", "refused"))
    memory = max((outcome.memory for outcome in outcomes), default=0) / 1024
    spent = time.monotonic() - begun
    print(
        f"{parser}: {files} files in {spent:.0f} s: {understood} understood, {refused} refused, {failed} not stood; "
        f"at most {memory:.0f} MiB",
        flush=True,
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
