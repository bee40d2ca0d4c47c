"""The grammar of the virtual device."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import BadCard, BadFrame, Card
from drivers.virtual.codec import Codec, Told, encode_card, encode_show, read_show
from gateway.domain.answer import Answer, Words
from gateway.domain.credential import Credential, Technology
from gateway.domain.model import Reason, Verdict
from gateway.ports import DeviceNotice, Rotation

VECTORS = [
    (line[:40].strip(), line[40:].strip())
    for line in (Path(__file__).parents[2] / "vectors" / "virtual.txt").read_text("ascii").splitlines()
    if not line.startswith("#")
]
CARD = Credential(technology=Technology.ISO14443A, uid=bytes.fromhex("04DE5F1EACC040"))
BYTES = st.lists(
    st.one_of(st.sampled_from([line.encode() + b"\n" for line, _ in VECTORS]), st.binary(max_size=200)), max_size=10
).map(b"".join)


def meaning(told: Told) -> str:
    match told:
        case Card(credential=credential):
            return f"card {credential.technology} {credential.uid.hex().upper()}"
        case BadCard(technology=technology):
            return f"refused {technology}"
        case Rotation(direction=direction):
            return f"rotation {direction}"
        case DeviceNotice(kind=kind, detail=detail):
            return f"notice {kind} {detail}"
        case _:
            return "bad"


@pytest.mark.parametrize(("line", "means"), VECTORS)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_vectors(line: str, means: str, end: str) -> None:
    assert [meaning(told) for told in Codec().feed((line + end).encode("ascii"))] == [means]


@pytest.mark.parametrize("blank", [b"\n", b" \n", b"\r\n", b" \t\r\n \n"])
def test_a_blank_line_swallows_no_other(blank: bytes) -> None:
    assert [meaning(told) for told in Codec().feed(blank + encode_card(CARD))] == ["card 14443a 04DE5F1EACC040"]


@given(data=BYTES, cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_any_chunking_gives_the_same(data: bytes, cuts: list[int]) -> None:
    whole, cut = Codec(), Codec()
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(places)]
    told = [told for piece in pieces for told in cut.feed(piece)] + cut.end()
    assert told == whole.feed(data) + whole.end()


@given(garbage=BYTES)
def test_any_garbage_line_before_a_card_is_survived(garbage: bytes) -> None:
    told = Codec().feed(garbage + b"\n" + encode_card(CARD))[-1]
    assert isinstance(told, Card)
    assert told.credential == CARD


def test_a_line_without_an_end_is_told_in_pieces() -> None:
    told = Codec().feed(b"x" * 1_000_000 + b"\n" + encode_card(CARD))
    assert all(isinstance(bad, BadFrame) and len(bad.raw) <= 256 for bad in told[:-1])
    assert isinstance(told[-1], Card)


@pytest.mark.parametrize("answer", Answer)
@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("admit", [True, False])
def test_what_the_lamp_is_told(admit: bool, reason: Reason, answer: Answer) -> None:
    verdict, words = Verdict(admit=admit, reason=reason), Words(answer=answer, lines=("Подойдите", "к охраннику"))
    line = encode_show(verdict, words)
    assert (
        line.decode() == f"show {'admit' if admit else 'refuse'} {reason.value} {answer.value}|Подойдите|к охраннику\n"
    )
    assert read_show(line) == (verdict, words)
    dark = Words(answer=answer, lines=())
    assert read_show(encode_show(verdict, dark)) == (verdict, dark)


@pytest.mark.parametrize(
    "line",
    [
        b"show admit\n",
        b"show maybe known\n",
        b"show admit whatever\n",
        b"show admit known\n",
        b"show admit known pass but\n",
        b"\xff\n",
        b"",
    ],
)
def test_a_device_ignores_what_it_does_not_understand(line: bytes) -> None:
    assert read_show(line) is None
