"""Lines on a real pseudo-terminal that nothing but a pause ends."""

import asyncio
from pathlib import Path

import pytest

from drivers.channel import Channel
from drivers.line.driver import LineReader
from gateway.domain.credential import Technology
from gateway.ports import CardRead
from simulators.text import TextReader

UIDS = [bytes.fromhex("62E3086CED"), bytes.fromhex("55007EE424")]


@pytest.mark.parametrize("end", [b"", b"62E3"], ids=["a number alone", "half a number before it"])
async def test_a_pause_ends_a_line(tmp_path: Path, end: bytes) -> None:
    async with asyncio.timeout(30), TextReader(str(tmp_path / "reader"), lambda uid: uid.hex().encode()) as sim:
        settings = LineReader.Settings(
            url=sim.url, technology=Technology.EM4100, length=5, delimiter="idle", pause=0.05
        )
        async with LineReader(settings) as device:
            reader, faults = device.reader(""), 0
            assert isinstance(reader, Channel)
            events = reader.events()
            for uid in UIDS:
                if end:
                    faults += 1
                    await sim.garbage(end)
                    while reader.faults["bad_frames"] < faults:
                        await asyncio.sleep(0.01)
                assert await sim.present(uid)
                event = await anext(events)
                assert isinstance(event, CardRead)
                assert event.credential.uid == uid
