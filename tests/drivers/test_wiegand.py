"""Wiegand frames: what is on the two wires is read whole, and never as more than it is."""

from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from drivers.frames import BadCard, BadFrame, Card
from drivers.wiegand import encode, wiegand
from gateway.domain.credential import UID_LENGTHS, Credential, Technology
from gateway.errors import CredentialRefused

VECTORS = [
    (int(bits), bytes.fromhex(data), Credential(technology=Technology(technology), uid=bytes.fromhex(uid)))
    for bits, data, technology, uid in (
        line.split()
        for line in (Path(__file__).parents[1] / "vectors" / "wiegand.txt").read_text("ascii").splitlines()
        if not line.startswith("#")
    )
]
FORMATS = {26: Technology.WIEGAND26, 34: Technology.WIEGAND34, 37: Technology.WIEGAND37}


def flipped(bits: int, data: bytes, mask: int) -> bytes:
    """The frame with the bits of `mask` inverted, its last bit being 1."""
    spare = 8 * len(data) - bits
    return (int.from_bytes(data) ^ mask << spare).to_bytes(len(data))


@st.composite
def credentials(draw: st.DrawFn) -> Credential:
    bits = draw(st.sampled_from(sorted(FORMATS)))
    (length,) = UID_LENGTHS[FORMATS[bits]]
    uid = draw(st.integers(0, 2 ** (bits - 2) - 1)).to_bytes(length)
    try:
        return Credential(technology=FORMATS[bits], uid=uid)
    except CredentialRefused:
        assume(False)
        raise


@pytest.mark.parametrize(("bits", "data", "credential"), VECTORS)
def test_vectors(bits: int, data: bytes, credential: Credential) -> None:
    assert wiegand(bits, data) == Card(credential=credential, raw=data)
    assert encode(credential) == (bits, data)


@pytest.mark.parametrize(("bits", "data", "credential"), VECTORS)
def test_exchanged_wires_are_told(bits: int, data: bytes, credential: Credential) -> None:
    refused = wiegand(bits, flipped(bits, data, 2**bits - 1))
    assert isinstance(refused, BadFrame)
    assert "D0 and D1 are exchanged" in refused.why


@given(credential=credentials(), at=st.integers(0, 36))
def test_one_wrong_bit_is_never_another_card(credential: Credential, at: int) -> None:
    bits, data = encode(credential)
    assume(at < bits)
    refused = wiegand(bits, flipped(bits, data, 1 << at))
    assert isinstance(refused, BadFrame)
    assert "parit" in refused.why


@given(credential=credentials())
def test_every_number_comes_back(credential: Credential) -> None:
    bits, data = encode(credential)
    assert wiegand(bits, data) == Card(credential=credential, raw=data)


@given(credential=credentials(), spare=st.integers(0, 255))
def test_bits_behind_the_frame_say_nothing(credential: Credential, spare: int) -> None:
    bits, data = encode(credential)
    filled = data[:-1] + bytes([data[-1] | spare % 2 ** (8 * len(data) - bits)])
    assert wiegand(bits, filled) == Card(credential=credential, raw=filled)


@given(bits=st.integers(-1, 300), data=st.binary(max_size=40))
@example(bits=26, data=bytes(3))
@example(bits=26, data=bytes(5))
@example(bits=0, data=b"")
def test_whatever_arrives_is_judged(bits: int, data: bytes) -> None:
    frame = wiegand(bits, data)
    assert frame.raw == data
    assert isinstance(frame, BadFrame) or bits in FORMATS
    if bits not in FORMATS:
        assert isinstance(frame, BadFrame)
        assert f"got {bits}" in frame.why


@pytest.mark.parametrize(("bits", "size"), [(26, 3), (26, 5), (34, 4), (37, 6)])
def test_another_number_of_bytes_is_refused(bits: int, size: int) -> None:
    refused = wiegand(bits, bytes(size))
    assert isinstance(refused, BadFrame)
    assert f"got {size}" in refused.why


@pytest.mark.parametrize("bits", FORMATS)
def test_a_number_that_names_no_card_is_refused(bits: int) -> None:
    nothing = 1  # only the odd parity bit
    refused = wiegand(bits, (nothing << -bits % 8).to_bytes((bits + 7) // 8))
    assert isinstance(refused, BadCard)
    assert refused.technology is FORMATS[bits]
