"""An import of 5,000 users from plain tables: read, parsed, joined, compiled; as CSV and as XLSX, each in a process of its own."""

import csv
import datetime as dt
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from openpyxl import Workbook

from bench.figure import Figure, over_rounds
from gateway.domain.compiler import compile_days
from sync.sources.report import difference, outline
from sync.sources.table import read_folder

_ROUNDS = 3
_USERS, _CLASSES, _LESSONS, _DAYS = 5000, 170, 6, 5
_FIRST = dt.date(2026, 9, 1)
#: As far as a directory reaches.
_HORIZON = dt.timedelta(days=14)
_SECONDS, _MIB = 3.0, 256.0
_KIB_IN_MIB = 1024
_SITE = 'name = "School"\nzone = "Europe/Moscow"\n'


def run() -> Sequence[Figure]:
    """Takes half a minute."""
    figures: list[Figure] = []
    for kind, write in (("csv", _csv), ("xlsx", _xlsx)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "site.toml").write_text(_SITE, encoding="utf-8")
            for table, rows in _tables().items():
                (folder / f"{table}.{kind}").write_bytes(write(rows))
            rounds = [_measured(folder) for _ in range(_ROUNDS)]
        seconds = [(taken, _SECONDS) for taken, _ in rounds]
        peaks = [(peak, _MIB) for _, peak in rounds]
        figures += [
            over_rounds(f"import_{kind}", "s", seconds, "budget", at_most=1),
            over_rounds(f"import_{kind}_peak", "MiB", peaks, "budget", at_most=1),
        ]
    return figures


def _measured(folder: Path) -> tuple[float, float]:
    """Seconds, and the peak of a process that does nothing else."""
    done = subprocess.run([sys.executable, "-m", "bench.sources", str(folder)], check=True, capture_output=True)
    seconds, peak = json.loads(done.stdout)
    return seconds, peak


def _import(folder: Path) -> tuple[float, float]:
    start = time.perf_counter()
    school = read_folder(folder)
    compiled = compile_days(school.timetable, _FIRST, _FIRST + _HORIZON)
    found = difference(None, outline(school, compiled.slots))
    taken = time.perf_counter() - start
    if found.persons is None or len(found.persons.added) != _USERS or not compiled.slots or compiled.unplaced:
        raise RuntimeError(f"{len(compiled.slots)} slots, not placed: {compiled.unplaced[:1]}")
    return taken, _peak_kib() / _KIB_IN_MIB


def _peak_kib() -> int:
    """Of this program alone: what getrusage tells begins with the program that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


def _tables() -> dict[str, list[list[str]]]:
    people = range(_USERS)
    classes = [f"{n % 11 + 1}-{n}" for n in range(_CLASSES)]
    return {
        "people": [
            ["id", "last_name", "first_name", "class"],
            *([f"p{n:05}", f"Образцова-{n}", "Анастасия", classes[n % _CLASSES]] for n in people),
        ],
        "contacts": [["person", "address"], *([f"p{n:05}", f"parent-{n}@example.org"] for n in people)],
        "cards": [["technology", "uid", "person"], *(["em4100", f"{n + 1:010X}", f"p{n:05}"] for n in people)],
        "classes": [
            ["class", "grade", "shift", "bells"],
            *([name, str(n % 11 + 1), str(n % 2 + 1), "normal"] for n, name in enumerate(classes)),
        ],
        "bells": [["bells", "shift", "lesson", "start", "end"], *_bells()],
        "lessons": [
            ["class", "weekday", "lesson", "subject"],
            *(
                [name, str(day + 1), str(lesson + 1), "Математика"]
                for name in classes
                for day in range(_DAYS)
                for lesson in range(_LESSONS)
            ),
        ],
        "lanes": [["gateway", "lane", "direction", "opens", "closes"], ["main", "main-in", "in", "07:00", "20:00"]],
    }


def _bells() -> Iterator[list[str]]:
    for shift, begin in ((1, 8), (2, 14)):
        for lesson in range(_LESSONS):
            yield ["normal", str(shift), str(lesson + 1), f"{begin + lesson}:00", f"{begin + lesson}:45"]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    return out.getvalue().encode("cp1251")


def _xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


if __name__ == "__main__":
    print(json.dumps(_import(Path(sys.argv[1]))))
