"""A lost device comes back by itself, is told once, does not flood, and a bug is no lost device."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from itertools import repeat
from types import TracebackType
from typing import Self

import pytest

from gateway.errors import DeviceLost
from gateway.ports import Device, Gate, Reader
from gateway.supervisor import keep_open, together
from tests.gateway.fakes import LoopClock
from tests.sync.virtual_time import run

HOUR = 3600.0


class Plug:
    """Opens unless it is given an error; counts how often it was closed."""

    def __init__(self, refused: DeviceLost | None, closed: list[float]) -> None:
        self._refused, self._closed = refused, closed

    async def __aenter__(self) -> Self:
        if self._refused is not None:
            raise self._refused
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.append(asyncio.get_running_loop().time())

    def reader(self, address: str) -> Reader:
        raise NotImplementedError

    def gate(self, address: str) -> Gate:
        raise NotImplementedError


class Bug(Exception):
    """Not the device's fault."""


def kept(openings: Iterator[float | None], *, until: float = HOUR) -> tuple[list[tuple[str, float]], list[float]]:
    """What is told and when, and when it was closed. Each opening is refused (None) or serves so many seconds."""
    story: list[tuple[str, float]] = []
    closed: list[float] = []
    serving: list[float] = []

    def build() -> Device:
        seconds = next(openings)
        if seconds is None:
            return Plug(DeviceLost("refused"), closed)
        serving.append(seconds)
        return Plug(None, closed)

    async def serve(_: Device) -> None:
        await asyncio.sleep(serving[-1])
        raise DeviceLost("gone")

    async def tell(error: DeviceLost | None) -> None:
        story.append(("down" if error else "up", asyncio.get_running_loop().time()))

    async def watch() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(until):
                await keep_open(build, serve, tell, LoopClock())

    run(watch())
    return story, closed


def words(story: list[tuple[str, float]]) -> list[str]:
    return [word for word, _ in story]


def test_a_pulled_plug_is_told_once_and_the_device_is_opened_again() -> None:
    story, closed = kept(iter([60.0, None, None, None, HOUR]))
    assert words(story) == ["up", "down", "up"]
    assert len(closed) == 2


def test_a_plug_that_is_pulled_soon_after_the_start_is_told_at_once_too() -> None:
    story, _ = kept(iter([1.0, HOUR]))
    assert words(story) == ["up", "down", "up"]
    assert story[-1][1] < 5


def test_a_device_that_is_not_there_at_start_is_told_once() -> None:
    story, _ = kept(iter([*[None] * 50, HOUR]))
    assert words(story) == ["down", "up"]


def test_every_outage_of_a_healthy_device_is_told_and_soon_over() -> None:
    story, _ = kept(iter([60.0, 60.0, 60.0, HOUR]))
    assert words(story) == ["up", "down"] * 3 + ["up"]
    outages = [back - away for (_, away), (_, back) in zip(story[1::2], story[2::2], strict=True)]
    assert max(outages) <= 1


def test_a_device_that_flaps_is_told_twice_and_tried_ever_later() -> None:
    story, closed = kept(repeat(0.1))
    assert words(story) == ["up", "down", "up", "down"]
    assert len(closed) < 600, "in an hour, with pauses up to 30 s"
    assert len([at for at in closed if at > HOUR - 600]) < 100


def test_a_device_that_has_flapped_is_told_when_it_stays() -> None:
    story, closed = kept(iter([0.1] * 9 + [HOUR]))
    assert words(story) == ["up", "down", "up", "down", "up"]
    assert 30 <= story[-1][1] - closed[8] <= 61, "after its pause it has worked for 30 s"


@pytest.mark.parametrize("group", [False, True])
def test_a_bug_passes_through(group: bool) -> None:
    error: Exception = Bug()

    async def serve(_: Device) -> None:
        raise ExceptionGroup("both", [DeviceLost(), error]) if group else error

    async def tell(_: DeviceLost | None) -> None:
        """Nobody listens."""

    async def keep() -> None:
        await keep_open(lambda: Plug(None, []), serve, tell, LoopClock())

    with pytest.raises(BaseExceptionGroup) as caught:
        run(keep())
    assert caught.value.subgroup(Bug)


def jobs(*works: Callable[[], Coroutine[object, object, None]]) -> Coroutine[object, object, None]:
    return together({f"job {number}": work() for number, work in enumerate(works)})


async def lost() -> None:
    raise DeviceLost("gone")


def test_what_was_read_is_finished_after_the_device_was_lost() -> None:
    recorded = []

    async def drain() -> None:
        for card in range(20):
            await asyncio.sleep(0.04)
            recorded.append(card)
        raise DeviceLost("the reader too")

    with pytest.raises(DeviceLost, match="gone"):
        run(jobs(lost, drain))
    assert recorded == [*range(20)]


def test_who_never_ends_is_cancelled_after_a_while() -> None:
    async def stuck() -> None:
        await asyncio.sleep(HOUR)

    async def timed() -> float:
        with pytest.raises(DeviceLost):
            await jobs(stuck, lost)
        return asyncio.get_running_loop().time()

    assert run(timed()) <= 5


@pytest.mark.parametrize("before", [0.0, 0.5], ids=["at once", "while the other one drains"])
def test_a_bug_waits_for_nobody(before: float) -> None:
    async def bug() -> None:
        await asyncio.sleep(before)
        raise Bug

    async def stuck() -> None:
        await asyncio.sleep(HOUR)

    async def timed() -> float:
        with pytest.raises(ExceptionGroup) as caught:
            await jobs(*([lost] if before else []), stuck, bug)
        assert caught.value.subgroup(Bug)
        return asyncio.get_running_loop().time()

    assert run(timed()) == before


def test_a_device_whose_opening_never_ends_is_told_and_tried_again() -> None:
    class Hung(Plug):
        async def __aenter__(self) -> Self:
            await asyncio.sleep(10 * HOUR)
            raise Bug

    openings, told = iter([Hung(None, []), Plug(None, [])]), list[tuple[str, float]]()

    async def serve(_: Device) -> None:
        await asyncio.sleep(HOUR)

    async def tell(error: DeviceLost | None) -> None:
        told.append((str(error), asyncio.get_running_loop().time()))

    async def watch() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(HOUR / 2):
                await keep_open(lambda: next(openings), serve, tell, LoopClock())

    run(watch())
    assert told[0] == ("it did not open within 60 s", 60.0)
    assert [word for word, _ in told] == ["it did not open within 60 s", "None"]


@pytest.mark.parametrize("steps", range(40))
def test_a_stop_at_any_moment_stops_it(steps: int) -> None:
    """A device that goes in the very moment of the stop must not make it forget the stop."""

    async def serve(_: Device) -> None:
        await asyncio.sleep(0)
        raise DeviceLost

    async def tell(_: DeviceLost | None) -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        keeping = asyncio.create_task(keep_open(lambda: Plug(None, []), serve, tell, LoopClock()))
        for _ in range(steps):
            await asyncio.sleep(0)
        keeping.cancel()
        done, _ = await asyncio.wait({keeping}, timeout=1)
        assert done

    run(main())
