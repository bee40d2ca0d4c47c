"""Spoils files for the parsers of sources and prints each that a parser did not stand, with the command that replays it."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from tests.fuzz.judge import Outcome, case, judge, run
from tests.fuzz.parsers import PARSERS

#: Files of one process: a leak would show, and to begin one costs little beside them.
_CHUNK = 5_000


@click.command()
@click.argument("parsers", nargs=-1, type=click.Choice([*PARSERS]))
@click.option("--files", default=1000, show_default=True, help="How many for each parser.")
@click.option("--seed", default=1, show_default=True, help="Another one makes other files.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True, help="At the same time.")
@click.option("--only", type=int, help="Replay the file of this number, in this process.")
@click.option(
    "--save", type=click.Path(file_okay=False, exists=True, path_type=Path), help="Where --only puts it first."
)
def fuzz(parsers: tuple[str, ...], files: int, seed: int, processes: int, only: int | None, save: Path | None) -> None:
    """Spoil files for PARSERS, or for all: each is understood, or refused with a clean error."""
    if only is None:
        failed = [_spoil(parser, seed, files, processes) for parser in parsers or PARSERS]
        sys.exit(int(any(failed)))
    for parser in parsers:
        spoilt = case(parser, seed, only)
        if save is not None:
            for name, data in spoilt.items():
                (save / name).write_bytes(data)
        click.echo(f"{parser}: {'understood' if judge(parser, spoilt) else 'refused'}")


def _spoil(parser: str, seed: int, files: int, processes: int) -> int:
    """How many were not stood."""
    begun = time.monotonic()
    size = min(_CHUNK, -(-files // processes))

    def told(first: int) -> Outcome:
        outcome = run(parser, seed, first, min(size, files - first))
        for failure in outcome.failures:
            click.echo(failure)
        return outcome

    # Each thread waits for a child of its own.
    with ThreadPoolExecutor(processes) as pool:
        outcomes = [*pool.map(told, range(0, files, size))]
    understood, refused, failed = (sum(outcome.counts[which] for outcome in outcomes) for which in range(3))
    memory = max(outcome.memory for outcome in outcomes) / 1024
    click.echo(
        f"{parser}: {files} files in {time.monotonic() - begun:.0f} s: {understood} understood, {refused} refused, "
        f"{failed} not stood; at most {memory:.0f} MiB"
    )
    return failed


if __name__ == "__main__":
    fuzz()
