"""What a rotation is; and that every permit and every rotation ends in exactly one passage."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.entry import DeviceState, Entry, GateMode, PassageData, PassageKind
from gateway.domain.model import Direction, Seq
from gateway.domain.passage import PASSAGES, Found, Passages, Permit, Stand
from tests.domain.build import LANE, at, instant

LASTS = timedelta(seconds=6)
SINGLE, FREE, LOCKED = (Stand(mode=mode) for mode in GateMode)
ALARM = Stand(alarm=True)


def words(entries: Sequence[Entry]) -> list[str]:
    """`confirmed in 1`."""
    found = []
    for entry in entries:
        assert isinstance(entry.data, PassageData)
        assert entry.data.lane == LANE
        found.append(" ".join(str(part) for part in (entry.data.kind, entry.data.direction, entry.data.tap) if part))
    return found


def play(story: str, stand: Stand = SINGLE) -> list[str]:
    """`in1` a permit of tap 1, `in-` one of a guard, `in` a rotation, `+7` seconds pass."""
    passages, now, found = Passages(LANE, LASTS), at("08:00"), []
    for word in story.split():
        if word.startswith("+"):
            now += timedelta(seconds=float(word[1:]))
            continue
        way = next(way for way in Direction if word.startswith(way))
        tap = word.removeprefix(way)
        if not tap:
            found += passages.rotate(way, stand, instant(now))
        else:
            permit = Permit(tap=Seq(int(tap)) if tap != "-" else None, direction=way, at=instant(now))
            found += passages.grant(permit)
    return words([*found, *passages.expire(instant(now + timedelta(days=1)))])


@pytest.mark.parametrize(
    ("story", "passages"),
    [
        ("in1 in", "confirmed in 1"),
        ("in1 +6 in", "confirmed in 1"),
        ("in1 +6.001 in", "not_used in 1, forced in"),
        ("in1", "not_used in 1"),
        ("in", "forced in"),
        ("in1 out", "wrong_direction out, not_used in 1"),
        ("in1 in in", "confirmed in 1, tailgating in"),
        ("in1 in +6 in", "confirmed in 1, tailgating in"),
        ("in1 in +7 in", "confirmed in 1, forced in"),
        ("in1 in out", "confirmed in 1, forced out"),
        ("in1 in2 in in", "confirmed in 1, confirmed in 2"),
        ("in1 in2 out3 out in in", "confirmed out 3, confirmed in 1, confirmed in 2"),
        ("in1 +4 in2 +4 in", "not_used in 1, confirmed in 2"),
        ("in1 in out2 in", "confirmed in 1, tailgating in, not_used out 2"),
        ("in- in", "free in"),
        ("in- in in", "free in, tailgating in"),
        ("in-", "not_used in"),
        ("in1 in- in in", "confirmed in 1, free in"),
        ("unknown1 out", "confirmed out 1"),
        ("out1 unknown", "confirmed out 1"),
        ("unknown1 unknown", "confirmed unknown 1"),
        ("unknown1 in in", "confirmed in 1, tailgating in"),
        ("in1 in unknown", "confirmed in 1, tailgating unknown"),
    ],
)
def test_a_gate_that_lets_one_through_for_each_permit(story: str, passages: str) -> None:
    assert ", ".join(play(story)) == passages


@pytest.mark.parametrize(
    ("stand", "passages"),
    [
        (FREE, "free in, confirmed in 1, free in, free in, not_used out 2, free out"),
        (ALARM, "free in, confirmed in 1, free in, free in, not_used out 2, free out"),
        (
            Stand(mode=GateMode.LOCKED, alarm=True),
            "free in, confirmed in 1, free in, free in, not_used out 2, free out",
        ),
        (LOCKED, "forced in, confirmed in 1, forced in, forced in, not_used out 2, forced out"),
    ],
)
def test_a_gate_that_stands_otherwise(stand: Stand, passages: str) -> None:
    assert ", ".join(play("in in1 in in out2 in +7 out", stand)) == passages


def test_a_gate_waits_for_the_oldest_permit_to_end() -> None:
    passages, tick = Passages(LANE, LASTS), timedelta(milliseconds=1)
    assert not passages.waits
    assert passages.left(instant("08:00")) == LASTS + tick
    for seq, when in ((1, "08:00:00"), (2, "08:00:02")):
        passages.grant(Permit(tap=Seq(seq), direction=Direction.IN, at=instant(when)))
    assert passages.waits
    now = instant("08:00:05")
    for seq, left in ((1, timedelta(seconds=1)), (2, timedelta(seconds=2) - tick)):
        assert passages.left(now) == left + tick
        assert passages.expire(instant(now.at + left)) == []
        now = instant(now.at + left + tick)
        assert passages.left(instant(now.at + LASTS)) == tick
        assert words(passages.expire(now)) == [f"not_used in {seq}"]
    assert not passages.waits


def test_every_passage_is_told_at_the_moment_it_is_noticed() -> None:
    passages, (first, second, third, last) = Passages(LANE, LASTS), map(instant, ("08:00", "08:01", "08:02", "08:03"))
    told = [
        *passages.rotate(Direction.IN, SINGLE, first),
        *passages.grant(Permit(tap=Seq(1), direction=Direction.IN, at=second)),
        *passages.rotate(Direction.IN, SINGLE, second),
        *passages.grant(Permit(tap=Seq(2), direction=Direction.IN, at=third)),
        *passages.expire(last),
    ]
    assert words(told) == ["forced in", "confirmed in 1", "not_used in 2"]
    assert [entry.at for entry in told] == [first, second, last]


def test_the_table_has_an_answer_for_everything() -> None:
    assert set(PASSAGES) == set(GateMode)
    assert all(set(row) == set(Found) for row in PASSAGES.values())
    assert all(row[Found.PERMIT] is PassageKind.CONFIRMED for row in PASSAGES.values())


@pytest.mark.parametrize(
    ("kind", "detail", "stand"),
    [
        (DeviceState.MODE, "free", FREE),
        (DeviceState.MODE, "locked", LOCKED),
        (DeviceState.MODE, "half open", FREE),
        (DeviceState.FIRE_ALARM, "alarm", ALARM),
        (DeviceState.FIRE_ALARM, "the contact closed", ALARM),
        (DeviceState.BLOCKED, "blocked", Stand(blocked=True)),
        (DeviceState.TAMPER, "free", SINGLE),
    ],
)
def test_what_a_device_tells_of_itself(kind: DeviceState, detail: str, stand: Stand) -> None:
    assert SINGLE.told(kind, detail) == stand


def test_a_gate_forgets_nothing_but_what_it_takes_back() -> None:
    stand = SINGLE
    for kind, detail in [
        (DeviceState.MODE, "locked"),
        (DeviceState.FIRE_ALARM, "alarm"),
        (DeviceState.BLOCKED, "blocked"),
    ]:
        stand = stand.told(kind, detail)
    assert stand.opened_for is GateMode.FREE
    assert stand == Stand(mode=GateMode.LOCKED, alarm=True, blocked=True)
    again = SINGLE
    for kind, detail in stand.words:
        again = again.told(kind, detail)
    assert again == stand
    stand = stand.told(DeviceState.FIRE_ALARM, "all-clear").told(DeviceState.BLOCKED, "clear")
    assert stand == LOCKED
    assert stand.told(DeviceState.MODE, "single").words == []


def test_a_device_that_is_away_is_told_once_with_its_last_reason() -> None:
    stand = SINGLE
    for device in ("relay unplugged", "lamp silent", "relay silent"):
        stand = stand.told(DeviceState.DOWN, device)
    assert stand.words == [(DeviceState.DOWN, "lamp silent"), (DeviceState.DOWN, "relay silent")]
    assert stand.told(DeviceState.UP, "lamp").told(DeviceState.UP, "relay") == SINGLE


Step: TypeAlias = tuple[int, str, Direction, Stand]
steps = st.lists(
    st.tuples(
        st.integers(0, 7000),
        st.sampled_from(["card", "hand", "rotation"]),
        st.sampled_from(Direction),
        st.sampled_from([SINGLE, FREE, LOCKED, ALARM]),
    ),
    max_size=40,
)


def run(steps: Sequence[Step]) -> tuple[list[Permit], list[Direction], list[PassageData]]:
    """The permits and rotations that were told, and all passages; the last permits run out at the end."""
    passages, now, permits, rotations, entries = (
        Passages(LANE, LASTS),
        at("08:00"),
        list[Permit](),
        list[Direction](),
        list[Entry](),
    )
    for seq, (wait, what, way, stand) in enumerate(steps, 1):
        now += timedelta(milliseconds=wait)
        if what == "rotation":
            rotations.append(way)
            entries += passages.rotate(way, stand, instant(now))
        else:
            permits.append(Permit(tap=Seq(seq) if what == "card" else None, direction=way, at=instant(now)))
            entries += passages.grant(permits[-1])
    entries += passages.expire(instant(now + timedelta(minutes=1)))
    return permits, rotations, [entry.data for entry in entries if isinstance(entry.data, PassageData)]


@given(steps)
def test_every_permit_and_every_rotation_is_exactly_one_passage(steps: list[Step]) -> None:
    permits, rotations, passages = run(steps)
    taps = [permit.tap for permit in permits if permit.tap is not None]
    assert sorted(p.tap for p in passages if p.tap is not None) == taps
    turned = [p for p in passages if p.kind is not PassageKind.NOT_USED]
    assert len(turned) == len(rotations)
    assert all(way in (p.direction, Direction.UNKNOWN) for way, p in zip(rotations, turned, strict=True))
    assert len(passages) <= len(permits) + len(rotations)
    assert {p.kind for p in passages if p.tap is not None} <= {PassageKind.CONFIRMED, PassageKind.NOT_USED}


@given(steps)
def test_permits_of_one_direction_are_used_in_their_order(steps: list[Step]) -> None:
    permits, _, passages = run(steps)
    ways = {permit.tap: permit.direction for permit in permits}
    used = [p for p in passages if p.kind is PassageKind.CONFIRMED]
    for way in Direction:
        mine = [p.tap for p in used if p.tap is not None and ways[p.tap] is way]
        assert mine == sorted(mine)
    assert all(Direction.UNKNOWN in (ways[p.tap], p.direction) or ways[p.tap] is p.direction for p in used)


@given(steps)
def test_a_permit_is_used_within_its_time_or_not_at_all(steps: list[Step]) -> None:
    granted = {permit.tap: permit.at.at for permit in run(steps)[0]}
    passages, now = Passages(LANE, LASTS), at("08:00")
    for seq, (wait, what, way, stand) in enumerate(steps, 1):
        now += timedelta(milliseconds=wait)
        if what != "rotation":
            passages.grant(Permit(tap=Seq(seq) if what == "card" else None, direction=way, at=instant(now)))
            continue
        last = passages.rotate(way, stand, instant(now))[-1].data
        assert isinstance(last, PassageData)
        assert last.kind is not PassageKind.CONFIRMED or now - granted[last.tap] <= LASTS
