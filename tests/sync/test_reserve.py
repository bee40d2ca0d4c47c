"""A disk that fills up: the reserve is given up for taps, nothing unsettled is lost, and room that returns is noticed."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.errors import NotRecorded
from sync.outbox import SqliteOutbox
from sync.reserve import Reserve
from tests.sync.ledgers import CLOCK, everything, note, receipt, texts

KIB, MIB = 1024, 1024 * 1024


def reserve(folder: Path, *, size: int = 2 * MIB, low: int = 256 * KIB) -> Reserve:
    return Reserve(folder / "reserve", size=size, low=low, plenty=low + 2 * size)


def ledger(folder: Path, room: Reserve) -> SqliteOutbox:
    return SqliteOutbox(folder / "o", site="school-1", gateway="north", clock=CLOCK, make_room=room.make_room)


@pytest.fixture(params=["tmpfs", "ext4, blocks of 1 KiB", "ext4, blocks of 4 KiB"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MiB."""
    folder, image = tmp_path / "disk", tmp_path / "image"
    folder.mkdir()
    if request.param == "tmpfs":
        mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    else:
        with image.open("wb") as file:
            file.truncate(12 * MIB)
        block = "1024" if "1 KiB" in request.param else "4096"
        subprocess.run(["mkfs.ext4", "-q", "-b", block, "-m", "0", "-O", "^has_journal", str(image)], check=True)
        mount = ["mount", "-o", "loop", str(image), str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {request.param}: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path, *, leave: int = 0) -> None:
    """Somebody else's file takes all the room."""
    with (folder / "other").open("ab", buffering=0) as file:
        for size in (64 * KIB, 4 * KIB, 512):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
        if leave:
            file.truncate(max(file.tell() - leave, 0))


@pytest.mark.needs("mount", "mkfs.ext4")
async def test_taps_go_on_in_the_reserve_and_room_that_returns_is_used(disk: Path) -> None:
    room = reserve(disk)
    async with ledger(disk, room) as outbox:
        room.keep()
        assert (room.held, room.low) == (True, False)
        await outbox.append([note("before")])
        fill(disk)
        for n in range(40):
            assert await outbox.append([note(f"{n}")]) == n + 3
        assert (room.held, room.low) == (False, True)
        with suppress(NotRecorded):
            while True:
                await outbox.append([note("x" * 3000)])
        recorded = outbox.position.last
        assert len(await everything(outbox)) == recorded
        (disk / "other").unlink()
        assert await outbox.append([note("after")]) == recorded + 1
        room.keep()
        assert (room.held, room.low) == (True, False)


@pytest.mark.needs("mount", "mkfs.ext4")
async def test_a_full_disk_does_not_keep_the_gateway_from_starting(disk: Path) -> None:
    room = reserve(disk)
    async with ledger(disk, room) as outbox:
        room.keep()
        await outbox.append([note("before")])
    fill(disk)
    async with ledger(disk, room) as outbox:
        assert await outbox.append([note("at start")]) == 3
        assert texts(await everything(outbox)) == {2: "before", 3: "at start"}


@pytest.mark.needs("mount", "mkfs.ext4")
async def test_what_is_settled_makes_room_and_what_is_not_stays(disk: Path) -> None:
    room = reserve(disk)
    async with ledger(disk, room) as outbox:
        room.keep()
        await outbox.append([note("x" * 900)] * 1000)
        await outbox.apply(receipt(outbox, 900))
        fill(disk)
        CLOCK.move(60)
        await outbox.prune(CLOCK.now().at)
        for n in range(200):
            assert await outbox.append([note("y" * 900)]) == n + 1002
        assert outbox.position.floor == 901


def test_a_reserve_that_finds_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    room = reserve(tmp_path, size=1 << 60, low=0)
    room.keep()
    assert list(tmp_path.iterdir()) == []
    assert not room.make_room()
