"""The door to nfcpy: opens, asks once, closes; every way in which nfcpy fails becomes a frame or DeviceLost."""

import contextlib
import errno
import logging
import os
import re
import struct
import termios
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import nfc
import nfc.clf
import nfc.clf.device
import nfc.clf.pn53x
import nfc.clf.pn532
import nfc.clf.transport
import serial
import usb1  # type: ignore[import-untyped]

from drivers.frames import Frame, Noise
from drivers.nfc.codec import type_a, type_f
from drivers.trouble import lost
from gateway.errors import DeviceLost

# Its errors come as exceptions and are told once by who supervises; what it logs for debugging holds whole UIDs.
logging.getLogger("nfc").setLevel(logging.CRITICAL)

#: nfcpy gives the path to a shell (it asks stty for the fastest rate), so nothing else may stand in it.
_FILE = re.compile(r"/[A-Za-z0-9/._:+@,-]{1,250}")
_TTY = re.compile(r"tty:((?:S|AMA|ACM|USB)[0-9]{1,3})(?::pn532)?")
_USB = re.compile(r"usb(?::[0-9A-Fa-f]{3,4}){0,2}")
_UDP = re.compile(r"udp:[A-Za-z0-9.-]{1,253}:[0-9]{1,5}")

#: A wrong checksum now and then is a long wire; several in a row are a chip that is gone.
_GARBLED_IN_A_ROW = 3
_ANSWER_BYTES = 16

_GONE = (OSError, termios.error, usb1.USBError)
_GARBLED = (nfc.clf.Error, nfc.clf.pn53x.Chipset.Error, ValueError, LookupError, TypeError, struct.error)


def readable_url(url: str) -> str:
    """Raises ValueError for what nfcpy or this driver cannot open."""
    if not any(form.fullmatch(url) for form in (_FILE, _TTY, _USB, _UDP)):
        raise ValueError("'ls -l /dev/serial/by-id' and 'lsusb' list the devices of this machine")
    return url


class ExclusiveTTY(nfc.clf.transport.TTY):  # type: ignore[misc]
    """nfcpy's serial transport, held for this process alone, and closed even when the port is gone."""

    tty: serial.Serial | None

    def open(self, port: str, baudrate: int = 115200) -> None:
        """Open or reopen at another rate. Raises OSError."""
        self.close()
        self.tty = serial.Serial(port, baudrate, timeout=0.05, exclusive=True)

    def close(self) -> None:
        """Never raises."""
        port, self.tty = self.tty, None
        if port is not None:
            with contextlib.suppress(*_GONE):
                port.reset_output_buffer()
            port.close()


def connect(url: str) -> Any:
    """The nfcpy device of a URL. Raises OSError and what else nfcpy raises."""
    if tty := _TTY.fullmatch(url):
        url = f"/dev/{tty[1]}"
    if _FILE.fullmatch(url):
        # nfcpy knows by the name of the port which ones are slow on a Raspberry Pi: not by a link to it.
        port = os.path.realpath(url)
        if not _FILE.fullmatch(port):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), port)
        transport = ExclusiveTTY(port)
        try:
            return nfc.clf.pn532.init(transport)
        except BaseException:
            transport.close()
            raise
    device = nfc.clf.device.connect(url)
    if device is None:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), url)
    return device


class Frontend:
    """An open reader. Belongs to one thread."""

    def __init__(self, url: str, targets: Sequence[str], connect: Callable[[str], Any]) -> None:
        self._url = url
        self._targets = [nfc.clf.RemoteTarget(target) for target in targets]
        self._connect = connect
        self._clf = nfc.ContactlessFrontend()
        self._garbled = 0

    def __enter__(self) -> Self:
        try:
            self._clf.device = self._connect(self._url)
        except (*_GONE, *_GARBLED) as error:
            raise _unopened(self._url, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        transport = getattr(getattr(self._clf.device, "chipset", None), "transport", None)
        # Saying goodbye to a reader that is gone fails in as many ways as asking it.
        with contextlib.suppress(*_GONE, *_GARBLED, AttributeError):
            self._clf.close()
        if transport is not None:
            with contextlib.suppress(*_GONE):
                transport.close()

    def sense(self) -> Frame | None:
        """One round over all targets: a card, noise for an answer that made no sense, or nothing. Raises DeviceLost."""
        try:
            found = self._clf.sense(*self._targets)
            frame = _frame(found) if found is not None else None
        except nfc.clf.UnsupportedTargetError as error:
            hint = "remove it from the targets of this device"
            raise DeviceLost(f"{self._url} cannot look for {self._targets[0].brty}", hint=hint) from error
        except (*_GONE, *_GARBLED) as error:
            if not _passes(error) or self._garbled >= _GARBLED_IN_A_ROW:
                raise DeviceLost(
                    f"{self._url} stopped answering: {error.args[-1] if error.args else error!r}"
                ) from error
            self._garbled += 1
            return Noise(size=_ANSWER_BYTES)
        self._garbled = 0
        return frame


def _frame(target: Any) -> Frame:
    if target.sensf_res is not None:
        return type_f(bytes(target.sensf_res))
    return type_a(bytes(target.sdd_res or b""))


def _passes(error: Exception) -> bool:
    return isinstance(error, _GARBLED) or _code(error) in {errno.EIO, errno.ETIMEDOUT}


def _code(error: Exception) -> int | None:
    return error.errno if isinstance(error, OSError) else None


def _unopened(url: str, error: Exception) -> DeviceLost:
    code = _code(error)
    if not url.startswith(("usb", "udp")):
        silent = isinstance(error, _GARBLED) or code in {errno.ENODEV, errno.EIO, errno.ETIMEDOUT}
        if silent and not isinstance(error, serial.SerialException):
            return DeviceLost(
                f"no PN532 answers at {url}",
                hint="check its power, RX to TX and TX to RX, and that its switches say HSU (UART)",
            )
    elif url.startswith("usb"):
        hint = {
            errno.ENODEV: "lsusb shows what is plugged in",
            errno.ENOENT: "sudo apt install libusb-1.0-0",
            errno.EACCES: "install systemd/70-attendance-readers.rules and plug the reader in again",
            errno.EBUSY: "stop pcscd and blacklist the kernel modules pn533_usb and pn533, see drivers/nfc/README.md",
        }.get(code or 0)
        return DeviceLost(f"no reader at {url}: {error}", hint=hint)
    return lost(url, error)
