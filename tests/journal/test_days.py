"""Which days a batch asks to be judged again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from gateway.domain.clocks import TERMINAL
from gateway.domain.entry import (
    ClockData,
    DeviceData,
    DeviceState,
    Entry,
    ManualAction,
    ManualData,
    PassageData,
    PassageKind,
)
from gateway.domain.model import ClockState, Direction, PersonId, Seq
from gateway.domain.wire import encode
from journal import tables
from tests.journal.door import (
    LANE,
    MORNING,
    STRANGE,
    Door,
    coverage,
    entry,
    instant,
    tap,
)
from tests.journal.receiver import Journal


async def test_a_tap_asks_for_the_day_of_the_holder_and_a_strange_card_for_none(journal: Journal) -> None:
    door = Door()
    door.append(tap(MORNING), tap(MORNING, STRANGE), tap(MORNING.replace(hour=22)))
    await journal.takes(door.message(1, 3))
    assert await journal.dirty() == {("2026-09-01", "p-1"), ("2026-09-02", "p-1")}


async def test_the_card_ledger_answers_for_the_moment_of_the_tap(journal: Journal) -> None:
    async with journal.store.begin() as connection:
        end = int((MORNING + timedelta(hours=1)).timestamp() * 1000)
        await connection.execute(update(tables.cards).values(valid_to=end))
    door = Door()
    door.append(tap(MORNING), tap(MORNING + timedelta(hours=1)))
    await journal.takes(door.message(2, 2))
    assert await journal.dirty() == set()
    await journal.takes(door.message(1, 1))
    # Entry 2 was held and counts now: what is complete may have changed for everybody.
    assert await journal.dirty() == {("2026-09-01", "p-1"), ("2026-09-01", "")}


async def test_coverage_and_devices_ask_for_everybody(journal: Journal) -> None:
    door = Door()
    day = timedelta(days=1)
    door.append(coverage(MORNING - day, MORNING))
    door.append(entry(DeviceData(lane=LANE, kind=DeviceState.DOWN, detail="unplugged"), MORNING + day))
    await journal.takes(door.message(1, 2))
    assert await journal.dirty() == {("2026-08-31", ""), ("2026-09-01", ""), ("2026-09-02", "")}


def by_hand(action: ManualAction, *persons: str) -> ManualData:
    names = tuple(map(PersonId, persons))
    return ManualData(lane=LANE, operator="guard", action=action, persons=names, reason="")


async def test_what_a_guard_did_asks_for_those_who_are_named_or_for_everybody(journal: Journal) -> None:
    door = Door()
    door.append(entry(by_hand(ManualAction.ENTER, "p-1", "p-7"), MORNING))
    for days, action in enumerate([ManualAction.OPEN, ManualAction.HOLD, ManualAction.RELEASE], 1):
        door.append(entry(by_hand(action), MORNING + timedelta(days=days)))
    await journal.takes(door.message(1, 4))
    named = {("2026-09-01", "p-1"), ("2026-09-01", "p-7")}
    assert await journal.dirty() == named | {("2026-09-02", ""), ("2026-09-03", ""), ("2026-09-04", "")}


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_a_list_of_an_unset_clock_asks_for_the_corrected_day(journal: Journal, order: tuple[int, int]) -> None:
    wrong = MORNING - timedelta(days=100)
    door = Door()
    door.append(Entry(at=instant(wrong, ClockState.UNSYNCED), data=by_hand(ManualAction.ENTER, "p-1")))
    repair = ClockData(boot="boot-1", boottime=1, wall=MORNING, correction=50 * 86_400_000)
    door.append(entry(repair, MORNING))
    await journal.takes(door.birth(), *(door.message(n, n) for n in order))
    corrected = ("2026-07-13", "") if order == (1, 2) else ("2026-07-13", "p-1")
    assert {("2026-05-24", "p-1"), corrected} <= await journal.dirty()


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_a_clock_entry_asks_for_the_days_that_it_corrects(journal: Journal, order: tuple[int, int]) -> None:
    wrong = MORNING - timedelta(days=100)
    door = Door()
    door.append(tap(wrong, clock=ClockState.UNSYNCED))
    repair = ClockData(boot="boot-1", boottime=1, wall=MORNING, correction=50 * 86_400_000)
    door.append(entry(repair, MORNING))
    await journal.takes(door.birth(), *(door.message(n, n) for n in order))
    seen = {("2026-05-24", "p-1"), ("2026-09-01", "")}
    # Where the batches come out of order the clock entry is there first, and the tap finds it.
    corrected = ("2026-07-13", "") if order == (1, 2) else ("2026-07-13", "p-1")
    assert seen | {corrected} <= await journal.dirty()


async def test_a_time_that_a_terminal_cannot_mean_asks_for_the_day_on_which_it_was_told(journal: Journal) -> None:
    door = Door()
    wrong = replace(tap().at, at=MORNING - timedelta(days=100), boot=TERMINAL, clock=ClockState.UNSYNCED)
    door.append_bytes(encode(replace(tap(), at=wrong), stream=door.stream, seq=Seq(1), recorded=MORNING))
    await journal.takes(door.birth(), door.message(1, 1))
    assert {("2026-05-24", "p-1"), ("2026-09-01", "p-1")} <= await journal.dirty()


async def test_a_clock_entry_corrects_its_boot_over_what_terminals_told_meanwhile(journal: Journal) -> None:
    door = Door()
    door.append(tap(MORNING - timedelta(days=100), clock=ClockState.UNSYNCED))
    told = tap(MORNING - timedelta(days=3))
    door.append(replace(told, at=replace(told.at, boot=TERMINAL, clock=ClockState.HOLDOVER)))
    await journal.takes(door.birth(), door.message(1, 2))
    await settled(journal)
    door.append(entry(ClockData(boot="boot-1", boottime=1, wall=MORNING, correction=50 * 86_400_000)))
    await journal.takes(door.message(3, 3))
    assert await journal.dirty() == {("2026-05-24", ""), ("2026-07-13", ""), ("2026-09-01", "")}


async def test_a_clock_entry_asks_for_the_days_that_it_empties(journal: Journal) -> None:
    door = Door()
    door.append(tap(MORNING + timedelta(days=1), clock=ClockState.UNSYNCED))
    door.append(entry(ClockData(boot="boot-1", boottime=1, wall=MORNING, correction=-86_400_000)))
    await journal.takes(door.message(1, 1))
    await settled(journal)
    await journal.takes(door.message(2, 2))
    assert await journal.dirty() == {("2026-09-01", ""), ("2026-09-02", "")}


async def test_a_passage_asks_for_the_holder_of_its_tap_and_a_free_one_for_nobody(journal: Journal) -> None:
    door = Door()
    through = MORNING + timedelta(seconds=2)
    door.append(tap(MORNING), tap(MORNING, STRANGE))
    for seq in (Seq(1), Seq(2), Seq(3), Seq(10**30), None):
        passage = PassageData(lane=LANE, direction=Direction.IN, kind=PassageKind.CONFIRMED, tap=seq)
        door.append(entry(passage, through))
    await journal.takes(door.message(1, 2))
    await settled(journal)
    await journal.takes(door.message(4, 7))
    assert await journal.dirty() == set()
    await journal.takes(door.message(3, 3))
    # Entries 4 to 7 were held and count now.
    assert await journal.dirty() == {("2026-09-01", "p-1"), ("2026-09-01", "")}


async def settled(journal: Journal) -> None:
    """As if everything had been judged."""
    async with journal.store.begin() as connection:
        await connection.execute(tables.dirty.delete())


async def test_a_repeated_batch_asks_for_nothing(journal: Journal) -> None:
    door = Door().taps(5)
    await journal.takes(door.message(1, 5))
    await settled(journal)
    journal.store.dirtied.clear()
    await journal.takes(door.message(1, 5), door.message(2, 3))
    assert await journal.dirty() == set()
    assert not journal.store.dirtied.is_set()
