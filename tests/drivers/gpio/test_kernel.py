"""The same driver on lines of the kernel itself, where it has gpio-sim."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from drivers.registry import build
from gateway.domain.answer import Answer, Words
from gateway.domain.entry import DeviceState, FireAlarm
from gateway.domain.model import Direction, Reason, Verdict
from gateway.errors import DeviceLost
from gateway.ports import DeviceNotice, Rotation

CONFIG = Path("/sys/kernel/config/gpio-sim")
ADMIT = Verdict(admit=True, reason=Reason.KNOWN)
DARK, LIT = "0", "1"


class Simulated:
    """A chip of eight lines."""

    def __init__(self) -> None:
        self.label = f"attendance-{os.getpid()}"
        self._device = CONFIG / self.label
        self._bank = self._device / "bank0"

    def __enter__(self) -> Self:
        self._bank.mkdir(parents=True)
        (self._bank / "num_lines").write_text("8")
        (self._bank / "label").write_text(self.label)
        (self._device / "live").write_text("1")
        names = [path.read_text().strip() for path in (self._device / "dev_name", self._bank / "chip_name")]
        self._lines = Path("/sys/devices/platform").joinpath(*names)
        return self

    def __exit__(self, *raised: object) -> None:
        (self._device / "live").write_text("0")
        self._bank.rmdir()
        self._device.rmdir()

    def pull(self, line: int, *, up: bool) -> None:
        (self._lines / f"sim_gpio{line}" / "pull").write_text("pull-up" if up else "pull-down")

    def value(self, line: int) -> str:
        return (self._lines / f"sim_gpio{line}" / "value").read_text().strip()


@pytest.fixture
def chip() -> Iterator[Simulated]:
    if not os.access(CONFIG, os.W_OK):
        pytest.skip("gpio-sim is missing: modprobe gpio-sim, as root, on a kernel with CONFIG_GPIO_SIM")
    with Simulated() as simulated:
        yield simulated


async def test_contacts_and_outputs_on_lines_of_the_kernel(chip: Simulated) -> None:
    settings = {"chip": chip.label, "bias": "none", "pass_a": "2", "fire_alarm": "3", "green": "4", "unlock": "5 low"}
    chip.pull(2, up=True)
    chip.pull(3, up=False)
    async with asyncio.timeout(30):
        async with build("gpio", settings) as device:
            gate = device.gate("")
            events = aiter(gate.events())
            assert [await anext(events), await anext(events)] == [
                DeviceNotice(kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALL_CLEAR),
                DeviceNotice(kind=DeviceState.BLOCKED, detail="clear"),
            ]
            assert (chip.value(4), chip.value(5)) == (DARK, LIT)
            await gate.show(ADMIT, Words(answer=Answer.PASS, lines=()))
            assert (chip.value(4), chip.value(5)) == (LIT, DARK)
            chip.pull(2, up=False)
            assert await anext(events) == Rotation(direction=Direction.IN)
            chip.pull(3, up=True)
            assert await anext(events) == DeviceNotice(kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALARM)
            with pytest.raises(DeviceLost, match="in use by attendance-gateway"):
                await build("gpio", settings).__aenter__()
