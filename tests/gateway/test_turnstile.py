"""A whole lane with a turnstile on contacts: tap, arm, passage, lamp, each by the real parts but for the chip and the disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from drivers.gpio.driver import Gpio
from drivers.lamp import Output
from gateway.domain.decide import Recent
from gateway.domain.entry import DeviceData, Entry, GateMode, PassageData
from gateway.domain.model import Direction, LaneDirection
from gateway.lane import Lane, Site
from gateway.ports import CardRead
from simulators.gpio import Turnstile
from tests.domain.build import CARD, KEY, LANE, OTHER, directory
from tests.gateway.fakes import Ledger, LoopClock, ScriptedReader

#: Longer than any test here turns an arm.
SECONDS = timedelta(seconds=30)
_AT_HOME = ["mode single", "fire_alarm all-clear", "blocked clear"]


@dataclass
class Entrance:
    sim: Turnstile
    reader: ScriptedReader
    ledger: Ledger
    lane: Lane

    async def tap(self, card: CardRead) -> frozenset[Output]:
        """What the lane answers at first; a beep may be over before anybody looks."""
        self.sim.switched.clear()
        self.reader.feed(card)
        while not self.sim.switched:
            await asyncio.sleep(0.001)
        return self.sim.switched[0]

    async def told(self, *words: str) -> None:
        """Waits until exactly this was recorded, after how the gate stood at first."""
        expected = [*_AT_HOME, *words]
        while (found := [word for entry in self.ledger.entries if (word := _word(entry))]) != expected:
            assert found == expected[: len(found)]
            await asyncio.sleep(0.001)

    async def dark(self) -> None:
        while self.sim.on:
            await asyncio.sleep(0.001)


def _word(entry: Entry) -> str:
    match entry.data:
        case PassageData(kind=kind, direction=direction):
            return f"{kind} {direction}"
        case DeviceData(kind=kind, detail=detail):
            return f"{kind} {detail}"
        case _:
            return ""


@asynccontextmanager
async def entrance(lasts: timedelta = SECONDS) -> AsyncIterator[Entrance]:
    ledger, reader = Ledger(), ScriptedReader()
    site = Site(
        outbox=ledger,
        clock=LoopClock(),
        directory=directory,
        recent=Recent(timedelta(0)),
        keys=[KEY],
        report=lambda error: pytest.fail(str(error)),
    )
    lane = Lane(site, LANE, LaneDirection.IN, passage_lasts=lasts)
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        sim = await stack.enter_async_context(Turnstile())
        settings = Gpio.Settings.model_validate(sim.settings)
        device = await stack.enter_async_context(Gpio(settings, ask=sim.ask))
        jobs = [lane.watch_reader(reader), lane.watch_gate(device.gate("")), lane.end_permits()]
        for task in [asyncio.create_task(job) for job in jobs]:
            stack.callback(task.cancel)
        door = Entrance(sim, reader, ledger, lane)
        await door.told()
        yield door


async def test_a_known_card_turns_the_arm_once_and_the_lamp_rests_with_the_passage() -> None:
    async with entrance() as door:
        assert {Output.GREEN, Output.UNLOCK} < await door.tap(CardRead(credential=CARD))
        assert await door.sim.push(Direction.IN)
        await door.told("confirmed in")
        await door.dark()
        assert not await door.sim.push(Direction.IN)


async def test_an_unknown_card_leaves_the_arm_shut() -> None:
    async with entrance() as door:
        assert Output.AMBER in await door.tap(CardRead(credential=OTHER))
        assert not await door.sim.push(Direction.IN)
        await door.told()


async def test_who_climbs_over_goes_behind_or_comes_the_wrong_way_is_recorded() -> None:
    async with entrance() as door:
        assert await door.sim.push(Direction.IN, force=True)
        await door.told("forced in")
        await door.tap(CardRead(credential=CARD))
        assert await door.sim.push(Direction.OUT, force=True)
        await door.told("forced in", "wrong_direction out")
        assert await door.sim.push(Direction.IN, force=True)
        assert await door.sim.push(Direction.IN, force=True)
        await door.told("forced in", "wrong_direction out", "confirmed in", "tailgating in")
        assert door.lane.state["unpermitted"] == 3


async def test_a_permit_that_nobody_uses_ends_and_the_lamp_with_it() -> None:
    async with entrance(lasts=timedelta(seconds=0.2)) as door:
        await door.tap(CardRead(credential=CARD))
        await door.told("not_used in")
        await door.dark()


async def test_a_free_gate_and_a_fire_alarm_let_everybody_through_and_say_so() -> None:
    async with entrance() as door:
        await door.sim.mode(GateMode.FREE)
        await door.told("mode free")
        assert await door.sim.push(Direction.IN)
        await door.sim.mode(GateMode.LOCKED)
        await door.told("mode free", "free in", "mode single", "mode locked")
        assert not await door.sim.push(Direction.OUT)
        await door.sim.fire_alarm()
        assert await door.sim.push(Direction.OUT)
        await door.told("mode free", "free in", "mode single", "mode locked", "fire_alarm alarm", "free out")
        assert door.lane.state["stand"] == ["mode locked", "fire_alarm alarm"]
