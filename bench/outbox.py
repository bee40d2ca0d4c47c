"""The ledger against the disk under it, and against plain sqlite3 doing the same job one tap at a time."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure, over_rounds, percentiles
from gateway.domain.credential import Technology, Token
from gateway.domain.entry import Entry, TapData
from gateway.domain.model import (
    Assurance,
    ClockState,
    Direction,
    Instant,
    LaneId,
    Match,
    PersonId,
    Reason,
    Seq,
    SlotId,
    Status,
    Verdict,
)
from gateway.domain.wire import Stream, encode, link
from sync.database import SQL, Connect, Database, Parameters, Rows, connect
from sync.outbox import SqliteOutbox

_ROUNDS = 5
_TAPS = 500
_WAITING = 50
#: An SD card of a gateway syncs in milliseconds, a server's disk in tenths of one.
_SLOW_SYNC_SECONDS = 0.004

TAP = TapData(
    lane=LaneId("north-1"),
    direction=Direction.IN,
    token=Token("1:" + "5a" * 16),
    technology=Technology.ISO14443A,
    assurance=Assurance.UID,
    person=PersonId("p-000123"),
    verdict=Verdict(admit=True, reason=Reason.KNOWN),
    match=Match(slot=SlotId("5a-20260901-1"), status=Status.LATE, minutes=3),
    directory=1_790_000_000_000,
)


class Clock:
    def now(self) -> Instant:
        boottime = time.monotonic_ns() // 1_000_000
        return Instant(at=datetime.now(UTC), boot="b" * 36, boottime=boottime, clock=ClockState.SYNCED)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _SlowDisk:
    """A database each of whose inserts waits for a sync of a slow disk."""

    def __init__(self, path: Path) -> None:
        self._real = connect(path)

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        rows = self._real.execute(sql, parameters)
        if sql.startswith(SQL["append"]):
            time.sleep(_SLOW_SYNC_SECONDS)
        return rows

    def close(self) -> None:
        self._real.close()


@dataclass(frozen=True, slots=True)
class _Round:
    """What was measured one right after the other: taps a second, and the seconds of each."""

    disk: Sequence[float]
    alone: Sequence[float]
    waiting: float
    plain: float


def run() -> Sequence[Figure]:
    """Takes a quarter of a minute."""
    # On the disk of the working directory: a temporary directory may lie in memory.
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as name:
        append = _build_append(Path(name))
        rounds = [_round(Path(name) / f"{n}", append, connect, _TAPS) for n in range(_ROUNDS)]
        slow = [_round(Path(name) / f"slow-{n}", append, _SlowDisk, _TAPS // 5) for n in range(_ROUNDS)]
    return [*_latency(rounds), *_throughput("", rounds), *_throughput("_slow_disk", slow)]


def _latency(rounds: Sequence[_Round]) -> Sequence[Figure]:
    against = "append + fdatasync"
    alone = [percentiles(one.alone) for one in rounds]
    disk = [percentiles(one.disk) for one in rounds]
    p50, p99 = ([(ours[k] * 1e6, limit[k] * 1e6) for ours, limit in zip(alone, disk, strict=True)] for k in (0, 1))
    return [
        over_rounds("tap_to_show_p50", "µs", p50, against, at_most=2),
        over_rounds("tap_to_show_p99", "µs", p99, against),
    ]


def _throughput(suffix: str, rounds: Sequence[_Round]) -> Sequence[Figure]:
    against = "plain sqlite3 FULL"
    alone = [(len(one.alone) / sum(one.alone), one.plain) for one in rounds]
    waiting = [(one.waiting, one.plain) for one in rounds]
    return [
        over_rounds(f"taps_alone{suffix}", "taps/s", alone, against, at_least=0.6),
        over_rounds(f"taps_{_WAITING}_waiting{suffix}", "taps/s", waiting, against, at_least=12),
    ]


def _round(directory: Path, append: Sequence[str], connect: Connect, taps: int) -> _Round:
    directory.mkdir()
    disk = _append(append, directory / "append", taps)
    plain = _plain(connect(directory / "plain"), taps)
    alone, waiting = asyncio.run(_ledger(directory / "ledger", connect, taps))
    return _Round(disk, alone, waiting, plain)


async def _ledger(path: Path, connect: Connect, taps: int) -> tuple[Sequence[float], float]:
    took: list[float] = []

    async def tap(count: int) -> None:
        for _ in range(count):
            start = time.perf_counter()
            await outbox.append([Entry(at=clock.now(), data=TAP)])
            await _show()
            took.append(time.perf_counter() - start)

    clock = Clock()
    async with SqliteOutbox(path, site="school-1", gateway="north", clock=clock, connect=connect) as outbox:
        await tap(taps)  # the log grows to its size
        took.clear()
        await tap(taps)
        alone = list(took)
        start = time.perf_counter()
        await asyncio.gather(*(tap(taps // 5) for _ in range(_WAITING)))
        return alone, taps // 5 * _WAITING / (time.perf_counter() - start)


async def _show() -> None:
    """A lamp that needs no time."""


def _plain(database: Database, taps: int) -> float:
    """The same job without a writer, a thread or a group: encode, chain, INSERT, commit, next. Taps a second."""
    clock, stream = Clock(), Stream(site="school-1", gateway="north", epoch="plain")
    for sql in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"):
        database.execute(sql).fetchall()
    database.execute("CREATE TABLE entry (key INTEGER PRIMARY KEY, body BLOB NOT NULL, hash BLOB NOT NULL)")
    head, start = stream.genesis, 0.0
    for seq in range(1, 2 * taps + 1):
        if seq == taps + 1:
            start = time.perf_counter()
        entry = Entry(at=clock.now(), data=TAP)
        body = encode(entry, stream=stream, seq=Seq(seq), recorded=clock.now().at)
        head = link(head, body)
        database.execute(SQL["append"], (seq, body, head))
    rate = taps / (time.perf_counter() - start)
    database.close()
    return rate


def _build_append(directory: Path) -> Sequence[str]:
    """The command of the limit; none without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return ()
    program = directory / "append"
    subprocess.run(
        [compiler, "-O2", "-o", str(program), str(Path(__file__).with_suffix("").parent / "append.c")], check=True
    )
    return (str(program.absolute()),)


def _append(command: Sequence[str], path: Path, count: int) -> Sequence[float]:
    """Seconds of each append."""
    if command:
        done = subprocess.run([*command, str(path), str(count)], check=True, capture_output=True, text=True)
        return [float(line) / 1e6 for line in done.stdout.split()]
    took, page = [], b"x" * 4096
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for _ in range(count):
        start = time.perf_counter()
        os.write(file, page)
        os.fdatasync(file)
        took.append(time.perf_counter() - start)
    os.close(file)
    return took
