"""Exactly once: other bytes, other links, other orders, and events that nobody can judge."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.entry import ClockData
from gateway.domain.model import ClockState
from gateway.domain.wire import Batch
from journal import tables
from sync.signing import BATCH_TAG
from tests.journal.conftest import furnished
from tests.journal.door import (
    MORNING,
    Door,
    entry,
    tap,
)
from tests.journal.receiver import Journal, held, refused


async def test_the_same_name_with_other_bytes_goes_to_quarantine(journal: Journal) -> None:
    true, clone = Door().taps(4), Door()
    clone.append(*(tap(MORNING + timedelta(minutes=n)) for n in range(4)))
    receipt = await journal.receipt(true.birth(), true.message(1, 4), clone.message(1, 4))
    assert (receipt.through, receipt.head, refused(receipt)) == (4, true.head.hex(), ["1-4:quarantine"])
    assert [row.body for row in await journal.rows()] == [e.body for e in true.ledger]
    assert [row.body for row in await journal.rows("quarantine")] == [e.body for e in clone.ledger]
    assert journal.alarms[-1]["code"] == "quarantine"


async def test_a_card_image_restored_too_far_back(journal: Journal) -> None:
    """The same first entries, then others: only what differs is quarantined, however often it is sent."""
    true, clone = Door().taps(6), Door().taps(3)
    clone.append(*(tap(MORNING + timedelta(minutes=n)) for n in range(4)))
    await journal.takes(true.birth(), true.message(1, 6))
    for _ in range(2):
        assert refused(await journal.receipt(clone.message(2, 7))) == ["2-7:quarantine"]
    assert [row.seq for row in await journal.rows("quarantine")] == [4, 5, 6, 7]
    assert (await journal.receipt(true.message(6, 6))).through == 6


async def test_the_same_bytes_that_hang_on_others_are_refused(journal: Journal) -> None:
    door, other = Door().taps(6), Door()
    other.append(tap(MORNING - timedelta(minutes=5)))
    other.append_bytes(*(e.body for e in door.ledger[1:]))
    receipt = await journal.receipt(door.birth(), door.message(1, 3), other.message(4, 6), other.message(2, 3))
    assert receipt.through == 3
    assert {code for alarm in journal.alarms for code in [alarm["code"]]} == {"link"}
    assert await journal.rows("quarantine") == []


async def test_what_was_held_and_does_not_continue_gives_way(journal: Journal) -> None:
    door, other = Door().taps(6), Door().taps(3)
    other.append(*(tap(MORNING + timedelta(minutes=n)) for n in range(3)))
    receipt = await journal.receipt(door.birth(), other.message(5, 6))
    assert held(receipt) == ["5-6"]
    receipt = await journal.receipt(door.message(1, 4))
    assert (receipt.through, refused(receipt), held(receipt)) == (4, ["5-6:link"], [])
    assert [row.seq for row in await journal.rows("quarantine")] == [5, 6]
    assert (await journal.receipt(door.message(5, 6))).through == 6


async def test_what_gives_way_is_taken_back_from_the_marks(journal: Journal) -> None:
    door, other = Door().taps(4), Door().taps(3)
    other.append(tap(MORNING), tap(MORNING + timedelta(days=1)))
    other.append(tap(MORNING + timedelta(days=9), clock=ClockState.UNSYNCED))
    repair = ClockData(boot="boot-1", boottime=10**10, wall=MORNING, correction=-86_400_000)
    other.append(entry(repair, MORNING + timedelta(days=8)))
    await journal.takes(other.message(5, 7))
    async with journal.store.begin() as connection:
        await connection.execute(tables.dirty.delete())
    await journal.takes(door.message(1, 4))
    days = {"2026-09-02", "2026-09-10", "2026-09-09"}
    assert {(day, "") for day in days} <= await journal.dirty()


async def test_a_first_entry_must_hang_on_the_name_of_its_ledger(journal: Journal) -> None:
    door, other = Door(), Door(epoch="epoch-2").taps(2)
    door.ledger = other.ledger
    batch = Batch(stream=door.stream, prev=other.stream.genesis, envelopes=tuple(other.ledger))
    signed = {"prev": batch.prev.hex(), "sig": door.signer.sign(BATCH_TAG, batch.statement())}
    receipt = await journal.receipt(door.birth(), door.message(1, 2, **signed))
    assert (receipt.through, refused(receipt)) == (0, ["1-2:link"])


async def test_epochs_are_ledgers_of_their_own(journal: Journal) -> None:
    old, new = Door().taps(3), Door(epoch="epoch-2").taps(2)
    await journal.takes(old.birth(), old.message(1, 2))
    link = await journal.takes(new.birth(), new.message(1, 2), old.message(3, 3))
    through = {receipt.epoch: receipt.through for receipt in link.receipts}
    assert through == {"epoch-1": 3, "epoch-2": 2}


BAD_EVENTS = {
    "no json": b"nonsense",
    "empty": b"",
    "other type": b'{"type":[]}',
    "lone surrogate": b'{"boot":"\\ud800"}',
    "zero in text": b'{"boot":"a\\u0000b"}',
    "year 1": b'{"time":"0001-01-01T00:00:00.000+10:00"}',
    "year 9999": b'{"time":"9999-12-31T23:59:59.000Z"}',
    "recorded in year 9999": b'{"recordedtime":"9999-12-31T23:59:59.000Z"}',
    "recorded nowhere": b'{"recordedtime":"0001-01-01T00:00:00.000"}',
    "covered since year 1": b'{"type":"att.coverage.v1","data":{"lane":"n","since":"0001-01-01T00:00:00Z","until":"2026-09-01T07:00:00Z"}}',
    "covered until 2100": b'{"type":"att.coverage.v1","data":{"lane":"n","since":"2026-09-01T07:00:00Z","until":"2100-01-01T00:00:00Z"}}',
    "clock of year 9999": b'{"type":"att.clock.v1","data":{"boot":"b","boottime":1,"wall":"9999-12-31T23:59:59Z","correction":1}}',
    "clock before 1970": b'{"type":"att.clock.v1","data":{"boot":"b","boottime":1,"wall":"1969-12-31T23:59:59Z","correction":1}}',
    "corrected by millennia": b'{"type":"att.clock.v1","data":{"boot":"b","boottime":1,"wall":"2026-09-01T07:00:00Z","correction":100000000000000000}}',
    "corrected by aeons": b'{"type":"att.clock.v1","data":{"boot":"b","boottime":1,"wall":"2026-09-01T07:00:00Z","correction":-100000000000000000000}}',
    "corrected into 2126": b'{"type":"att.clock.v1","data":{"boot":"b","boottime":1,"wall":"2026-09-01T07:00:00Z","correction":3155760000000}}',
    "long text": b'{"boot":"%s"}' % (b"x" * 1000),
    "deep": b"[" * 2000,
}


@pytest.mark.parametrize("name", BAD_EVENTS)
async def test_an_event_that_cannot_be_judged_is_kept_raw_and_flagged(journal: Journal, name: str) -> None:
    door = Door().taps(1)
    door.append(tap())
    good = json.loads(door.ledger.pop().body)
    with_changes = BAD_EVENTS[name]
    if with_changes.startswith(b'{"'):
        with_changes = json.dumps(good | json.loads(with_changes)).encode()
    door.append_bytes(with_changes)
    door.append(tap())
    receipt = await journal.receipt(door.birth(), door.message(1, 3))
    assert (receipt.through, refused(receipt)) == (3, [])
    rows = await journal.rows()
    assert [row.flag for row in rows] == [None, "malformed", None]
    assert rows[1].body == with_changes


async def test_an_event_under_another_name_is_flagged(journal: Journal) -> None:
    door, other = Door(), Door(gateway="door-2").taps(3)
    door.append_bytes(other.ledger[0].body)
    door.append(tap(), tap())
    door.append_bytes(door.ledger[1].body)
    await journal.takes(door.message(1, 4))
    assert [row.flag for row in await journal.rows()] == ["identity", None, None, "identity"]


async def test_an_unknown_type_is_kept(journal: Journal) -> None:
    door = Door().taps(2)
    body = door.ledger.pop().body.replace(b"att.tap.v1", b"att.news.v7")
    door.append_bytes(body)
    assert (await journal.receipt(door.birth(), door.message(1, 2))).through == 2
    (row,) = [row for row in await journal.rows() if row.seq == 2]
    assert (row.type, row.flag, row.body) == ("att.news.v7", None, body)


CHAIN = Door().taps(12)


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Every entry at least once, in batches of any size, any order, any repetition."""
    spans = draw(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 5)), max_size=10))
    cuts = sorted(draw(st.sets(st.integers(2, 12), max_size=6)))
    edges = [1, *cuts, 13]
    whole = [(a, b - 1) for a, b in pairwise(edges)]
    return draw(st.permutations([*whole, *((first, min(12, first + more)) for first, more in spans)]))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A furnished database to copy: migrating for every example would take the time."""
    import asyncio

    path = tmp_path_factory.mktemp("template") / "journal.db"

    async def make() -> None:
        async with furnished(path):
            pass

    asyncio.run(make())
    return path


def _copied(template: Path, copy: Path) -> Path:
    for leftover in copy.parent.glob(f"{copy.name}*"):
        leftover.unlink()
    with closing(sqlite3.connect(template)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans=deliveries())
async def test_any_order_and_repetition_ends_alike(
    template: Path, tmp_path: Path, spans: list[tuple[int, int]]
) -> None:
    from journal.store import opened
    from tests.journal.conftest import url_of

    copy = _copied(template, tmp_path / "copy.db")
    async with opened(url_of(copy)) as store:
        journal = Journal(store)
        receipt = await journal.receipt(CHAIN.birth(), *(CHAIN.message(*span) for span in spans))
        assert (receipt.through, receipt.head, held(receipt)) == (12, CHAIN.head.hex(), [])
        rows = await journal.rows()
        assert [(row.seq, row.body, row.hash) for row in rows] == [(e.seq, e.body, e.hash) for e in CHAIN.ledger]
        assert await journal.rows("quarantine") == []
        assert journal.alarms == []
        assert ("2026-09-01", "p-1") in await journal.dirty()
