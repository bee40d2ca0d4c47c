"""Lines of ATTLOG: what terminals send, cut anywhere, after anything; and their times."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import BadCard, BadFrame
from drivers.zkteco.codec import Codec, Punch, attlog, done, moment, options, uid_of
from gateway.domain.credential import Credential, Technology
from gateway.domain.model import Direction

VECTORS = [
    line.encode("ascii").decode("unicode_escape").split("|")
    for line in (Path(__file__).parents[2] / "vectors" / "zkteco_attlog.txt").read_text("ascii").splitlines()
    if not line.startswith("#")
]
GOOD = b"501\t2026-09-29 18:05:10\t0\t1\t0\t0\n"
MOSCOW, LONDON = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/London")

#: Bodies as firmwares make them: pieces of lines and things that look like lines.
BYTES = st.lists(
    st.one_of(
        st.sampled_from([b"\n", b"\r\n", b"\t", b"501", b"2026-02-30 25:00:00", GOOD, GOOD[:9], GOOD[5:], b"x" * 600]),
        st.binary(max_size=20),
    ),
    max_size=20,
).map(b"".join)


@pytest.mark.parametrize(("line", "uid", "local", "status"), VECTORS)
def test_vectors(line: str, uid: str, local: str, status: str) -> None:
    [punch] = Codec().feed(line.encode("ascii") + b"\n")
    assert isinstance(punch, Punch)
    assert punch.credential == Credential(technology=Technology.ZKTECO, uid=bytes.fromhex(uid))
    assert (str(punch.local), punch.status) == (local, int(status))


def test_a_simulated_terminal_sends_what_the_vectors_have() -> None:
    assert attlog("501", datetime.fromisoformat("2026-09-29T18:05:10"), 0, 1).startswith(GOOD.strip())
    assert VECTORS[0][0].encode("ascii") == GOOD.strip()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"501", "PIN, a tab and a time"),
        (b"501\t2026-13-29 18:05:10", "no such time"),
        (b"501\t2026-02-30 18:05:10\t0", "no such time"),
        (b"501\t1999-12-31 18:05:10\t0", "no such time"),
        (b"\t2026-09-29 18:05:10", "PIN, a tab and a time"),
        (b"x" * 511, "PIN, a tab and a time"),
        (b"x" * 512, "too long"),
    ],
)
def test_what_is_no_tap_is_told_why(line: bytes, why: str) -> None:
    [bad] = Codec().feed(line + b"\n")
    assert isinstance(bad, BadFrame)
    assert why in bad.why


@pytest.mark.parametrize("pin", ["guest", "0", "5 1", "\u0665", "9" * 19])
def test_a_pin_that_names_nobody_is_a_card_that_names_nobody(pin: str) -> None:
    [bad] = Codec().feed(pin.encode("utf-8") + GOOD[3:])
    assert isinstance(bad, BadCard)
    assert bad.technology is Technology.ZKTECO


@pytest.mark.parametrize(("pin", "uid"), [("1", "0001"), ("501", "0501"), ("00501", "0501"), ("12345", "012345")])
def test_a_pin_is_its_digits_in_pairs(pin: str, uid: str) -> None:
    assert uid_of(pin) == bytes.fromhex(uid)


@pytest.mark.parametrize(
    ("status", "way"),
    [
        (0, Direction.IN),
        (1, Direction.OUT),
        (2, Direction.OUT),
        (3, Direction.IN),
        (5, Direction.OUT),
        (255, Direction.UNKNOWN),
    ],
)
def test_the_status_tells_the_way(status: int, way: Direction) -> None:
    [punch] = Codec().feed(attlog("501", datetime.fromisoformat("2026-09-01"), status))
    assert isinstance(punch, Punch)
    assert punch.direction is way


@given(data=BYTES, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_any_chunking_gives_the_same_frames(data: bytes, cuts: list[int]) -> None:
    whole, cut = Codec(), Codec()
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(places)]
    assert [f for piece in pieces for f in cut.feed(piece)] + cut.end() == whole.feed(data) + whole.end()


@given(garbage=BYTES)
def test_any_garbage_before_a_tap_is_survived(garbage: bytes) -> None:
    assert isinstance(Codec().feed(garbage + b"\n" + GOOD)[-1], Punch)


def test_a_line_without_end_is_held_in_bounded_memory() -> None:
    codec = Codec()
    tracemalloc.start()
    for _ in range(200):
        codec.feed(b"5" * 4096)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000


@pytest.mark.parametrize(
    ("local", "zone", "expected"),
    [
        ("2026-09-01T08:30", MOSCOW, ("2026-09-01T05:30", False)),
        ("2026-03-29T00:59", LONDON, ("2026-03-29T00:59", False)),
        ("2026-03-29T01:30", LONDON, ("2026-03-29T01:30", True)),  # never was
        ("2026-03-29T02:00", LONDON, ("2026-03-29T01:00", False)),
        ("2026-10-25T01:30", LONDON, ("2026-10-25T00:30", True)),  # came twice
        ("2026-10-25T02:00", LONDON, ("2026-10-25T02:00", False)),
    ],
)
def test_times_on_the_wall(local: str, zone: ZoneInfo, expected: tuple[str, bool]) -> None:
    at, ambiguous = moment(datetime.fromisoformat(local), zone)
    assert (at, ambiguous) == (datetime.fromisoformat(expected[0]).replace(tzinfo=UTC), expected[1])


@given(
    st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2099-12-31")),
    st.sampled_from(["Europe/Moscow", "America/Nuuk", "Asia/Pyongyang", "Africa/Casablanca"]),
)
def test_every_time_of_every_zone_is_some_moment(local: datetime, zone: str) -> None:
    at, _ = moment(local, ZoneInfo(zone))
    assert abs(at.replace(tzinfo=None) - local) < timedelta(hours=15)


def test_the_answer_to_a_handshake() -> None:
    assert options("C1", "12", 3.0).splitlines() == [
        "GET OPTION FROM: C1",
        "ATTLOGStamp=12",
        "OPERLOGStamp=9999",
        "ATTPHOTOStamp=None",
        "ErrorDelay=30",
        "Delay=10",
        "TransTimes=00:00;14:05",
        "TransInterval=1",
        "TransFlag=1000000000",
        "TimeZone=3",
        "Realtime=1",
        "Encrypt=None",
    ]
    assert "TimeZone" not in options("C1", "12", 5.5)


def test_what_became_of_commands() -> None:
    assert done(b"ID=1&Return=0&CMD=DATA\r\nid=22&return=-1002&CMD=DATA\njunk") == [(1, 0), (22, -1002)]
