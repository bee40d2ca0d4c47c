"""What a device file says that is no keyboard, and a reader that no key ends."""

import asyncio
from pathlib import Path

import pytest

from drivers.keyboard.driver import Keyboard, _opened
from drivers.trouble import lost
from gateway.domain.credential import Technology
from gateway.errors import DeviceLost
from gateway.ports import CardRead
from simulators.keyboard import Keyboard as Simulated
from simulators.keyboard import Typist
from tests.contracts.leftovers import nothing_more

UID = bytes.fromhex("55007EE424")


def device(url: str, **settings: object) -> Keyboard:
    return Keyboard(
        Keyboard.Settings.model_validate({"url": url, "technology": Technology.EM4100, "length": 5, **settings})
    )


async def test_a_reader_that_is_not_plugged_in_is_looked_for_among_keyboards() -> None:
    with pytest.raises(DeviceLost) as absent:
        await device("/dev/input/by-id/usb-nothing-event-kbd").__aenter__()
    assert "in /dev/input/by-id there is" in absent.value.hint


async def test_a_device_that_is_no_keyboard_is_refused_and_let_go() -> None:
    async with nothing_more():
        with pytest.raises(DeviceLost, match="not usable"):
            await _opened("/dev/null").__aenter__()


def test_the_hint_names_the_kind_of_device() -> None:
    assert "keyboard" in lost("/dev/input/event3", OSError(25, "Inappropriate ioctl for device")).hint
    assert "serial" in lost("/dev/ttyUSB0", OSError(25, "Inappropriate ioctl for device")).hint


async def test_a_pause_ends_a_number_where_no_key_does(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(30),
        Simulated(f"unix:{tmp_path}/reader") as sim,
        device(sim.url, terminator="none", gap=0.02) as reader,
    ):
        await sim.opened()
        await sim.garbage(Typist().text(UID.hex().upper(), None))
        read = await anext(reader.reader("").events())
        assert isinstance(read, CardRead)
        assert read.credential.uid == UID
