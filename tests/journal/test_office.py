"""What an import changes: people, lessons, and the ledger of who held which card when."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from gateway.domain.credential import Credential, Technology
from gateway.domain.policy import Policy
from journal.office import Site, prepare
from journal.store import Day, milliseconds
from sync.sources.table import read_folder
from tests.journal.bureau import CIPHER, HEADER, IVAN, MARIA, Office, Shelf
from tests.journal.door import CARD, KEY, MORNING, SITE, STRANGE, Door, tap
from tests.journal.receiver import Journal
from tests.journal.tables import write_school


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_uids_rest_encrypted(office: Office, tmp_path: Path) -> None:
    await office.imports()
    rows = await office.rows("cards")
    opened = {CIPHER.open(SITE, row["uid_encrypted"]) for row in rows if row["person"] == "p-2"}
    assert opened == {STRANGE}
    database = b"".join((tmp_path / name).read_bytes() for name in ("journal.db", "journal.db-wal"))
    assert STRANGE.uid not in database
    assert str(STRANGE).encode() not in database


async def test_a_listed_card_that_changes_hands_does_so_now(office: Office) -> None:
    await office.imports(cards=HEADER + f"{MARIA};;;\n")
    office.clock.at += dt.timedelta(days=3)
    for _ in range(2):
        await office.imports(cards=HEADER + f"{MARIA.replace('p-1', 'p-2')};;;\n")
        assert await office.holders() == [("p-1", None, 3), ("p-2", 3, None)]
        office.clock.at += dt.timedelta(days=1)


async def test_a_card_that_is_not_listed_any_more_ends_now(office: Office) -> None:
    await office.imports()
    office.clock.at += dt.timedelta(days=2)
    await office.imports(cards=HEADER + f"{IVAN};;;\n")
    assert await office.holders() == [("p-1", None, 2)]


async def test_dates_of_the_office_correct_the_past(office: Office) -> None:
    await office.imports(cards=HEADER + f"{MARIA};;;\n")
    office.clock.at += dt.timedelta(days=3)
    both = f"{MARIA};;2026-09-01;\n{MARIA.replace('p-1', 'p-2')};2026-09-02;;\n"
    await office.imports(cards=HEADER + both)
    assert await office.holders() == [("p-1", None, 0), ("p-2", 0, None)]
    (_, second) = (row for row in await office.rows("cards") if row["token"] == KEY.token(CARD))
    assert second["valid_from"] == milliseconds(dt.datetime(2026, 9, 1, 21, tzinfo=dt.UTC))


@pytest.mark.parametrize("since", ["", "2026-09-01"])
async def test_a_card_that_is_lost_now_was_good_before(office: Office, since: str) -> None:
    await office.imports(cards=HEADER + f"{MARIA};{since};;\n")
    first = (await office.holders())[-1][1]
    for state in ("lost", "lost", "", ""):
        office.clock.at += dt.timedelta(days=2)
        await office.imports(cards=HEADER + f"{MARIA};{since};;{state}\n")
    assert (await office.holders())[-3:] == [("p-1", first, 2), ("p-1", 2, 6), ("p-1", 6, None)]
    assert (await office.states())[-3:] == ["active", "lost", "active"]
    assert len(await office.states()) == (4 if since else 3)


async def test_an_import_of_many_cards_is_a_handful_of_statements(office: Office) -> None:
    people = "id;last_name;first_name;class\n" + "".join(f"p-{n};А;Б;5А\n" for n in range(500))
    cards = "technology;uid;person\n" + "".join(f"em4100;55{n:08X};p-{n}\n" for n in range(1, 500))
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(office.store.engine.sync_engine, "before_cursor_execute", note)
    await office.imports(people=people, cards=cards, contacts="person;address\n")
    assert len(await office.rows("cards")) == 500
    assert len(statements) < 50


async def test_lessons_and_cards_are_prepared_before_anybody_has_to_wait(office: Office) -> None:
    school = read_folder(write_school(office.folder))
    site = Site(name=SITE, policy=Policy(), keys=[KEY], cipher=CIPHER)
    async with office.store.begin():  # a gateway's batch is being written
        prepared = prepare(site, school, now=MORNING)
    assert len({slot.start.date() for slot in prepared.compiled.slots}) > 80
    assert {CIPHER.open(SITE, listed.sealed) for listed in prepared.cards} == {CARD, STRANGE}


async def test_a_card_that_was_unknown_is_somebodys_afterwards(office: Office) -> None:
    """A pupil comes with a new card before the office has listed it."""
    await office.imports(cards=HEADER + f"{MARIA};;;\n")
    door = Door()
    door.append(tap(MORNING - dt.timedelta(days=4), STRANGE), tap(MORNING, STRANGE), entry_of_nobody())
    journal = Journal(office.store)
    await journal.takes(door.message(1, 3))
    assert "2026-08-28" not in {date for date, _ in await journal.dirty()}
    days = await office.imports()
    assert {day.date for day in days if day.person == "p-2"} == {"2026-08-28", "2026-09-01"}


def entry_of_nobody() -> Any:
    return tap(MORNING, Credential(technology=Technology.EM4100, uid=b"\1\2\3\4\5"))


async def test_who_left_keeps_a_name_and_loses_everything_else(office: Office) -> None:
    await office.imports()
    people = "id;last_name;first_name;class\np-2;Петров;Иван;5А\n"
    await office.imports(people=people, cards=HEADER + f"{IVAN};;;\n", contacts="person;address\n")
    rows = {row["person"]: row for row in await office.rows("people")}
    assert (rows["p-1"]["last_name"], rows["p-1"]["active"], rows["p-2"]["active"]) == ("Иванова", 0, 1)
    assert await office.rows("contacts") == []
    ends = {row["person"]: row["until"] for row in await office.rows("memberships")}
    assert ends == {"p-1": "2026-09-01", "p-2": None}
    shelf = Shelf()
    await office.publishes(shelf)
    assert [person.id for person in shelf.read()[1].persons] == ["p-2"]


async def test_an_import_replaces_slots_from_its_day_on(office: Office) -> None:
    await office.imports()
    office.clock.at += dt.timedelta(days=2)
    moved = "bells;shift;lesson;start;end\nnormal;1;1;09:00;09:30\nnormal;1;2;09:40;10:10\n"
    days = await office.imports(bells=moved)
    starts = {row["date"]: row["start"] for row in await office.rows("slots") if row["number"] == 1}
    local = {date: dt.datetime.fromtimestamp(at / 1000, dt.UTC).strftime("%H:%M") for date, at in starts.items()}
    assert [local[date] for date in ("2026-09-01", "2026-09-02", "2026-09-03", "2026-12-01")] == [
        "05:30",
        "05:30",
        "06:00",
        "06:00",
    ]
    assert days == {Day(SITE, "2026-09-03", person) for person in ("p-1", "p-2")}
    earlier = await office.imports(bells=moved, since=dt.date(2026, 9, 1))
    assert {day.date for day in earlier} == {"2026-09-01", "2026-09-02"}
    assert await office.imports(bells=moved) == set(), "the same again touches nothing"


async def test_an_import_since_last_september_keeps_the_lessons_of_now(office: Office) -> None:
    office.clock.at = dt.datetime(2027, 1, 20, 7, tzinfo=dt.UTC)
    await office.imports()
    last = max(row["date"] for row in await office.rows("slots"))
    await office.imports(since=dt.date(2026, 9, 1))
    dates = {row["date"] for row in await office.rows("slots")}
    assert {"2026-09-01", "2027-01-20"} <= dates
    assert max(dates) == last
