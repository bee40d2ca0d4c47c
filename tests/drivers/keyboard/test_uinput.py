"""The kernel's own keyboard, where it lets us make one."""

import asyncio
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from drivers.keyboard.driver import Keyboard
from gateway.domain.credential import Technology
from gateway.errors import DeviceLost
from gateway.ports import CardRead
from simulators.keyboard import Typist

UINPUT = Path("/dev/uinput")
EVBIT, KEYBIT, SETUP, CREATE, SYSNAME = 0x40045564, 0x40045565, 0x405C5503, 0x5501, 0x8040552C
UID = bytes.fromhex("55007EE424")

pytestmark = pytest.mark.skipif(
    not os.access(UINPUT, os.W_OK), reason="/dev/uinput is missing or not ours: modprobe uinput"
)


@contextmanager
def keyboard() -> Iterator[tuple[int, Path]]:
    """A descriptor to type into, and the device that hears it."""
    with UINPUT.open("wb", buffering=0) as made:
        fcntl.ioctl(made, EVBIT, 1)
        for code in range(1, 120):
            fcntl.ioctl(made, KEYBIT, code)
        fcntl.ioctl(made, SETUP, struct.pack("@4H80sI", 3, 1, 1, 1, b"attendance test", 0))
        fcntl.ioctl(made, CREATE)
        name = fcntl.ioctl(made, SYSNAME, bytes(64)).rstrip(b"\0").decode()
        (node,) = Path(f"/sys/devices/virtual/input/{name}").glob("event*")
        yield made.fileno(), Path("/dev/input") / node.name


async def opened(device: Keyboard) -> None:
    """udev needs a moment to make the file."""
    while True:
        try:
            await device.__aenter__()
        except DeviceLost:
            await asyncio.sleep(0.01)
        else:
            return


async def test_a_number_typed_at_the_kernel_is_ours_alone() -> None:
    with keyboard() as (typed, path):
        async with asyncio.timeout(20):
            device = Keyboard(Keyboard.Settings(url=str(path), technology=Technology.EM4100, length=5))
            await opened(device)
            with closing(path.open("rb", buffering=0)) as other, pytest.raises(OSError, match="busy"):
                fcntl.ioctl(other, 0x40044590, 1)
            os.write(typed, Typist().text(UID.hex().upper()))
            read = await anext(device.reader("").events())
            assert isinstance(read, CardRead)
            assert read.credential.uid == UID
            await device.__aexit__(None, None, None)
