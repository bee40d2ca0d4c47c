"""The simulated PN532 speaks as the user manual says."""

import asyncio
import os
import termios
from pathlib import Path

import pytest

from simulators.pn532 import ACK, Pn532, frame

#: Host frames and what follows the acknowledgement, from NXP UM0701-02 and from nfcpy's initialisation of a real chip.
EXCHANGES = [
    ("0000ff02fed4022a00", "0000ff06fad50332010607e800"),
    ("0000ff05fbd4140100001700", "0000ff02fed5151600"),
    ("0000ff03fdd410071500", "0000ff02fed5111a00"),
    ("0000ff04fcd44a0100e100", "0000ff03fdd54b00e000"),
]


async def answers(path: str, sent: bytes, size: int, speed: int = termios.B115200) -> bytes:
    port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    mode = termios.tcgetattr(port)
    termios.tcsetattr(port, termios.TCSANOW, [*mode[:4], speed, speed, mode[6]])
    loop, received, arrived = asyncio.get_running_loop(), bytearray(), asyncio.Event()

    def read() -> None:
        received.extend(os.read(port, 4096))
        if len(received) >= size:
            arrived.set()

    loop.add_reader(port, read)
    try:
        os.write(port, sent)
        async with asyncio.timeout(30):
            await arrived.wait()
    finally:
        loop.remove_reader(port)
        os.close(port)
    return bytes(received)


@pytest.mark.parametrize(("asked", "answered"), EXCHANGES)
async def test_exchanges(asked: str, answered: str, tmp_path: Path) -> None:
    expected = ACK + bytes.fromhex(answered)
    async with Pn532(str(tmp_path / "reader")) as sim:
        assert await answers(sim.url, bytes(10) + bytes.fromhex(asked), len(expected)) == expected


async def test_a_long_frame_is_echoed_by_the_line_test(tmp_path: Path) -> None:
    asked = frame(b"\xd4\x00\x00" + bytes(range(256)) + b"12345")
    assert asked.startswith(bytes.fromhex("0000ffffff0108f7"))
    expected = ACK + frame(b"\xd5\x01\x00" + bytes(range(256)) + b"12345")
    async with Pn532(str(tmp_path / "reader")) as sim:
        assert await answers(sim.url, asked, len(expected)) == expected


async def test_noise_and_a_wrong_checksum_are_skipped(tmp_path: Path) -> None:
    asked, answered = (bytes.fromhex(text) for text in EXCHANGES[0])
    wrong = asked[:-2] + b"\x2b\x00"
    async with Pn532(str(tmp_path / "reader")) as sim:
        assert await answers(sim.url, os.urandom(2000).replace(b"\0", b"") + wrong + asked, 19) == ACK + answered


async def test_it_hears_nobody_who_speaks_at_another_speed(tmp_path: Path) -> None:
    asked, answered = (bytes.fromhex(text) for text in EXCHANGES[0])
    faster = frame(b"\xd4\x10\x07")  # 921,600 baud, from the acknowledgement of the answer on
    expected = ACK + frame(b"\xd5\x11")
    async with Pn532(str(tmp_path / "reader")) as sim:
        assert await answers(sim.url, faster, len(expected)) == expected
        assert await answers(sim.url, ACK + asked, 19, termios.B921600) == ACK + answered
        hearing = asyncio.create_task(answers(sim.url, asked, 1))
        await asyncio.sleep(0.1)
        assert not hearing.done()
        hearing.cancel()
        await asyncio.wait([hearing])
