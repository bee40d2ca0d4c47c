"""The judge loop under bad luck: a crash, a fact in between, pieces in any order and twice lose and change nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from journal import tables
from journal.ledger import record
from tests.journal.judging import Judge, picture
from tests.journal.school import Ledger, School, school


async def test_a_new_fact_during_the_judgement_stays_dirty(place: School) -> None:
    place.north.tap(1, "08:36")
    await place.deliver()
    judge = Judge(place)
    in_thread = asyncio.to_thread

    async def meanwhile(*args: Any) -> Any:
        place.north.tap(1, "08:28")
        await place.deliver()
        return await in_thread(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "to_thread", meanwhile)
        await judge.at("08:37")
    assert await place.marks() == {"p1": "late 6"}
    assert await place.rows(tables.dirty, "person") == [("p1",)]
    await judge.at("08:38")
    assert await place.marks() == {"p1": "present"}
    assert await place.rows(tables.dirty, "person") == []


class Crash(Exception):
    """The process is gone."""


@contextmanager
def crash_at(place: School, statement: int) -> Iterator[list[str]]:
    """The n-th statement from now on is never executed, nor is any after it."""
    engine = place.store.engine.sync_engine
    seen: list[str] = []

    def count(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        seen.append(text)
        if len(seen) >= statement:
            raise Crash

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", count)


async def test_a_crash_at_any_statement_changes_nothing_or_everything(tmp_path: Path) -> None:
    async with school(tmp_path) as place:
        place.north.tap(1, "08:36")
        place.south.tap(2, "08:20")
        await place.heard("07:00", "08:46")
        before = await picture(place)
        assert before[2]
        statement, crashes = 0, 0
        while True:
            statement += 1
            judge = Judge(place)
            with crash_at(place, statement):
                try:
                    await judge.at("08:46")
                except Crash:
                    crashes += 1
                else:
                    break
            assert await picture(place) == before
        assert crashes > 10
        marks = {"p1": "late 6", "p2": "present"}
        assert await picture(place) == (marks, ["p1 late pending", "p3 not_seen pending"], [])


Taps = list[tuple[int, int, bool]]


def fill(ledger: Ledger, taps: Taps, *, north: bool) -> None:
    moments = [(minute, person) for person, minute, at_north in taps if at_north is north]
    awake = datetime.fromisoformat("2026-09-01 07:00")
    for minute, person in sorted(moments):
        ledger.tap(person, f"{awake + timedelta(minutes=minute):%H:%M}")
    ledger.covers("07:00", "08:50")


async def outcome(taps: Taps, cuts: list[int], order: Any, *, each: bool) -> tuple[Any, ...]:
    """What stands at 08:50 after the ledgers came in pieces, in any order, some of them twice."""
    with TemporaryDirectory() as directory:
        async with school(Path(directory)) as place:
            pieces = []
            for ledger, north in ((place.north, True), (place.south, False)):
                fill(ledger, taps, north=north)
                size = len(ledger.envelopes)
                edges = sorted({1, size + 1, *(1 + cut % size for cut in cuts)})
                pieces += [ledger.received(a, b - 1) for a, b in pairwise(edges)]
            judge = Judge(place)
            for piece in order(pieces):
                async with place.store.begin() as connection:
                    await record(connection, piece, received=0)
                if each:
                    await judge.at("08:50")
            await judge.at("08:50")
            return await picture(place)


@settings(max_examples=12)
@given(
    taps=st.lists(st.tuples(st.integers(1, 3), st.integers(60, 109), st.booleans()), max_size=6),
    cuts=st.lists(st.integers(0, 20), max_size=3),
    seed=st.randoms(use_true_random=False),
    each=st.booleans(),
)
async def test_order_pieces_and_repetition_change_nothing(taps: Taps, cuts: list[int], seed: Any, each: bool) -> None:
    def shuffled(pieces: list[Any]) -> list[Any]:
        several: list[Any] = pieces + seed.sample(pieces, k=min(2, len(pieces)))
        seed.shuffle(several)
        return several

    plain = await outcome(taps, [], list, each=False)
    assert plain[2] == []
    assert await outcome(taps, cuts, shuffled, each=each) == plain
