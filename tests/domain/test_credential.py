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


RANDOM = "the UID is random: the card shows another one each time (ISO/IEC 14443-3)"
BLANK = "the UID is all zeros or all ones"
HALF = "the end of the UID is missing (half read)"


@pytest.mark.parametrize(
    ("technology", "uid", "why"),
    [
        ("14443a", "08123456", RANDOM),
        ("14443a", "88123456", "the UID begins with the cascade tag 88 (half read)"),
        ("14443a", "00000000", BLANK),
        ("14443a", "FFFFFFFF", BLANK),
        ("14443a", "04A651FFFFFFFF", HALF),
        ("14443a", "04A65100000000", HALF),
        ("14443a", "04A651", "a UID of 14443a has 4 or 7 or 10 bytes, got 3"),
        ("14443a", "04A6518F61", "a UID of 14443a has 4 or 7 or 10 bytes, got 5"),
        ("em4100", "55007EE4", "a UID of em4100 has 5 bytes, got 4"),
        ("em4100", "0000000000", BLANK),
        ("felica", "01020304050607", "a UID of felica has 8 bytes, got 7"),
        ("wiegand34", "7EE424", "a UID of wiegand34 has 4 bytes, got 3"),
        ("wiegand37", "007EE424", "a UID of wiegand37 has 5 bytes, got 4"),
        ("wiegand37", "0700000000", HALF),
        ("zkteco", "0000", BLANK),
        ("zkteco", "05A1", "a PIN is written in decimal digits"),
        ("zkteco", "000501", "a PIN is written without needless zeros in front"),
        ("zkteco", "51", "a UID of zkteco has 2 or 3 or 4 or 5 or 6 or 7 or 8 or 9 bytes, got 1"),
    ],
)
def test_what_cannot_name_one_card_for_ever_is_refused(technology: str, uid: str, why: str) -> None:
    with pytest.raises(CredentialRefused) as refused:
        Credential(technology=Technology(technology), uid=bytes.fromhex(uid))
    assert str(refused.value) == why
    # A number of another length is mostly one that was copied from the card.
    printed = "what is printed on a card may leave bytes out: read it at a reader, systemd/install.md, step 7"
    assert refused.value.hint == (printed if " has " in why else CredentialRefused.hint)


@pytest.mark.parametrize(
    ("technology", "uid"),
    [("14443a", "08A6518F61CC40"), ("14443a", "88A6518F61CC40"), ("wiegand34", "08123456"), ("wiegand34", "88123456")],
)
def test_only_a_short_uid_of_14443a_tells_by_its_first_byte_that_it_is_none(technology: str, uid: str) -> None:
    assert str(Credential(technology=Technology(technology), uid=bytes.fromhex(uid))) == f"{technology}:{uid}"


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
    with pytest.raises(CredentialRefused) as refused:
        SiteKey(version=1, secret=bytes(31))
    assert str(refused.value) == "a site key needs at least 32 bytes"
    assert refused.value.hint == "make one with 'attendance-journal'"
    assert repr(KEY) == "SiteKey(version=1)"
