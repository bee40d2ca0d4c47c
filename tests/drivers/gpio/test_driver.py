"""What a turnstile on GPIO lines does beyond the promises of every gate."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import gpiod
import pytest
from gpiod.line import Bias, Clock, Edge, Value
from gpiod.line import Direction as Flow

from drivers.contacts import Role
from drivers.gpio.chip import request
from drivers.gpio.driver import Gpio
from drivers.lamp import Output
from drivers.registry import build
from gateway.domain.answer import Answer, Words
from gateway.domain.entry import DeviceState, FireAlarm, GateMode
from gateway.domain.model import Direction, Reason, Verdict
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import DeviceNotice, Gate, GateEvent, Rotation
from simulators.gpio import Turnstile

ADMIT = Verdict(admit=True, reason=Reason.KNOWN)
REFUSE = Verdict(admit=False, reason=Reason.UNKNOWN_CARD)
PASS = Words(answer=Answer.PASS, lines=())
STAND = 3
ALARM = DeviceNotice(kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALARM)


def device(sim: Turnstile, **settings: object) -> Gpio:
    return Gpio(Gpio.Settings.model_validate({**sim.settings, **settings}), ask=sim.ask)


@asynccontextmanager
async def opened(**settings: object) -> AsyncIterator[tuple[Turnstile, Gate, AsyncIterator[GateEvent]]]:
    async with asyncio.timeout(30), Turnstile() as sim, device(sim, **settings) as gpio:
        gate = gpio.gate("")
        events = aiter(gate.events())
        for _ in range(STAND):
            await anext(events)
        yield sim, gate, events


async def test_an_admitted_pupil_turns_the_arm_once_and_a_refused_one_not() -> None:
    async with opened() as (sim, gate, events):
        await gate.show(REFUSE, Words(answer=Answer.GUARD, lines=()))
        assert not await sim.push(Direction.IN)
        await gate.show(ADMIT, PASS)
        assert await sim.push(Direction.IN)
        assert await anext(events) == Rotation(direction=Direction.IN)
        assert not await sim.push(Direction.IN)


async def test_in_a_fire_everybody_gets_out_without_any_gateway() -> None:
    async with Turnstile() as sim:
        await sim.fire_alarm()
        assert await sim.push(Direction.OUT)
    async with opened() as (sim, _, events):
        await sim.fire_alarm()
        assert await anext(events) == ALARM
        assert await sim.push(Direction.OUT)
        assert await anext(events) == Rotation(direction=Direction.OUT)


async def test_a_cut_wire_of_the_fire_alarm_is_an_alarm() -> None:
    async with opened() as (sim, _, events):
        sim.cut(Role.FIRE_ALARM)
        assert await anext(events) == ALARM


async def test_a_locked_arm_stays_locked_for_an_admitted_pupil() -> None:
    async with opened() as (sim, gate, _):
        await sim.mode(GateMode.LOCKED)
        await gate.show(ADMIT, PASS)
        assert not await sim.push(Direction.IN)


async def test_a_contact_that_flutters_is_one_passage_and_storms_cost_nothing() -> None:
    async with opened() as (sim, _, events):
        sim.flutter(Role.PASS_A, 41)
        assert await anext(events) == Rotation(direction=Direction.IN)
        sim.flutter(Role.PASS_A, 41)
        await sim.fire_alarm()
        assert await anext(events) == ALARM


@pytest.mark.parametrize(("changes", "passed"), [(6, False), (7, True)])
async def test_lost_changes_are_told_and_the_level_is_read_again(changes: int, passed: bool) -> None:
    async with opened() as (sim, _, events):
        sim.lose(Role.PASS_A, changes)
        await sim.tamper()  # the next change that is heard is of another contact
        told = {await anext(events)}
        sim.flutter(Role.PASS_A, 2)
        told |= {await anext(events)}
        assert DeviceNotice(kind=DeviceState.GARBAGE, detail=f"{changes} changes of contacts were lost") in told
        if passed:
            assert await anext(events) == Rotation(direction=Direction.IN)
        else:
            await sim.fire_alarm()
            assert await anext(events) == ALARM


async def test_more_changes_than_the_kernel_keeps_are_told_as_lost() -> None:
    async with opened() as (sim, _, events):
        sim.flutter(Role.PASS_A, 200)
        notice = await anext(events)
        assert notice == DeviceNotice(kind=DeviceState.GARBAGE, detail="136 changes of contacts were lost")


async def test_outputs_are_off_before_after_and_when_nobody_is_in_charge() -> None:
    async with Turnstile() as sim:
        async with device(sim, opens=60.0) as gpio:
            assert sim.on == frozenset()
            await gpio.gate("").show(ADMIT, PASS)
            assert sim.on == {Output.GREEN, Output.BUZZER, Output.UNLOCK}
        assert sim.left
        assert not any(sim.left.values())
        assert sim.on == frozenset()


async def test_a_chip_that_takes_no_output_is_lost_for_who_watches_it() -> None:
    async with opened() as (sim, gate, events):
        sim.deaf = True
        with pytest.raises(DeviceLost, match="gone"):
            await gate.show(ADMIT, PASS)
        with pytest.raises(DeviceLost, match="gone"):
            await anext(events)


async def test_a_closed_gate_is_forgotten_at_once() -> None:
    async with Turnstile() as sim:
        async with device(sim, opens=60.0) as gpio:
            await gpio.gate("").show(ADMIT, PASS)
        forgotten = weakref.ref(gpio)
        del gpio
        gc.collect()
        assert forgotten() is None


async def test_a_silent_gate_never_beeps() -> None:
    async with opened(silent=True) as (sim, gate, _):
        await gate.show(ADMIT, PASS)
        assert sim.on == {Output.GREEN, Output.UNLOCK}


async def test_what_is_asked_of_the_kernel() -> None:
    async with Turnstile() as sim:
        asked: dict[str, gpiod.LineSettings] = {}

        def ask(chip: str, wanted: dict[str, gpiod.LineSettings]) -> object:
            asked.update(wanted)
            return sim.ask(chip, wanted)

        settings = Gpio.Settings.model_validate(
            {"chip": "simulated", "pass_a": "3", "bias": "none", "green": "4 low", "red": "5"}
        )
        async with Gpio(settings, ask=ask):  # type: ignore[arg-type]
            pass
    contact, green, red = asked["3"], asked["4"], asked["5"]
    assert (contact.direction, contact.edge_detection) == (Flow.INPUT, Edge.BOTH)
    assert (contact.bias, contact.event_clock, contact.active_low) == (Bias.DISABLED, Clock.MONOTONIC, False)
    assert [(one.direction, one.output_value) for one in (green, red)] == [(Flow.OUTPUT, Value.INACTIVE)] * 2
    assert (green.active_low, red.active_low) == (True, False)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"chip": "x", "pass_a": "GPIO17 up"}, "pass_a"),
        ({"chip": "x", "pass_a": "GPIO 17"}, "pass_a"),
        ({"chip": "x", "pass_a": "17", "unlock": "17 low"}, "unlock"),
        ({"chip": "x", "pass_a": "GPIO17", "ready": "17"}, "pass_a already"),
        ({"chip": "x", "pass_a": "17", "ready": "017 high"}, "pass_a already"),
        ({"chip": "x y", "pass_a": "17"}, "chip"),
        ({"chip": "x", "pass_a": "17", "a_is": "left"}, "a_is"),
        ({"chip": "x", "unlock": "17", "opens": 0.0}, "opens"),
        ({"chip": "x"}, "pass_a"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        build("gpio", settings)
    assert key in f"{wrong.value} {wrong.value.hint}"


async def test_two_names_of_one_line_are_told_before_anything_is_driven() -> None:
    async with Turnstile() as sim:
        wired = Gpio.Settings(chip="simulated", pass_a="PIN3", unlock="3")
        with pytest.raises(DeviceLost, match="PIN3 and 3 are one line") as lost:
            await Gpio(wired, ask=sim.ask).__aenter__()
        assert lost.value.hint
        assert sim.switched == []


def test_a_chip_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(DeviceLost, match="no GPIO chip pinctrl-nowhere") as lost:
        request("pinctrl-nowhere", {"GPIO17": gpiod.LineSettings()})
    assert "this machine has" in str(lost.value.hint)
    with pytest.raises(DeviceLost, match="is not there"):
        request("/dev/gpiochip-nowhere", {"GPIO17": gpiod.LineSettings()})


def test_it_has_no_reader() -> None:
    with pytest.raises(ConfigError):
        device(Turnstile()).reader("")
