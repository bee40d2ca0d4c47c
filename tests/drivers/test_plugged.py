"""What is plugged in, over the /dev, /proc and /sys of machines that are not here."""

import os
from pathlib import Path

import pytest

from drivers.plugged import Plugged, known_to_pcscd, plugged
from simulators.pcsc import PcscReader
from tests.needs import PCSC

SERIAL = ("rdm6300", "ironlogic", "line", "nfc", "osdp", "modbus")


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        file = root / name.replace("__", "/").replace("_colon_", ":")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")


def link(link: Path, to: str) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(to)


def process(root: Path, number: int, name: str, node: str) -> None:
    write(root / "proc" / str(number), comm=name)
    link(root / "proc" / str(number) / "fd" / "3", node)


@pytest.fixture
def usb_serial(tmp_path: Path) -> Path:
    """A machine with one converter."""
    write(tmp_path, dev__ttyUSB0="")
    link(tmp_path / "dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", "../../ttyUSB0")
    return tmp_path


URL = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"


def test_an_empty_machine_has_nothing(tmp_path: Path) -> None:
    assert plugged(tmp_path) == []


def test_a_converter_may_be_any_serial_reader(usb_serial: Path) -> None:
    assert plugged(usb_serial) == [Plugged(what="serial device", url=URL, kinds=SERIAL)]


@pytest.mark.parametrize(
    ("name", "fix"),
    [("ModemManager", "disable --now ModemManager"), ("brltty", "remove brltty"), ("minicom", "stop that program")],
)
def test_who_holds_a_device_is_named_with_the_fix(usb_serial: Path, name: str, fix: str) -> None:
    process(usb_serial, 77, name, "/dev/ttyUSB0")
    process(usb_serial, 78, "innocent", "/dev/ttyUSB1")
    [found] = plugged(usb_serial)
    assert found.held == f"{name} (process 77)"
    assert fix in found.fix


@pytest.mark.parametrize(
    ("name", "kinds"),
    [("usb-RFID_Z-2_USB-if00-port0", ("ironlogic",)), ("usb-FTDI_USB-RS485_Cable", ("osdp", "modbus"))],
)
def test_a_name_may_say_more(tmp_path: Path, name: str, kinds: tuple[str, ...]) -> None:
    link(tmp_path / "dev/serial/by-id" / name, "../../ttyUSB0")
    assert [found.kinds for found in plugged(tmp_path)] == [kinds]


def test_a_device_that_this_user_may_not_open(usb_serial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may open everything
    [found] = plugged(usb_serial)
    assert "may not be opened" in found.held
    assert "usermod" in found.fix


def test_pins_of_a_pi_are_free_or_the_console_has_them(tmp_path: Path) -> None:
    for name in ("ttyAMA0", "ttyS0", "ttyS1"):
        write(tmp_path, **{f"dev__{name}": ""})
    for name in ("ttyAMA0", "ttyS0"):
        (tmp_path / "sys/class/tty" / name / "device/of_node").mkdir(parents=True)
    write(tmp_path, sys__class__tty__console__active="tty1 ttyS0")
    process(tmp_path, 5, "agetty", "/dev/ttyAMA0")
    told = {found.url: (found.held, found.fix) for found in plugged(tmp_path)}
    assert told.keys() == {"/dev/ttyAMA0", "/dev/ttyS0"}
    assert told["/dev/ttyAMA0"] == ("agetty (process 5)", "sudo systemctl disable --now serial-getty@ttyAMA0")
    assert told["/dev/ttyS0"][0] == "the console of the kernel"
    assert "raspi-config" in told["/dev/ttyS0"][1]


def test_a_reader_that_types(tmp_path: Path) -> None:
    folder = tmp_path / "dev/input/by-id"
    link(folder / "usb-Sycreader-event-kbd", "../event3")
    link(folder / "usb-Some_Mouse-event-mouse", "../event4")
    process(tmp_path, 9, "python", "/dev/input/event3")
    [found] = plugged(tmp_path)
    assert (found.url, found.kinds) == ("/dev/input/by-id/usb-Sycreader-event-kbd", ("keyboard",))
    assert found.held == "python (process 9)"


def usb(root: Path, number: str, product: str, *, interface: str = "0b", driver: str = "") -> None:
    vendor, _, model = number.partition(":")
    device = root / "sys/bus/usb/devices/1-1"
    write(device, idVendor=vendor, idProduct=model, product=product, busnum="1", devnum="4")
    write(device / "1-1:1.0", bInterfaceClass=interface)
    if driver:
        link(device / "1-1:1.0/driver", f"../../../../bus/usb/drivers/{driver}")


def test_an_acr122u_belongs_to_pcscd(tmp_path: Path) -> None:
    usb(tmp_path, "072f:2200", "ACR122U PICC Interface", driver="usbfs")
    process(tmp_path, 3, "pcscd", "/dev/bus/usb/001/004")
    [found] = plugged(tmp_path)
    assert (found.url, found.kinds, found.held) == ("pcsc:ACS ACR122U", ("pcsc", "nfc"), "")


def test_an_acr122u_that_the_kernel_has_taken(tmp_path: Path) -> None:
    usb(tmp_path, "072f:2200", "ACR122U", driver="pn533_usb")
    [found] = plugged(tmp_path)
    assert found.held == "the kernel (pn533_usb)"
    assert "modprobe -r pn533_usb" in found.fix


def test_any_other_smart_card_reader_is_for_pcsc_and_any_other_device_is_none(tmp_path: Path) -> None:
    usb(tmp_path, "076b:5022", "OMNIKEY 5022 CL")
    [found] = plugged(tmp_path)
    assert (found.url, found.kinds) == ("pcsc:OMNIKEY 5022 CL", ("pcsc",))
    usb(tmp_path, "046d:c31c", "Keyboard", interface="03")
    assert plugged(tmp_path) == []


def test_a_reader_that_pcscd_does_not_know(tmp_path: Path) -> None:
    usb(tmp_path, "054c:06c3", "RC-S380/P", interface="ff")
    process(tmp_path, 3, "pcscd", "/dev/bus/usb/001/004")
    [found] = plugged(tmp_path)
    assert (found.url, found.kinds) == ("usb:054c:06c3", ("nfc",))
    assert "systemctl disable --now pcscd.socket" in found.fix


def test_a_gpio_chip_by_its_label_where_the_kernel_tells_it(tmp_path: Path) -> None:
    write(tmp_path, dev__gpiochip0="", dev__gpiochip1="")
    soc = tmp_path / "sys/devices/platform/soc/fe200000.gpio"
    write(soc, gpio__gpiochip512__label="pinctrl-bcm2711")
    (soc / "gpiochip0").mkdir()
    link(tmp_path / "sys/bus/gpio/devices/gpiochip0", "../../../devices/platform/soc/fe200000.gpio/gpiochip0")
    assert [(found.url, found.kinds) for found in plugged(tmp_path)] == [
        ("pinctrl-bcm2711", ("gpio",)),
        ("/dev/gpiochip1", ("gpio",)),
    ]


@pytest.mark.needs(*PCSC)
async def test_what_pcscd_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = PcscReader(tmp_path)
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(reader.service.socket))
    assert known_to_pcscd() == []
    async with reader:
        assert "pcsc:ACS ACR122U PICC Interface 00 00" in [found.url for found in known_to_pcscd()]
