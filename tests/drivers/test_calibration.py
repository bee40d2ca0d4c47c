"""One known card is enough: what its reader prints of it says which settings it needs."""

import pytest

from drivers.calibration import Fit, fit
from drivers.ironlogic.codec import encode
from drivers.rdm6300.codec import encode as rdm6300
from drivers.registry import codec_of, decoder
from gateway.domain.credential import Credential, Technology
from simulators.keyboard import Typist

LINE: dict[str, object] = {"technology": "em4100", "length": 5}
EM, MIFARE, LONG = "em4100:55007EE424", "14443a:BCD14264", "14443a:0456463AAC2280"


def card(text: str) -> Credential:
    technology, _, uid = text.partition(":")
    return Credential(technology=Technology(technology), uid=bytes.fromhex(uid))


def found_for(kind: str, settings: dict[str, object], heard: bytes, known: Credential) -> Fit | None:
    return fit(*codec_of(kind), settings, heard, known)


@pytest.mark.parametrize(
    ("printed", "known", "settings"),
    [
        (b"55007EE424\r\n", EM, {}),
        (b"24E47E0055\r", EM, {"order": "le", "delimiter": "cr"}),
        (b"\x0255007EE424EB\x03", EM, {"prefix": "\u0002", "delimiter": "etx", "checksum": "xor"}),
        (b"3167830628\r\n", MIFARE, {"base": "dec"}),
        (b"1682100668\n", MIFARE, {"base": "dec", "order": "le", "delimiter": "lf"}),
        (b"8022AC3A465604", LONG, {"order": "le", "delimiter": "idle"}),
        (bytes.fromhex("020A0206008E6D5DB003"), "em4100:06008E6D5D", {"base": "bytes", "delimiter": "length", "prefix": "\u0002"}),
    ],
)  # fmt: skip
def test_a_whole_number_is_found(printed: bytes, known: str, settings: dict[str, object]) -> None:
    found = found_for("line", LINE, printed, card(known))
    assert found is not None
    assert str(found.told) == known
    needed = {"technology": found.told.technology.value, "length": len(found.told.uid), **settings}
    assert {key: value for key, value in found.settings.items() if key != "expression"} == needed
    assert [told.get("uid") for told in decoder("line", found.settings)([printed])] == [known.partition(":")[2]]


@pytest.mark.parametrize(
    ("printed", "known", "told"),
    [
        (b"0008315940\r\n", EM, "wiegand34:007EE424"),
        (b"08315940\r\n", EM, "wiegand26:7EE424"),
        (b"126,58404\r\n", EM, "wiegand26:7EE424"),
        (b"00126,58404\r\n", EM, "wiegand34:007EE424"),
        (b"066,53692\r\n", MIFARE, "wiegand26:42D1BC"),
    ],
)
def test_what_is_left_of_a_number_is_told_as_that(printed: bytes, known: str, told: str) -> None:
    found = found_for("line", LINE, printed, card(known))
    assert found is not None
    assert str(found.told) == told
    assert found.settings["technology"] == told.partition(":")[0]


def test_what_is_set_already_is_kept_where_it_fits() -> None:
    kept: dict[str, object] = {
        "technology": "14443a",
        "length": 4,
        "base": "dec",
        "expression": r"(?P<uid>\d{10})",
        "pause": 0.3,
    }
    found = found_for("line", kept, b"1682100668\r\n", card(MIFARE))
    del kept["pause"]
    assert found == Fit(settings={**kept, "order": "le"}, told=card(MIFARE))


def test_other_kinds_have_other_settings() -> None:
    line = encode(Technology.ISO14443A, bytes.fromhex("0456463AAC2280"), layout="air")
    assert found_for("ironlogic", {}, line, card(LONG)) == Fit(settings={"uid_layout": "air"}, told=card(LONG))
    assert found_for("rdm6300", {}, rdm6300(card(EM).uid), card(EM)) == Fit(settings={}, told=card(EM))
    typed = found_for("keyboard", LINE, Typist(5).text("1682100668", 15), card(MIFARE))
    assert typed is not None
    assert typed.settings == {"technology": "14443a", "length": 4, "base": "dec", "order": "le", "terminator": "tab"}


@pytest.mark.parametrize("kind", ["line", "ironlogic", "rdm6300"])
def test_another_card_fits_nothing(kind: str) -> None:
    assert found_for(kind, LINE if kind == "line" else {}, b"62E3086CED\r\n", card(EM)) is None
