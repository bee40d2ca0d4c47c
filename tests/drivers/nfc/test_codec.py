"""What a reader tells about a target, as a card or as a refusal."""

import pytest

from drivers.frames import BadCard, Card
from drivers.nfc.codec import type_a, type_f
from gateway.domain.credential import Technology


@pytest.mark.parametrize("uid", ["BCD14264", "04DE5F1EACC040", "34005181895266", "04112233445566778899"])
def test_a_type_a_uid(uid: str) -> None:
    target = type_a(bytes.fromhex(uid))
    assert isinstance(target, Card)
    assert str(target.credential) == f"14443a:{uid}"


@pytest.mark.parametrize("uid", ["", "04", "08112233", "88112233", "00000000", "FFFFFFFFFFFFFF", "04112200000000"])
def test_no_identity(uid: str) -> None:
    target = type_a(bytes.fromhex(uid))
    assert isinstance(target, BadCard)
    assert target.technology is Technology.ISO14443A


def test_a_felica_card_is_its_idm() -> None:
    target = type_f(bytes.fromhex("01 0102030405060708 0011223344556677"))
    assert isinstance(target, Card)
    assert str(target.credential) == "felica:0102030405060708"


@pytest.mark.parametrize("answer", ["", "01", "01 01FE0304050607", "01 01FE030405060708 0011223344556677"])
def test_a_felica_phone_or_half_an_answer_is_none(answer: str) -> None:
    assert isinstance(type_f(bytes.fromhex(answer)), BadCard)
