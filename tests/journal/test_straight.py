"""The straight way and the careful way of a batch end alike, whatever arrives in whatever order."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from gateway.domain.entry import PassageData, PassageKind
from gateway.domain.model import ClockState, Direction, Seq
from gateway.domain.wire import Stream
from journal import ledger, straight, tables
from journal.batch import Received
from tests.journal.conftest import furnished
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


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=arrivals(), cut=st.integers(1, 10))
async def test_both_ways_end_alike(tmp_path: Path, sent: list[tuple[int, int, int]], cut: int) -> None:
    batches = [_received(DOORS[which], first, last) for which, first, last in sent]
    together = [batches[start : start + cut] for start in range(0, len(batches), cut)]
    found = []
    for name, groups in (("straight", together), ("careful", together)):
        _clear(tmp_path, name)
        async with furnished(tmp_path / f"{name}.db") as store:
            async with store.begin() as connection:
                second = {"gateway": "door-2", "site": SITE, "public_key": b"k", "added": 0}
                await connection.execute(insert(tables.gateways), [second])
            for group in groups:
                async with store.begin() as connection:
                    if name == "straight":
                        await straight.take(connection, group, received=1)
                    else:
                        for batch in group:
                            await ledger.record(connection, batch, received=1)
            found.append(await _picture(Journal(store)))
    assert found[0] == found[1]


def _clear(folder: Path, name: str) -> None:
    for leftover in folder.glob(f"{name}.db*"):
        leftover.unlink()


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
