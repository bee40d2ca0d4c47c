"""The door to nfcpy: opens, asks once, closes; every way in which nfcpy fails becomes a frame or DeviceLost."""

import contextlib
import errno
import logging
import os
import re
import struct
import termios
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import nfc
import nfc.clf
import nfc.clf.device
import nfc.clf.pn53x
import nfc.tag
import nfc.tag.tt4
import serial
import usb1  # type: ignore[import-untyped]

from drivers.frames import BadCard, Card, Frame, Noise
from drivers.nfc.codec import type_a, type_f
from drivers.nfc.genuine import Genuine
from drivers.nfc.transport import pn532
from drivers.trouble import lost
from gateway.errors import DeviceLost

# Its errors come as exceptions and are told once by who supervises; what it logs for debugging holds whole UIDs.
logging.getLogger("nfc").setLevel(logging.CRITICAL)

_FILE = re.compile(r"/[^\0]{1,250}")
_TTY = re.compile(r"tty:((?:S|AMA|ACM|USB)[0-9]{1,3})(?::pn532)?")
_USB = re.compile(r"usb(?::[0-9A-Fa-f]{3,4}){0,2}")
_UDP = re.compile(r"udp:[A-Za-z0-9.-]{1,253}:[0-9]{1,5}")

#: A wrong checksum now and then is a long wire; several in a row are a chip that is gone.
_GARBLED_IN_A_ROW = 3
_ANSWER_BYTES = 16
#: RFConfiguration item 5 is MxRtyATR, MxRtyPSL and MxRtyPassiveActivation: how often the chip looks again for a card before
#: it says that nobody came. It finds one at once then, and the host sleeps meanwhile. Source: NXP UM0701-02, 7.3.1.
_RETRIES, _SEARCH = 0x05, bytes([1, 0, 64])
_LIST_PASSIVE_TARGET, _TYPE_1 = 0x4A, 4
#: A chip that takes longer is told to stop, and asked for something else.
_SEARCH_SECONDS, _TYPE_1_SECONDS = 3.0, 1.0
#: In a SAK: the card speaks ISO 14443-4, so it may be a type 4 tag.
_SPEAKS = 0x20
_NDEF_APPLICATION, _NDEF_FILE = bytes.fromhex("D2760000850101"), bytes.fromhex("E104")
_MOST_READ = 256

_GONE = (OSError, termios.error, usb1.USBError)
_GARBLED = (nfc.clf.Error, nfc.clf.pn53x.Chipset.Error, ValueError, LookupError, TypeError, struct.error)


def readable_url(url: str) -> str:
    """Raises ValueError for what nfcpy or this driver cannot open."""
    if not any(form.fullmatch(url) for form in (_FILE, _TTY, _USB, _UDP)):
        raise ValueError("'attendance-gateway devices' lists the devices of this machine")
    return url


def connect(url: str) -> Any:
    """The nfcpy device of a URL. Raises OSError and what else nfcpy raises."""
    if tty := _TTY.fullmatch(url):
        url = f"/dev/{tty[1]}"
    if _FILE.fullmatch(url):
        return pn532(url)
    device = nfc.clf.device.connect(url)
    if device is None:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), url)
    return device


class Frontend:
    """An open reader. Belongs to one thread."""

    def __init__(
        self,
        url: str,
        targets: Sequence[str],
        connect: Callable[[str], Any],
        genuine: Genuine | None = None,
        silence: float = 0.0,
    ) -> None:
        """Cards are what they show to anybody, or what `genuine` makes of them; one that was away for `silence` is another."""
        self._url = url
        self._genuine = genuine
        #: Sooner than whoever counts taps, who looks at the clock a little later.
        self._away = silence / 2
        #: What the card that is still there shows, what was made of it, and when it was there.
        self._held: tuple[Card | BadCard, Card | BadCard] | None = None
        self._sighted = 0.0
        self._targets = [nfc.clf.RemoteTarget(target) for target in targets]
        self._connect = connect
        self._clf = nfc.ContactlessFrontend()
        self._garbled = 0
        #: Whether the field is off since the last round.
        self._dark = False

    def __enter__(self) -> Self:
        for last in (False, True):
            try:
                device = self._open()
                break
            except (*_GONE, *_GARBLED) as error:
                self._close()
                if last or not _silent(self._url, error):
                    raise _unopened(self._url, error) from error
        # nfcpy switches the field off before each round, and after one that found nobody.
        device.mute = partial(self._mute, device.mute)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _open(self) -> Any:
        self._clf.device = device = self._connect(self._url)
        if len(self._targets) == 1 and _on_a_line(self._url):
            device.chipset.rf_configuration(_RETRIES, _SEARCH)
            device.chipset.in_list_passive_target = partial(_search, device.chipset)
        return device

    def _close(self) -> None:
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
            frame = self._frame(found)
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
        self._dark = found is None
        return frame

    def _mute(self, mute: Callable[[], None]) -> None:
        dark, self._dark = self._dark, False
        if not dark:
            mute()

    def _frame(self, target: Any) -> Card | BadCard | None:
        if target is None:
            self._held = None
            return None
        seen = _seen(target)
        if self._genuine is None:
            return seen
        away, self._sighted = time.monotonic() - self._sighted, time.monotonic()
        if self._held is None or self._held[0] != seen or away >= self._away:
            self._held = None
            try:
                file = self._read(target) if target.sel_res and target.sel_res[0] & _SPEAKS else None
            except nfc.clf.CommunicationError:
                return None  # it was taken away too early, or is held too far away: the next round asks again
            self._held, self._sighted = (seen, self._genuine.judge(seen, file)), time.monotonic()
        return self._held[1]

    def _read(self, target: Any) -> bytes | None:
        """The NDEF file of a type 4 tag; None for a card that has none. Raises CommunicationError."""
        tag = nfc.tag.activate(self._clf, target)
        if tag is None:
            raise nfc.clf.TransmissionError
        try:
            tag.send_apdu(0x00, 0xA4, 0x04, 0x00, _NDEF_APPLICATION, mrl=_MOST_READ)
            tag.send_apdu(0x00, 0xA4, 0x00, 0x0C, _NDEF_FILE)
            return bytes(tag.send_apdu(0x00, 0xB0, 0x00, 0x00, mrl=_MOST_READ))
        except nfc.tag.tt4.Type4TagCommandError as error:
            if error.errno > 0:  # a status word
                return None
            raise nfc.clf.TransmissionError from error


def _search(chipset: Any, most: int, modulation: int, data: bytes) -> bytearray | None:
    """As nfcpy has it, which would not wait as long as the chip looks. Raises OSError, nfcpy's errors."""
    patience = _TYPE_1_SECONDS if modulation == _TYPE_1 else _SEARCH_SECONDS
    try:
        found = chipset.command(_LIST_PASSIVE_TARGET, bytearray([most, modulation]) + data, timeout=patience)
    except TimeoutError:
        # Nobody, and no last try that would tell of a type 1 tag; whether the chip is there says its next answer.
        raise nfc.clf.TimeoutError from None
    return found[2:] if found and found[0] else None


def _seen(target: Any) -> Card | BadCard:
    if target.sensf_res is not None:
        return type_f(bytes(target.sensf_res))
    return type_a(bytes(target.sdd_res or b""))


def _passes(error: Exception) -> bool:
    return isinstance(error, _GARBLED) or _code(error) in {errno.EIO, errno.ETIMEDOUT}


def _code(error: Exception) -> int | None:
    return error.errno if isinstance(error, OSError) else None


def _on_a_line(url: str) -> bool:
    return not url.startswith(("usb", "udp"))


def _silent(url: str, error: Exception) -> bool:
    """Whether somebody on a line made no sense: a long wire, or nobody who knows the language."""
    return _on_a_line(url) and _passes(error) and not isinstance(error, serial.SerialException)


def _unopened(url: str, error: Exception) -> DeviceLost:
    code = _code(error)
    if _silent(url, error):
        return DeviceLost(
            f"no PN532 answers at {url}",
            hint="switch its power off and on; check RX to TX and TX to RX, and that its switches say HSU (UART)",
        )
    if url.startswith("usb"):
        hint = {
            errno.ENODEV: "lsusb shows what is plugged in",
            errno.ENOENT: "sudo apt install libusb-1.0-0",
            errno.EACCES: "install systemd/70-attendance-readers.rules and plug the reader in again",
            errno.EBUSY: "stop pcscd and blacklist the kernel modules pn533_usb and pn533, see drivers/nfc/README.md",
        }.get(code or 0)
        return DeviceLost(f"no reader at {url}: {error}", hint=hint)
    return lost(url, error)
