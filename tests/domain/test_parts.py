"""Directories cut and put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.handshake import Manifest
from gateway.domain.parts import MAX_PART_BYTES, MAX_PARTS, assemble, digest, pack
from gateway.errors import MalformedMessage


def manifest(raw: bytes, parts: tuple[bytes, ...]) -> Manifest:
    names = tuple(digest(part) for part in parts)
    return Manifest(site="school-1", version=1, valid_until=2, sha256=digest(raw), parts=names)


@given(st.integers(1, 5 * MAX_PART_BYTES), st.binary(min_size=1, max_size=50))
def test_what_is_packed_is_assembled(size: int, seed: bytes) -> None:
    raw = (seed * (size // len(seed) + 1))[:size]
    parts = pack(raw)
    assert max(map(len, parts)) <= MAX_PART_BYTES
    assert assemble(manifest(raw, parts), parts) == raw


@pytest.mark.parametrize("size", [0, MAX_PARTS * MAX_PART_BYTES + 1])
def test_nothing_and_too_much_are_refused(size: int) -> None:
    with pytest.raises(MalformedMessage) as refused:
        pack(bytes(size))
    assert str(refused.value) == f"a directory has 1 to 9830400 bytes, got {size}"


def test_the_largest_fits() -> None:
    assert len(pack(bytes(MAX_PARTS * MAX_PART_BYTES))) == MAX_PARTS


def test_why_a_directory_is_refused_names_what_differs() -> None:
    raw = b"a" * 10
    announced = manifest(raw, pack(raw))
    with pytest.raises(MalformedMessage, match=r"^the manifest names 1 parts, got 0$"):
        assemble(announced, [])
    with pytest.raises(MalformedMessage, match=rf"^part {digest(raw)[:16]}… of the directory holds other bytes"):
        assemble(announced, [b"b" * 10])


@given(st.data())
def test_one_other_byte_is_noticed(data: st.DataObject) -> None:
    raw = bytes(range(256)) * 400
    parts = list(pack(raw))
    announced = manifest(raw, tuple(parts))
    index = data.draw(st.integers(0, len(parts) - 1))
    harm = data.draw(st.sampled_from(["cut", "flip", "drop", "double", "swap", "grow"]))
    match harm:
        case "cut":
            parts[index] = parts[index][:-1]
        case "flip":
            parts[index] = bytes([parts[index][0] ^ 1]) + parts[index][1:]
        case "drop":
            del parts[index]
        case "double":
            parts.insert(index, parts[index])
        case "swap":
            parts[0], parts[-1] = parts[-1], parts[0]
        case "grow":
            parts[index] += bytes(MAX_PART_BYTES)
    with pytest.raises(MalformedMessage):
        assemble(announced, parts)


def test_a_part_that_is_too_large_is_refused_although_its_name_holds() -> None:
    raw = bytes(MAX_PART_BYTES + 1)
    with pytest.raises(MalformedMessage, match="at most"):
        assemble(manifest(raw, (raw,)), [raw])


def test_the_whole_is_checked_although_each_part_holds() -> None:
    raw = b"a" * 10
    announced = manifest(b"b" * 10, pack(raw))
    with pytest.raises(MalformedMessage, match=r"^the parts of the directory do not add up"):
        assemble(announced, pack(raw))
