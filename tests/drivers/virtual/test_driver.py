"""The virtual gate: passages in, verdicts out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers import steady
from drivers.steady import OFTEN
from drivers.virtual import driver
from drivers.virtual.driver import Virtual
from gateway.domain.answer import Answer, Words
from gateway.domain.credential import Credential, Technology
from gateway.domain.entry import DeviceState, FireAlarm, GateMode, Obstruction
from gateway.domain.model import Direction, Reason, Verdict
from gateway.errors import DeviceLost
from gateway.ports import CardRead, DeviceNotice, Rotation
from simulators.virtual import Virtual as Simulated

ADMIT = Verdict(admit=True, reason=Reason.KNOWN)
PASS = Words(answer=Answer.PASS, lines=("Проходите",))
REFUSE = Verdict(admit=False, reason=Reason.UNKNOWN_CARD)
CARD = Credential(technology=Technology.EM4100, uid=bytes.fromhex("55007EE424"))


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Simulated, Virtual]]:
    async with (
        asyncio.timeout(30),
        Simulated("tcp://127.0.0.1:0") as sim,
        Virtual(Virtual.Settings(url=sim.url)) as device,
    ):
        await sim.opened()
        yield sim, device


async def test_reader_and_gate_hear_what_is_theirs() -> None:
    async with opened() as (sim, device):
        for said in (sim.tamper(), sim.fire_alarm(), sim.mode(GateMode.FREE), sim.blocked(on=False)):
            assert await said
        for said in (sim.rotate(Direction.OUT), sim.card(CARD)):
            assert await said
        seen, passed = aiter(device.reader("").events()), aiter(device.gate("").events())
        notice, alarm = await anext(seen), await anext(passed)
        assert isinstance(notice, DeviceNotice)
        assert notice.kind is DeviceState.TAMPER
        assert alarm == DeviceNotice(kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALARM)
        assert await anext(passed) == DeviceNotice(kind=DeviceState.MODE, detail=GateMode.FREE)
        assert await anext(passed) == DeviceNotice(kind=DeviceState.BLOCKED, detail=Obstruction.CLEAR)
        assert await anext(seen) == CardRead(credential=CARD)
        assert await anext(passed) == Rotation(direction=Direction.OUT)


async def test_a_program_that_flaps_fills_no_disk_and_hides_no_passage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "STILL", 0.3)
    monkeypatch.setattr(driver, "STILL", 0.3)
    async with opened() as (sim, device):
        seen, passed = aiter(device.reader("").events()), aiter(device.gate("").events())
        mode, told = DeviceNotice(kind=DeviceState.MODE, detail=GateMode.FREE), 0
        for _ in range(3 * OFTEN):
            assert await sim.tamper()
            assert await sim.mode(GateMode.FREE)
            assert await sim.mode(GateMode.SINGLE)
        assert await sim.rotate(Direction.IN)
        assert await sim.card(CARD)
        while (event := await anext(passed)) != Rotation(direction=Direction.IN):
            told += event == mode
            assert isinstance(event, DeviceNotice)
        assert told == OFTEN
        assert await anext(passed) == DeviceNotice(kind=DeviceState.MODE, detail=GateMode.SINGLE)
        heard = [await anext(seen) for _ in range(OFTEN + 2)]
        assert heard[-1] == CardRead(credential=CARD)
        assert [event.kind for event in heard[:-1] if isinstance(event, DeviceNotice)] == [
            *[DeviceState.TAMPER] * OFTEN,
            DeviceState.GARBAGE,
        ]


async def test_verdicts_are_shown_in_order() -> None:
    async with opened() as (sim, device):
        gate = device.gate("")
        for verdict in (ADMIT, REFUSE, ADMIT):
            await gate.show(verdict, PASS)
        shown = aiter(sim.shown())
        assert [await anext(shown) for _ in range(3)] == [ADMIT, REFUSE, ADMIT]
        assert sim.screen == PASS
        await gate.rest()
        while sim.screen is not None:
            await asyncio.sleep(0.001)


async def test_a_gate_that_nobody_watches_never_stops_the_reader() -> None:
    async with opened() as (sim, device):
        for _ in range(500):
            assert await sim.rotate(Direction.IN)
        assert await sim.card(CARD)
        assert await anext(aiter(device.reader("").events())) == CardRead(credential=CARD)


async def test_show_tells_that_the_gate_is_gone() -> None:
    async with asyncio.timeout(30), Simulated("tcp://127.0.0.1:0") as sim:
        device = Virtual(Virtual.Settings(url=sim.url))
        with pytest.raises(DeviceLost):
            await device.gate("").show(ADMIT, PASS)
        async with device:
            gate = device.gate("")
            await sim.opened()
            await sim.unplug()
            with pytest.raises(DeviceLost):
                await anext(aiter(gate.events()))
            with pytest.raises(DeviceLost):
                await gate.show(ADMIT, PASS)


async def test_a_gate_that_does_not_listen_is_lost_instead_of_waited_for() -> None:
    hung_up = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        try:
            await hung_up.wait()
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with asyncio.timeout(30), Virtual(Virtual.Settings(url=url)) as device:
        gate = device.gate("")

        async def show_for_ever() -> None:
            while True:
                await gate.show(ADMIT, PASS)

        with pytest.raises(DeviceLost, match="does not take"):
            await show_for_ever()
        for watched in (device.reader("").events(), gate.events()):
            with pytest.raises(DeviceLost, match="does not take"):
                await anext(watched)
    hung_up.set()
    server.close()
    await server.wait_closed()
