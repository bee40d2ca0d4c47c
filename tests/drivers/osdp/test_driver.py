"""Several readers on one bus: each with its lane, its key and its lamp; what is lost is told and comes back."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from osdp import Capability, Command

from drivers import steady
from drivers.osdp import bus as thread_of_bus
from drivers.osdp import driver, panel
from drivers.osdp.driver import Osdp
from drivers.steady import OFTEN
from drivers.wiegand import encode
from gateway.domain.answer import Answer, Words
from gateway.domain.credential import Credential, Technology
from gateway.domain.entry import DeviceState
from gateway.domain.model import Reason, Verdict
from gateway.errors import DeviceLost
from gateway.ports import CardRead, DeviceNotice, GateEvent, ReaderEvent
from simulators.osdp import OsdpBus
from tests.drivers.osdp.bench import KEY, device

OTHER = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
BITS = bytes.fromhex("BF721200")
READ = CardRead(credential=Credential(technology=Technology.WIEGAND26, uid=bytes.fromhex("7EE424")))
ADMIT, REFUSE = Verdict(admit=True, reason=Reason.KNOWN), Verdict(admit=False, reason=Reason.LOST)
PASS = Words(answer=Answer.PASS, lines=("Please pass",))
GUARD = Words(answer=Answer.GUARD, lines=("Please go", "to the guard"))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was lost is looked for sooner; libosdp itself needs half a second."""
    monkeypatch.setattr(panel, "PATIENCE", 1.0)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not there is known sooner."""
    monkeypatch.setattr(thread_of_bus, "PATIENCE", 2.5)


@asynccontextmanager
async def opened(
    tmp_path: Path,
    readers: Mapping[int, bytes | None],
    keys: Mapping[int, bytes] | None = None,
    *,
    able: tuple[int, ...] | None = None,
    **settings: object,
) -> AsyncIterator[tuple[OsdpBus, Osdp]]:
    """A bus whose readers have these keys; ours, unless they are said, are the same."""
    ours = keys if keys is not None else {address: key for address, key in readers.items() if key is not None}
    more: dict[str, Any] = {} if able is None else {"able": able}
    async with (
        asyncio.timeout(30),
        OsdpBus(str(tmp_path / "bus"), readers, **more) as sim,
        device(sim, tmp_path / "keys", ours, **settings) as opened,
    ):
        yield sim, opened


async def notice(events: AsyncIterator[ReaderEvent | GateEvent]) -> tuple[DeviceState, str]:
    event = await anext(events)
    assert isinstance(event, DeviceNotice)
    return event.kind, event.detail


async def comes(events: AsyncIterator[ReaderEvent | GateEvent], wanted: tuple[DeviceState, str]) -> None:
    """This is told, whenever else a reader goes and comes: one whose answer is late by 200 ms is away for a moment."""
    while (heard := await notice(events)) != wanted:
        assert heard[0] in (DeviceState.DOWN, DeviceState.UP)


async def card(events: AsyncIterator[ReaderEvent]) -> ReaderEvent:
    """What is told next, as `comes`."""
    while isinstance(event := await anext(events), DeviceNotice) and event.kind in (DeviceState.DOWN, DeviceState.UP):
        pass
    return event


async def orders(sim: OsdpBus, address: int, count: int) -> list[int]:
    """What that reader was told, when there are so many."""
    while len(sim.readers[address].told) < count:
        await asyncio.sleep(0.01)
    return [order["command"] for order in sim.readers[address].told]


async def test_each_reader_has_its_own_lane(tmp_path: Path) -> None:
    async with opened(tmp_path, {1: KEY, 5: OTHER}) as (sim, bus):
        first, second = aiter(bus.reader("1").events()), aiter(bus.reader("5").events())
        sim.readers[5].bits(26, BITS)
        assert await card(second) == READ
        sim.readers[1].bits(26, BITS)
        assert await card(first) == READ


async def test_one_lost_reader_is_told_and_comes_back_while_the_others_read_on(tmp_path: Path) -> None:
    async with opened(tmp_path, {1: KEY, 2: OTHER}) as (sim, bus):
        lost, lamp, well = (
            aiter(bus.reader("1").events()),
            aiter(bus.gate("1").events()),
            aiter(bus.reader("2").events()),
        )
        sim.readers[1].powered = False
        await comes(lost, (DeviceState.DOWN, "reader 1: does not answer"))
        await comes(lamp, (DeviceState.DOWN, "gate 1: does not answer"))
        with pytest.raises(DeviceLost, match="reader 1"):
            await bus.gate("1").show(ADMIT, PASS)
        sim.readers[2].bits(26, BITS)
        assert await card(well) == READ
        sim.readers[1].powered = True
        await comes(lost, (DeviceState.UP, "reader 1"))
        await comes(lamp, (DeviceState.UP, "gate 1"))
        sim.readers[1].bits(26, BITS)
        assert await card(lost) == READ


async def test_a_power_blip_costs_seconds(tmp_path: Path) -> None:
    async with opened(tmp_path, {1: KEY, 2: OTHER}) as (sim, bus):
        events = aiter(bus.reader("1").events())
        sim.readers[1].restart()
        assert (await notice(events))[0] is DeviceState.DOWN
        await comes(events, (DeviceState.UP, "reader 1"))
        sim.readers[1].bits(26, BITS)
        assert await card(events) == READ


@pytest.mark.parametrize("key", [OTHER, None], ids=["another key", "the factory's key"])
async def test_a_reader_under_another_key_is_told_and_never_spoken_to_without_one(
    key: bytes | None, tmp_path: Path, hasty: None
) -> None:
    async with opened(tmp_path, {1: KEY, 2: key}, {1: KEY, 2: KEY}) as (sim, bus):
        kind, why = await notice(aiter(bus.reader("2").events()))
        assert kind is DeviceState.DOWN
        assert "not under its key" in why
        assert not sim.readers[2].secure
        sim.readers[2].bits(26, BITS)
        sim.readers[1].bits(26, BITS)
        assert await card(aiter(bus.reader("1").events())) == READ
        assert not bus.reader("2")._events  # type: ignore[attr-defined]


async def test_a_bus_without_any_reader_is_a_lost_device(tmp_path: Path, hasty: None) -> None:
    async with OsdpBus(str(tmp_path / "bus"), {1: OTHER}) as sim:
        with pytest.raises(DeviceLost, match="not under its key"):
            await device(sim, tmp_path / "keys", {1: KEY}).__aenter__()
        sim.readers[1].powered = False
        with pytest.raises(DeviceLost, match="does not answer") as lost:
            await device(sim, tmp_path / "keys", {1: KEY}).__aenter__()
        assert "A to A" in lost.value.hint


async def test_a_reader_without_a_key_is_told_and_the_others_work(tmp_path: Path) -> None:
    async with opened(tmp_path, {1: KEY, 2: None}) as (sim, bus):
        kind, why = await notice(aiter(bus.reader("2").events()))
        assert kind is DeviceState.DOWN
        assert "attendance-gateway provision" in why
        sim.readers[1].bits(26, BITS)
        assert await card(aiter(bus.reader("1").events())) == READ


async def test_a_bus_without_any_key_is_a_lost_device(tmp_path: Path) -> None:
    async with OsdpBus(str(tmp_path / "bus"), {1: None}) as sim:
        with pytest.raises(DeviceLost, match="no key") as lost:
            await device(sim, tmp_path / "keys", {}).__aenter__()
        assert "provision" in lost.value.hint


async def test_an_answer_is_light_sound_words_and_a_bolt(tmp_path: Path) -> None:
    async with opened(tmp_path, {1: KEY}, text=True, output=0, opens=2.0) as (sim, bus):
        gate = bus.gate("")
        await gate.show(ADMIT, PASS)
        assert await orders(sim, 1, 4) == [Command.Output, Command.LED, Command.Buzzer, Command.Text]
        assert sim.readers[1].told[0]["timer_count"] == 20
        assert sim.readers[1].told[3]["data"] == "Please pass"
        sim.readers[1].told.clear()
        await gate.show(REFUSE, GUARD)
        assert await orders(sim, 1, 4) == [Command.LED, Command.Buzzer, Command.Text, Command.Text]
        sim.readers[1].told.clear()
        await gate.rest()
        assert await orders(sim, 1, 4) == [Command.Output, Command.LED, Command.Text, Command.Text]


async def test_silence_and_what_a_reader_cannot_do_are_left_out(tmp_path: Path) -> None:
    able = (Capability.LEDControl, Capability.CardDataFormat)
    async with opened(tmp_path, {1: KEY}, able=able, text=True, output=0, silent=True) as (sim, bus):
        gate = bus.gate("1")
        await gate.show(ADMIT, PASS)
        assert await orders(sim, 1, 1) == [Command.LED]
        # It would be lost by now, had it been asked for a buzzer, a screen or an output.
        sim.readers[1].bits(26, BITS)
        assert await card(aiter(bus.reader("1").events())) == READ
        await gate.show(REFUSE, GUARD)
        assert await orders(sim, 1, 2) == [Command.LED] * 2


async def test_many_answers_at_once_end_with_the_last(tmp_path: Path) -> None:
    async with opened(tmp_path, {1: KEY}, text=True) as (sim, bus):
        gate = bus.gate("1")
        for number in range(200):
            await gate.show(ADMIT, Words(answer=Answer.PASS, lines=(f"number {number}",)))
        while "number 199" not in [order.get("data") for order in sim.readers[1].told]:
            await asyncio.sleep(0.01)
        assert len(sim.readers[1].told) < 200


async def test_a_reader_tells_about_itself_and_keeps_what_is_typed(tmp_path: Path) -> None:
    async with opened(tmp_path, {1: KEY}) as (sim, bus):
        events = aiter(bus.reader("1").events())
        sim.readers[1].stands(tamper=True)
        sim.readers[1].stands(tamper=True, power=True)
        sim.readers[1].keys(b"1234#")
        sim.readers[1].bits(26, BITS)
        await comes(events, (DeviceState.TAMPER, "reader 1: its housing was opened"))
        await comes(events, (DeviceState.POWER, "reader 1: its power is failing"))
        assert await card(events) == READ


async def test_a_cover_that_chatters_is_told_once_and_closed_when_it_was_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady, "STILL", 2.0)
    monkeypatch.setattr(driver, "_LOOKS", 0.1)
    async with opened(tmp_path, {1: KEY}) as (sim, bus):
        events = aiter(bus.reader("1").events())
        for _ in range(2 * OFTEN):
            for tamper in (True, False):
                assert sim.readers[1].stands(tamper=tamper)
        told: list[tuple[DeviceState, str]] = []
        while len(told) < 2 * OFTEN + 1:
            if (heard := await notice(events))[0] in (DeviceState.TAMPER, DeviceState.GARBAGE):
                told.append(heard)
        assert told[:-1] == [
            *[
                (DeviceState.TAMPER, "reader 1: its housing was opened"),
                (DeviceState.TAMPER, "reader 1: its housing is closed again"),
            ]
            * (OFTEN - 1),
            (DeviceState.TAMPER, "reader 1: its housing was opened"),
            (DeviceState.GARBAGE, "reader 1: tamper chatters: 10 times within 60 s"),
        ]
        assert told[-1] == (DeviceState.TAMPER, "reader 1: its housing is closed again")
        sim.readers[1].bits(26, BITS)
        assert await card(events) == READ


async def test_who_plays_on_a_keypad_is_not_heard(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(tmp_path, {1: KEY}) as (sim, bus):
        events = aiter(bus.reader("1").events())
        for _ in range(40):
            assert sim.readers[1].keys(b"73519#")
        assert sim.readers[1].bits(26, BITS)
        assert await card(events) == READ
        assert not any(bus.reader("1").faults.values())  # type: ignore[attr-defined]
    assert "73519" not in caplog.text


async def test_a_reader_that_is_set_to_something_else_counts_as_faults(tmp_path: Path) -> None:
    async with opened(tmp_path, {1: KEY}) as (sim, bus):
        sim.readers[1].bits(40, b"01234")
        sim.readers[1].bits(26, BITS)
        assert await card(aiter(bus.reader("1").events())) == READ
        assert bus.reader("1").faults["bad_frames"] == 1  # type: ignore[attr-defined]


async def test_a_reader_that_is_full_waits_and_still_closes(tmp_path: Path) -> None:
    async with opened(tmp_path, {1: KEY, 2: OTHER}, silence=0.1) as (sim, bus):
        events = aiter(bus.reader("1").events())
        sim.readers[1].bits(26, BITS)
        assert await card(events) == READ
        channel = bus.reader("1")._events  # type: ignore[attr-defined]
        for number in range(1, 1000):
            sim.readers[1].bits(*encode(Credential(technology=Technology.WIEGAND34, uid=number.to_bytes(4))))
            await asyncio.sleep(0.01)
            if len(channel) == 32:
                break
        assert len(channel) == 32
        sim.readers[1].bits(26, BITS)
