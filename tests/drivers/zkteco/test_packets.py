"""Packets of port 4370, held against what another implementation (pyzk 0.9) makes of the same."""

import struct
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import BadCard, BadFrame
from drivers.zkteco.codec import Punch
from drivers.zkteco.packets import (
    HEADER,
    Command,
    Packet,
    answer_to_challenge,
    length,
    packed,
    packet,
    record,
    record_size,
    records,
    unpacked,
)

WHEN = datetime.fromisoformat("2026-09-29T18:05:10")


@pytest.mark.parametrize(
    ("sent", "raw"),
    [
        (Packet(command=Command.CONNECT, session=0, reply=0), "5050827d08000000e80317fc00000000"),
        (
            Packet(command=Command.PREPARE_BUFFER, session=0x1234, reply=8, data=struct.pack("<bhii", 1, 13, 0, 0)),
            "5050827d13000000df05e3da34120800010d000000000000000000",
        ),
        (Packet(command=Command.AUTH, session=0xBEEF, reply=2, data=b"abc"), "5050827d0b0000004e04fbd9efbe0200616263"),
    ],
)
def test_packets(sent: Packet, raw: str) -> None:
    assert bytes(sent).hex() == raw
    assert length(bytes.fromhex(raw)[:HEADER]) == len(raw) // 2 - HEADER
    assert packet(bytes.fromhex(raw)[HEADER:]) == sent


@pytest.mark.parametrize(
    ("key", "session", "answer"),
    [
        (0, 0x1234, "617d326b"),
        (1, 1, "61fd3279"),
        (12345, 0xBEEF, "6de132c7"),
        (999_999, 0xFFFF, "22813296"),
    ],
)
def test_the_answer_to_a_challenge(key: int, session: int, answer: str) -> None:
    assert answer_to_challenge(key, session).hex() == answer


@pytest.mark.parametrize("header", [b"HTTP/1.1", b"PP\x82}\x07\0\0\0", b"PP\x82}\xff\xff\xff\xff"])
def test_what_is_no_terminal_is_refused_before_it_is_read(header: bytes) -> None:
    with pytest.raises(ValueError, match="no ZKTeco terminal"):
        length(header)


def test_times_as_a_terminal_packs_them() -> None:
    assert int.from_bytes(packed(WHEN), "little") == 859_572_310
    assert unpacked(packed(WHEN)) == WHEN
    with pytest.raises(ValueError, match="day"):
        unpacked(struct.pack("<I", 31 * 2 * 86400 - 1))  # the 31st of February


@given(st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2099-12-31")))
def test_times_there_and_back(when: datetime) -> None:
    assert unpacked(packed(when)) == when.replace(microsecond=0)


def test_records_of_both_layouts() -> None:
    middle = struct.pack("<I4sBB2sI", 501, packed(WHEN), 15, 1, b"\0\0", 0)
    for raw in (record("501", WHEN, 1), middle):
        [punch] = records(raw, record_size(len(raw), 1))
        assert isinstance(punch, Punch)
        assert (punch.credential.uid.hex(), punch.local, punch.status) == ("0501", WHEN, 1)


def test_records_that_name_nobody_or_no_time() -> None:
    none = struct.pack("<I4sBB2sI", 501, struct.pack("<I", 31 * 2 * 86400 - 1), 15, 1, b"\0\0", 0)
    assert isinstance(next(records(record("guest", WHEN), 40)), BadCard)
    assert isinstance(next(records(none, 16)), BadFrame)


@given(st.binary(max_size=200), st.sampled_from([16, 40]))
def test_any_bytes_are_some_records(data: bytes, each: int) -> None:
    assert len([*records(data, each)]) == len(data) // each


@pytest.mark.parametrize(("size", "count"), [(80, 10), (81, 2), (0, 3), (41, 1)])
def test_other_layouts_are_refused(size: int, count: int) -> None:
    with pytest.raises(ValueError, match="push only"):
        record_size(size, count)
