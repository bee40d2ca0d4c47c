"""What is plugged into a machine: where a driver finds it, which kinds fit, who holds it and what to do about that.

Everything is read from /dev, /proc and /sys below a folder, which is "/" but in tests. Nothing is opened, so nobody is disturbed.
"""

import contextlib
import errno
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from drivers.holders import holders
from drivers.trouble import lost

_MACHINE: Final = Path("/")
#: A converter does not tell what hangs on it.
_SERIAL: Final = ("rdm6300", "ironlogic", "line", "nfc", "osdp", "modbus")
#: Words in the name of a serial device that say more.
_NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "Z-2": ("ironlogic",),
    "IronLogic": ("ironlogic",),
    "RS485": ("osdp", "modbus"),
    "RS-485": ("osdp", "modbus"),
}
_UARTS: Final = ("ttyAMA*", "ttyS*")
#: USB readers by vendor and product, as pcscd begins their names, or None for those that only nfcpy knows.
_READERS: Final[Mapping[str, str | None]] = {
    "072f:2200": "ACS ACR122U",
    "04e6:5591": None,
    "054c:06c1": None,
    "054c:06c3": None,
}
_NAMES_OF_PCSC: Final = (sys.executable, "-m", "drivers.pcsc.names")
_SMART_CARD: Final = "0b"
#: Drivers of the kernel that take a reader away from everybody.
_TAKERS: Final = ("pn533_usb", "pn533", "port100")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugged:
    """One device."""

    what: str
    #: What is written in gateway.toml.
    url: str
    kinds: tuple[str, ...]
    #: Who has it now, or why it may not be used; empty where nothing is in the way, as far as this user may see.
    held: str = ""
    #: What to do about that.
    fix: str = ""


def plugged(root: Path = _MACHINE) -> list[Plugged]:
    """Serial devices, readers that type, USB readers and GPIO chips, in this order."""
    return [*_serial(root), *_uarts(root), *_keyboards(root), *_usb(root), *_chips(root)]


def known_to_pcscd() -> list[Plugged]:
    """What the service knows by name, perhaps nothing; asked in a process of its own, because it may hang."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(_NAMES_OF_PCSC, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=5, check=False)
        names = done.stdout.decode("utf-8", "replace").splitlines()
        return [Plugged(what="known to pcscd", url=f"pcsc:{name}", kinds=("pcsc",)) for name in names]
    return []


def _serial(root: Path) -> Iterator[Plugged]:
    for link in _names(root / "dev/serial/by-id"):
        kinds = next((kinds for word, kinds in _NAMED.items() if word in link.name), _SERIAL)
        yield _held(
            root, _target(link), Plugged(what="serial device", url=f"/dev/serial/by-id/{link.name}", kinds=kinds)
        )


def _uarts(root: Path) -> Iterator[Plugged]:
    """Pins of a Raspberry Pi; a PC has such names without a device behind them."""
    console = _text(root / "sys/class/tty/console/active").split()
    for pattern in _UARTS:
        for node in sorted((root / "dev").glob(pattern)):
            if not (root / "sys/class/tty" / node.name / "device/of_node").exists():
                continue
            found = Plugged(what="serial pins", url=f"/dev/{node.name}", kinds=_SERIAL)
            if node.name in console:
                fix = "sudo raspi-config: login shell on the serial port off, hardware on; then restart"
                yield replace(found, held="the console of the kernel", fix=fix)
            else:
                yield _held(root, found.url, found)


def _keyboards(root: Path) -> Iterator[Plugged]:
    for link in _names(root / "dev/input/by-id"):
        if link.name.endswith("-event-kbd"):
            found = Plugged(what="types like a keyboard", url=f"/dev/input/by-id/{link.name}", kinds=("keyboard",))
            yield _held(root, _target(link), found)


def _usb(root: Path) -> Iterator[Plugged]:
    for device in _names(root / "sys/bus/usb/devices"):
        number = f"{_text(device / 'idVendor')}:{_text(device / 'idProduct')}"
        parts = sorted(device.glob("*:*"))
        speaks = _SMART_CARD in [_text(part / "bInterfaceClass") for part in parts]
        if number not in _READERS and not speaks:
            continue
        name = _READERS.get(number) or _text(device / "product")
        url = f"pcsc:{name}" if speaks or _READERS.get(number) else f"usb:{number}"
        kinds = (("pcsc",) if url.startswith("pcsc") else ()) + (("nfc",) if number in _READERS else ())
        found = Plugged(what=f"USB reader {number} {_text(device / 'product')}".strip(), url=url, kinds=kinds)
        drivers = [driver.readlink().name for part in parts if (driver := part / "driver").is_symlink()]
        if taken := [name for name in drivers if name in _TAKERS]:
            fix = f"sudo modprobe -r {taken[0]}; systemd/modprobe.conf keeps it away"
            yield replace(found, held=f"the kernel ({taken[0]})", fix=fix)
        else:
            node = f"/dev/bus/usb/{int(_text(device / 'busnum') or 0):03}/{int(_text(device / 'devnum') or 0):03}"
            yield _held(root, node, found, serves="pcscd" if "pcsc" in kinds else "")


def _chips(root: Path) -> Iterator[Plugged]:
    """Many programs may have lines of one chip, so nobody holds it."""
    for node in sorted((root / "dev").glob("gpiochip[0-9]*")):
        beside = (root / "sys/bus/gpio/devices" / node.name).resolve().parent
        labels = [_text(chip / "label") for chip in beside.glob("gpio/gpiochip*")]
        found = Plugged(what="GPIO chip", url=labels[0] if labels else f"/dev/{node.name}", kinds=("gpio",))
        yield _allowed(root, f"/dev/{node.name}", found)


def _held(root: Path, node: str, found: Plugged, *, serves: str = "") -> Plugged:
    """With who is in the way; the program that `serves` a device to others is not."""
    who = [one for one in holders(node, root) if one.name != serves]
    if not who:
        return found if serves else _allowed(root, node, found)
    return replace(found, held=", ".join(map(str, who)), fix="; ".join(dict.fromkeys(one.fix(node) for one in who)))


def _allowed(root: Path, node: str, found: Plugged) -> Plugged:
    """With what to do where this user may not open it."""
    file = root / node.lstrip("/")
    if not file.exists() or os.access(file, os.R_OK | os.W_OK):
        return found
    told = lost(str(file), PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    return replace(found, held=str(told), fix=told.hint)


def _names(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _target(link: Path) -> str:
    """The device file that a stable name stands for."""
    return (
        os.path.normpath(f"/dev/{link.parent.parent.name}/by-id/{link.readlink()}") if link.is_symlink() else str(link)
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
