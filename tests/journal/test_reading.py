"""A tap that is matched as it stands and one that is read end in the same columns; whatever is spoilt is flagged as before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.credential import Token
from gateway.domain.entry import Entry, TapData
from gateway.domain.model import ClockState, LaneId, Match, PersonId, Reason, Seq, SlotId, Status, Verdict
from gateway.domain.wire import Envelope, Event, encode, link
from journal.reading import IDENTITY, MALFORMED, PlainTap, columns_of, read_event, read_lines
from tests.journal.door import MORNING, Door, tap

STREAM = Door().stream
SEQ = Seq(7)
TOKEN = Token("1:" + "5a" * 16)
MATCH = Match(slot=SlotId("5a-1"), status=Status.LATE, minutes=3)


def _tap(*, token: Token | None = TOKEN, match: Match | None = MATCH) -> Entry:
    plain = tap()
    assert isinstance(plain.data, TapData)
    data = replace(plain.data, person=PersonId("p-1"), token=token, match=match, directory=1790)
    return replace(plain, data=data)


def _written(entry: Entry) -> bytes:
    return encode(entry, stream=STREAM, seq=SEQ, recorded=entry.at.at)


def _envelope(body: bytes) -> Envelope:
    return Envelope(seq=SEQ, body=body, hash=link(STREAM.genesis, body))


def _same(body: bytes) -> bool:
    """Both ways end alike; True where the line was matched."""
    envelope = _envelope(body)
    [line] = read_lines(STREAM, [envelope])
    event = read_event(STREAM, envelope)
    assert columns_of(line) == columns_of(event)
    if not isinstance(line, PlainTap):
        assert line == event
        return False
    assert isinstance(event, Event)
    assert isinstance(event.data, TapData)
    assert (event.at.at, event.data.token, event.origin) == (line.at, line.token, None)
    assert event.at.clock is not ClockState.UNSYNCED
    return True


def test_what_our_gateways_write_is_matched() -> None:
    """A guard of the speed."""
    taps = [tap(), tap(clock=ClockState.HOLDOVER), _tap(), _tap(token=None), _tap(match=None)]
    assert all(_same(_written(one)) for one in taps)


def test_a_tap_on_a_clock_that_was_not_set_is_read() -> None:
    assert not _same(_written(tap(clock=ClockState.UNSYNCED)))


PLAIN = _written(_tap())
SPOILT = [
    (b"2026-09-01T07:00:00.000Z", b"2026-02-30T07:00:00.000Z", MALFORMED),
    (b"2026-09-01T07:00:00.000Z", b"1969-12-31T23:59:59.999Z", MALFORMED),
    (b"2026-09-01T07:00:00.000Z", b"2100-01-01T00:00:00.000Z", MALFORMED),
    (b"2026-09-01T07:00:00.000Z", b"2026-09-01T24:00:00.000Z", MALFORMED),
    (b'"boot-1"', b'"boot\x01"', MALFORMED),
    (b'"boot-1"', b'"boot\xff"', MALFORMED),
    (b'"boot-1"', b'"' + b"b" * 129 + b'"', MALFORMED),
    (b'"lane":"north"', '"lane":"север"'.encode(), MALFORMED),
    (b'"reason":"known"', b'"reason":"guessed"', MALFORMED),
    (b'"minutes":3', b'"minutes":3.5', MALFORMED),
    (b'"minutes":3', b'"minutes":03', MALFORMED),
    (b'"clock":"synced"', b'"clock":"guessed"', MALFORMED),
    (b"}}", b"}} ", None),
    (b"}}", b"}}}", MALFORMED),
    (b'"minutes":3', b'"minutes":-3', None),
    (b'"lane":"north"', b'"lane":"nor\\u0074h"', None),
    (b'"lane":"north"', b'"lane":"south","lane":"north"', None),
    (b'"person":"p-1"', '"person":"Аня"'.encode(), None),
    (b'"data":', b'"expirytime":"2026-09-01T07:00:00.000Z","data":', None),
    (b'"data":', b'"origin":"e0/7/' + b"ab" * 32 + b'","data":', None),
    (b'"data":', b'"origin":"e0","data":', MALFORMED),
    (b":000000000007", b":000000000008", None),
    (b'"sequence":"000000000007"', b'"sequence":"000000000008"', IDENTITY),
    (b":door-1:", b":door-2:", IDENTITY),
]


@pytest.mark.parametrize(("old", "new", "flag"), SPOILT)
def test_what_differs_is_read(old: bytes, new: bytes, flag: str | None) -> None:
    body = PLAIN.replace(old, new)
    assert not _same(body) or body == PLAIN
    [line] = read_lines(STREAM, [_envelope(body)])
    assert columns_of(line)[6] == flag


def test_another_number_in_the_line_is_another_identity() -> None:
    body = encode(_tap(), stream=STREAM, seq=Seq(8), recorded=MORNING)
    assert not _same(body)
    assert columns_of(read_lines(STREAM, [_envelope(body)])[0])[6] == IDENTITY


@given(
    at=st.datetimes(datetime(1969, 12, 31), datetime(2100, 1, 2)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
    lane=st.text(max_size=130),
    token=st.none() | st.text(max_size=130),
    reason=st.sampled_from(Reason),
    directory=st.none() | st.integers(-1, 2**70),
    late=st.timedeltas(timedelta(), timedelta(days=1)),
)
def test_any_tap_ends_alike(
    at: datetime, lane: str, token: str | None, reason: Reason, directory: int | None, late: timedelta
) -> None:
    verdict, named = Verdict(admit=True, reason=reason), None if token is None else Token(token)
    plain = tap(at)
    assert isinstance(plain.data, TapData)
    data = replace(plain.data, lane=LaneId(lane), token=named, verdict=verdict, directory=directory)
    _same(encode(replace(plain, data=data), stream=STREAM, seq=SEQ, recorded=at + late))


@given(where=st.integers(0, len(PLAIN) - 1), length=st.integers(0, 3), by=st.binary(max_size=3))
def test_any_spoilt_line_ends_alike(where: int, length: int, by: bytes) -> None:
    _same(PLAIN[:where] + by + PLAIN[where + length :])


@given(where=st.integers(0, len(PLAIN) - 1), by=st.sampled_from(b'0123456789-:"{}\\, .eEnZ'))
def test_any_line_with_another_character_ends_alike(where: int, by: int) -> None:
    _same(PLAIN[:where] + bytes([by]) + PLAIN[where + 1 :])
