"""Fuzzes the codecs with atheris, each in a process of its own: python -m tests.fuzz.guided [TARGET...] --runs 200000.

Nothing of the drivers may be imported before atheris watches imports, so this module asks for its targets late.
"""

import subprocess
import sys
from pathlib import Path

import click

#: More bytes, memory in MiB, or seconds for one input than this are a finding as well.
_LIMITS = ("-max_len=2048", "-rss_limit_mb=512", "-timeout=5", "-print_final_stats=1")


@click.command()
@click.argument("names", nargs=-1)
@click.option("--runs", default=100_000, show_default=True, help="Inputs for each.")
@click.option("--inside", is_flag=True, hidden=True, help="In this process.")
def fuzz(names: tuple[str, ...], runs: int, *, inside: bool) -> None:
    """Fuzz NAMES, or all; an input that was not stood is left in a file crash-…, and its traceback printed."""
    if inside:
        _fuzz(names[0], runs)
    from tests.fuzz.codecs import targets

    failed = [name for name in names or targets() if not _stands(name, runs)]
    sys.exit(bool(failed))


def _stands(name: str, runs: int) -> bool:
    command = [sys.executable, "-m", "tests.fuzz.guided", name, "--runs", str(runs), "--inside"]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    stats = dict(line.split(": ", 1) for line in done.stdout.splitlines() if line.startswith("stat::"))
    units, memory = (stats.get(f"stat::{key}", "?").strip() for key in ("number_of_executed_units", "peak_rss_mb"))
    click.echo(f"{name}: {units} inputs, at most {memory} MiB")
    if done.returncode:
        click.echo(done.stdout)
    return done.returncode == 0


def _fuzz(name: str, runs: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["drivers"]):
        from tests.fuzz.codecs import targets

        target = targets()[name]
    atheris.Setup([name, f"-runs={runs}", *_LIMITS], target)
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz()
