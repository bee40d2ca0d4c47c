"""The lines of the process that holds a reader, and what the answers of a card mean."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import BadCard, BadFrame, Card
from drivers.pcsc.child import encode_card, encode_lost
from drivers.pcsc.codec import Codec, Idle, Lost, Ready, Still, encode_beep, encode_lamp, judge
from gateway.domain.credential import Technology

h = bytes.fromhex
#: From the supplemental document to part 3 of PC/SC and from API-ACR122U.
CLASSIC = h("3B8F8001804F0CA000000306030001000000006A")
FELICA = h("3B8F8001804F0CA00000030611003B0000000042")
FELICA_ACS = h("3B8F8001804F0CA00000030603F011000000008A")
TOPAZ_ACS = h("3B8F8001804F0CA00000030603F004000000009F")
VICINITY = h("3B8F8001804F0CA0000003060B00140000000077")
DESFIRE = h("3B8180018080")
OK, NO = h("9000"), h("6A81")
ATS = h("067577810280") + OK
CARD = encode_card(CLASSIC, h("04DE5F1EACC040") + OK, NO)
BYTES = st.lists(
    st.one_of(
        st.sampled_from([CARD, b"idle\n", b"still\n", b"mute\n", b"ready a reader\n", encode_lost("gone", "look")]),
        st.binary(max_size=1500),
    ),
    max_size=8,
).map(b"".join)


@pytest.mark.parametrize(
    ("atr", "uid", "ats", "means"),
    [
        (CLASSIC, h("DEADBEEF"), NO, "14443a:DEADBEEF"),
        (CLASSIC, h("04DE5F1EACC040"), NO, "14443a:04DE5F1EACC040"),
        (DESFIRE, h("04DE5F1EACC040"), ATS, "14443a:04DE5F1EACC040"),
        (DESFIRE, h("DEADBEEF"), ATS, "14443a:DEADBEEF"),
        (DESFIRE, h("04112233445566778899"), NO, "14443a:04112233445566778899"),
        (FELICA, h("0102030405060708"), NO, "felica:0102030405060708"),
        (FELICA_ACS, h("0102030405060708"), NO, "felica:0102030405060708"),
    ],
)
def test_a_card(atr: bytes, uid: bytes, ats: bytes, means: str) -> None:
    frame = judge(atr, uid + OK, ats)
    assert isinstance(frame, Card)
    assert str(frame.credential) == means


@pytest.mark.parametrize(
    ("atr", "uid", "ats", "why"),
    [
        (CLASSIC, h("08112233"), NO, "random"),
        (CLASSIC, h("88112233"), NO, "half read"),
        (CLASSIC, h("0411"), NO, "has 4 or 7 or 10 bytes"),
        (DESFIRE, h("08112233"), ATS, "random"),
        (DESFIRE, h("DEADBEEF"), NO, "type B"),
        (DESFIRE, h("DEADBEEF"), b"", "type B"),
        (FELICA, h("01FE030405060708"), NO, "phone"),
        (TOPAZ_ACS, h("DEADBEEF"), NO, "type 1"),
        (VICINITY, h("E004010012345678"), NO, "0B"),
    ],
)
def test_no_identity(atr: bytes, uid: bytes, ats: bytes, why: str) -> None:
    frame = judge(atr, uid + OK, ats)
    assert isinstance(frame, BadCard)
    assert why in frame.why
    assert frame.technology is (Technology.FELICA if atr is FELICA else Technology.ISO14443A)


@pytest.mark.parametrize("answer", [b"", OK, NO, b"\x90", h("DEADBEEF6300"), b"junk" * 64])
def test_no_uid(answer: bytes) -> None:
    assert isinstance(judge(CLASSIC, answer, NO), BadFrame)


def test_a_card_stays_until_something_else_is_there() -> None:
    codec = Codec()
    told = codec.feed(b"still\n" + CARD + b"still\nstill\nidle\nstill\n")
    assert isinstance(told[1], Card)
    assert told == [Idle(), told[1], *[Still(frame=told[1])] * 2, Idle(), Idle()]


def test_what_the_process_says_of_itself() -> None:
    assert Codec().feed(b"ready ACS ACR122U 00 00\n" + encode_lost("it | is\ngone", "look | there")) == [
        Ready(name="ACS ACR122U 00 00"),
        Lost(why="it / is gone", hint="look / there"),
    ]
    (lost,) = Codec().feed(encode_lost("x" * 2000, "ы" * 2000))
    assert isinstance(lost, Lost)


@given(data=BYTES, cuts=st.lists(st.integers(0, 4000), max_size=12))
def test_any_chunking_gives_the_same(data: bytes, cuts: list[int]) -> None:
    whole, cut = Codec(), Codec()
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(places)]
    told = [told for piece in pieces for told in cut.feed(piece)] + cut.end()
    assert told == whole.feed(data) + whole.end()


@given(garbage=BYTES)
def test_any_garbage_line_before_a_card_is_survived(garbage: bytes) -> None:
    told = Codec().feed(garbage + b"\n" + CARD)[-1]
    assert isinstance(told, Card)


@given(atr=st.binary(max_size=33), uid=st.binary(max_size=258), ats=st.binary(max_size=258))
def test_any_answers_fit_into_a_line_and_are_judged(atr: bytes, uid: bytes, ats: bytes) -> None:
    assert Codec().feed(encode_card(atr, uid, ats)) == [judge(atr, uid, ats)]


def test_the_lamp_of_an_acr122u() -> None:
    """API-ACR122U 6.2: bits 0 and 1 are the red and the green state, 2 and 3 that they change; then times of 100 ms."""
    assert encode_lamp(green=False, red=False) == h("FF00400C0400000000")
    assert encode_lamp(green=True, red=False) == h("FF00400E0400000000")
    assert encode_lamp(green=True, red=True) == h("FF00400F0400000000")
    assert encode_beep(0.5) == h("FF0040000405000101")


def test_memory_is_bounded() -> None:
    codec = Codec()
    told = codec.feed(b"x" * 1_000_000 + b"\n" + CARD)
    assert all(isinstance(bad, BadFrame) and len(bad.raw) <= 2400 for bad in told[:-1])
    assert isinstance(told[-1], Card)
