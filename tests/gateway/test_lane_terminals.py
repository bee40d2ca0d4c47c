"""Lanes whose terminal decides: its time, its verdict, once; and covered no further than it proved."""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import pytest

from gateway.domain.clocks import TERMINAL
from gateway.domain.credential import Credential
from gateway.domain.entry import CoverageData, TapData
from gateway.domain.model import ClockState, Direction, LaneDirection, Reason, Verdict
from gateway.ports import CardRead, Terminal, Upload
from tests.domain.build import CARD, LANE, OTHER, at
from tests.gateway.door import Door, build, serving
from tests.gateway.fakes import ScriptedReader


class ScriptedTerminal(ScriptedReader):
    decides: Literal["device"] = "device"


terminal: type[Terminal] = ScriptedTerminal


def terminal_door(direction: LaneDirection = LaneDirection.ARRIVAL_ONLY) -> Door:
    door = build(direction)
    door.reader = ScriptedTerminal()
    return door


def read(clock: str, card: Credential = CARD, **more: object) -> CardRead:
    return CardRead(credential=card, at=at(clock), **more)  # type: ignore[arg-type]


def upload(
    *reads: CardRead, told: Callable[[bool], None] = lambda _: None, covers: tuple[str, str] | None = None
) -> Upload:
    return Upload(reads=reads, recorded=told, covers=(at(covers[0]), at(covers[1])) if covers else None)


async def test_a_backlog_keeps_the_terminal_s_times_and_shows_nothing() -> None:
    async with serving(terminal_door()) as door:
        door.clock.move(3600)
        answers: list[bool] = []
        door.reader.feed(upload(read("08:31"), read("08:35", OTHER), told=answers.append))
        await door.settled()
        assert answers == [True]
        assert [(e.at.at, e.at.boot, e.at.clock) for e in door.ledger.entries] == [
            (at("08:31"), TERMINAL, ClockState.HOLDOVER),
            (at("08:35"), TERMINAL, ClockState.HOLDOVER),
        ]
        assert door.gate.shown == []


async def test_whom_the_terminal_let_in_was_let_in() -> None:
    async with serving(terminal_door()) as door:
        door.reader.feed(upload(read("07:59"), read("07:59", OTHER)))
        await door.settled()
        verdicts = [e.data.verdict for e in door.ledger.entries if isinstance(e.data, TapData)]
        assert verdicts == [Verdict(admit=True, reason=Reason.KNOWN), Verdict(admit=True, reason=Reason.UNKNOWN_CARD)]


async def test_the_terminal_keeps_what_is_not_recorded_and_it_is_recorded_when_told_again() -> None:
    async with serving(terminal_door()) as door:
        answers: list[bool] = []
        door.ledger.broken = True
        door.reader.feed(upload(read("07:59"), told=answers.append))
        await door.settled()
        door.ledger.broken = False
        door.reader.feed(upload(read("07:59"), told=answers.append))
        await door.settled()
        assert answers == [False, True]
        assert len(door.ledger.entries) == 1


async def test_what_is_told_again_is_no_new_entry() -> None:
    async with serving(terminal_door()) as door:
        answers: list[bool] = []
        for _ in range(3):
            door.reader.feed(upload(read("07:58"), read("07:59"), read("07:58"), told=answers.append))
            await door.settled()
        assert answers == [True] * 3
        assert [e.at.at for e in door.ledger.entries] == [at("07:58"), at("07:59")]


async def test_what_was_recorded_before_a_restart_is_no_new_entry() -> None:
    async with serving(terminal_door()) as door:
        door.reader.feed(upload(read("07:58")))
        await door.settled()
        before = door.ledger.entries
    door = terminal_door()
    for entry in before:
        door.lane._site.told.note(entry.at, entry.data)
    async with serving(door):
        door.reader.feed(upload(read("07:58")))
        await door.settled()
        assert door.ledger.entries == []


@pytest.mark.parametrize(
    ("read_", "now"),
    [
        (read("08:01"), ClockState.SYNCED),  # ahead
        (CardRead(credential=CARD, at=at("08:00") - timedelta(days=365)), ClockState.SYNCED),
        (read("07:59", ambiguous=True), ClockState.SYNCED),
        (read("07:59"), ClockState.UNSYNCED),  # nobody can tell
    ],
)
async def test_a_time_that_nobody_can_believe_is_marked_and_matches_no_lesson(read_: CardRead, now: ClockState) -> None:
    async with serving(terminal_door()) as door:
        door.clock.set_wall(at("08:00"), now)
        door.reader.feed(upload(read_))
        await door.settled()
        [entry] = door.ledger.entries
        assert (entry.at.at, entry.at.clock) == (read_.at, ClockState.UNSYNCED)
        assert isinstance(entry.data, TapData)
        assert entry.data.match is None
        assert door.lane.state["doubtful"] == 1


async def test_the_clock_alone_covers_nothing_of_a_terminal() -> None:
    async with serving(terminal_door()) as door:
        door.clock.move(60)
        await door.lane.cover()
        assert door.ledger.entries == []
        assert door.lane.state["reader"] is True


async def test_what_the_terminal_proved_is_covered_after_its_taps() -> None:
    async with serving(terminal_door()) as door:
        door.reader.feed(upload(read("07:58"), covers=("07:50", "08:00")))
        await door.settled()
        tap, coverage = (entry.data for entry in door.ledger.entries)
        assert isinstance(tap, TapData)
        assert coverage == CoverageData(lane=LANE, since=at("07:50"), until=at("08:00"))


@pytest.mark.parametrize(
    ("told", "covered"),
    [
        (("07:50", "08:00:20"), ("07:50", "08:00")),  # never further than now
        (("07:50", "08:01"), None),  # a clock that is ahead proves nothing
        (("08:00", "08:00"), None),
    ],
)
async def test_coverage_of_a_terminal_is_held_against_the_clock(
    told: tuple[str, str], covered: tuple[str, str] | None
) -> None:
    async with serving(terminal_door()) as door:
        door.reader.feed(upload(covers=told))
        await door.settled()
        expected = [CoverageData(lane=LANE, since=at(covered[0]), until=at(covered[1]))] if covered else []
        assert [entry.data for entry in door.ledger.entries] == expected


async def test_coverage_of_a_terminal_stays_within_its_day() -> None:
    async with serving(terminal_door()) as door:
        yesterday = at("12:00") - timedelta(days=1)
        door.reader.feed(Upload(reads=(), covers=(yesterday, at("08:00")), recorded=lambda _: None))
        await door.settled()
        # 00:00 in Moscow
        midnight = at("21:00") - timedelta(days=1)
        assert [e.data for e in door.ledger.entries] == [CoverageData(lane=LANE, since=midnight, until=at("08:00"))]


async def test_the_way_is_the_terminal_s_or_else_the_lane_s() -> None:
    async with serving(terminal_door(LaneDirection.OUT)) as door:
        door.reader.feed(upload(read("07:58"), read("07:59", direction=Direction.IN)))
        await door.settled()
        ways = [e.data.direction for e in door.ledger.entries if isinstance(e.data, TapData)]
        assert ways == [Direction.OUT, Direction.IN]
