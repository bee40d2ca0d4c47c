"""The serial transport under nfcpy: whole frames, one limit for each, and a port that is closed whatever happens."""

import errno
import os
import threading
from pathlib import Path

import pytest

from drivers.nfc.transport import ExclusiveTTY
from simulators.pn532 import ACK, Pn532, frame


def test_frames_of_a_serial_line_are_whole_however_they_come() -> None:
    ack, short, long = ACK, frame(b"\xd5\x4b\0"), frame(b"\xd5\x41" + bytes(263))
    chip, end = os.openpty()
    try:
        port = ExclusiveTTY(os.ttyname(end))
        for said in (ack, short, long):
            os.write(chip, said)
        assert [bytes(port.read(1000)) for _ in range(3)] == [ack, short, long]
        os.write(chip, ack + short[:4])
        assert port.read(1000) == ack
        assert port.read(1) == short[:4]
        with pytest.raises(OSError, match=os.strerror(errno.ETIMEDOUT)):
            port.read(1)
        os.write(chip, ack)
        port.write(short)
        assert os.read(chip, 100) == short
        with pytest.raises(OSError, match=os.strerror(errno.ETIMEDOUT)):
            port.read(1)
    finally:
        os.close(chip)
        os.close(end)
    with pytest.raises(OSError, match=f"{os.strerror(errno.EIO)}|{os.strerror(errno.ENODEV)}"):
        port.read(1)
    port.close()
    with pytest.raises(OSError, match=os.strerror(errno.ENODEV)):
        port.read(1)


class Dripping:
    """Says a byte whenever somebody waits for more, and takes its time."""

    def __init__(self, chip: int) -> None:
        self._chip, self._pace = chip, threading.Event()

    def poll(self, timeout: float) -> bool:
        self._pace.wait(min(timeout / 1000, 0.02))
        os.write(self._chip, b"\0")
        return timeout > 0


def test_a_chip_that_drips_is_not_waited_for_longer_than_for_one_frame() -> None:
    chip, end = os.openpty()
    try:
        port = ExclusiveTTY(os.ttyname(end))
        os.write(chip, frame(b"\xd5\x41" + bytes(200))[:10])
        port._readable = Dripping(chip)  # type: ignore[assignment]
        assert len(port.read(200)) < 100
        port.close()
    finally:
        os.close(chip)
        os.close(end)


@pytest.mark.parametrize("long", [frame(b"\xd5\x41" + bytes(264)), b"\0\0\xff\xff\xff\xff\xff\x02"])
def test_a_frame_that_no_chip_sends_is_no_frame(long: bytes) -> None:
    chip, end = os.openpty()
    try:
        port = ExclusiveTTY(os.ttyname(end))
        os.write(chip, long)
        assert port.read(1) == long[:9]
        port.close()
    finally:
        os.close(chip)
        os.close(end)


async def test_a_port_that_is_gone_is_closed_all_the_same(tmp_path: Path) -> None:
    async with Pn532(str(tmp_path / "reader")) as sim:
        transport = ExclusiveTTY(sim.url)
        port = transport.tty
        assert port is not None
        await sim.unplug()
        transport.close()
        assert not port.is_open
