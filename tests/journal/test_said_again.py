"""What stands beside an import, an override, a crash: hand-made corrections, numbers of a group, words that were said."""

from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.domain.model import Status
from journal import tables
from journal.corrections import Correction, Kind, Named, Span
from journal.statements import Author, Saying, say
from journal.statements import Kind as Word
from tests.journal.bureau import HEADER, IVAN, MARIA, Office
from tests.journal.counter import counter
from tests.journal.door import CARD, KEY, MORNING, SITE
from tests.journal.judging import Judge, picture
from tests.journal.school import SITE as HERE
from tests.journal.school import ZONE, at, school
from tests.journal.test_judge_crash import Crash, crash_at


async def test_a_correction_by_hand_stands_against_a_list_that_says_otherwise(office: Office) -> None:
    await office.imports(cards=HEADER + f"{MARIA};;;\n")
    author = Author(name="Петрова", at=MORNING)
    named = Named(technology=CARD.technology, tokens=(KEY.token(CARD),), sealed=b"")
    async with office.store.begin() as connection:
        correction = await Correction.begin(connection, SITE, ZONE, Kind.GIVE, author)
        await correction.settle(await correction.hold(named, "p-2", Span(since=MORNING)))
    for listed in (f"{MARIA};;;\n", f"{IVAN};;;\n"):
        assert await office.imports(cards=HEADER + listed) is not None
        assert await office.holders() == [("p-1", None, 0), ("p-2", 0, None)]
    lost = f"{MARIA.replace('p-1', 'p-2')};;;lost\n"
    await office.imports(cards=HEADER + lost)
    assert (await office.states())[-1] == "lost", "a list may take out of use what a person handed out"


async def test_a_group_has_other_numbers(tmp_path: Path) -> None:
    async with counter(tmp_path) as desk:
        overrides = '[{"groups": ["5a"], "numbers": {"grace_minutes": 10}}]'
        async with desk.place.store.begin() as connection:
            await connection.execute(update(tables.sites).values(overrides=overrides))
        desk.place.north.tap(1, "08:36")
        desk.place.north.tap(2, "08:44")
        await desk.place.heard("07:00", "12:00")
        await desk.judge.at("08:41")
        assert await desk.marks() == {"p1": "present"}
        await desk.judge.at("12:00")
        assert await desk.marks() == {"p1": "present", "p2": "late 14", "p3": "absent"}


@pytest.mark.parametrize("kind", [Word.CAME, Word.MARK])
async def test_a_crash_at_any_statement_loses_no_word(tmp_path: Path, kind: Word) -> None:
    async with school(tmp_path) as place:
        await place.heard("07:00", "09:20")
        status = Status.PRESENT if kind is Word.MARK else None
        saying = Saying(person="p1", kind=kind, at=at("08:30"), until=at("09:15") if status else None, status=status)
        async with place.store.begin() as connection:
            await say(connection, HERE, ZONE, [saying], Author(name="x", at=at("09:00")))
        before = await picture(place)
        statement, crashes = 0, 0
        while True:
            statement += 1
            with crash_at(place, statement):
                try:
                    await Judge(place).at("09:20")
                except Crash:
                    crashes += 1
                else:
                    break
            assert await picture(place) == before
        assert crashes > 10
        assert (await place.marks())["p1"] == "present"
