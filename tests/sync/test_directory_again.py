"""A directory that failed is tried again on the same link until it works, or until a newer one has arrived."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from pytest_mock import MockerFixture

from gateway.domain.parts import MAX_PART_BYTES, digest
from sync.directory import DirectoryReceiver
from sync.relay import Backoff
from tests.sync.roster import RAW, STRANGER, OpenShelf, content, manifest, person_of_card


@asynccontextmanager
async def receiving(receiver: DirectoryReceiver) -> AsyncIterator[OpenShelf]:
    shelf = OpenShelf()
    task = asyncio.create_task(receiver.receive(shelf))
    try:
        yield shelf
    finally:
        task.cancel()
        assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.directory._FIRST_PAUSE", 0.001)


@pytest.mark.usefixtures("soon")
async def test_a_disk_that_was_full_gets_it_when_it_has_room(
    new_receiver: Callable[[], DirectoryReceiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    receiver = new_receiver()
    async with receiving(receiver) as shelf:
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", full)
            shelf.lay(manifest(RAW), raw=RAW)
            await until(lambda: "No space" in (receiver.error or ""))
        await until(lambda: receiver.current.version == 1)
        assert receiver.error is None
    again = new_receiver()
    await again.load()
    assert person_of_card(again) == "p-2"


@pytest.mark.usefixtures("soon")
async def test_a_part_that_comes_late_is_told_and_then_taken(
    new_receiver: Callable[[], DirectoryReceiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.directory._PART_SECONDS", 0.01)
    receiver = new_receiver()
    async with receiving(receiver) as shelf:
        shelf.lay(manifest(RAW))
        await until(lambda: "did not come" in (receiver.error or ""))
        shelf.lay(raw=RAW)
        await until(lambda: receiver.current.version == 1)
        assert receiver.error is None


async def test_a_newer_one_ends_the_wait_for_parts(new_receiver: Callable[[], DirectoryReceiver]) -> None:
    receiver, lost = new_receiver(), content(padding=2 * MAX_PART_BYTES).raw()
    async with receiving(receiver) as shelf:
        shelf.lay(manifest(lost, 1))
        await until(lambda: shelf.asked)
        shelf.lay(manifest(RAW, 2), raw=RAW)
        await until(lambda: receiver.current.version == 2)
        assert receiver.error is None


async def test_a_newer_one_ends_the_pause(
    new_receiver: Callable[[], DirectoryReceiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "pause", lambda _: 3600.0)
    receiver = new_receiver()
    async with receiving(receiver) as shelf:
        shelf.lay(manifest(b"{}", 1), raw=b"{}")
        await until(lambda: receiver.error)
        shelf.lay(manifest(RAW, 2), raw=RAW)
        await until(lambda: receiver.current.version == 2)
        assert receiver.error is None


@pytest.mark.parametrize("other", [b"{}", manifest(RAW, 9, signer=STRANGER), manifest(b"older", 1)])
async def test_what_does_not_hold_does_not_take_the_place_of_what_is_awaited(
    new_receiver: Callable[[], DirectoryReceiver], other: bytes
) -> None:
    receiver = new_receiver()
    async with receiving(receiver) as shelf:
        shelf.lay(manifest(RAW, 2))
        await until(lambda: shelf.asked)
        shelf.lay(other)
        await until(lambda: receiver.error and len(shelf.asked) == 2)
        shelf.lay(raw=RAW)
        await until(lambda: receiver.current.version == 2)
        assert shelf.asked == [digest(RAW)] * 2
        assert receiver.error is None


async def test_the_pauses_grow(
    new_receiver: Callable[[], DirectoryReceiver], monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture
) -> None:
    monkeypatch.setattr("sync.directory._FIRST_PAUSE", 0.0001)
    pauses = mocker.spy(Backoff, "pause").spy_return_list
    async with receiving(new_receiver()) as shelf:
        shelf.lay(manifest(b"{}", 1), raw=b"{}")
        await until(lambda: len(pauses) >= 12)
    assert pauses[0] <= 0.0001 < max(pauses)
