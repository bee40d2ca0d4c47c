"""A card is named in one way, refused when it cannot name anybody, and never shown whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.credential import UID_LENGTHS, Credential, SiteKey, Technology
from gateway.errors import CredentialRefused
from tests.domain.build import CARD, KEY, OTHER


def test_canonical_form_is_technology_and_upper_case_air_order() -> None:
    assert str(CARD) == "em4100:55007EE424"
    assert str(OTHER) == "14443a:04DE5F1EACC040"


@pytest.mark.parametrize(
    ("technology", "uid", "why"),
    [
        ("14443a", "08123456", "random"),
        ("14443a", "88123456", "cascade"),
        ("14443a", "00000000", "zeros"),
        ("14443a", "FFFFFFFF", "ones"),
        ("14443a", "04A651FFFFFFFF", "half read"),
        ("14443a", "04A65100000000", "half read"),
        ("14443a", "04A651", "3"),
        ("14443a", "04A6518F61", "5"),
        ("em4100", "55007EE4", "5 bytes"),
        ("em4100", "0000000000", "zeros"),
        ("felica", "0102030405060", "8 bytes"),
        ("wiegand34", "7EE424", "4 bytes"),
        ("wiegand37", "007EE424", "5 bytes"),
        ("wiegand37", "0700000000", "half read"),
        ("zkteco", "0000", "zeros"),
        ("zkteco", "05A1", "decimal"),
        ("zkteco", "000501", "needless zeros"),
        ("zkteco", "51", "got 1"),
    ],
)
def test_what_cannot_name_one_card_for_ever_is_refused(technology: str, uid: str, why: str) -> None:
    with pytest.raises(CredentialRefused, match=why):
        Credential(technology=Technology(technology), uid=bytes.fromhex(uid.rjust(len(uid) + len(uid) % 2, "0")))


@given(st.sampled_from(sorted(UID_LENGTHS)), st.data())
def test_no_print_of_a_credential_shows_it_whole(technology: Technology, data: st.DataObject) -> None:
    length = data.draw(st.sampled_from(sorted(UID_LENGTHS[technology])))
    uid = data.draw(st.binary(min_size=length, max_size=length))
    shown: list[str]
    try:
        credential = Credential(technology=technology, uid=uid)
        shown = [repr(credential), credential.masked]
    except CredentialRefused as refused:
        shown = [str(refused)]
    assert not any(uid.hex() in text.lower() for text in shown)


@pytest.mark.parametrize("uid", ["0001", "0501", "1000000000", "999999999999999999"])
def test_a_pin_is_its_decimal_digits(uid: str) -> None:
    assert str(Credential(technology=Technology.ZKTECO, uid=bytes.fromhex(uid))) == f"zkteco:{uid}"


def test_token_names_its_key_and_hides_the_uid() -> None:
    token = KEY.token(CARD)
    version, digest = token.split(":")
    assert version == "1"
    assert len(bytes.fromhex(digest)) == 16
    assert token == KEY.token(CARD)
    assert token != KEY.token(OTHER)
    assert token != SiteKey(version=1, secret=bytes(range(1, 33))).token(CARD)


def test_the_same_digits_on_two_technologies_are_two_cards() -> None:
    uid = bytes.fromhex("04DE5F1E")
    as_nfc = Credential(technology=Technology.ISO14443A, uid=uid)
    assert KEY.token(as_nfc) != KEY.token(Credential(technology=Technology.EM4100, uid=b"\x00" + uid))


def test_a_site_key_needs_32_bytes_and_hides_them() -> None:
    with pytest.raises(CredentialRefused):
        SiteKey(version=1, secret=bytes(31))
    assert repr(KEY) == "SiteKey(version=1)"
