"""Events of libosdp to cards and notices, answers to orders; both ends of libosdp carry the vectors' bytes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import osdp_sys
import pytest
from hypothesis import given
from hypothesis import strategies as st
from osdp import Capability, CardFormat, Channel, Command, Event, LogLevel, PDCapabilities, PDInfo, StatusReportType

from drivers.frames import BadCard, BadFrame, Card
from drivers.osdp.codec import Local, Order, Uid, picture, read, rest
from drivers.signals import SIGNALS, Colour, Signal
from gateway.domain.credential import Technology
from gateway.domain.entry import DeviceState
from gateway.ports import DeviceNotice

VECTORS = [
    (bytes.fromhex(line[:72]), line[72:].strip())
    for line in (Path(__file__).parents[2] / "vectors" / "osdp.txt").read_text("ascii").splitlines()
    if not line.startswith("#")
]
CAPABILITIES = (
    Capability.OutputControl,
    Capability.LEDControl,
    Capability.AudibleControl,
    Capability.TextOutput,
    Capability.CardDataFormat,
)


class Tap(Channel):  # type: ignore[misc]
    """One end of a wire in memory; what was said on it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[bytes] = []
        self.heard = bytearray()
        self.other = self

    def read(self, max_bytes: int) -> bytes:
        data = bytes(self.heard[:max_bytes])
        del self.heard[:max_bytes]
        return data

    def write(self, buf: bytes) -> int:
        self.said.append(bytes(buf))
        self.other.heard += buf
        return len(buf)

    def flush(self) -> None:
        self.heard.clear()


#: Seconds.
PATIENCE = 30.0


class Pair:
    """A panel and a reader without a secure channel, so that the wire can be read."""

    def __init__(self) -> None:
        osdp_sys.set_loglevel(LogLevel.Emergency)
        self.panel_end, self.reader_end = Tap(), Tap()
        self.panel_end.other, self.reader_end.other = self.reader_end, self.panel_end
        able = PDCapabilities([(capability, 1, 4) for capability in CAPABILITIES]).get()
        self.reader = osdp_sys.PeripheralDevice(PDInfo(1, self.reader_end, flags=[]).get(), capabilities=able)
        self.reader.set_command_callback(lambda _: (0, None))
        self.panel = osdp_sys.ControlPanel([PDInfo(1, self.panel_end, flags=[]).get()])
        self.events: list[dict[str, Any]] = []
        self.panel.set_event_callback(lambda _, event: self.events.append(event) or 0)  # type: ignore[func-returns-value]
        self.until(self.panel.status)

    def until(self, done: Callable[[], object]) -> None:
        # Both ask the clock when it is their turn.
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, "nothing came"
            self.panel.refresh()
            self.reader.refresh()

    def payloads(self) -> Iterator[bytes]:
        for frame in self.panel_end.said:
            yield frame.lstrip(b"\xff")[5:-2]


def vector(meaning: str) -> bytes:
    [frame] = [frame for frame, means in VECTORS if means == meaning]
    return frame.lstrip(b"\xff").strip()


def crc16(data: bytes) -> int:
    crc = 0x1D0F
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


@pytest.mark.parametrize(("frame", "meaning"), VECTORS, ids=[meaning for _, meaning in VECTORS])
def test_the_vectors_are_whole(frame: bytes, meaning: str) -> None:
    body = frame.lstrip(b"\xff")
    assert body[0] == 0x53
    assert len(body) == int.from_bytes(body[2:4], "little")
    assert crc16(body[:-2]) == int.from_bytes(body[-2:], "little")


def test_a_card_is_on_the_wire_what_the_vector_says_and_is_read() -> None:
    pair = Pair()
    raw = vector("wiegand26:7EE424")
    card = {"event": Event.CardRead, "reader_no": 0, "format": CardFormat.Wiegand, "direction": 0}
    pair.reader.submit_event(card | {"length": 26, "data": raw[10:14]})
    pair.until(lambda: pair.events)
    assert raw[5:-2] in [frame[5:-2] for frame in pair.reader_end.said]
    seen = read(pair.events[0])
    assert isinstance(seen, Card)
    assert str(seen.credential) == "wiegand26:7EE424"


def test_how_a_reader_stands_is_read_and_what_is_typed_is_nobody_s_business() -> None:
    pair = Pair()
    pair.reader.submit_event({"event": Event.KeyPress, "reader_no": 0, "data": b"1234#"})
    pair.reader.submit_event({"event": Event.Status, "type": StatusReportType.Local, "report": b"\x01\x00"})
    pair.until(lambda: len(pair.events) == 2)
    assert vector("tamper")[5:-2] in [frame[5:-2] for frame in pair.reader_end.said]
    assert [read(event) for event in pair.events] == [None, Local(tamper=True)]


def wire(orders: list[Order]) -> list[bytes]:
    pair = Pair()
    for order in orders:
        assert pair.panel.submit_command(0, order)
    pair.until(lambda: len([*told(pair)]) == len(orders))
    return [*told(pair)]


def told(pair: Pair) -> Iterator[bytes]:
    return (payload for payload in pair.payloads() if payload[0] in (0x68, 0x69, 0x6A, 0x6B))


def test_an_answer_is_on_the_wire_what_the_standard_says() -> None:
    blink = Signal(colour=Colour.GREEN, on=0.2, off=0.2, beeps=3, beep=0.1, lasts=1.0)
    orders = picture(blink, ("Pass", "Maria"), output=2, opens=3.0)
    assert wire(orders) == [
        bytes.fromhex("68 02 05 1E00"),
        vector("lamp")[5:-2],
        bytes.fromhex("6A 00 02 01 01 03"),
        bytes.fromhex("6B 00 02 01 01 01 04") + b"Pass",
        bytes.fromhex("6B 00 02 01 02 01 05") + b"Maria",
    ]


def test_resting_is_dark_and_shut() -> None:
    output, lamp, *texts = wire(rest(2, output=2))
    assert output == bytes.fromhex("68 02 01 0000")
    assert lamp == bytes.fromhex("69 00 00 02 01 01 00 00 0100 00 00 00 00 00")
    assert [text[4] for text in texts] == [1, 2]


@pytest.mark.parametrize("answer", SIGNALS)
def test_every_answer_can_be_told(answer: str) -> None:
    orders = picture(SIGNALS[answer], ())  # type: ignore[index]
    lamp = next(order for order in orders if order["command"] == Command.LED)
    assert lamp["temporary"]
    assert 0 < lamp["on_count"] <= 255
    assert lamp["timer_count"] == SIGNALS[answer].lasts * 10  # type: ignore[index]
    assert len(wire(orders)) == len(orders)


def test_a_silent_answer_has_no_buzzer_and_a_long_line_is_cut_between_letters() -> None:
    quiet = Signal(colour=Colour.RED, on=1.0, beeps=0)
    lamp, text = picture(quiet, ("Ждите" * 4,))
    assert lamp["command"] == Command.LED
    assert text["data"] == ("Ждите" * 4)[:16]


CSN = bytes.fromhex("04DE5F1EACC040")


def card(bits: int, data: bytes, form: int = CardFormat.Unspecified) -> dict[str, Any]:
    return {"event": Event.CardRead, "format": form, "length": bits, "data": data}


@pytest.mark.parametrize(
    ("uid", "data"), [(Uid.AIR, CSN), (Uid.REVERSED, CSN[::-1]), (Uid.AIR, CSN[:4]), (Uid.AIR, CSN + b"\x01\x02\x03")]
)
def test_a_whole_uid_is_read_where_the_settings_say_what_it_is(uid: Uid, data: bytes) -> None:
    seen = read(card(len(data) * 8, data), uid)
    assert isinstance(seen, Card)
    assert seen.credential.technology is Technology.ISO14443A
    assert seen.credential.uid == (data if uid is Uid.AIR else data[::-1])


@pytest.mark.parametrize(
    ("event", "uid", "of"),
    [
        (card(56, CSN), Uid.REFUSED, BadFrame),
        (card(56, CSN[:6]), Uid.AIR, BadFrame),
        (card(32, b"\x08\x01\x02\x03"), Uid.AIR, BadCard),
        (card(26, b"\x00" * 4), Uid.AIR, BadFrame),
        (card(0, b""), Uid.AIR, BadFrame),
        (card(10, b"0123456789", CardFormat.ASCII), Uid.AIR, BadFrame),
    ],
)
def test_what_is_no_card_is_told(event: dict[str, Any], uid: Uid, of: type) -> None:
    assert isinstance(read(event, uid), of)


@given(st.integers(0, 3), st.integers(0, 1024), st.binary(max_size=64), st.sampled_from(Uid))
def test_whatever_a_reader_reports_is_judged(form: int, bits: int, data: bytes, uid: Uid) -> None:
    assert isinstance(read(card(bits, data, form), uid), Card | BadCard | BadFrame)


def test_how_a_reader_stands_is_told_in_words() -> None:
    tamper, power = Local(tamper=True).said("reader 1")
    assert tamper == (DeviceNotice(kind=DeviceState.TAMPER, detail="reader 1: its housing was opened"), False)
    assert power == (DeviceNotice(kind=DeviceState.POWER, detail="reader 1: its power is back"), True)
    tamper, power = Local(power=True).said("reader 1")
    assert tamper == (DeviceNotice(kind=DeviceState.TAMPER, detail="reader 1: its housing is closed again"), True)
    assert power == (DeviceNotice(kind=DeviceState.POWER, detail="reader 1: its power is failing"), False)


def test_a_report_that_is_cut_short_is_no_error() -> None:
    assert read({"event": Event.Status, "type": StatusReportType.Local, "report": b""}) == Local()
    assert read({"event": Event.Status, "type": StatusReportType.Input, "report": b"\x01"}) is None
    assert read({"event": Event.Notification, "type": 1, "arg0": 1, "arg1": 1}) is None
