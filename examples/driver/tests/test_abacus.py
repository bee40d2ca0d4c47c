"""The example's frames, and a card that travels over its wire."""

import asyncio
from pathlib import Path

import pytest
from abacus_reader.codec import Codec, encode
from abacus_reader.driver import Abacus
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import Card, Frame, Noise
from drivers.registry import build
from gateway.domain.credential import Credential, Technology
from gateway.ports import CardRead, Device
from simulators.line import device_end

#: mypy holds it to the shape of a Device.
CONFORMS: type[Device] = Abacus
FRAME = bytes.fromhex("7E 04 04112233 6E")
UID = bytes.fromhex("04112233")


def told(data: bytes, size: int) -> list[Frame]:
    codec = Codec()
    return [frame for at in range(0, len(data), size) for frame in codec.feed(data[at : at + size])] + codec.end()


def cards(data: bytes) -> list[bytes]:
    return [frame.credential.uid for frame in told(data, 64) if isinstance(frame, Card)]


def accounted(frames: list[Frame]) -> int:
    return sum(frame.size if isinstance(frame, Noise) else len(frame.raw) for frame in frames)


def test_a_frame_by_hand() -> None:
    assert cards(FRAME) == [UID]
    assert encode(UID) == FRAME


@given(st.binary(max_size=40).filter(lambda junk: 0x7E not in junk))
def test_any_garbage_before_a_card_is_survived(garbage: bytes) -> None:
    assert cards(garbage + FRAME + garbage + FRAME) == [UID, UID]


@given(st.binary(max_size=200), st.integers(1, 60))
def test_every_byte_is_accounted_for_in_any_pieces(data: bytes, size: int) -> None:
    assert accounted(told(data, size)) == len(data)
    assert told(data, size) == told(data, 256)


def test_a_wrong_sum_is_no_card() -> None:
    assert cards(FRAME[:-1] + b"\x00") == []


async def test_a_card_over_the_wire(tmp_path: Path) -> None:
    end = device_end(str(tmp_path / "reader"))
    await end.plug()
    try:
        async with build("abacus", {"url": end.url}) as device, asyncio.timeout(10):
            events = aiter(device.reader("").events())
            end.send(FRAME)
            assert await anext(events) == CardRead(credential=Credential(technology=Technology.ISO14443A, uid=UID))
    finally:
        await end.unplug()


def test_a_mistake_in_its_table_is_told_like_any_other() -> None:
    with pytest.raises(Exception, match="nobody knows"):
        build("abacus", {"url": "/dev/x", "colour": "red"})
