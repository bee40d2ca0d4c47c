"""SUN messages of NTAG 424 DNA against the examples of AN12196 and AN10922, and against anything else."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from drivers.nfc.sun import Form, Keys, Message, cmac, genuine, message, url
from simulators.type4 import Ntag424

h = bytes.fromhex
ZERO = Keys(meta=bytes(16), file=bytes(16))
#: AN12196, tables 2 and 4: nothing under the MAC, and an encrypted file under it.
V1 = b"https://ntag.nxp.com/424?e=EF963FF7828658A599F3041510671E88&c=94EED9EE65337086"
V1_FORM = Form(picc_data="e", cmac="c")
V2 = (
    b"https://www.my424dna.com/?picc_data=FD91EC264309878BE6345CBE53BADF40"
    b"&enc=CEE9A53E3E463EF1F459635736738962&cmac=ECC1E7F6C6C73BF6"
)
V2_FORM = Form(mac_from="enc")
#: D1 01: one short record of a well-known type, 04: https://
RECORD = h("D1 01 0E 55 04") + b"a.example/?b="


def read(text: bytes, form: Form, keys: Keys = ZERO) -> tuple[str, int] | None:
    found = message(text, form)
    reading = genuine(found, keys) if found is not None else None
    return (reading.uid.hex().upper(), reading.counter) if reading is not None else None


def test_the_examples_of_the_application_note() -> None:
    assert read(V1, V1_FORM) == ("04DE5F1EACC040", 61)
    assert read(V2, V2_FORM) == ("04958CAA5C5E80", 8)


def test_what_the_mac_covers() -> None:
    found = message(V2, V2_FORM)
    assert found is not None
    assert found.covered == b"CEE9A53E3E463EF1F459635736738962&cmac="
    assert read(V2, Form()) is None
    assert read(V2.replace(b"&enc=C", b"&enc=D"), V2_FORM) is None


def test_the_simulated_tag_says_what_the_example_says() -> None:
    tag = Ntag424(h("04DE5F1EACC040"), ZERO, before="https://ntag.nxp.com/424")
    assert tag.url(61, h("DA5CF60941"), ("e", "c")).encode() == V1


def test_the_key_of_one_tag() -> None:
    keys = Keys(meta=bytes(16), file=h("00112233445566778899AABBCCDDEEFF"), diversifier=h("3042F54E585020416275"))
    assert keys.file_of(h("04782E21801D80")) == h("A8DD63A3B89D54B37CA802473FDA9175")
    tag = Ntag424(h("04782E21801D80"), keys)
    assert read(tag().encode(), Form(), keys) == ("04782E21801D80", 1)
    assert read(tag().encode(), Form(), replace(keys, diversifier=None)) is None


@pytest.mark.parametrize("keys", [replace(ZERO, meta=b"\1" * 16), replace(ZERO, file=b"\1" * 16)])
def test_a_wrong_key(keys: Keys) -> None:
    assert read(V1, V1_FORM, keys) is None
    assert read(V2, V2_FORM, keys) is None


@pytest.mark.parametrize(("kind", "is_one"), [(0xC7, True), (0x87, False), (0xC4, False), (0x00, False)])
def test_only_a_uid_of_seven_bytes_with_a_counter_counts(kind: int, is_one: bool) -> None:
    """A tag that mirrors no counter proves nothing: its message is always the same."""
    who = h("04DE5F1EACC040 3D0000")
    encryptor = Cipher(algorithms.AES(ZERO.meta), modes.CBC(bytes(16))).encryptor()
    picc_data = encryptor.update(bytes([kind]) + who + bytes(5)) + encryptor.finalize()
    mac = cmac(cmac(ZERO.file, h("3CC300010080") + who), b"")[1::2]
    assert (genuine(Message(picc_data=picc_data, mac=mac, covered=b""), ZERO) is not None) is is_one


def test_keys_and_uids_are_in_no_repr() -> None:
    found = message(V1, V1_FORM)
    assert found is not None
    assert repr((ZERO, found, genuine(found, ZERO))) == "(Keys(), Message(), Reading(counter=61))"


@pytest.mark.parametrize("bit", range(0, 64, 5))
def test_a_mac_with_one_wrong_bit(bit: int) -> None:
    found = message(V1, V1_FORM)
    assert found is not None
    wrong = int.from_bytes(found.mac) ^ (1 << bit)
    assert genuine(replace(found, mac=wrong.to_bytes(8)), ZERO) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"https://ntag.nxp.com/424",
        V1.replace(b"e=", b"f="),
        V1.replace(b"88&", b"8&"),
        V1.replace(b"EF96", b"ef96"),
        V1 + b"00",
        V1 + b"&c=94EED9EE65337086",
        V1.replace(b"?e=", b"?eE="),
        b"https://ntag.nxp.com/424?c=94EED9EE65337086",
    ],
)
def test_no_message_of_this_form(text: bytes) -> None:
    assert message(text, V1_FORM) is None


def test_a_mac_that_begins_after_its_end() -> None:
    assert message(V2.replace(b"cmac", b"x").replace(b"enc", b"cmac").replace(b"x", b"enc"), V2_FORM) is None


def file(records: bytes) -> bytes:
    return (len(records).to_bytes(2) + records).ljust(256, b"\0")


@pytest.mark.parametrize(
    "records",
    [
        RECORD,
        h("91 01 02 54 0065") + h("51 01 0E 55 04") + RECORD[5:],  # a text first
        h("C1 01 0000000E 55 04") + RECORD[5:],  # a long one
        h("D9 01 0E 02 55 4142 04") + RECORD[5:],  # one with an id
    ],
)
def test_the_url_of_a_file(records: bytes) -> None:
    assert url(file(records)) == b"https://a.example/?b="
    assert url(len(records).to_bytes(2) + records) == b"https://a.example/?b="


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"\0\0", h("FFFF") + RECORD, file(RECORD[:-1]), file(h("D1 01 02 54 0065")), h("0005D101FF5504")],
)
def test_no_url(content: bytes) -> None:
    assert url(content) is None


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=253).map(file)))
def test_any_file_has_a_url_or_none(content: bytes) -> None:
    found = url(content)
    assert found is None or len(found) <= len(content) + 12


@given(st.binary(max_size=300), st.sampled_from([V1_FORM, V2_FORM]))
def test_any_text_after_a_message_is_judged(text: bytes, form: Form) -> None:
    for whole in (text, V1 + text, V2 + text, text + V2):
        found = message(whole, form)
        assert found is None or (len(found.mac) == 8 and len(found.picc_data) == 16)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8), st.binary(max_size=300))
def test_nobody_guesses_a_message(picc_data: bytes, mac: bytes, covered: bytes) -> None:
    assert genuine(Message(picc_data=picc_data, mac=mac, covered=covered), ZERO) is None
