"""The hand-over: order, bounds, and the end."""

import asyncio

import pytest

from drivers.channel import Channel, hearing
from gateway.errors import ConfigError, DeviceLost

LOST = DeviceLost("gone")


async def test_what_came_before_the_end_is_handed_over_first() -> None:
    channel: Channel[int] = Channel()
    await channel.put(1)
    await channel.put(2)
    channel.end(LOST)
    channel.end(DeviceLost("later"))
    events = aiter(channel.events())
    assert [await anext(events), await anext(events)] == [1, 2]
    with pytest.raises(DeviceLost, match="gone"):
        await anext(events)
    with pytest.raises(DeviceLost, match="gone"):
        await channel.put(3)


async def test_who_hears_waits_for_who_is_slow() -> None:
    channel: Channel[int] = Channel()
    events = aiter(channel.events())
    put = 0

    async def hear() -> None:
        nonlocal put
        for number in range(1000):
            await channel.put(number)
            put += 1

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(hear())
        for number in range(1000):
            assert await anext(events) == number
            assert put - number <= 33


async def test_for_nobody_the_newest_are_kept() -> None:
    channel: Channel[int] = Channel()
    for number in range(1000):
        await channel.put(number)
    events = aiter(channel.events())
    assert await anext(events) == 968


async def test_who_waits_for_room_hears_the_end() -> None:
    channel: Channel[int] = Channel()
    events = aiter(channel.events())

    async def fill() -> None:
        while True:
            await channel.put(1)

    await channel.put(0)
    assert await anext(events) == 0
    filling = asyncio.create_task(fill())
    await asyncio.sleep(0)
    assert not filling.done()
    channel.end(LOST)
    with pytest.raises(DeviceLost):
        await filling


async def test_a_bug_is_not_a_lost_device() -> None:
    channel: Channel[int] = Channel()

    async def hear() -> None:
        raise ZeroDivisionError

    async with hearing(hear, channel):
        with pytest.raises(ZeroDivisionError):
            await anext(aiter(channel.events()))


async def test_the_end_of_the_block_ends_who_hears() -> None:
    channel: Channel[int] = Channel()
    ended = asyncio.Event()

    async def hear() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with hearing(hear, channel):
        await asyncio.sleep(0)
    assert ended.is_set()
    with pytest.raises(DeviceLost, match="closed"):
        channel.check()


async def test_a_device_that_has_one_has_no_address() -> None:
    channel: Channel[int] = Channel()
    assert channel.at("") is channel
    with pytest.raises(ConfigError, match='"7"'):
        channel.at("7")
