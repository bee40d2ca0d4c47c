"""EM4100 frames: what readers send, cut anywhere, after anything, and in floods."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import BadCard, BadFrame, Card, Noise
from drivers.rdm6300.codec import Codec, encode
from gateway.domain.credential import Credential, Technology
from tests.drivers.promises import stays_small

VECTORS = [
    (bytes.fromhex(line[:48]), bytes.fromhex(line[48:]))
    for line in (Path(__file__).parents[2] / "vectors" / "rdm6300.txt").read_text("ascii").splitlines()
    if not line.startswith("#")
]
GOOD, UID = VECTORS[0]
CARD = Card(credential=Credential(technology=Technology.EM4100, uid=UID), raw=GOOD)

#: Bytes as a wire makes them: pieces of frames and things that look like frames.
BYTES = st.lists(
    st.one_of(
        st.sampled_from([b"\x02", b"\x03", b"\r\n", b"62E3", GOOD, GOOD[:7], GOOD[5:]]),
        st.binary(max_size=20),
    ),
    max_size=20,
).map(b"".join)


@pytest.mark.parametrize(("raw", "uid"), VECTORS)
def test_vectors(raw: bytes, uid: bytes) -> None:
    assert Codec().feed(raw) == [Card(credential=Credential(technology=Technology.EM4100, uid=uid), raw=raw)]


@pytest.mark.parametrize(("raw", "uid"), VECTORS[:5])
def test_a_simulated_reader_sends_the_vectors(raw: bytes, uid: bytes) -> None:
    assert encode(uid, line_end=b"\r\n" if len(raw) == 16 else b"") == raw


@given(data=BYTES, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_any_chunking_gives_the_same_frames(data: bytes, cuts: list[int]) -> None:
    whole, cut = Codec(), Codec()
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(places)]
    frames = [frame for piece in pieces for frame in cut.feed(piece)] + cut.end()
    assert frames == whole.feed(data) + whole.end()


@given(garbage=BYTES)
def test_any_garbage_before_a_card_is_survived(garbage: bytes) -> None:
    assert Codec().feed(garbage + GOOD)[-1] == CARD


@given(data=BYTES)
def test_every_byte_is_accounted_for(data: bytes) -> None:
    codec = Codec()
    frames = codec.feed(data) + codec.end()
    assert sum(frame.size if isinstance(frame, Noise) else len(frame.raw) for frame in frames) == len(data)


@given(uid=st.binary(min_size=5, max_size=5), at=st.integers(1, 12), digit=st.sampled_from(b"0123456789ABCDEF"))
def test_one_wrong_digit_is_never_another_card(uid: bytes, at: int, digit: int) -> None:
    frame = bytearray(encode(uid))
    if frame[at] == digit:
        return
    frame[at] = digit
    (refused,) = Codec().feed(bytes(frame))
    assert isinstance(refused, BadFrame)
    assert "checksum" in refused.why


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (GOOD.replace(b"08\x03", b"09\x03"), "checksum"),
        (GOOD[:-3] + b"\x03", "12 hexadecimal digits"),
        (GOOD[:6] + b"\r\n" + GOOD[6:], "12 hexadecimal digits"),
        (b"\x02\x03", "12 hexadecimal digits"),
        (b"\x02" + b"A" * 15, "too long"),
        (GOOD[:5] + b"Z", "hexadecimal"),
    ],
)
def test_a_damaged_frame_says_why(raw: bytes, why: str) -> None:
    (refused,) = Codec().feed(raw)
    assert isinstance(refused, BadFrame)
    assert refused.raw == raw
    assert why in refused.why


@pytest.mark.parametrize("uid", [bytes(5), b"\xff" * 5, bytes.fromhex("6200000000")])
def test_a_code_that_names_no_card_is_refused(uid: bytes) -> None:
    (refused,) = Codec().feed(encode(uid))
    assert isinstance(refused, BadCard)
    assert refused.technology is Technology.EM4100


def test_a_half_frame_is_told_at_the_end() -> None:
    codec = Codec()
    assert codec.feed(GOOD[:9]) == []
    assert codec.end() == [BadFrame(raw=GOOD[:9], why="the frame has no end")]
    assert codec.feed(GOOD) == [CARD]


@pytest.mark.parametrize("flood", [b"\x02", b"7", b"\xff", b"\x02" + b"7" * 9, b"\r\n"])
def test_a_flood_leaves_the_buffer_small(flood: bytes) -> None:
    assert stays_small(Codec, flood)
    codec = Codec()
    codec.feed(flood * 1000)
    assert codec.feed(GOOD)[-1] == CARD
