"""Lines of IronLogic readers: as they stand in the field, cut anywhere, after anything, and in floods."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import BadCard, BadFrame, Card, Noise, Removed
from drivers.ironlogic.codec import Codec, Format, Layout, card_left, encode
from gateway.domain.credential import Technology
from tests.drivers.promises import in_pieces, size, stays_small, told

VECTORS = [
    re.split(r"  +(?=\S+$)", line)
    for line in (Path(__file__).parents[2] / "vectors" / "ironlogic.txt").read_text("ascii").splitlines()
    if not line.startswith("#")
]
GOOD = b"Mifare[FA592F830412E6] UL (0144,00) 004,04838\r\n"
#: Bytes as a wire makes them: pieces of lines and things that look like lines.
BYTES = st.lists(
    st.one_of(
        st.sampled_from([b"\r\n", b"Em-Marine[", b"No card", b"19997 ", GOOD, GOOD[:20], GOOD[9:], b" 004,04838"]),
        st.binary(max_size=150),
    ),
    max_size=12,
).map(b"".join)


def reader(layout: Layout = "cl2_first") -> Codec:
    return Codec(Format(uid_layout=layout))


EM = st.binary(min_size=5, max_size=5).filter(any)


@pytest.mark.parametrize(("line", "card"), VECTORS)
@pytest.mark.parametrize("end", ["\r\n", "\n"], ids=["CRLF", "LF"])
def test_vectors(line: str, card: str, end: str) -> None:
    (frame,) = reader().feed(f"{line}{end}".encode("ascii"))
    if card == "-":
        assert frame == Removed(raw=f"{line}{end}".encode("ascii"))
    else:
        assert isinstance(frame, Card)
        assert str(frame.credential) == card


@pytest.mark.parametrize(("line", "card"), [pair for pair in VECTORS if "(" not in pair[0] and "[" in pair[0]])
def test_a_simulated_reader_says_the_vectors_of_em_marine(line: str, card: str) -> None:
    assert encode(Technology.EM4100, bytes.fromhex(card.partition(":")[2])) == f"{line}\r\n".encode("ascii")


@pytest.mark.parametrize("uid", ["BCD14264", "0456463AAC2280"])
@pytest.mark.parametrize("layout", ["cl2_first", "air"])
def test_a_simulated_reader_is_read_in_its_layout(uid: str, layout: Layout) -> None:
    line = encode(Technology.ISO14443A, bytes.fromhex(uid), layout=layout)
    (frame,) = reader(layout).feed(line)
    assert isinstance(frame, Card)
    assert str(frame.credential) == f"14443a:{uid}"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Em-Marine[5500] 256,00001", "255"),
        ("Em-Marine[5500] 001,65536", "65535"),
        ("Em-Marine[550] 126,58404", "grammar"),
        ("Mifare[BCD14264] 1K (0004,08) 066,53693", "agree"),
        ("Mifare[0456463AAC2280] UL (0044,00) 004,22086", "uid_layout"),
        ("Mifare[BCD142] 066,53692", "grammar"),
        ("Mifare[BCD14264] 1K (0004,08)", "grammar"),
        ("Mifare[BCD14264] 1K (0004,08) 066,53692,1", "grammar"),
        ("HID[0004] 126,58404", "grammar"),
        ("126,58404", "grammar"),
        ("No card 126,58404", "grammar"),
    ],
)
def test_a_line_that_is_none_says_why(line: str, why: str) -> None:
    (refused,) = reader().feed(f"{line}\r\n".encode("ascii"))
    assert isinstance(refused, BadFrame)
    assert why in refused.why


def test_a_card_without_an_identity_is_refused() -> None:
    phone = b"Mifare[08112233] 1K (0004,08) 034,04360\r\n"
    (refused,) = reader().feed(phone)
    assert isinstance(refused, BadCard)
    assert "random" in refused.why


def test_facility_and_number_are_bytes_of_the_code() -> None:
    # facility * 255 + number, a mistake that is made in the field, would be 007E5BA6.
    (frame,) = reader().feed(b"Em-Marine[0000] 126,58404\r\n")
    assert isinstance(frame, Card)
    assert frame.credential.uid == bytes.fromhex("00007EE424")


@given(data=BYTES, cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_any_chunking_gives_the_same_frames(data: bytes, cuts: list[int]) -> None:
    assert told(reader(), in_pieces(data, cuts)) == told(reader(), [data])


@given(garbage=BYTES)
def test_any_garbage_before_a_card_is_survived(garbage: bytes) -> None:
    frame = reader().feed(garbage + GOOD)[-1]
    assert isinstance(frame, Card)
    assert str(frame.credential) == "14443a:0412E6FA592F83"


@given(data=BYTES)
def test_every_byte_is_accounted_for(data: bytes) -> None:
    assert size(told(reader(), [data])) == len(data)


@given(uid=EM, at=st.integers(0, 60), byte=st.binary(min_size=1, max_size=1))
def test_one_wrong_byte_of_a_uid_of_seven_is_never_another_card_with_its_number(
    uid: bytes, at: int, byte: bytes
) -> None:
    line = encode(Technology.ISO14443A, b"\x04\x11" + uid)
    at %= len(line)
    for frame in told(reader(), [line[:at] + byte + line[at + 1 :]]):
        if isinstance(frame, Card):
            # Three of the seven bytes stand there twice; the four others have nothing to be checked against.
            assert frame.credential.uid[:3] == b"\x04\x11" + uid[:1]


def test_blank_lines_say_nothing_and_a_half_line_is_told_at_the_end() -> None:
    codec = reader()
    assert codec.feed(b"\r\n\n") == []
    assert codec.end() == [Noise(size=3)]
    assert codec.feed(GOOD[:9]) == []
    assert codec.end() == [BadFrame(raw=GOOD[:9], why="the line has no end")]
    assert codec.feed(b"\n" + GOOD) != []
    assert codec.feed(card_left()) == [Removed(raw=b"No card\r\n")]


@pytest.mark.parametrize("flood", [b"7", b"\n", b"\xff\x00", b"Mifare[", b"No card\r\n", b"19997 "])
def test_a_flood_leaves_the_buffer_small(flood: bytes) -> None:
    assert stays_small(reader, flood)
