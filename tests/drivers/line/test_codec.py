"""Whatever readers print: every print of the manuals, cut anywhere, after anything, and in floods."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.frames import BadCard, BadFrame, Card, Frame, Noise
from drivers.line.codec import Codec, Format
from gateway.domain.credential import Technology
from tests.drivers.promises import in_pieces, size, stays_small, told

DELIMITERS = {"crlf": b"\r\n", "cr": b"\r", "lf": b"\n", "etx": b"\x03", "idle": b""}
FRAMED = bytes.fromhex("020A0206008E6D5DB003")


def form(text: str) -> Format:
    found = (setting.partition("=") for setting in text.split())
    return Format.model_validate({key: value_of(word) for key, _, word in found})


def value_of(word: str) -> object:
    return json.loads(word) if word.isdigit() or word.startswith('"') else word


def vectors() -> list[tuple[bytes, Format, str]]:
    found = []
    for line in (Path(__file__).parents[2] / "vectors" / "line.txt").read_text("ascii").splitlines():
        if not line.startswith("#"):
            printed, rest = re.split(r" +(?=technology=)", line, maxsplit=1)
            keys, card = rest.rsplit(maxsplit=1)
            found.append((printed.encode("ascii").decode("unicode_escape").encode("latin-1"), form(keys), card))
    return found


FORMATS = [
    *(form(f"technology=em4100 length=5 delimiter={delimiter}") for delimiter in DELIMITERS),
    form('technology=em4100 length=5 delimiter=etx prefix="\\u0002"'),
    form('technology=em4100 length=5 delimiter=length base=bytes prefix="\\u0002"'),
]
BYTES = st.lists(
    st.one_of(
        st.sampled_from([b"\r\n", b"\x02", b"\x03", b"\n", b"55007EE424", FRAMED, FRAMED[:6], b"\x02\x40"]),
        st.binary(max_size=150),
    ),
    max_size=12,
).map(b"".join)


def cards(frames: list[Frame]) -> list[str]:
    return [str(frame.credential) for frame in frames if isinstance(frame, Card)]


@pytest.mark.parametrize(("printed", "form", "card"), vectors())
def test_vectors(printed: bytes, form: Format, card: str) -> None:
    if form.delimiter == "length":
        assert cards(Codec(form).feed(printed)) == [card]
        return
    for delimiter, end in DELIMITERS.items():
        frames = told(Codec(form.model_copy(update={"delimiter": delimiter})), [printed + end])
        assert cards(frames) == [card], delimiter


@pytest.mark.parametrize(
    ("keys", "line", "why"),
    [
        ("", b"55007EE4", "5 bytes"),
        ("", b"55007EE42", "hex"),
        ("", b"55007EE4240", "hex"),
        ("base=dec", b"0x10", "decimal"),
        ("base=dec", "١٢".encode(), "decimal"),
        ("base=dec", b"1099511627776", "fit"),
        ("base=dec", b"00000008315940", "fit"),
        ("prefix=ID:", b"55007EE424", "prefix"),
        ('suffix="#"', b"55007EE424", "suffix"),
        ("expression=(?P<uid>[0-9A-F]{10})", b"55007ee424", "expression"),
        ("checksum=xor expression=(?P<uid>.{10})(?P<checksum>..)", b"62E3086CED09", "09, not 08"),
        ("checksum=sum expression=(?P<uid>.{10})(?P<checksum>..)", b"62E3086CEDA7", "A7, not A6"),
        ("checksum=xor expression=(?P<uid>.{10})(?P<checksum>..)?", b"62E3086CED", "1 bytes"),
    ],
)
def test_a_line_that_is_none_says_why(keys: str, line: bytes, why: str) -> None:
    (refused,) = Codec(form(f"technology=em4100 length=5 {keys}")).feed(line + b"\r\n")
    assert isinstance(refused, BadFrame)
    assert re.search(why, refused.why)


@pytest.mark.parametrize("printed", [b"256,58404", b"126,65536"])
def test_a_facility_is_one_byte_and_a_number_two(printed: bytes) -> None:
    keys = r"technology=wiegand26 length=3 base=dec expression=(?P<facility>\d+),(?P<number>\d+)"
    (refused,) = Codec(form(keys)).feed(printed + b"\r\n")
    assert isinstance(refused, BadFrame)
    assert "fit" in refused.why


def test_a_card_without_an_identity_is_refused() -> None:
    (refused,) = Codec(form("technology=14443a length=4")).feed(b"08112233\r\n")
    assert isinstance(refused, BadCard)
    assert "random" in refused.why


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("length", 3, "5 bytes; a number that was cut is wiegand26"),
        ("checksum", "xor", "need each other"),
        ("expression", "(?P<uid>.{10})(?P<checksum>..)", "need each other"),
        ("expression", "(", "not a regular expression"),
        ("expression", "[0-9]+", "needs the group"),
        ("expression", "(?P<facility>[0-9]+)", "needs the group"),
        ("expression", "(?P<uid>[0-9]+)(?P<other>.)", "needs the group"),
        ("expression", "(?P<uid>([0-9]+)+)", "no repetition of a group"),
        ("expression", "(?P<uid>.*.*.*.*)", "at most three"),
        ("expression", "(?P<uid>" + "a?" * 60 + "a" * 60 + ")", "at most three"),
        ("expression", "(?P<uid>" + "(a|a)" * 30 + "x)", "at most three"),
        ("expression", "(?P<uid>(a|aa){2,40})", "no repetition of a group"),
    ],
)
def test_settings_that_cannot_work_are_refused(key: str, value: object, hint: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(hint)):
        Format.model_validate({"technology": "em4100", "length": 5, key: value})


@pytest.mark.parametrize("expression", [r"(?P<uid>[+*]{3}\+\*\)+)", "(?P<uid>[]+)*+{]{1,9})", "(?P<uid>.{10})x?"])
def test_what_does_not_repeat_is_no_repetition(expression: str) -> None:
    assert Format(technology=Technology.EM4100, length=5, expression=expression).expression == expression


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.delimiter)
@given(data=BYTES, cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_any_chunking_gives_the_same_frames(form: Format, data: bytes, cuts: list[int]) -> None:
    assert told(Codec(form), in_pieces(data, cuts)) == told(Codec(form), [data])


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.delimiter)
@given(data=BYTES)
def test_every_byte_is_accounted_for(form: Format, data: bytes) -> None:
    assert size(told(Codec(form), [data])) == len(data)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.delimiter)
@given(garbage=BYTES)
def test_any_garbage_before_a_card_is_survived(form: Format, garbage: bytes) -> None:
    codec = Codec(form)
    codec.feed(garbage)
    if form.delimiter == "idle":
        codec.end()
    elif not form.prefix:
        codec.feed(b"?" + DELIMITERS[form.delimiter])
    good = FRAMED if form.delimiter == "length" else form.prefix.encode() + b"06008E6D5D" + DELIMITERS[form.delimiter]
    # Garbage may announce a frame that the good one seems to belong to; a pause ends it.
    assert cards([*codec.feed(good), *codec.end()])[-1] == "em4100:06008E6D5D"


def test_the_end_of_a_line_that_is_too_long_is_no_card() -> None:
    lenient = form("technology=em4100 length=5 expression=.*(?P<uid>.{10})")
    frames = told(Codec(lenient), [b"5" * 128 * 7 + b"62E3086CED\r\n55007EE424\r\n"])
    assert cards(frames) == ["em4100:55007EE424"]


def test_a_damaged_frame_hides_no_good_one() -> None:
    frames = told(Codec(FORMATS[-1]), [FRAMED[:5] + FRAMED + FRAMED[:-2] + b"\xb1\x03"])
    assert cards(frames) == ["em4100:06008E6D5D"]
    assert frames.count(Noise(size=1)) == 5 + len(FRAMED)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.delimiter)
@pytest.mark.parametrize("flood", [b"7", b"\r\n", b"\xff\x00", b"\x02", b"\x02\x40", b"55007EE424\r\n"])
def test_a_flood_leaves_the_buffer_small(form: Format, flood: bytes) -> None:
    assert stays_small(lambda: Codec(form), flood)
