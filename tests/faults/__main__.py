"""`python -m tests.faults FIRST-LAST`: simulated mornings, one for each seed; a single seed with `--trace` tells its story."""

import logging
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import click

from tests.faults.chance import Fault
from tests.faults.world import Outcome, play, prepared


@dataclass(slots=True)
class Tally:
    """What many runs have shown."""

    red: list[Outcome] = field(default_factory=list)
    happened: Counter[Fault] = field(default_factory=Counter)
    taps: int = 0
    green: int = 0
    absences: int = 0
    mails: int = 0
    #: The longest time from the end of the faults to rest, in seconds of the simulation.
    drained: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one run."""
        seen = outcome.witness
        self.red += [outcome] if outcome.wrong else []
        self.happened += outcome.chance.happened
        self.taps, self.green = self.taps + seen.taps, self.green + len(seen.green)
        self.absences, self.mails = self.absences + seen.absences, self.mails + sum(seen.mails.values())
        self.drained = max(self.drained, outcome.drained)

    @property
    def never(self) -> list[str]:
        """Faults that no run has met: of these nothing is known."""
        return [fault for fault in Fault if not self.happened[fault]]

    @property
    def complaints(self) -> list[str]:
        """What is wrong, each with the command that shows it again."""
        return [f"{one.wrong}\n    make simulate SEEDS={one.seed}" for one in self.red]


def tally(seeds: Iterable[int], *, trace: bool = False) -> Tally:
    """Play these seeds."""
    logging.disable()
    found = Tally()
    try:
        with prepared() as database:
            for seed in seeds:
                outcome = play(seed, database)
                found.add(outcome)
                if trace:
                    click.echo("\n".join(outcome.chance.story))
    finally:
        logging.disable(logging.NOTSET)
    return found


def span(text: str) -> range:
    """`7` or `1-1000`."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


@click.command(epilog="Example: make simulate SEEDS=1-1000")
@click.argument("seeds")
@click.option("--trace", is_flag=True, help="Tell what happened, step by step.")
def main(seeds: str, *, trace: bool) -> None:
    """Play simulated mornings; exit 1 when one of them breaks a promise."""
    wanted, begun = span(seeds), time.perf_counter()
    found = tally(wanted, trace=trace or len(wanted) == 1)
    rate = len(wanted) / (time.perf_counter() - begun)
    for fault in Fault:
        click.echo(f"{found.happened[fault]:8} {fault}")
    click.echo(
        f"{len(wanted)} seeds, {rate:.1f} a second: {found.taps} taps, {found.green} of them recorded, "
        f"{found.absences} absences, {found.mails} messages; at rest {found.drained:.0f} s after the faults at most"
    )
    for complaint in found.complaints:
        click.echo(f"red: {complaint}", err=True)
    sys.exit(1 if found.red else 0)


if __name__ == "__main__":
    main()
