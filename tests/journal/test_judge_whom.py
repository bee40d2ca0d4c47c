"""Whom the judge loop leaves to somebody else: no notice, no absence."""

from typing import Any

import pytest
from sqlalchemy import update

from gateway.domain.model import Reason, Verdict
from journal import tables
from journal.store import milliseconds
from tests.journal.judging import Judge, pending
from tests.journal.school import School, at


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (tables.contacts, {"consent": 0}),
        (tables.people, {"active": 0}),
        (tables.people, {"role": "staff"}),
        (tables.slots, {"mode": "teacher"}),
        (tables.slots, {"kind": "club"}),
    ],
    ids=str,
)
async def test_nobody_is_told_who_should_not_be(place: School, table: Any, values: dict[str, Any]) -> None:
    async with place.store.begin() as connection:
        await connection.execute(update(table).values(**values))
    await place.heard("07:00", "08:50")
    await Judge(place).at("08:50")
    assert await place.notices() == []


@pytest.mark.parametrize("reason", [Reason.BLOCKED, Reason.LOST, Reason.EXPIRED])
async def test_a_card_that_was_refused_is_neither_absence_nor_unseen(place: School, reason: Reason) -> None:
    place.north.tap(1, "08:20", verdict=Verdict(admit=False, reason=reason))
    await place.heard("07:00", "09:16")
    judge = Judge(place)
    await judge.at("08:50")
    assert await pending(place) == ["p2 not_seen pending", "p3 not_seen pending"]
    await judge.at("09:17")
    assert (await place.marks())["p1"] == "unknown"


@pytest.mark.parametrize(
    "values",
    [
        {"state": "lost"},
        {"state": "blocked"},
        {"valid_from": milliseconds(at("08:30")) + 1},
        {"valid_to": milliseconds(at("08:30"))},
    ],
    ids=str,
)
async def test_who_has_no_valid_card_is_the_teachers_for_that_lesson(place: School, values: dict[str, Any]) -> None:
    async with place.store.begin() as connection:
        mine = tables.cards.c.person == "p1"
        await connection.execute(update(tables.cards).where(mine).values(**values))
    await place.heard("07:00", "10:11")
    judge = Judge(place)
    await judge.at("08:50")
    assert await pending(place) == ["p2 not_seen pending", "p3 not_seen pending"]
    await judge.at("10:15")
    assert await place.marks() == {"p2": "absent", "p3": "absent"}
    later = [slot for person, slot in await place.rows(tables.marks, "person", "slot") if person == "p1"]
    assert later == (["5a/2"] if "valid_from" in values else [])
