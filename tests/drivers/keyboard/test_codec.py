"""What a reader types, cut anywhere, among other keys, and with keys lost: a whole number or none."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import BadCard, BadFrame, Card, Frame, Noise
from drivers.keyboard.codec import EV_KEY, EV_SYN, EVENT, SYN_DROPPED, SYN_REPORT, Codec, Format
from drivers.registry import decoder
from gateway.domain.credential import Technology
from simulators.keyboard import ENTER, Typist
from tests.drivers.promises import in_pieces, stays_small, told

TAB, KEYPAD_ENTER, ESCAPE, CAPS = 15, 96, 1, 58
HEX = Format(technology=Technology.EM4100, length=5)
TEN_D = Format(technology=Technology.WIEGAND34, length=4, base="dec")
SILENT = Format(technology=Technology.EM4100, length=5, terminator="none")


def cards(frames: list[Frame]) -> list[str]:
    return [str(frame.credential) for frame in frames if isinstance(frame, Card)]


def whys(frames: list[Frame]) -> list[str]:
    return [frame.why for frame in frames if isinstance(frame, BadFrame)]


@st.composite
def strokes(draw: st.DrawFn) -> bytes:
    """Events as a kernel makes them, of any key at any time."""
    typist, events = Typist(100), b""
    for _ in range(draw(st.integers(0, 30))):
        typist.now += draw(st.sampled_from([0.001, 0.05, 0.2, 0.5, 3, -1]))
        kind, code = draw(st.sampled_from([EV_KEY, EV_KEY, EV_KEY, EV_SYN, 4])), draw(st.integers(0, 120))
        events += typist.event(kind, code, draw(st.sampled_from([1, 1, 0, 2])))
    return events + typist.event(EV_SYN, SYN_REPORT, 0)


def test_an_event_has_the_shape_of_the_kernel() -> None:
    # struct input_event of a 64-bit machine, little-endian: 1.5 s, EV_KEY, KEY_A, down.
    event = bytes.fromhex("0100000000000000 20A1070000000000 0100 1E00 01000000")
    assert EVENT.size == struct.calcsize("l") * 2 + 8
    assert EVENT.unpack(event) == (1, 500_000, EV_KEY, 30, 1)


@pytest.mark.parametrize(
    ("form", "keys", "card"),
    [
        (HEX, "55007EE424", "em4100:55007EE424"),
        (TEN_D, "0008315940", "wiegand34:007EE424"),
        (TEN_D, "8315940", "wiegand34:007EE424"),
        (TEN_D, "3808980205", "wiegand34:E3086CED"),
    ],
)
@pytest.mark.parametrize("end", [ENTER, KEYPAD_ENTER], ids=["enter", "keypad"])
def test_prints(form: Format, keys: str, card: str, end: int) -> None:
    assert cards(Codec(form).feed(Typist().text(keys, end))) == [card]


def test_keypad_digits_and_caps_lock_make_no_difference() -> None:
    typist = Typist()
    events = typist.key(CAPS) + b"".join(typist.key(code) for code in (76, 76, 82, 82, 71)) + typist.text("EE424")
    assert cards(Codec(HEX).feed(events)) == ["em4100:55007EE424"]


def test_prefix_and_suffix_are_typed_as_well() -> None:
    form = Format(technology=Technology.WIEGAND34, length=4, base="dec", prefix=":", suffix="#", terminator="tab")
    typist = Typist()
    keys = typist.key(39, shift=True) + typist.text("0008315940", None) + typist.key(4, shift=True) + typist.key(TAB)
    assert cards(Codec(form).feed(keys)) == ["wiegand34:007EE424"]
    # Without its Shift the suffix would be a digit of the number.
    refused = Codec(TEN_D).feed(Typist().text("000831594", None) + typist.key(4, shift=True) + typist.key(ENTER))
    assert cards(refused) == []


@pytest.mark.parametrize(
    ("form", "spoil", "why"),
    [
        (TEN_D, lambda typist: typist.key(ESCAPE), "no number has"),
        (TEN_D, lambda typist: typist.key(2, shift=True), "no number has"),
        (TEN_D, lambda typist: typist.text("1" * 70, None), "more keys"),
        (TEN_D, lambda typist: typist.event(EV_SYN, SYN_DROPPED, 0) + typist.event(EV_SYN, SYN_REPORT, 0), "lost"),
    ],
    ids=["unknown", "shift", "many", "dropped"],
)
def test_a_doubtful_burst_is_discarded_as_a_whole(form: Format, spoil: object, why: str) -> None:
    assert callable(spoil)
    typist = Typist()
    burst = typist.text("00083", None) + spoil(typist) + typist.text("15940")
    frames = Codec(form).feed(burst + typist.text("3808980205"))
    assert cards(frames) == ["wiegand34:E3086CED"]
    assert all(why in told for told in whys(frames))
    assert whys(frames)


def test_events_between_a_loss_and_the_next_report_are_not_believed() -> None:
    typist, codec = Typist(), Codec(TEN_D)
    frames = codec.feed(typist.event(EV_SYN, SYN_DROPPED, 0) + typist.event(EV_KEY, 2, 1))
    frames += codec.feed(typist.event(EV_SYN, SYN_REPORT, 0) + typist.key(ENTER) + typist.text("3808980205"))
    assert cards(frames) == ["wiegand34:E3086CED"]
    assert whys(frames) == []


@pytest.mark.parametrize("pause", [0.2, -5.0], ids=["a pause", "a clock set back"])
def test_neither_half_of_an_interrupted_number_is_a_card(pause: float) -> None:
    typist = Typist(100)
    events = typist.text("00083", None)
    typist.now += pause
    frames = Codec(TEN_D).feed(events + typist.text("15940") + typist.text("3808980205"))
    assert cards(frames) == ["wiegand34:E3086CED"]
    assert whys(frames) == ["no key ends the number", "it may be the rest of a number"]


def test_a_key_of_last_night_costs_no_card() -> None:
    typist = Typist()
    events = typist.text("7", None)
    typist.now += 30_000
    assert cards(Codec(TEN_D).feed(events + typist.text("3808980205"))) == ["wiegand34:E3086CED"]


def test_a_reader_without_a_terminator_is_ended_by_a_pause() -> None:
    typist, codec = Typist(), Codec(SILENT)
    assert codec.feed(typist.text("55007EE424", None)) == []
    assert cards(codec.end()) == ["em4100:55007EE424"]
    first = typist.text("62E3086CED", None)
    typist.now += 0.2
    assert cards(told(codec, [first + typist.text("55007EE424", None)])) == ["em4100:62E3086CED", "em4100:55007EE424"]


def test_a_card_without_an_identity_is_refused() -> None:
    (refused,) = Codec(HEX).feed(Typist().text("0000000000"))
    assert isinstance(refused, BadCard)


def test_bytes_that_are_no_event_are_noise() -> None:
    frames = Codec(HEX).feed(b"\xff" * 48 + Typist(7).text("55007EE424"))
    assert cards(frames) == ["em4100:55007EE424"]
    assert frames.count(Noise(size=1)) == 48


@pytest.mark.parametrize("form", [HEX, TEN_D, SILENT], ids=["hex", "dec", "none"])
@given(data=strokes(), cuts=st.lists(st.integers(0, 800), max_size=12))
def test_any_chunking_gives_the_same_frames(form: Format, data: bytes, cuts: list[int]) -> None:
    assert told(Codec(form), in_pieces(data, cuts)) == told(Codec(form), [data])


@pytest.mark.parametrize("form", [HEX, TEN_D, SILENT], ids=["hex", "dec", "none"])
@given(garbage=strokes())
def test_any_keys_before_a_card_are_survived(form: Format, garbage: bytes) -> None:
    typist = Typist(100_000)
    ends = typist.event(EV_KEY, 42, 0) + typist.event(EV_KEY, 54, 0)
    keys = "0008315940" if form is TEN_D else "55007EE424"
    assert cards(told(Codec(form), [garbage + ends + typist.text(keys)]))[-1:] == (
        ["wiegand34:007EE424"] if form is TEN_D else ["em4100:55007EE424"] if form is HEX else []
    )


@given(data=strokes())
def test_every_number_key_is_accounted_for(data: bytes) -> None:
    pressed, dropping = 0, False
    for _, _, kind, code, value in EVENT.iter_unpack(data):
        if kind == EV_SYN and code in (SYN_DROPPED, SYN_REPORT):
            dropping = code == SYN_DROPPED
        pressed += kind == EV_KEY and value == 1 and not dropping and code not in {28, 96, 42, 54, 58, 69, 70}
    frames = told(Codec(HEX), [data])
    assert sum(len(frame.raw) for frame in frames if not isinstance(frame, Noise)) == pressed


@pytest.mark.parametrize("flood", ["5" * 80, "5A", "\n"])
def test_a_flood_leaves_the_buffer_small(flood: str) -> None:
    keys = Typist(7).key(ENTER) if flood == "\n" else Typist(7).text(flood, None)
    assert stays_small(lambda: Codec(HEX), keys[:4080])


@pytest.mark.parametrize("text", [b"55007EE424\n", b"0008315940\r\n" * 40])
def test_typed_text_is_no_event_and_that_is_said_once(text: bytes) -> None:
    kind = {"technology": "em4100", "length": 5}
    [rejected] = decoder("keyboard", kind)([text])
    assert bytes.fromhex(rejected["rejected"]) == text[-(EVENT.size - 1) :]
    assert "24 bytes" in rejected["why"]
