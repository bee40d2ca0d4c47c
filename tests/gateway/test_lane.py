"""Decide, commit, then show; and what coverage may say."""

import asyncio

import pytest

from gateway.domain.answer import Answer
from gateway.domain.credential import Technology
from gateway.domain.entry import CoverageData, DeviceData, DeviceState, TapData
from gateway.domain.model import ClockState, Direction, Reason, Verdict
from gateway.errors import DeviceLost, NotRecorded
from gateway.ports import CardRead, CardRefused, DeviceNotice
from tests.domain.build import CARD, LANE, OTHER, at
from tests.gateway.door import build, serving

ADMIT = Verdict(admit=True, reason=Reason.KNOWN)


async def test_what_is_shown_is_already_recorded() -> None:
    async with serving(build()) as door:
        await door.after(CardRead(credential=CARD))
        assert door.gate.shown == [(ADMIT, 1)]
        [entry] = door.ledger.entries
        assert isinstance(entry.data, TapData)
        assert (entry.data.lane, entry.data.direction, entry.data.person) == (LANE, Direction.IN, "p-1")


async def test_the_same_tap_again_is_shown_again_and_recorded_once() -> None:
    async with serving(build()) as door:
        await door.after(CardRead(credential=CARD))
        door.clock.move(3)
        await door.after(CardRead(credential=CARD))
        assert door.gate.shown == [(ADMIT, 1), (ADMIT, 1)]


async def test_an_unknown_card_is_recorded_before_amber() -> None:
    async with serving(build()) as door:
        await door.after(CardRead(credential=OTHER))
        assert door.gate.shown == [(Verdict(admit=False, reason=Reason.UNKNOWN_CARD), 1)]


async def test_an_unreadable_card_is_recorded_before_amber() -> None:
    async with serving(build()) as door:
        await door.after(CardRefused(technology=Technology.ISO14443A, why="random"))
        assert door.gate.shown == [(Verdict(admit=False, reason=Reason.UNREADABLE), 1)]


@pytest.mark.parametrize("admits", [True, False])
async def test_what_cannot_be_recorded_is_shown_so_and_reported_once(*, admits: bool) -> None:
    async with serving(build(admits_unrecorded=admits)) as door:
        door.ledger.broken = True
        await door.after(CardRead(credential=CARD))
        assert door.gate.shown == [(Verdict(admit=admits, reason=Reason.NOT_RECORDED), 0)]
        assert [type(error) for error in door.reported] == [NotRecorded]
        door.ledger.broken = False
        await door.after(CardRead(credential=CARD))
        assert door.gate.shown[1:] == [(ADMIT, 1)]


async def test_a_gate_that_is_lost_in_that_moment_stops_nothing() -> None:
    async with serving(build()) as door:
        door.gate.gone = True
        await door.after(CardRead(credential=CARD), CardRead(credential=OTHER))
        assert len(door.ledger.entries) == 2


async def test_a_direction_that_the_device_tells_is_the_tap_s() -> None:
    async with serving(build()) as door:
        await door.after(CardRead(credential=CARD, direction=Direction.OUT))
        [entry] = door.ledger.entries
        assert isinstance(entry.data, TapData)
        assert entry.data.direction is Direction.OUT


@pytest.mark.parametrize(("public", "words"), [(True, ("Проходите",)), (False, ("Опоздание", "1 минута"))])
async def test_only_a_private_screen_tells_who_is_late(public: bool, words: tuple[str, ...]) -> None:
    async with serving(build(public=public)) as door:
        door.clock.move(30 * 60 + 1)
        await door.after(CardRead(credential=CARD))
        assert door.gate.screen == words


@pytest.mark.parametrize(("public", "answer"), [(True, Answer.PASS), (False, Answer.NOT_TODAY)])
async def test_only_a_private_lamp_tells_who_has_no_lesson_today(public: bool, answer: Answer) -> None:
    async with serving(build(public=public)) as door:
        door.clock.move(24 * 3600)
        await door.after(CardRead(credential=CARD))
        assert door.gate.answer is answer


async def test_a_tap_that_is_not_recorded_is_told_so() -> None:
    async with serving(build()) as door:
        door.ledger.broken = True
        await door.after(CardRead(credential=CARD))
        assert door.gate.screen == ("Не записано:", "скажите охране")


async def test_health_counts_what_could_not_be_recorded() -> None:
    async with serving(build()) as door:
        door.ledger.broken = True
        await door.after(CardRead(credential=CARD), CardRead(credential=OTHER))
        assert door.lane.state == {"reader": True, "gate": True, "stand": [], "unpermitted": 0, "not_recorded": 2}


async def test_a_lane_without_its_gate_still_records() -> None:
    door = build()
    task = asyncio.create_task(door.lane.watch_reader(door.reader))
    await door.after(CardRead(credential=CARD))
    assert len(door.ledger.entries) == 1
    task.cancel()


async def test_a_lost_reader_is_raised_and_the_lane_is_down() -> None:
    door = build()
    door.reader.feed(DeviceLost())
    with pytest.raises(DeviceLost):
        await door.lane.watch_reader(door.reader)
    assert door.lane.state == {"reader": False, "gate": False, "stand": [], "unpermitted": 0, "not_recorded": 0}


async def test_coverage_is_from_the_last_to_now_and_after_every_tap() -> None:
    async with serving(build()) as door:
        door.clock.move(60)
        await door.after(CardRead(credential=CARD))
        await door.lane.cover()
        door.clock.move(60)
        await door.lane.cover()
        tap, first, second = (entry.data for entry in door.ledger.entries)
        assert isinstance(tap, TapData)
        assert first == CoverageData(lane=LANE, since=at("08:00"), until=at("08:01"))
        assert second == CoverageData(lane=LANE, since=at("08:01"), until=at("08:02"))


async def test_coverage_waits_for_a_tap_that_is_being_recorded() -> None:
    async with serving(build()) as door:
        door.ledger.slow = asyncio.Event()
        await door.after(CardRead(credential=CARD))
        door.clock.move(60)
        covering = asyncio.create_task(door.lane.cover())
        await door.settled()
        assert door.ledger.entries == []
        door.ledger.slow.set()
        await covering
        tap, coverage = (entry.data for entry in door.ledger.entries)
        assert isinstance(tap, TapData)
        assert coverage == CoverageData(lane=LANE, since=at("08:00"), until=at("08:01"))


async def test_coverage_that_fails_while_the_reader_is_lost_says_nothing_of_what_follows() -> None:
    door = build()
    async with serving(door):
        door.ledger.slow = asyncio.Event()
        door.clock.move(60)
        covering = asyncio.create_task(door.lane.cover())
        await door.settled()
        door.ledger.broken = True
    door.ledger.slow.set()
    await covering
    assert door.lane.state["reader"] is False
    door.ledger.broken = False
    door.clock.move(3600)
    await door.lane.cover()
    assert door.ledger.entries == []


async def test_no_coverage_while_the_reader_is_down_or_across_its_absence() -> None:
    door = build()
    await door.lane.cover()
    async with serving(door):
        door.clock.move(60)
    door.clock.move(600)
    await door.lane.cover()
    assert door.ledger.entries == []
    async with serving(door):
        door.clock.move(60)
        await door.lane.cover()
        assert door.ledger.entries[0].data == CoverageData(lane=LANE, since=at("08:11"), until=at("08:12"))


async def test_no_coverage_while_one_reader_of_several_is_down_or_across_its_absence() -> None:
    async with serving(build()) as door:
        await door.after(DeviceNotice(kind=DeviceState.DOWN, detail="reader 2: does not answer"))
        assert not door.lane.state["reader"]
        door.clock.move(10)
        await door.lane.cover()
        await door.after(DeviceNotice(kind=DeviceState.UP, detail="reader 2"))
        back = door.clock.now().at
        door.clock.move(10)
        await door.lane.cover()
        told = [entry.data for entry in door.ledger.entries]
        assert [data.kind for data in told if isinstance(data, DeviceData)] == [DeviceState.DOWN, DeviceState.UP]
        [covered] = [data for data in told if isinstance(data, CoverageData)]
        assert covered.since == back


@pytest.mark.parametrize(
    ("wall", "state"),
    [("09:00", ClockState.SYNCED), ("07:00", ClockState.SYNCED), ("08:00", ClockState.UNSYNCED)],
)
async def test_no_coverage_across_a_clock_that_was_set_or_is_not_known(wall: str, state: ClockState) -> None:
    async with serving(build()) as door:
        door.clock.set_wall(at(wall), state)
        await door.lane.cover()
        assert door.ledger.entries == []


async def test_no_coverage_from_a_moment_that_nobody_knows() -> None:
    door = build()
    door.clock.set_wall(at("08:00"), ClockState.UNSYNCED)
    async with serving(door):
        door.clock.set_wall(at("08:00"))
        await door.lane.cover()
        assert door.ledger.entries == []


async def test_coverage_that_was_not_recorded_is_told_the_next_time() -> None:
    async with serving(build()) as door:
        door.ledger.broken = True
        door.clock.move(60)
        await door.lane.cover()
        door.ledger.broken = False
        door.clock.move(60)
        await door.lane.cover()
        assert door.ledger.entries[0].data == CoverageData(lane=LANE, since=at("08:00"), until=at("08:02"))


async def test_no_coverage_over_a_tap_that_was_not_recorded() -> None:
    async with serving(build()) as door:
        door.clock.move(60)
        door.ledger.broken = True
        await door.after(CardRead(credential=CARD))
        door.ledger.broken = False
        door.clock.move(60)
        await door.lane.cover()
        assert [entry.data for entry in door.ledger.entries] == [
            CoverageData(lane=LANE, since=at("08:01"), until=at("08:02"))
        ]


async def test_a_device_tells_about_itself() -> None:
    async with serving(build()) as door:
        await door.after(DeviceNotice(kind=DeviceState.TAMPER, detail="cover open"))
        await door.lane.tell(DeviceState.UP, "x" * 500)
        first, second = (entry.data for entry in door.ledger.entries)
        assert first == DeviceData(lane=LANE, kind=DeviceState.TAMPER, detail="cover open")
        assert isinstance(second, DeviceData)
        assert len(second.detail) == 200
