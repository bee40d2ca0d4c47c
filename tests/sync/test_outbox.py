"""The SQLite ledger against failing disks, full disks, kills and cancellations."""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.decide import Recent, decide
from gateway.domain.entry import Entry
from gateway.errors import ConfigError, NotRecorded
from sync.database import SQL, Database, connect
from sync.outbox import SqliteOutbox
from tests.domain.build import KEY, directory, tap
from tests.sync.fakes import FaultyDatabase, Plan
from tests.sync.ledgers import CLOCK, everything, files, ledger, note, receipt, texts

ROOT = Path(__file__).parents[2]


async def test_a_ledger_goes_on_where_it_ended(tmp_path: Path) -> None:
    async with ledger(tmp_path / "new" / "outbox.sqlite3") as outbox:
        stream = outbox.stream
        await outbox.append([note("a"), note("b")])
        await outbox.apply(receipt(outbox, 2))
        position = outbox.position
    async with ledger(tmp_path / "new" / "outbox.sqlite3") as outbox:
        assert (outbox.stream, outbox.position, outbox.damaged) == (stream, position, None)
        assert await outbox.append([note("c")]) == 4
        assert texts(await everything(outbox)) == {2: "a", 3: "b", 4: "c"}


async def test_numbers_are_not_given_again_after_everything_is_pruned(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        await outbox.append([note("a"), note("b")])
        await outbox.apply(receipt(outbox, 3))
        CLOCK.move(1)
        await outbox.prune(CLOCK.now().at)
    async with ledger(tmp_path / "o") as outbox:
        assert outbox.position.floor == 4
        assert await outbox.append([note("c")]) == 4


def test_the_constructor_touches_nothing(tmp_path: Path) -> None:
    ledger(tmp_path / "state" / "o")
    assert files(tmp_path) == []


async def test_the_ledger_of_another_gateway_is_refused(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o"):
        pass
    with pytest.raises(ConfigError, match="gateway north of site school-1"):
        await ledger(tmp_path / "o", gateway="south").__aenter__()
    async with ledger(tmp_path / "o"):
        pass


async def test_a_lone_tap_waits_for_one_commit_and_many_share_one(tmp_path: Path) -> None:
    inserts: list[int] = []

    def count(sql: str, done: bool) -> bool:
        if done and sql.startswith(SQL["append"]):
            inserts.append(sql.count("(?, ?, ?)"))
        return False

    async with ledger(tmp_path / "o", connect=lambda path: FaultyDatabase(path, count)) as outbox:
        await outbox.append([note("alone")])
        await asyncio.gather(*(outbox.append([note(str(n))]) for n in range(50)))
        await asyncio.gather(*(outbox.append([note(str(n))] * 60) for n in range(3)), outbox.append([note("x")] * 150))
    assert inserts == [1, 1, 50, 60, 60, 60, 150]


async def test_a_cancelled_append_disturbs_nobody(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        tasks = [asyncio.create_task(outbox.append([note(str(n))])) for n in range(9)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert done[1::2] == [3, 5, 7, 9]
        assert all(isinstance(result, asyncio.CancelledError) for result in done[::2])
        assert await outbox.append([note("next")]) == 11
        assert texts(await everything(outbox)) == {n + 2: str(n) for n in range(9)} | {11: "next"}


async def test_leaving_writes_what_still_waits(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        tasks = [asyncio.create_task(outbox.append([note("last words")] * 60)) for _ in range(4)]
        await asyncio.sleep(0)
    assert [task.result() for task in tasks] == [61, 121, 181, 241]
    assert files(tmp_path) == ["o"]  # closed: no -wal, no -shm
    async with ledger(tmp_path / "o") as outbox:
        assert len(await everything(outbox)) == 241


Round = Sequence[tuple[int, int, str]]
#: After how many turns of the loop, how many entries, and what happens to them.
appends = st.tuples(
    st.integers(0, 9), st.integers(1, 3), st.sampled_from(["good", "good", "good", "cancelled", "too long"])
)
outcomes = st.sampled_from(["ok"] * 6 + ["before", "after"])


async def _append_rounds(outbox: SqliteOutbox, rounds: Sequence[Round]) -> dict[int, Sequence[str]]:
    recorded: dict[int, Sequence[str]] = {}

    async def append(delay: int, names: Sequence[str], what: str) -> None:
        for _ in range(delay):
            await asyncio.sleep(0)
        entries = [*map(note, names), *([note("x" * 5000)] if what == "too long" else [])]
        with contextlib.suppress(NotRecorded):
            recorded[await outbox.append(entries)] = names

    for number, batch in enumerate(rounds):
        tasks = [
            asyncio.create_task(append(delay, [f"{number}-{place}-{k}" for k in range(size)], what))
            for place, (delay, size, what) in enumerate(batch)
        ]
        for _ in range(5):
            await asyncio.sleep(0)
        for task, (_, _, what) in zip(tasks, batch, strict=True):
            if what == "cancelled":
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return recorded


@settings(max_examples=60)
@given(rounds=st.lists(st.lists(appends, min_size=1, max_size=6), max_size=6), faults=st.lists(outcomes, max_size=40))
def test_whatever_fails_the_ledger_has_no_gap_and_all_that_was_promised(
    rounds: Sequence[Round], faults: Sequence[str]
) -> None:
    async def run(path: Path) -> None:
        plan = Plan(faults)
        plan.armed = False
        async with ledger(path, connect=lambda path: FaultyDatabase(path, plan)) as outbox:
            plan.armed = True
            recorded = await _append_rounds(outbox, rounds)
        async with ledger(path) as outbox:
            kept = texts(await everything(outbox))
        for last, names in recorded.items():
            assert [kept[last - len(names) + 1 + k] for k in range(len(names))] == names
        # All or nothing, once at most, also for those that were told "not recorded" or did not wait.
        assert len(set(kept.values())) == len(kept)
        sizes = {f"{n}-{place}": size for n, batch in enumerate(rounds) for place, (_, size, _) in enumerate(batch)}
        for name in {text.rpartition("-")[0] for text in kept.values()}:
            assert sum(text.startswith(f"{name}-") for text in kept.values()) == sizes[name]

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(run(Path(directory) / "outbox.sqlite3"))


async def test_what_is_numbered_after_a_failed_entry_fails_with_it(tmp_path: Path) -> None:
    began, fail = threading.Event(), threading.Event()

    def fails(sql: str, done: bool) -> bool:
        if done or not sql.startswith(SQL["append"]) or not outbox.position.last or began.is_set():
            return False
        began.set()
        return fail.wait(10)

    outbox = ledger(tmp_path / "o", connect=lambda path: FaultyDatabase(path, fails))
    async with outbox:
        first = asyncio.create_task(outbox.append([note("a")]))
        await asyncio.to_thread(began.wait, 10)
        second = asyncio.create_task(outbox.append([note("b")]))
        await asyncio.sleep(0)
        fail.set()
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(result) for result in results] == [NotRecorded, NotRecorded]
        assert await outbox.append([note("c")]) == 2
        assert texts(await everything(outbox)) == {2: "c"}


async def test_giving_up_while_it_opens_leaves_nothing_behind(tmp_path: Path) -> None:
    began, go_on = threading.Event(), threading.Event()

    def wait(sql: str, done: bool) -> bool:
        began.set()
        go_on.wait(10)
        return False

    entering = asyncio.create_task(ledger(tmp_path / "o", connect=lambda path: FaultyDatabase(path, wait)).__aenter__())
    await asyncio.to_thread(began.wait, 10)
    entering.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert files(tmp_path) == ["o"]  # closed: no -wal, no -shm


async def test_a_full_disk_refuses_and_pruning_makes_room_again(tmp_path: Path) -> None:
    def small(path: Path) -> Database:
        database = connect(path)
        database.execute("PRAGMA max_page_count = 40").fetchall()
        return database

    async with ledger(tmp_path / "o", connect=small) as outbox:
        with contextlib.suppress(NotRecorded):
            while True:
                await outbox.append([note("x" * 900)])
        assert len(await everything(outbox)) > 50
        for _ in range(3):
            with pytest.raises(NotRecorded, match="full"):
                await outbox.append([note("x" * 3000)])
        last = outbox.position.last
        await outbox.apply(receipt(outbox, last))
        CLOCK.move(1)
        await outbox.prune(CLOCK.now().at)
        assert await outbox.append([note("room")]) == last + 1


@pytest.mark.parametrize("bug", [ValueError("bug"), MemoryError()])
async def test_a_bug_behind_the_writer_reaches_those_who_wait(tmp_path: Path, bug: Exception) -> None:
    bugs = [bug]

    def fails(sql: str, done: bool) -> bool:
        if not done and sql.startswith(SQL["append"]) and outbox.position.last and bugs:
            raise bugs.pop()
        return False

    async with ledger(tmp_path / "o"):
        pass
    outbox = ledger(tmp_path / "o", connect=lambda path: FaultyDatabase(path, fails))
    async with outbox:
        results = await asyncio.gather(*(outbox.append([note("x")]) for _ in range(3)), return_exceptions=True)
        assert results == [bug, bug, bug]
        assert await outbox.append([note("y")]) == 2


async def test_a_wall_clock_in_the_past_does_not_read_the_whole_ledger(tmp_path: Path) -> None:
    reads: list[str] = []

    def count(sql: str, done: bool) -> bool:
        if done and sql == SQL["before"]:
            reads.append(sql)
        return False

    async with ledger(tmp_path / "o", connect=lambda path: FaultyDatabase(path, count)) as outbox:
        swipe = decide(tap("08:00"), directory(), Recent(timedelta(0)), [KEY])
        assert isinstance(swipe, Entry)
        await outbox.append([swipe] * 2000)
        found = await outbox.taps_since(datetime(1970, 1, 1, tzinfo=UTC))
        assert len(found) == 100 * len(reads) == 500


def _killed(strace: Sequence[str], path: Path, call: str, when: int) -> dict[int, str]:
    inject = ("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={when}")
    program = (sys.executable, "-m", "tests.sync.recorder", str(path), "1000")
    done = subprocess.run([*strace, *inject, *program], cwd=ROOT, stdout=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode in (-9, 137)
    pairs = (line.split() for line in done.stdout.decode().splitlines())
    return {int(seq): text for seq, text in pairs}


KILLS = [("fdatasync", when) for when in (1, 2, 4, 9)] + [("pwrite64", when) for when in (1, 3, 12, 31)]


@pytest.mark.slow
@pytest.mark.needs("strace")
@pytest.mark.parametrize(("call", "when"), KILLS)
async def test_what_was_recorded_survives_a_kill_at_any_write(
    tmp_path: Path, strace: Sequence[str], call: str, when: int
) -> None:
    recorded: dict[int, str] = {}
    for _ in range(2):  # the second run begins with what the first one left
        survived = await asyncio.to_thread(_killed, strace, tmp_path / "o", call, when)
        rounds = {text.partition("-")[0] for text in survived.values()}
        assert len(rounds) < when  # none was recorded without a write and a sync of its own
        recorded |= survived
        async with ledger(tmp_path / "o") as outbox:
            kept = texts(await everything(outbox))
            assert recorded.items() <= kept.items()
            assert outbox.damaged is None
