"""What a turnstile behind a Modbus board does beyond the promises of every gate."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus import FramerType

from drivers.contacts import Role
from drivers.lamp import Output
from drivers.modbus.board import Board
from drivers.modbus.driver import Modbus
from gateway.domain.answer import Answer, Words
from gateway.domain.entry import DeviceState, FireAlarm
from gateway.domain.model import Direction, Reason, Verdict
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import DeviceNotice, Gate, GateEvent, Rotation
from simulators.modbus import Turnstile

ADMIT = Verdict(admit=True, reason=Reason.KNOWN)
PASS = Words(answer=Answer.PASS, lines=())
ALARM = DeviceNotice(kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALARM)
#: Mode, fire alarm, blocked.
STAND = 3


def device(sim: Turnstile, **settings: object) -> Modbus:
    quick = {"interval": 0.02, "patience": 1.0, "opens": 60.0}
    return Modbus(Modbus.Settings.model_validate({**sim.settings, **quick, **settings}))


@asynccontextmanager
async def opened(sim: Turnstile, **settings: object) -> AsyncIterator[tuple[Gate, AsyncIterator[GateEvent]]]:
    async with asyncio.timeout(30), sim, device(sim, **settings) as board:
        gate = board.gate("")
        events = aiter(gate.events())
        for _ in range(STAND):
            await anext(events)
        yield gate, events


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.001)


async def test_the_wire_says_what_the_vectors_say(tmp_path: Path) -> None:
    vectors = (Path(__file__).parents[2] / "vectors" / "modbus.txt").read_text("ascii").splitlines()
    sim = Turnstile(str(tmp_path / "board"))
    async with opened(sim) as (gate, _):
        await gate.show(Verdict(admit=False, reason=Reason.LOST), Words(answer=Answer.NOT_RECORDED, lines=()))
        await until(lambda: Output.RED in sim.on)
        assert [*Output].index(Output.RED) == 2
        assert len(Role) == 8
        wire = sim.wire
        assert wire is not None
        expected = [(line[27:37].strip(), bytes.fromhex(line[:23])) for line in vectors if not line.startswith("#")]
        await until(lambda: {*expected} <= {*wire.said})


async def test_a_cut_wire_of_the_fire_alarm_is_an_alarm() -> None:
    sim = Turnstile("tcp://127.0.0.1:0")
    async with opened(sim) as (_, events):
        await sim.contact(Role.FIRE_ALARM, closed=False)
        assert await anext(events) == ALARM


async def test_a_board_that_forgot_its_outputs_is_told_again() -> None:
    sim = Turnstile("tcp://127.0.0.1:0")
    async with opened(sim) as (gate, _):
        await gate.show(ADMIT, PASS)
        await until(lambda: {Output.GREEN, Output.UNLOCK} <= sim.on)
        sim.forget()
        await until(lambda: Output.UNLOCK in sim.on)


@pytest.mark.parametrize("unlock", ["4", "4 off"])
async def test_a_bolt_that_another_master_opened_is_shut_again(unlock: str) -> None:
    def coil() -> bool:
        return Output.UNLOCK in sim.on

    sim, shut = Turnstile("tcp://127.0.0.1:0"), unlock.endswith("off")
    async with opened(sim, unlock=unlock):
        await until(lambda: coil() is shut)
        other = Board(sim.url, unit=1, framing="tcp", baudrate=9600, parity="none", patience=1.0)
        async with other:
            await other.write(4, on=not shut)
            assert coil() is not shut
            await until(lambda: coil() is shut)


async def test_nothing_is_left_on() -> None:
    async with asyncio.timeout(30), Turnstile("tcp://127.0.0.1:0") as sim:
        async with device(sim) as board:
            await board.gate("").show(ADMIT, PASS)
            await until(lambda: Output.UNLOCK in sim.on)
        assert not sim.on


async def test_what_was_switched_on_in_the_last_moment_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    write = Board.write

    async def never_heard(board: Board, coil: int, *, on: bool) -> None:
        await write(board, coil, on=on)
        if on:
            # Not for ever: where an answer comes in the moment of cancelling, Python 3.11 forgets to cancel.
            await asyncio.sleep(5)

    monkeypatch.setattr(Board, "write", never_heard)
    async with asyncio.timeout(30), Turnstile("tcp://127.0.0.1:0") as sim:
        async with device(sim) as board:
            await board.gate("").show(ADMIT, PASS)
            await until(lambda: bool(sim.on))
        assert not sim.on


async def test_a_lamp_without_contacts_is_missed_as_well() -> None:
    lamp: dict[str, object] = dict.fromkeys(Role, "")
    async with asyncio.timeout(30), Turnstile("tcp://127.0.0.1:0") as sim, device(sim, **lamp) as board:
        await sim.unplug()
        with pytest.raises(DeviceLost, match="does not answer"):
            await anext(aiter(board.gate("").events()))


async def test_behind_a_serial_server_the_frames_are_those_of_the_line() -> None:
    sim = Turnstile("tcp://127.0.0.1:0", framer=FramerType.RTU)
    async with opened(sim, framing="rtu") as (_, events):
        await sim.rotate(Direction.OUT)
        assert await anext(events) == Rotation(direction=Direction.OUT)


async def test_contacts_may_be_the_bits_of_a_register() -> None:
    bits = {role.value: f"7.{bit}" for bit, role in enumerate(Role)}
    sim = Turnstile("tcp://127.0.0.1:0")
    async with opened(sim, table="input_registers", a_is="exit", **bits) as (_, events):
        await sim.rotate(Direction.IN)
        assert await anext(events) == Rotation(direction=Direction.OUT)


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"unit": 9}, "unit 9"), ({"table": "holding_registers", "pass_a": "40000"}, "refuses|does not answer")],
)
async def test_a_board_that_has_other_addresses_is_told_at_once(settings: dict[str, object], why: str) -> None:
    quiet: dict[str, object] = {role.value: "" for role in Role if role is not Role.PASS_A}
    async with asyncio.timeout(30), Turnstile("tcp://127.0.0.1:0") as sim:
        with pytest.raises(DeviceLost, match=why) as lost:
            await device(sim, **{**quiet, **settings}).__aenter__()
        assert lost.value.hint


async def test_a_line_is_for_one(tmp_path: Path) -> None:
    async with asyncio.timeout(30), Turnstile(str(tmp_path / "board")) as sim, device(sim):
        with pytest.raises(DeviceLost, match="in use"):
            await device(sim).__aenter__()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "without an address"),
        ({"pass_a": "0", "ready": "200"}, "more than 125"),
        ({"pass_a": "0.1"}, "one bit already"),
        ({"green": "0.1"}, "one bit already"),
        ({"table": "coils", "pass_a": "3", "unlock": "03"}, "pass_a and unlock are the same coil"),
    ],
)
def test_a_wiring_that_cannot_be(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigError, match=why) as error:
        Modbus(Modbus.Settings.model_validate({"url": "/dev/ttyUSB0", **settings}))
    assert error.value.hint


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"pass_a": "1", "pass_b": "1 off"}, "pass_a already"),
        ({"green": "1", "red": "1"}, "green already"),
        ({"pass_a": "3", "ready": "03"}, "pass_a already"),
        ({"table": "input_registers", "pass_a": "7", "ready": "7.0"}, "pass_a already"),
        ({"table": "input_registers", "pass_a": "7.00", "ready": "7.0"}, "pass_a already"),
        ({"pass_a": "one"}, "counted from 0"),
        ({"url": "unix:/run/board"}, "tcp://host:port"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Modbus.Settings.model_validate({"url": "/dev/ttyUSB0", **settings})


def test_an_input_and_an_output_may_have_the_same_number() -> None:
    settings = Modbus.Settings(url="/dev/ttyUSB0", pass_a="0", unlock="0")
    assert Modbus(settings).gate("")
    with pytest.raises(ConfigError, match="no reader"):
        Modbus(settings).reader("")
