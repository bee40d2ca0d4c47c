"""Bytes of a bus to answers, whatever stands between them."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.osdp.answers import LONGEST, Answers

#: The acknowledgement of the reader at 1, with a CRC and with a sum.
ACK = bytes.fromhex("5381080006406A60")
SUMMED = bytes.fromhex("538107000040E5")


def test_an_answer_is_passed_on_and_what_stands_around_it_is_not() -> None:
    answers = Answers()
    assert answers.feed(b"\x00\xff" + ACK + b"\x53j", 1) == ACK
    assert answers.end() == 0
    assert answers.feed(ACK + b"junk" * 9, 1) == ACK
    assert answers.end() == 36
    assert answers.feed(SUMMED, 1) == SUMMED


def test_what_answers_nothing_is_noise() -> None:
    answers = Answers()
    assert answers.feed(b"\x53\x81junk", 1) == b""
    assert answers.end() == 6
    assert answers.feed(ACK[:-1] + bytes([ACK[-1] ^ 1]), 1) == b""
    assert answers.end() == len(ACK)
    assert answers.end() == 0


def test_a_question_and_another_readers_answer_are_no_answer() -> None:
    answers = Answers()
    assert answers.feed(ACK, 2) == b""
    assert answers.end() == 0
    asked = bytes.fromhex("53010700006045")
    assert answers.feed(asked, 1) == b""
    assert answers.end() == len(asked)


@given(st.binary(max_size=600), st.lists(st.integers(1, 40), max_size=30))
def test_bytes_give_the_same_however_they_are_cut_and_little_is_held(noise: bytes, cuts: list[int]) -> None:
    whole, pieces, data, found = Answers(), Answers(), noise + ACK + noise, b""
    expected, rest = whole.feed(data, 1), data
    for cut in [*cuts, len(data)]:
        found += pieces.feed(rest[:cut], 1)
        rest = rest[cut:]
        assert len(pieces._heard) <= LONGEST
    assert found == expected
    assert pieces.end() == whole.end()
