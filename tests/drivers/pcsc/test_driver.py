"""The process of a PC/SC reader: pcscd that restarts, hangs or is not there, readers by name, and a process that is stopped."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from drivers import abandoned
from drivers.pcsc import driver
from drivers.pcsc.child import encode_card
from drivers.pcsc.driver import Pcsc, start
from gateway.domain.credential import Credential, Technology
from gateway.errors import DeviceLost
from gateway.ports import CardRead, Device, ReaderEvent
from gateway.supervisor import keep_open
from simulators.pcsc import ATR, PcscReader
from sync.clock import SystemClock
from tests.needs import PCSC

UID = bytes.fromhex("04DE5F1EACC040")


def read(uid: bytes) -> CardRead:
    return CardRead(credential=Credential(technology=Technology.ISO14443A, uid=uid))


READ = read(UID)


def device(url: str, *program: str) -> Pcsc:
    settings = Pcsc.Settings(url=url)
    return Pcsc(settings, program=program) if program else Pcsc(settings)


def children() -> list[int]:
    """Processes of a reader that this process started."""
    done = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, check=False)
    return [int(line.split()[0]) for line in done.stdout.decode().splitlines() if "drivers.pcsc.child" in line]


async def refusal(url: str, *program: str) -> DeviceLost:
    with pytest.raises(DeviceLost) as lost:
        await device(url, *program).__aenter__()
    assert children() == []
    return lost.value


@asynccontextmanager
async def supervised(url: str) -> AsyncIterator[tuple[asyncio.Queue[ReaderEvent], asyncio.Queue[DeviceLost | None]]]:
    """As the daemon keeps it."""
    events: asyncio.Queue[ReaderEvent] = asyncio.Queue()
    told: asyncio.Queue[DeviceLost | None] = asyncio.Queue()

    async def serve(opened: Device) -> None:
        async for event in opened.reader("").events():
            events.put_nowait(event)

    keeping = asyncio.create_task(keep_open(lambda: device(url), serve, told.put, SystemClock()))
    try:
        async with asyncio.timeout(60):
            yield events, told
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


@pytest.mark.needs(*PCSC)
async def test_a_restart_of_pcscd_is_survived(sim: PcscReader) -> None:
    async with supervised(sim.url) as (events, told):
        assert await told.get() is None
        await sim.present(UID)
        assert await events.get() == READ
        await sim.unplug()
        lost = await told.get()
        assert isinstance(lost, DeviceLost)
        assert "pcscd" in str(lost)
        await sim.replug()
        assert await told.get() is None
        await sim.present(UID)
        assert await events.get() == READ


@pytest.mark.needs(*PCSC)
async def test_a_process_that_hangs_is_killed_and_another_one_goes_on(
    sim: PcscReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_SILENT_SECONDS", 2.0)
    async with supervised(sim.url) as (events, told):
        assert await told.get() is None
        (hung,) = children()
        os.kill(hung, signal.SIGSTOP)
        assert "hangs" in str(await told.get())
        assert await told.get() is None
        assert hung not in children()
        await sim.present(UID)
        assert await events.get() == READ


async def test_a_card_that_stayed_is_one_however_long_nobody_was_heard() -> None:
    first, second = (encode_card(ATR, uid + b"\x90\x00", b"\x6a\x81") for uid in (UID, UID[::-1]))
    told = (b"ready it\n", first, b"still\n", second)
    # Longer than a card may be unseen, as on a machine that has no time for the process.
    program = f"import os, time\nfor line in {told}: os.write(1, line); time.sleep(0.6)\ntime.sleep(60)"
    async with asyncio.timeout(60), device("pcsc:it", sys.executable, "-c", program) as opened:
        events = aiter(opened.reader("").events())
        assert [await anext(events), await anext(events)] == [read(UID), read(UID[::-1])]


@pytest.mark.needs(*PCSC)
async def test_a_process_that_crashes_is_a_lost_device(sim: PcscReader) -> None:
    async with asyncio.timeout(20), device(sim.url) as opened:
        os.kill(children()[0], signal.SIGSEGV)
        with pytest.raises(DeviceLost):
            await anext(aiter(opened.reader("").events()))


@pytest.mark.needs(*PCSC)
async def test_a_service_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "_SILENT_SECONDS", 1.0)
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(tmp_path / "mute"))
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute"))
        mute.listen()
        assert "hangs" in str(await refusal("pcsc:ACS"))


@pytest.mark.needs(*PCSC)
async def test_readers_by_name(sim: PcscReader) -> None:
    for url in ("pcsc:PICC Interface 00 00", "pcsc:^ACS.*00 00$"):
        async with device(url):
            assert len(children()) == 1
    many = await refusal("pcsc:ACS ACR122U")
    assert "2 readers" in str(many)
    assert "PICC Interface 00 01" in many.hint
    assert "0 readers" in str(await refusal("pcsc:OMNIKEY"))


@pytest.mark.needs(*PCSC)
async def test_another_reader_in_its_place_is_not_taken(sim: PcscReader) -> None:
    await sim.unplug()
    sim.service.rename("Somebody's Reader")
    await sim.replug()
    lost = await refusal(sim.url)
    assert "Somebody's Reader 00 00" in lost.hint


@pytest.mark.needs(*PCSC)
async def test_a_process_ends_with_the_daemon(sim: PcscReader) -> None:
    """Also when the daemon is killed: nobody closes anything then, but the end of its pipe is noticed."""
    ours, theirs = socket.socketpair()
    with theirs:
        child = start([sys.executable, "-m", "drivers.pcsc.child", sim.url.removeprefix("pcsc:")], theirs)
    assert await asyncio.to_thread(ours.recv, 6) == b"ready "
    ours.close()
    assert await asyncio.to_thread(child.wait, 20) is not None


async def test_a_missing_library_is_told() -> None:
    program = "import sys; sys.modules['smartcard'] = None; from drivers.pcsc.child import main; main(sys.argv[1])"
    lost = await refusal("pcsc:ACS", sys.executable, "-c", program)
    assert "the library smartcard is not installed" in str(lost)
    assert "drivers/pcsc/README.md" in lost.hint


async def test_only_so_many_processes_are_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abandoned, "_HANGING", {"pcsc:ACS": [lambda: True] * 3})
    lost = await refusal("pcsc:ACS")
    assert "plug it in again" in lost.hint


@pytest.mark.parametrize("url", ["", "ACS ACR122U", "pcsc:", "pcsc: ", "pcsc:a\nb", "pcsc:[", "pcsc:" + "x" * 200])
def test_a_url_that_names_no_reader(url: str) -> None:
    with pytest.raises(ValidationError):
        Pcsc.Settings(url=url)
