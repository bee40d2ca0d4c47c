"""The thread of a bus: a library that hangs, fails or is flooded, and a wire that raises nothing."""

import asyncio
import threading
from pathlib import Path

import pytest

from drivers.osdp import bus as thread_of_bus
from drivers.osdp.driver import Osdp
from drivers.osdp.panel import Panel, Wire
from gateway.errors import DeviceLost
from simulators.line import device_end
from simulators.osdp import OsdpBus
from tests.contracts.leftovers import at_most, descriptors
from tests.drivers.osdp.bench import KEY, device, keyed


async def test_a_library_that_hangs_hangs_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_of_bus, "_HANGS", 0.3)
    monkeypatch.setattr(thread_of_bus, "_CLOSING", 0.1)
    let_go, turn = threading.Event(), Panel.turn
    async with asyncio.timeout(30), OsdpBus(str(tmp_path / "bus"), {1: KEY}) as sim:
        files, bus = descriptors(), device(sim, tmp_path / "keys", {1: KEY})
        async with bus:
            monkeypatch.setattr(Panel, "turn", lambda panel: (let_go.wait(), turn(panel))[1])
            with pytest.raises(DeviceLost, match="hangs"):
                await anext(aiter(bus.reader("1").events()))
        with pytest.raises(DeviceLost, match="still hangs"):
            await device(sim, tmp_path / "keys", {1: KEY}).__aenter__()
        [left] = [thread for thread in threading.enumerate() if thread.name == f"osdp {sim.url}"]
        assert left.daemon
        let_go.set()
        await asyncio.to_thread(left.join, 10)
        assert await at_most(files)
        async with device(sim, tmp_path / "keys", {1: KEY}):
            await sim.opened()


async def test_a_library_that_fails_is_a_lost_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(panel: Panel) -> None:
        raise DeviceLost("libosdp failed: a returned result with an exception set")

    async with (
        asyncio.timeout(30),
        OsdpBus(str(tmp_path / "bus"), {1: KEY}) as sim,
        device(sim, tmp_path / "keys", {1: KEY}) as bus,
    ):
        monkeypatch.setattr(Panel, "turn", fail)
        with pytest.raises(DeviceLost, match="libosdp failed"):
            await anext(aiter(bus.reader("1").events()))


def test_a_wire_that_broke_says_nothing_and_raises_nothing() -> None:
    class Broken:
        asked = 0

        def read(self, size: int) -> bytes:
            self.asked += 1
            raise DeviceLost("unplugged")

        write = read

    wire = Wire(Broken())  # type: ignore[arg-type]
    assert wire.read(10) == b""
    assert wire.write(b"\xff\x53\x01") == 0
    wire.flush()
    assert Broken.asked == 0
    assert isinstance(wire.failed, DeviceLost)


def test_a_flood_is_not_thrown_away_for_ever() -> None:
    class Flood:
        asked = 0

        def read(self, size: int) -> bytes:
            self.asked += 1
            return b"x" * size

    flood = Flood()
    Wire(flood).flush()  # type: ignore[arg-type]
    assert flood.asked < 100


async def test_a_line_of_noise_is_no_reader_that_answers(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def hiss() -> None:
        while True:
            line.send(b"\x53\x81\xff\x01" + bytes(range(200)))
            await asyncio.sleep(0.01)

    line = device_end(str(tmp_path / "bus"))
    await line.plug()
    hissing = asyncio.create_task(hiss())
    settings, why = Osdp.Settings(url=line.url, keys=keyed(tmp_path / "keys", 1)), ""
    async with asyncio.timeout(60):
        # Where the hiss stands still behind the last question, as on a busy machine, nobody has answered that.
        while "drowned in noise" not in why:
            bus = Osdp(settings)
            with pytest.raises(DeviceLost, match=r"drowned in noise|does not answer") as lost:
                await bus.__aenter__()
            why = str(lost.value)
    hissing.cancel()
    await line.unplug()
    assert bus.reader("1").faults["noise_bytes"] > 1000  # type: ignore[attr-defined]
    assert capfd.readouterr().err == ""
