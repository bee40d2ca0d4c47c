"""The power goes at any storage step: what `append` returned is there, and its number stands for these bytes for ever."""

import asyncio
from pathlib import Path

import pytest

from gateway.domain.entry import DeviceData, DeviceState, Entry
from gateway.domain.model import Seq
from gateway.errors import NotRecorded
from sync.outbox import SqliteOutbox
from tests.domain.build import LANE
from tests.faults.chance import Chance, Fault
from tests.faults.disk import Disk
from tests.faults.engine import Engine
from tests.faults.loop import SteppingLoop, one_thread
from tests.faults.plants import unsynced_commits
from tests.gateway.fakes import HandClock

CLOCK = HandClock()
#: Storage steps: more than the appends below take.
_STEPS = 120


async def _append(outbox: SqliteOutbox, acknowledged: dict[Seq, bytes]) -> None:
    async with outbox:
        for number in range(15):
            data = DeviceData(lane=LANE, kind=DeviceState.UP, detail="x" * 150 * (number % 5))
            seq = await outbox.append([Entry(at=CLOCK.now(), data=data)])
            acknowledged[seq] = outbox.position.head
            if number % 6 == 5:
                assert await outbox.hash_of(seq) == outbox.position.head


async def _kept(outbox: SqliteOutbox) -> dict[Seq, bytes]:
    async with outbox:
        return {envelope.seq: envelope.hash for envelope in await outbox.after(Seq(0), 1000)}


def lost(folder: Path, step: int) -> tuple[int, Chance]:
    """The power goes at that step; how many acknowledged entries are gone then."""
    chance = Chance(step, lambda: 0.0)
    disk = Disk(folder, chance)
    disk.fuse, disk.crash = step, disk.end_life

    def ledger() -> SqliteOutbox:
        return SqliteOutbox(folder / "ledger.db", site="school-1", gateway="north", clock=CLOCK, connect=Engine)

    acknowledged: dict[Seq, bytes] = {}
    with asyncio.Runner(loop_factory=lambda: SteppingLoop(chance)) as runner, one_thread(chance):
        try:
            runner.run(_append(ledger(), acknowledged))
        except NotRecorded:
            assert chance.happened[Fault.STORAGE_CRASH] == 1
        disk.end_life()
        disk.power_cut()
        kept = runner.run(_kept(ledger()))
    assert sorted(kept) == list(range(1, len(kept) + 1))
    return sum(kept.get(seq) != digest for seq, digest in acknowledged.items()), chance


def test_nothing_that_was_acknowledged_is_lost_at_any_step(tmp_path: Path) -> None:
    runs = [lost(tmp_path / str(step), step) for step in range(_STEPS)]
    assert sum(gone for gone, _ in runs) == 0
    crashes = sum(chance.happened[Fault.STORAGE_CRASH] for _, chance in runs)
    assert crashes > _STEPS / 3, "the power has hardly ever gone in the middle of something"
    assert any(chance.happened[Fault.LOST_WRITE] for _, chance in runs)
    assert any(chance.happened[Fault.TORN_WRITE] for _, chance in runs)


def test_the_harness_sees_what_a_commit_without_sync_loses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unsynced_commits(monkeypatch)
    assert sum(lost(tmp_path / str(step), step)[0] for step in range(0, _STEPS, 3)) > 0
