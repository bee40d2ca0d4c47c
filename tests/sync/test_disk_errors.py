"""A disk whose calls fail for a while, by the kernel's word: refused is refused, recorded is there, and it goes on by itself."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.domain.model import Seq
from sync.outbox import SqliteOutbox
from tests.sync.ledgers import everything, ledger, note, texts
from tests.sync.recorder import REFUSED

ROOT = Path(__file__).parents[2]
#: Which calls of a thread fail. The thread that opens the database again begins to count anew.
WINDOW = {"fdatasync": "9..10", "pwrite64": "30..33"}


@pytest.mark.slow
@pytest.mark.needs("strace")
@pytest.mark.parametrize("error", ["EIO", "ENOSPC", "EROFS"])
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
async def test_what_fails_is_refused_and_what_is_recorded_stays(
    tmp_path: Path, strace: Sequence[str], call: str, error: str
) -> None:
    async with ledger(tmp_path / "o"):
        pass
    said = await asyncio.to_thread(_record, strace, tmp_path / "o", call, error)
    refused = [number for number, (seq, _) in enumerate(said) if seq == REFUSED]
    assert refused, "the fault did not happen"
    assert any(seq != REFUSED for seq, _ in said[refused[0] :]), "it did not go on by itself"
    recorded = {int(seq): text for seq, text in said if seq != REFUSED}
    async with ledger(tmp_path / "o") as outbox:
        kept = texts(await everything(outbox))
        assert outbox.damaged is None
        await _goes_on(outbox)
    assert recorded.items() <= kept.items()
    assert len(set(kept.values())) == len(kept)


def _record(strace: Sequence[str], path: Path, call: str, error: str) -> list[tuple[str, str]]:
    inject = ("-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={WINDOW[call]}")
    program = (sys.executable, "-m", "tests.sync.recorder", str(path), "60")
    done = subprocess.run([*strace, *inject, *program], cwd=ROOT, stdout=subprocess.PIPE, timeout=90, check=False)
    assert done.returncode == 0
    lines = (line.partition(" ") for line in done.stdout.decode().splitlines())
    return [(seq, text) for seq, _, text in lines]


async def _goes_on(outbox: SqliteOutbox) -> None:
    last = outbox.position.last
    assert await outbox.append([note("after")]) == last + 1
    assert await outbox.hash_of(Seq(last + 1)) == outbox.position.head
