"""The promises of Device and Reader, held by every kind against the device side of its wire."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from drivers.registry import build
from gateway.domain.credential import Credential, Technology
from gateway.domain.entry import DeviceState
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import CardRead, CardRefused, Device, DeviceNotice, ReaderEvent
from simulators.nfc import NfcField
from simulators.pn532 import Fault, Pn532
from simulators.rdm6300 import Rdm6300
from simulators.virtual import Virtual
from tests.contracts.leftovers import descriptors
from tests.contracts.serial_benches import SERIAL_BENCHES, SETTINGS
from tests.contracts.terminal_bench import Simulated, TerminalBench, unpacked

PATIENCE = 10.0
#: Shorter than the default, so that a card that stayed and one that came back are told apart within a test.
SILENCE = 0.3


class Bench(Protocol):
    """One kind with its simulator."""

    kind: str
    first: Credential
    second: Credential

    @property
    def sim(self) -> Simulated: ...
    async def present(self, card: Credential, hold: float = 0.0) -> None: ...
    async def unfit(self) -> None: ...
    async def storm(self) -> None: ...


def em4100(uid: str) -> Credential:
    return Credential(technology=Technology.EM4100, uid=bytes.fromhex(uid))


def type_a(uid: str) -> Credential:
    return Credential(technology=Technology.ISO14443A, uid=bytes.fromhex(uid))


class SerialBench:
    kind = "rdm6300"
    first = em4100("62E3086CED")
    second = em4100("55007EE424")

    def __init__(self, sim: Rdm6300) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        assert await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        await self.sim.present(bytes(5), SILENCE * 1.5)

    async def storm(self) -> None:
        await self.sim.garbage((b"\x02" * 700 + b"0123456789ABCDEF" * 40 + b"\xff\x00junk\x03") * 200)


class VirtualBench:
    kind = "virtual"
    first = em4100("62E3086CED")
    second = type_a("04DE5F1EACC040")

    def __init__(self, sim: Virtual) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        assert await self.sim.card(card)
        await asyncio.sleep(hold)

    async def unfit(self) -> None:
        assert await self.sim.refused(Technology.ISO14443A, "the UID is random")

    async def storm(self) -> None:
        await self.sim.garbage(b"x" * 200_000 + b"\n" + b"card nonsense\n" * 100)


class FieldBench:
    kind = "nfc"
    first = type_a("04DE5F1EACC040")
    second = type_a("04112233445566778899")

    def __init__(self, sim: NfcField) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        # A phone: another random UID each time the field is switched on.
        for last in range(6):
            await self.sim.present(bytes([0x08, 1, 2, last]))

    async def storm(self) -> None:
        for answer in (b"106A", b"106A zz", b"\xff\xff \xff", b"106A 0") * 8:
            await self.sim.garbage(answer)


class ChipBench:
    kind = "nfc"
    first = type_a("04DE5F1EACC040")
    second = type_a("DEADBEEF")

    def __init__(self, sim: Pn532) -> None:
        self.sim = sim

    async def present(self, card: Credential, hold: float = 0.0) -> None:
        await self.sim.present(card.uid, hold)

    async def unfit(self) -> None:
        for last in range(6):
            await self.sim.present(bytes([0x08, 1, 2, last]))

    async def storm(self) -> None:
        for fault in (Fault.CHECKSUM, Fault.ERROR) * 10:
            await self.sim.spoil(fault)
            for _ in range(2):  # the second look says that the round of the first went well
                self.sim.chip.asked.clear()
                await self.sim.chip.asked.wait()


BENCHES: Mapping[str, Callable[[Path], Bench]] = {
    "rdm6300-pty": lambda tmp: SerialBench(Rdm6300(str(tmp / "reader"))),
    "rdm6300-tcp": lambda tmp: SerialBench(Rdm6300("tcp://127.0.0.1:0")),
    "virtual-tcp": lambda tmp: VirtualBench(Virtual("tcp://127.0.0.1:0")),
    "virtual-unix": lambda tmp: VirtualBench(Virtual(f"unix:{tmp}/reader")),
    "nfc-udp": lambda tmp: FieldBench(NfcField()),
    "nfc-pn532": lambda tmp: ChipBench(Pn532(str(tmp / "reader"))),
    **SERIAL_BENCHES,
    "zkteco": lambda _: TerminalBench(),
}


@pytest.fixture(params=BENCHES)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = BENCHES[request.param](tmp_path)
    async with bench.sim:
        yield bench


def device_of(bench: Bench) -> Device:
    settings: dict[str, object] = {"url": bench.sim.url, **SETTINGS.get(bench.kind, {})}
    if bench.kind not in ("virtual", "zkteco"):
        settings["silence"] = SILENCE
    if bench.kind == "nfc":
        settings["interval"] = 0.001
    return build(bench.kind, settings | getattr(bench, "settings", {}))


@asynccontextmanager
async def opened(bench: Bench) -> AsyncIterator[Device]:
    async with device_of(bench) as device:
        async with asyncio.timeout(PATIENCE):
            await bench.sim.opened()
        yield device


async def after(events: AsyncIterator[ReaderEvent]) -> ReaderEvent:
    async with asyncio.timeout(PATIENCE):
        return unpacked(await anext(events))


def faults_of(device: Device) -> Mapping[str, int]:
    """Not promised by the port: what health shows where a reader counts."""
    faults: Mapping[str, int] = getattr(device.reader(""), "faults", {})
    return faults


async def test_a_card_is_read_once_in_air_order(bench: Bench) -> None:
    async with opened(bench) as device:
        events = aiter(device.reader("").events())
        await bench.present(bench.first)
        await bench.present(bench.second)
        assert await after(events) == CardRead(credential=bench.first)
        assert await after(events) == CardRead(credential=bench.second)


async def test_a_held_card_is_one_presentation(bench: Bench) -> None:
    async with opened(bench) as device:
        events = aiter(device.reader("").events())
        await bench.present(bench.first, hold=SILENCE * 1.5)
        await bench.present(bench.second)
        assert [await after(events), await after(events)] == [
            CardRead(credential=bench.first),
            CardRead(credential=bench.second),
        ]


async def test_a_card_that_left_and_came_back_is_two(bench: Bench) -> None:
    async with opened(bench) as device:
        events = aiter(device.reader("").events())
        await bench.present(bench.first)
        assert await after(events) == CardRead(credential=bench.first)
        await asyncio.sleep(SILENCE * 1.5)  # the card is away
        await bench.present(bench.first)
        assert await after(events) == CardRead(credential=bench.first)


async def test_a_card_without_an_identity_is_refused_once(bench: Bench) -> None:
    async with opened(bench) as device:
        events = aiter(device.reader("").events())
        await bench.unfit()
        await bench.present(bench.first)
        refused = await after(events)
        assert isinstance(refused, CardRefused)
        assert refused.technology in (bench.first.technology, bench.second.technology)
        assert await after(events) == CardRead(credential=bench.first)


async def test_a_storm_is_told_once_and_the_next_card_is_read(bench: Bench) -> None:
    async with opened(bench) as device:
        events = aiter(device.reader("").events())
        assert not any(faults_of(device).values())
        storm = asyncio.create_task(bench.storm())
        notice = await after(events)
        await storm
        assert isinstance(notice, DeviceNotice)
        assert notice.kind is DeviceState.GARBAGE
        assert faults_of(device).keys() == {"bad_frames", "noise_bytes"}
        assert any(faults_of(device).values())
        await bench.present(bench.first)
        assert await after(events) == CardRead(credential=bench.first)


# UDP knows no connection: a field that is gone is a field without a card. A terminal that is silent keeps its taps.
@pytest.mark.parametrize("bench", sorted(BENCHES.keys() - {"nfc-udp", "zkteco"}), indirect=True)
async def test_a_pulled_plug_is_told_and_a_new_object_goes_on(bench: Bench, nothing_left: None) -> None:
    for card in (bench.first, bench.second):
        async with opened(bench) as device:
            events = aiter(device.reader("").events())
            await bench.present(card)
            assert await after(events) == CardRead(credential=card)
            await bench.sim.unplug()
            with pytest.raises(DeviceLost) as lost:
                await after(events)
            assert bench.sim.url in str(lost.value)
        with pytest.raises(DeviceLost) as absent:
            await device_of(bench).__aenter__()
        assert absent.value.hint
        await bench.sim.replug()


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
async def test_closing_leaves_nothing_behind(bench: Bench, busy: bool, nothing_left: None) -> None:
    connected = descriptors()
    for _ in range(20):
        async with device_of(bench) as device:
            if busy:
                listening = asyncio.create_task(after(aiter(device.reader("").events())))
                async with asyncio.timeout(PATIENCE):
                    await bench.sim.opened()
                await bench.present(bench.first)
                assert await listening == CardRead(credential=bench.first)
        async with asyncio.timeout(PATIENCE):
            while descriptors() > connected:  # the simulator hangs up too
                await asyncio.sleep(0.001)


async def test_closing_ends_who_still_listens(bench: Bench) -> None:
    async with device_of(bench) as device:
        listening = asyncio.create_task(after(aiter(device.reader("").events())))
        await asyncio.sleep(0)
    with pytest.raises(DeviceLost):
        await listening


async def test_an_address_that_is_not_there_is_a_mistake_of_the_configuration(bench: Bench) -> None:
    device = device_of(bench)
    with pytest.raises(ConfigError):
        device.reader("2")
    with pytest.raises(ConfigError):
        device.gate("2")
