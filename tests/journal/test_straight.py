"""The straight way and the careful way of a batch end alike, whatever arrives in whatever order."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from gateway.domain.entry import PassageData, PassageKind
from gateway.domain.model import ClockState, Direction, Seq
from gateway.domain.wire import Stream
from journal import ledger, straight, tables
from journal.batch import Received
from journal.store import opened
from tests.journal.conftest import furnished, url_of
from tests.journal.door import CARD, GATEWAY, LANE, MORNING, SITE, STRANGE, Door, coverage, entry, tap
from tests.journal.receiver import Journal

TABLES = ("entries", "segments", "watermarks", "quarantine", "dirty")
LENGTH = 12


def _door(gateway: str) -> Door:
    """Every kind of entry that asks for days in a way of its own, one that is garbage, and taps at midnight."""
    door = Door(gateway).taps(4)
    door.append(
        tap(MORNING, STRANGE),
        tap(MORNING + timedelta(days=1), CARD, ClockState.UNSYNCED),
        entry(PassageData(lane=LANE, direction=Direction.IN, kind=PassageKind.CONFIRMED, tap=Seq(3))),
        coverage(MORNING, MORNING + timedelta(days=2)),
    )
    door.append_bytes(b"{}", b'{"source":"urn:att:x:y:z"}')
    door.append(tap(MORNING + timedelta(hours=13, minutes=59)), tap(MORNING + timedelta(hours=14, minutes=1)))
    return door


DOORS = [_door(GATEWAY), _door("door-2")]


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Mostly what continues, as in life; sometimes a gap, a repetition, an overlap."""
    sent: list[tuple[int, int, int]] = []
    ends = [0, 0]
    for _ in range(draw(st.integers(1, 10))):
        which, more = draw(st.integers(0, 1)), draw(st.integers(0, 4))
        first = draw(st.sampled_from([ends[which] + 1] * 4 + [max(1, ends[which] - 1), ends[which] + 3]))
        last = min(first + more, LENGTH)
        if first <= LENGTH:
            sent.append((which, first, last))
            ends[which] = max(ends[which], last)
    return sent


@pytest.fixture
async def empty(tmp_path: Path) -> Path:
    """A furnished database to copy: migrating for every example would take the time."""
    async with furnished(tmp_path / "empty.db") as store, store.begin() as connection:
        second = {"gateway": "door-2", "site": SITE, "public_key": b"k", "added": 0}
        await connection.execute(insert(tables.gateways), [second])
    return tmp_path / "empty.db"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=arrivals(), cut=st.integers(1, 10))
async def test_both_ways_end_alike(empty: Path, sent: list[tuple[int, int, int]], cut: int) -> None:
    batches = [_received(DOORS[which], first, last) for which, first, last in sent]
    async with opened(url_of(_copied(empty, "straight"))) as store:
        for start in range(0, len(batches), cut):
            async with store.begin() as connection:
                await straight.take(connection, batches[start : start + cut], received=1)
        straightly = await _picture(Journal(store))
    async with opened(url_of(_copied(empty, "careful"))) as store:
        async with store.begin() as connection:
            for batch in batches:
                await ledger.record(connection, batch, received=1)
        assert straightly == await _picture(Journal(store))


def _copied(empty: Path, name: str) -> Path:
    for leftover in empty.parent.glob(f"{name}.db*"):
        leftover.unlink()
    return Path(shutil.copy(empty, empty.with_name(f"{name}.db")))


async def _picture(journal: Journal) -> dict[str, Sequence[Any]]:
    return {
        name: sorted(tuple(row)[: 3 if name == "dirty" else None] for row in await journal.rows(name))
        for name in TABLES
    }


def _received(door: Door, first: int, last: int) -> Received:
    batch = door.batch(first, last)
    return Received(stream=batch.stream, prev=batch.prev, kid="k", sig="s", envelopes=batch.envelopes)


async def test_what_continues_takes_the_straight_way(journal: Journal) -> None:
    """A guard of the speed: the positions come without a look at the entries."""
    door = Door().taps(9)
    one = [_received(door, 1, 4), _received(door, 5, 9)]
    async with journal.store.begin() as connection:
        taken = await straight.take(connection, one, received=1)
    assert taken.positions == {
        Stream(site=SITE, gateway=GATEWAY, epoch="epoch-1"): ledger.Position(through=9, head=door.head)
    }
    assert taken.changed
    assert taken.refused == {}
