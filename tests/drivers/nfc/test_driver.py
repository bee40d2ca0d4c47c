"""nfcpy's real drivers against a chip that misbehaves, an ACR122U without a USB, and calls that hang."""

import asyncio
import errno
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nfc.clf.acr122
import pytest
from pydantic import ValidationError

from drivers.nfc import driver
from drivers.nfc.driver import Nfc
from drivers.nfc.frontend import connect
from gateway.domain.credential import Credential, Technology
from gateway.errors import DeviceLost
from gateway.ports import CardRead
from simulators.pn532 import Chip, Fault, Pn532

UID = bytes.fromhex("04DE5F1EACC040")
READ = CardRead(credential=Credential(technology=Technology.ISO14443A, uid=UID))

pytestmark = pytest.mark.usefixtures("patient")


@asynccontextmanager
async def opened(tmp_path: Path) -> AsyncIterator[tuple[Pn532, Nfc]]:
    async with (
        asyncio.timeout(20),
        Pn532(str(tmp_path / "reader"), pace=0.0001) as sim,
        Nfc(Nfc.Settings(url=sim.url, interval=0.001)) as device,
    ):
        await sim.opened()
        yield sim, device


@pytest.mark.parametrize("fault", Fault)
async def test_one_bad_answer_is_a_long_wire(fault: Fault, tmp_path: Path) -> None:
    async with opened(tmp_path) as (sim, device):
        await sim.spoil(fault)
        await sim.present(UID)
        assert await anext(aiter(device.reader("").events())) == READ


@pytest.mark.parametrize("fault", Fault)
async def test_only_bad_answers_are_a_lost_device(fault: Fault, tmp_path: Path) -> None:
    async with opened(tmp_path) as (sim, device):
        sim.fault = fault
        with pytest.raises(DeviceLost, match="stopped answering"):
            await anext(aiter(device.reader("").events()))


@pytest.mark.parametrize("fault", Fault)
async def test_a_chip_that_does_not_answer_cannot_be_opened(fault: Fault, tmp_path: Path) -> None:
    async with asyncio.timeout(20), Pn532(str(tmp_path / "reader")) as sim:
        sim.fault = fault
        with pytest.raises(DeviceLost, match="no PN532 answers") as lost:
            await Nfc(Nfc.Settings(url=sim.url)).__aenter__()
        assert "HSU" in lost.value.hint
        sim.fault = None
        async with Nfc(Nfc.Settings(url=sim.url)):
            await sim.opened()


@pytest.mark.parametrize("fault", Fault)
async def test_one_bad_answer_while_it_is_opened_is_a_long_wire(fault: Fault, tmp_path: Path) -> None:
    async with asyncio.timeout(20), Pn532(str(tmp_path / "reader")) as sim:
        spoilt = asyncio.create_task(sim.spoil(fault))
        await asyncio.sleep(0)
        async with Nfc(Nfc.Settings(url=sim.url)):
            assert spoilt.done()
            await sim.opened()


async def test_a_chip_whose_gateway_was_killed_is_opened_again(tmp_path: Path) -> None:
    """Nobody told it goodbye: it listens at the speed that it had."""
    async with asyncio.timeout(20), Pn532(str(tmp_path / "reader")) as sim:
        killed = await asyncio.to_thread(connect, sim.url)
        killed.chipset.transport.close()
        async with Nfc(Nfc.Settings(url=sim.url)):
            await sim.opened()


async def test_a_port_is_for_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as (sim, _):
        with pytest.raises(DeviceLost, match="in use"):
            await Nfc(Nfc.Settings(url=sim.url)).__aenter__()


@pytest.mark.parametrize(
    ("card", "round_"), [(None, [0x4A, 0x06, 0x32]), (UID, [0x32, 0x4A, 0x06, 0x08])], ids=["nobody", "card"]
)
async def test_the_field_is_off_between_two_rounds_and_switched_off_once(
    card: bytes | None, round_: list[int], tmp_path: Path
) -> None:
    """RFConfiguration is 32, InListPassiveTarget 4A; the registers are nfcpy's business."""
    async with opened(tmp_path) as (sim, _):
        asked: list[int] = []
        answer, sim.chip.card = sim.chip.answer, card

        def heard(command: int, argument: bytes) -> bytes | None:
            asked.append(command)
            return answer(command, argument)

        sim.chip.answer = heard  # type: ignore[method-assign]
        while asked.count(round_[0]) < 5:
            await asyncio.sleep(0.001)
        begins = len(asked) - 1 - asked[::-1].index(round_[0])
        assert asked[begins - 2 * len(round_) : begins] == round_ * 2


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ttyUSB0",
        "/dev/tty\0",
        "tty:USB0:pn532; reboot",
        "tty:../x:pn532",
        "tty:USB0:arygon",
        "usb:zz",
        "udp:127.0.0.1",
        "udp:a b:1",
    ],
)
def test_only_what_can_be_opened_is_a_url(url: str) -> None:
    with pytest.raises(ValidationError):
        Nfc.Settings(url=url)


@pytest.mark.parametrize("url", ["tty:AMA0:pn532", "tty:USB0", "usb", "usb:072f", "usb:072f:2200", "udp:127.0.0.1:1"])
def test_the_paths_of_nfcpy(url: str) -> None:
    assert Nfc.Settings(url=url).url == url


async def test_a_port_that_is_not_there() -> None:
    with pytest.raises(DeviceLost, match="is not there"):
        await Nfc(Nfc.Settings(url="tty:USB999:pn532")).__aenter__()


@pytest.mark.parametrize(
    ("code", "hint"),
    [(errno.ENODEV, "lsusb"), (errno.ENOENT, "libusb"), (errno.EACCES, "rules"), (errno.EBUSY, "pcscd")],
)
async def test_a_usb_reader_that_does_not_open(code: int, hint: str) -> None:
    def connect(url: str) -> Any:
        raise OSError(code, "no")

    with pytest.raises(DeviceLost) as lost:
        await Nfc(Nfc.Settings(url="usb:072f:2200"), connect=connect).__aenter__()
    assert hint in lost.value.hint


class FakeCcid:
    """A USB transport with an ACR122U behind it: CCID around pseudo-APDUs around PN532 commands."""

    TYPE = "USB"
    manufacturer_name = "ACS"
    product_name = "ACR122U PICC Interface"

    def __init__(self) -> None:
        self.chip = Chip()
        self.closed = False
        self.gone = False
        self._answer = b""

    def write(self, data: bytes) -> None:
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        size = int.from_bytes(data[1:5], "little")
        assert len(data) == 10 + size
        answer = b"\x3b\x00" if data[0] == 0x62 else self._apdu(bytes(data[10:]))
        self._answer = b"\x80" + len(answer).to_bytes(4, "little") + bytes(5) + answer

    def read(self, timeout: int = 0) -> bytearray:
        return bytearray(self._answer)

    def close(self) -> None:
        self.closed = True

    def _apdu(self, apdu: bytes) -> bytes:
        if apdu == bytes.fromhex("FF00480000"):
            return b"ACR122U215"
        if apdu.startswith(bytes.fromhex("FF000000")) and apdu[5] == 0xD4:
            return bytes([0xD5, apdu[6] + 1]) + (self.chip.answer(apdu[6], apdu[7:]) or b"") + b"\x90\x00"
        return b"\x90\x00"


async def test_an_acr122u_reads_a_card_and_is_closed() -> None:
    usb = FakeCcid()
    settings = Nfc.Settings(url="usb:072f:2200", interval=0.001)
    async with asyncio.timeout(30), Nfc(settings, connect=lambda url: nfc.clf.acr122.init(usb)) as device:
        events = aiter(device.reader("").events())
        await present(usb.chip)
        assert await anext(events) == READ
    assert usb.closed


async def test_an_acr122u_that_is_pulled_out_is_lost() -> None:
    usb = FakeCcid()
    settings = Nfc.Settings(url="usb:072f:2200", interval=0.001)
    async with asyncio.timeout(30), Nfc(settings, connect=lambda url: nfc.clf.acr122.init(usb)) as device:
        usb.gone = True
        with pytest.raises(DeviceLost, match="No such device"):
            await anext(aiter(device.reader("").events()))
    assert usb.closed


async def present(chip: Chip) -> None:
    """Here the chip is asked by the reader's thread, not by the loop."""
    chip.card = UID
    while not chip.found.is_set():
        await asyncio.sleep(0.001)
    chip.card = None


async def test_a_call_that_hangs_is_left_behind_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "_OPENING_SECONDS", 0.05)
    monkeypatch.setattr(driver, "_CLOSING_SECONDS", 0.05)
    let_go = threading.Event()

    def connect(url: str) -> Any:
        let_go.wait()
        raise OSError(errno.ENODEV, "No such device")

    device = Nfc(Nfc.Settings(url="usb:072f:2200"), connect=connect)
    with pytest.raises(DeviceLost, match="does not answer") as lost:
        await device.__aenter__()
    assert any("left behind" in note for note in lost.value.__notes__)
    assert device._thread.daemon
    threads = threading.active_count()
    others = [Nfc(Nfc.Settings(url="usb:072f:2200"), connect=connect) for _ in range(3)]
    for other in others[:2]:
        with pytest.raises(DeviceLost, match="does not answer"):
            await other.__aenter__()
    with pytest.raises(DeviceLost, match="3 never returned") as again:
        await others[2].__aenter__()
    assert "plug it in again" in again.value.hint
    assert threading.active_count() == threads + 2
    let_go.set()
    for hung in (device, *others[:2]):
        hung._thread.join(10)
        assert not hung._thread.is_alive()
    monkeypatch.undo()
    with pytest.raises(DeviceLost, match="No such device"):
        await Nfc(Nfc.Settings(url="usb:072f:2200"), connect=connect).__aenter__()


async def test_a_reader_that_is_full_waits_and_still_closes(tmp_path: Path) -> None:
    async with opened(tmp_path) as (sim, device):
        events = aiter(device.reader("").events())
        await sim.present(UID)
        assert await anext(events) == READ
        for number in range(33):
            await sim.present(bytes([4, number, *UID[2:]]))
    assert not device._thread.is_alive()


async def test_nfcpy_itself_logs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with opened(tmp_path) as (sim, device):
        await sim.spoil(Fault.CHECKSUM)
        await sim.present(UID)
        assert await anext(aiter(device.reader("").events())) == READ
    assert not [record for record in caplog.records if record.name.startswith("nfc")]
