"""The promises of Device and Reader, held by every kind against the device side of its wire."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.registry import build
from gateway.domain.entry import DeviceState
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import CardRead, CardRefused, Device, DeviceNotice, ReaderEvent
from tests.contracts.benches import every, unnoticed
from tests.contracts.leftovers import descriptors, nothing_more
from tests.contracts.readers import HELD, SILENCE, Bench, again, unpacked
from tests.contracts.starts import Start, another, asleep, kept, starts

PATIENCE = 30.0
_WHILE_AWAY = (DeviceState.DOWN, DeviceState.UP)


BENCHES: Mapping[str, Callable[[Path], Bench]] = every("READERS")


@pytest.fixture(params=BENCHES)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = BENCHES[request.param](tmp_path)
    async with bench.sim:
        yield bench


def device_of(bench: Bench, silence: float = SILENCE) -> Device:
    """What needs a silence to know that a card has left, has this one."""
    settings = {"url": bench.sim.url, **bench.settings}
    return build(bench.kind, settings | ({"silence": silence} if "silence" in settings else {}))


@asynccontextmanager
async def opened(bench: Bench, silence: float = SILENCE) -> AsyncIterator[Device]:
    async with device_of(bench, silence) as device:
        async with asyncio.timeout(PATIENCE):
            await bench.sim.opened()
        yield device


async def following(events: AsyncIterator[ReaderEvent]) -> ReaderEvent:
    """What is told next."""
    async with asyncio.timeout(PATIENCE):
        while not (told := unpacked(await anext(events))):
            pass
    [event] = told
    return event


async def after(bench: Bench, events: AsyncIterator[ReaderEvent]) -> ReaderEvent:
    """The same; one of several on a bus that answers late, as on a busy machine, may go and come before."""
    while away(bench, event := await following(events)):
        pass
    return event


async def card(bench: Bench, events: AsyncIterator[ReaderEvent]) -> ReaderEvent:
    """The first one, whatever a machine that is busy makes the device tell of itself before."""
    while not isinstance(event := await after(bench, events), CardRead):
        assert isinstance(event, DeviceNotice)
    return event


def away(bench: Bench, event: ReaderEvent) -> bool:
    return isinstance(event, DeviceNotice) and event.kind in _WHILE_AWAY and getattr(bench, "comes_and_goes", False)


def faults_of(device: Device) -> Mapping[str, int]:
    """Not promised by the port: what health shows where a reader counts."""
    faults: Mapping[str, int] = getattr(device.reader(""), "faults", {})
    return faults


async def test_a_card_is_read_once_in_air_order(bench: Bench) -> None:
    async with opened(bench) as device:
        events = aiter(device.reader("").events())
        await bench.present(bench.first)
        await bench.present(bench.second)
        assert await after(bench, events) == CardRead(credential=bench.first)
        assert await after(bench, events) == CardRead(credential=bench.second)


async def test_a_held_card_is_one_presentation(bench: Bench) -> None:
    cards = [CardRead(credential=bench.first), CardRead(credential=bench.second)]
    told: list[ReaderEvent] = []
    while not told or any(away(bench, event) for event in told):  # whoever was away does not know that it stayed
        async with opened(bench, HELD) as device:
            events = aiter(device.reader("").events())
            await bench.present(bench.first, hold=HELD * 1.5)
            await bench.present(bench.second)
            told = [await following(events)]
            while told[-1] != cards[-1]:
                told.append(await following(events))
    assert told == cards


async def test_a_card_that_left_and_came_back_is_two(bench: Bench) -> None:
    async with opened(bench) as device:
        events = aiter(device.reader("").events())
        await bench.present(bench.first)
        assert await after(bench, events) == CardRead(credential=bench.first)
        await asyncio.sleep(SILENCE * 1.5)  # the card is away
        await bench.present(bench.first)
        assert await after(bench, events) == CardRead(credential=bench.first)


async def test_a_card_without_an_identity_is_refused_once(bench: Bench) -> None:
    async with opened(bench, HELD) as device:
        events = aiter(device.reader("").events())
        await bench.unfit()
        await bench.present(bench.first)
        refused = await after(bench, events)
        assert isinstance(refused, CardRefused)
        assert refused.technology in (bench.first.technology, bench.second.technology)
        assert await after(bench, events) == CardRead(credential=bench.first)


async def test_a_storm_is_told_once_and_the_next_card_is_read(bench: Bench) -> None:
    async with opened(bench) as device:
        events = aiter(device.reader("").events())
        assert not any(faults_of(device).values())
        storm = asyncio.create_task(bench.storm())
        notice = await after(bench, events)
        await storm
        assert isinstance(notice, DeviceNotice)
        assert notice.kind is DeviceState.GARBAGE
        assert faults_of(device).keys() == {"bad_frames", "noise_bytes"}
        assert any(faults_of(device).values())
        await bench.present(bench.first)
        assert await after(bench, events) == CardRead(credential=bench.first)


@pytest.mark.parametrize("bench", sorted(BENCHES.keys() - unnoticed()), indirect=True)
async def test_a_pulled_plug_is_told_and_a_new_object_goes_on(bench: Bench, nothing_left: None) -> None:
    for card in (bench.first, bench.second):
        async with opened(bench) as device:
            events = aiter(device.reader("").events())
            await bench.present(card)
            assert await after(bench, events) == CardRead(credential=card)
            await bench.sim.unplug()
            with pytest.raises(DeviceLost) as lost:
                await after(bench, events)
            assert bench.sim.url in str(lost.value)
        with pytest.raises(DeviceLost) as absent:
            await device_of(bench).__aenter__()
        assert absent.value.hint
        await bench.sim.replug()


@pytest.mark.parametrize(("bench", "start"), starts(BENCHES, another, asleep), indirect=["bench"])
async def test_after_a_slow_start_the_next_card_is_read_once(bench: Bench, start: Start, nothing_left: None) -> None:
    heard = list[ReaderEvent]()

    async def listen(device: Device) -> None:
        nonlocal heard
        async for event in device.reader("").events():
            heard += unpacked(event)

    cards = [CardRead(credential=bench.first), CardRead(credential=bench.second)]
    async with asyncio.timeout(3 * PATIENCE), kept(lambda: device_of(bench), listen) as state:
        async with start(bench, state):
            await state.until(lambda: bool(state.told))
        await state.until(lambda: state.serving)
        await bench.sim.opened()
        for card in (bench.first, bench.second):
            await bench.present(card)
        await state.until(lambda: cards[-1] in heard)
        # One that came and went more than twice is there when it stays.
        await state.until(lambda: state.told[-1] is None)
    assert [event for event in heard if not isinstance(event, DeviceNotice)] == cards
    notices = [event for event in heard if isinstance(event, DeviceNotice) and not away(bench, event)]
    assert {notice.kind for notice in notices} <= {DeviceState.GARBAGE}


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
async def test_a_hundred_restarts_leave_nothing_behind(bench: Bench, busy: bool) -> None:
    async with again(bench, bench.first) as show, nothing_more():
        connected = descriptors()
        for _ in range(100):
            async with device_of(bench) as device:
                if busy:
                    listening = asyncio.create_task(card(bench, aiter(device.reader("").events())))
                    async with asyncio.timeout(PATIENCE):
                        await bench.sim.opened()
                    while not listening.done():
                        # Where an answer comes too late, as on a busy machine, the card in it is shown once more.
                        await show()
                        await asyncio.wait([listening], timeout=PATIENCE / 10)
                    assert await listening == CardRead(credential=bench.first)
            async with asyncio.timeout(PATIENCE):
                while descriptors() > connected:  # the simulator hangs up too
                    await asyncio.sleep(0.001)


async def test_closing_ends_who_still_listens(bench: Bench) -> None:
    async with device_of(bench) as device:
        listening = asyncio.create_task(after(bench, aiter(device.reader("").events())))
        await asyncio.sleep(0)
    with pytest.raises(DeviceLost):
        await listening


async def test_an_address_that_is_not_there_is_a_mistake_of_the_configuration(bench: Bench) -> None:
    device = device_of(bench)
    with pytest.raises(ConfigError):
        device.reader("2")
    with pytest.raises(ConfigError):
        device.gate("2")
