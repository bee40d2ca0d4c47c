"""Run benchmarks by name, or all: a table on the screen, bench/results.json for machines. Exit 0 whatever was measured."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import daemon, ingest, outbox, peers, readers, register, rosters, sources, timetable, uplink
from bench.figure import Figure

BENCHMARKS: dict[str, Callable[[], Sequence[Figure]]] = {
    "outbox": outbox.run,
    "daemon": daemon.run,
    "readers": readers.run,
    "rosters": rosters.run,
    "timetable": timetable.run,
    "register": register.run,
    "sources": sources.run,
    "ingest": ingest.run,
    "uplink": uplink.run,
    "peers": peers.run,
}
_WIDTH = 100
#: No benchmark takes more than four minutes, so all of them about a quarter of an hour at most.
_LATEST_START_SECONDS = 12 * 60
RESULTS = Path(__file__).with_name("results.json")


def main(names: Sequence[str]) -> int:
    """`python -m bench [NAME...]`."""
    if unknown := set(names) - BENCHMARKS.keys():
        print(
            f"no benchmark is called {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr
        )
        return 2
    console = Console(width=max(_WIDTH, Console().width))
    figures: list[Figure] = []
    start = time.monotonic()
    for name in names or BENCHMARKS:
        if time.monotonic() - start > _LATEST_START_SECONDS:
            print(
                f"not run: {name}: the benchmarks before it took {_LATEST_START_SECONDS // 60} minutes", file=sys.stderr
            )
            continue
        with console.status(f"measuring {name}"):
            figures += BENCHMARKS[name]()
    console.print(_table(figures))
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if names and RESULTS.exists() else {}
    kept |= {figure.name: figure.plain() for figure in figures}
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(f"{RESULTS}: {len(kept)} figures")
    if missed := [figure.name for figure in figures if figure.met is False]:
        console.print(f"[bold red]aims missed:[/] {', '.join(missed)}")
    return 0


def _table(figures: Sequence[Figure]) -> Table:
    table = Table(box=None)
    for heading in ("figure", "value", "limit or peer", "ratio", "aim", ""):
        table.add_column(heading, justify="right" if heading == "ratio" else "left", no_wrap=True)
    for figure in figures:
        met = {True: "[green]met[/]", False: "[bold red]MISSED[/]", None: ""}[figure.met]
        value = f"{figure.value:,.1f} {figure.unit}"
        limit = f"{'not run:' if figure.limit is None else f'{figure.limit:,.1f}'} {figure.against}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        table.add_row(figure.name, value, limit, ratio, figure.aim, met)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
