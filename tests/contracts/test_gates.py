"""The promises of Device and Gate, held by every kind against the device side of its wire."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.signals import SIGNALS, Colour
from gateway.domain.answer import Answer, Words
from gateway.domain.entry import GateMode
from gateway.domain.model import Direction, Reason, Verdict
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import Device, Gate, GateEvent, Rotation
from tests.contracts.benches import every
from tests.contracts.gates import Bench, Stand
from tests.contracts.leftovers import descriptors
from tests.contracts.starts import Start, another, kept, starts

PATIENCE = 30.0
BENCHES: Mapping[str, Callable[[Path], Bench]] = every("GATES")
ADMIT = Verdict(admit=True, reason=Reason.KNOWN)
REFUSE = Verdict(admit=False, reason=Reason.UNKNOWN_CARD)


@pytest.fixture(params=BENCHES)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = BENCHES[request.param](tmp_path)
    async with bench.sim:
        yield bench


@asynccontextmanager
async def opened(bench: Bench, stand: Stand | None = None) -> AsyncIterator[tuple[Gate, AsyncIterator[GateEvent]]]:
    """A gate that stands like this, when it has told so."""
    stand = stand or Stand()
    await bench.stand(stand)
    async with bench.device() as device:
        gate = device.gate("")
        events = aiter(gate.events())
        async with asyncio.timeout(PATIENCE):
            await bench.connected(stand)
            assert [await anext(events) for _ in stand.told] == stand.told
        yield gate, events


async def after(events: AsyncIterator[GateEvent]) -> GateEvent:
    async with asyncio.timeout(PATIENCE):
        return await anext(events)


async def lights(bench: Bench, colour: Colour | None, *, unlocked: bool) -> None:
    async with asyncio.timeout(PATIENCE):
        while bench.light != (colour, unlocked):
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("answer", Answer)
async def test_each_answer_is_shown_and_the_bolt_obeys_the_verdict(bench: Bench, answer: Answer) -> None:
    async with opened(bench) as (gate, _):
        for verdict in (ADMIT, REFUSE, ADMIT):
            await gate.show(verdict, Words(answer=answer, lines=("one", "two")))
            await lights(bench, SIGNALS[answer].colour, unlocked=verdict.admit)


async def test_a_gate_that_rests_is_dark_and_shut(bench: Bench) -> None:
    async with opened(bench) as (gate, _):
        await gate.show(ADMIT, Words(answer=Answer.WAITING, lines=()))
        await lights(bench, Colour.GREEN, unlocked=True)
        await gate.rest()
        await lights(bench, None, unlocked=False)
        await gate.rest()
        await lights(bench, None, unlocked=False)


async def test_a_rotation_is_told_once_and_in_its_direction(bench: Bench) -> None:
    async with opened(bench) as (_, events):
        ways = [Direction.IN, Direction.OUT, Direction.OUT, Direction.IN]
        for way in ways:
            await bench.rotate(way)
        await bench.sim.blocked()
        told = [await after(events) for _ in range(len(ways) + 1)]
        assert told[:-1] == [Rotation(direction=way) for way in ways]
        assert told[-1] == Stand(blocked=True).told[2]


@pytest.mark.parametrize(
    "stand",
    [*(Stand(mode=mode) for mode in GateMode), Stand(alarm=True), Stand(blocked=True)],
    ids=lambda stand: f"{stand.mode}-{stand.alarm}-{stand.blocked}",
)
async def test_how_a_gate_stands_is_told_when_it_is_opened(bench: Bench, stand: Stand) -> None:
    async with opened(bench, stand) as (_, events):
        await bench.rotate(Direction.IN)
        assert await after(events) == Rotation(direction=Direction.IN)


async def test_every_change_of_how_it_stands_is_told_once(bench: Bench) -> None:
    alarm, blocked = Stand(alarm=True).told[1], Stand(blocked=True).told[2]
    _, all_clear, clear = Stand().told
    async with opened(bench) as (_, events):
        for mode in (GateMode.FREE, GateMode.SINGLE, GateMode.LOCKED, GateMode.SINGLE):
            await bench.sim.mode(mode)
            assert await after(events) == Stand(mode=mode).told[0]
        for on, notice in ((True, alarm), (False, all_clear)):
            await bench.sim.fire_alarm(on=on)
            assert await after(events) == notice
        for on, notice in ((True, blocked), (False, clear)):
            await bench.sim.blocked(on=on)
            assert await after(events) == notice
        await bench.rotate(Direction.OUT)
        assert await after(events) == Rotation(direction=Direction.OUT)


async def test_a_pulled_plug_is_told_and_a_new_object_goes_on(bench: Bench, nothing_left: None) -> None:
    for _ in range(2):
        async with opened(bench) as (gate, events):
            await bench.rotate(Direction.IN)
            assert await after(events) == Rotation(direction=Direction.IN)
            await bench.sim.unplug()
            with pytest.raises(DeviceLost):
                await after(events)
            with pytest.raises(DeviceLost):
                await gate.show(ADMIT, Words(answer=Answer.PASS, lines=()))
            with pytest.raises(DeviceLost):
                await gate.rest()
        with pytest.raises(DeviceLost) as absent:
            await bench.device().__aenter__()
        assert absent.value.hint
        await bench.sim.replug()


@pytest.mark.parametrize(("bench", "start"), starts(BENCHES, another), indirect=["bench"])
async def test_after_a_slow_start_the_next_passage_is_told_once(bench: Bench, start: Start, nothing_left: None) -> None:
    heard = list[GateEvent]()

    async def watch(device: Device) -> None:
        nonlocal heard
        async for event in device.gate("").events():
            heard += [event]

    await bench.stand(Stand())
    async with asyncio.timeout(3 * PATIENCE), kept(bench.device, watch) as state:
        async with start(bench, state):
            await state.until(lambda: bool(state.told))
        await state.until(lambda: state.serving)
        await bench.connected(Stand())
        await state.until(lambda: len(heard) >= len(Stand().told))
        await bench.rotate(Direction.IN)
        await bench.sim.blocked()
        await state.until(lambda: heard[-1] == Stand(blocked=True).told[2])
        # One that came and went more than twice is there when it stays.
        await state.until(lambda: state.told[-1] is None)
    assert heard == [*Stand().told, Rotation(direction=Direction.IN), Stand(blocked=True).told[2]]


async def test_who_shows_something_on_a_lost_gate_ends_who_watches_it(bench: Bench) -> None:
    async def show_for_ever(gate: Gate) -> None:
        while True:
            await gate.show(ADMIT, Words(answer=Answer.PASS, lines=()))
            await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE), opened(bench) as (gate, events):
        await bench.sim.unplug()
        with pytest.raises(DeviceLost):
            await show_for_ever(gate)
        with pytest.raises(DeviceLost):
            await after(events)


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
async def test_a_hundred_restarts_leave_nothing_behind(bench: Bench, busy: bool, nothing_left: None) -> None:
    connected = descriptors()
    for _ in range(100):
        async with bench.device() as device:
            if busy:
                gate = device.gate("")
                async with asyncio.timeout(PATIENCE):
                    await bench.sim.opened()
                await gate.show(ADMIT, Words(answer=Answer.WAITING, lines=()))
                await bench.sim.mode(GateMode.FREE)
                await bench.sim.mode(GateMode.SINGLE)
        async with asyncio.timeout(PATIENCE):
            while descriptors() > connected:  # the simulator hangs up too
                await asyncio.sleep(0.001)


async def test_closing_ends_who_still_listens_and_shows_nothing_more(bench: Bench) -> None:
    async with bench.device() as device:
        gate = device.gate("")
        listening = asyncio.create_task(_last(gate))
        await asyncio.sleep(0)
    with pytest.raises(DeviceLost):
        await listening
    with pytest.raises(DeviceLost):
        await gate.show(ADMIT, Words(answer=Answer.PASS, lines=()))


async def _last(gate: Gate) -> None:
    async for _ in gate.events():
        pass


async def test_a_gate_that_was_not_opened_shows_nothing(bench: Bench) -> None:
    with pytest.raises(DeviceLost):
        await bench.device().gate("").show(ADMIT, Words(answer=Answer.PASS, lines=()))


async def test_an_address_that_is_not_there_is_a_mistake_of_the_configuration(bench: Bench) -> None:
    with pytest.raises(ConfigError):
        bench.device().gate("2")
