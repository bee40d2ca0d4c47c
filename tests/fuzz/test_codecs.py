"""Every codec stands any bytes, in time that grows as they do; and what does not stand them is noticed."""

import sys
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.frames import Codec, Frame, Noise
from drivers.registry import KINDS
from tests.fuzz.codecs import codec_makers, stand, targets

MAKERS = codec_makers()
TARGETS = targets()
#: What begins frames and lines of most codecs, so that random bytes get further.
WORDS = [
    b"\x02",
    b"\x03",
    b"\r\n",
    b"card em4100:55007EE424\n",
    b"Mifare[",
    b"Em-Marine[5500] 126,58404\r\n",
    b"501\t2026-09-01 ",
]
bytes_of_all_kinds = st.lists(st.binary(max_size=40) | st.sampled_from(WORDS), max_size=12).map(b"".join)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60)
@given(data=bytes_of_all_kinds)
def test_any_bytes_are_stood(name: str, data: bytes) -> None:
    TARGETS[name](data)


def test_every_kind_with_a_codec_is_among_them() -> None:
    assert {"rdm6300", "ironlogic", "line", "keyboard", "virtual", "zkteco", "pcsc"} <= MAKERS.keys() <= {*KINDS}


@pytest.mark.parametrize("flood", [b"\x02", b"7", b"\n", b"\x00", b"a,", b"[", b"card "], ids=repr)
@pytest.mark.parametrize("kind", MAKERS)
def test_time_is_linear_in_the_bytes(kind: str, flood: bytes) -> None:
    """Counted in lines of Python, which no other program of this machine makes slower."""
    once, more = (lines_of(MAKERS[kind](), flood * (size // len(flood))) for size in (4096, 16384))
    assert more <= 4.2 * once + 100


def lines_of(codec: Codec[Any], data: bytes) -> int:
    lines = count()

    def trace(frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        if event == "line":
            next(lines)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for at in range(0, len(data), 512):
            codec.feed(data[at : at + 512])
    finally:
        sys.settrace(before)
    return next(lines)


class Hoarding:
    """Keeps everything, and looks at all of it each time."""

    def __init__(self) -> None:
        self.kept = b""

    def feed(self, data: bytes) -> list[Frame]:
        self.kept += data
        for _ in self.kept:
            pass
        return []

    def end(self) -> list[Frame]:
        return []


class Cutting(Hoarding):
    """Says something else where the bytes are cut differently."""

    def feed(self, data: bytes) -> list[Frame]:
        return [Noise(size=len(data))]


def test_a_codec_that_breaks_a_promise_is_noticed() -> None:
    with pytest.raises(AssertionError):
        stand(Hoarding, bytes(10_000))
    with pytest.raises(AssertionError):
        stand(Cutting, bytes(10))
    assert lines_of(Hoarding(), bytes(16384)) > 8 * lines_of(Hoarding(), bytes(4096))
