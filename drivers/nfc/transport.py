"""A PN532 on a serial line, under nfcpy: for this process alone, whole frames, one limit for the first byte and one for the rest."""

import contextlib
import errno
import os
import select
import termios
import time

import nfc.clf.pn532
import nfc.clf.transport
import serial

#: Of the chip's frames.
_ACK, _HEAD, _EXTENDED, _LONGEST_BODY, _AT_ONCE = nfc.clf.pn532.Chipset.ACK, 6, 0xFF, 265, 512
_BAUDRATE = 115_200
#: Milliseconds for the first byte at the least; and for all others, of which the longest frame has 23 ms at 115,200 baud.
_LEAST, _REST = 50, 100
#: The same for the very first, which behind a USB converter of a Raspberry Pi takes so long.
_FIRST = 1500
#: What wakes a chip that sleeps, before a command.
_WAKING = bytes(10)
#: What a PN532 calls itself.
_IC = 0x32


def pn532(port: str) -> nfc.clf.pn532.Device:
    """The chip there. Raises OSError, nfcpy's errors.

    nfcpy would raise the speed, at which a chip whose gateway was killed hears nobody until its power is switched off.
    """
    line = ExclusiveTTY(port)
    try:
        chipset = nfc.clf.pn532.Chipset(line, nfc.clf.pn532.log)
        line.write(_WAKING)
        if chipset.get_firmware_version()[0] != _IC:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        line.write(_WAKING)
        chipset.sam_configuration("normal")
        return nfc.clf.pn532.Device(chipset, nfc.clf.pn532.log)
    except BaseException:
        line.close()
        raise


class ExclusiveTTY(nfc.clf.transport.TTY):  # type: ignore[misc]
    """nfcpy's serial transport, closed even when the port is gone.

    pyserial sets the port up anew for each other patience, and nfcpy has two of them for each command: that was most of
    what looking for a card cost.
    """

    tty: serial.Serial | None

    def open(self, port: str) -> None:
        """Raises OSError."""
        self._least = _FIRST
        self.tty = serial.Serial(port, _BAUDRATE, timeout=0, exclusive=True)
        self._heard = bytearray()
        self._readable = select.poll()
        self._readable.register(self.tty.fileno(), select.POLLIN)

    def read(self, timeout: float) -> bytearray:
        """One frame that begins within so many milliseconds, or what there is of it. Raises OSError."""
        frame = self._take(1, time.monotonic() + max(timeout, self._least) / 1000)
        if not frame:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        self._least = _LEAST
        until = time.monotonic() + _REST / 1000
        frame += self._take(_HEAD - 1, until)
        if frame == _ACK or len(frame) < _HEAD:
            return frame
        rest = frame[3]
        if rest == _EXTENDED:
            frame += self._take(3, until)
            rest = frame[5] << 8 | frame[6]
        return frame + self._take(rest + 1, until) if rest <= _LONGEST_BODY else frame

    def write(self, frame: bytes) -> None:
        """Says it; what was heard before is forgotten. Raises OSError."""
        port = self._descriptor()
        termios.tcflush(port, termios.TCIFLUSH)
        self._heard.clear()
        if os.write(port, frame) < len(frame):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _take(self, size: int, until: float) -> bytearray:
        port = self._descriptor()
        while len(self._heard) < size and self._readable.poll(max(0, until - time.monotonic()) * 1000):
            if not (data := os.read(port, _AT_ONCE)):
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            self._heard += data
        taken = self._heard[:size]
        del self._heard[:size]
        return taken

    def _descriptor(self) -> int:
        if self.tty is None:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return self.tty.fileno()

    def close(self) -> None:
        """Never raises."""
        port, self.tty = self.tty, None
        if port is not None:
            with contextlib.suppress(OSError, termios.error):
                port.reset_output_buffer()
            port.close()
