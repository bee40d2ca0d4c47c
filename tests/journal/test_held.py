"""What the brake holds, on a real database: until a person lets it go, drops it, or it is not true any more."""

import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from journal import tables
from journal.notify.notice import Template
from journal.notify.outbox import State, claim, expire
from journal.notify.tables import notices
from journal.notify.wording import STATES, TEMPLATES
from journal.store import EVERYBODY, Day, mark_dirty
from tests.journal.clerk import Clerk, clerk
from tests.journal.judging import told
from tests.journal.school import SITE, TODAY, at, lesson

DATE = TODAY.isoformat()


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clerk]:
    """Ten pupils; the brake of a class is at six."""
    async with clerk(tmp_path, monkeypatch, pupils=10) as made:
        yield made


async def states(desk: Clerk) -> dict[str, int]:
    return Counter(state for (state,) in await desk.place.rows(notices, "state"))


async def nobody_came(desk: Clerk, *, but: Sequence[int] = (), until: str = "08:45") -> None:
    for person in but:
        desk.place.north.tap(person, "08:20")
    await desk.place.heard("07:00", until)
    await desk.judge.at(until)


async def everybody_again(desk: Clerk, local: str) -> None:
    async with desk.place.store.begin() as connection:
        await mark_dirty(connection, [Day(SITE, DATE, EVERYBODY)])
    await desk.judge.at(local)


async def test_a_class_that_is_not_there_waits_for_a_person(desk: Clerk, caplog: pytest.LogCaptureFixture) -> None:
    await nobody_came(desk)
    assert await states(desk) == {"held": 10}
    async with desk.place.store.begin() as connection:
        assert await claim(connection, at("08:46")) is None
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert (record.__dict__["count"], record.__dict__["hint"]) == (10, f"attendance-journal notify held {SITE}")
    assert "Имя" not in record.getMessage()


async def test_five_are_told(desk: Clerk) -> None:
    await nobody_came(desk, but=range(6, 11))
    assert await states(desk) == {"pending": 5}


@pytest.mark.parametrize(
    ("some", "state"),
    [
        ('"groups": ["5a"]', "held"),
        ('"grades": [5]', "held"),
        ('"shifts": [2]', "pending"),
        ('"groups": ["6a"]', "pending"),
    ],
)
async def test_a_class_has_a_brake_of_its_own(desk: Clerk, some: str, state: str) -> None:
    overrides = f'[{{{some}, "numbers": {{"brake_class_pupils": 3}}}}]'
    async with desk.place.store.begin() as connection:
        await connection.execute(update(tables.sites).values(overrides=overrides))
    await nobody_came(desk, but=range(5, 11))
    assert await states(desk) == {state: 4}


async def test_a_shift_has_a_brake_of_its_own(desk: Clerk) -> None:
    overrides = '[{"shifts": [1], "numbers": {"brake_pupils": 2}}]'
    async with desk.place.store.begin() as connection:
        await connection.execute(update(tables.groups).values(shift=1))
        await connection.execute(update(tables.sites).values(overrides=overrides))
    await nobody_came(desk, but=range(4, 11))
    assert await states(desk) == {"held": 3}


async def test_those_told_before_the_limit_stay_told_and_count(desk: Clerk) -> None:
    for person in (1, 2, 3, 4, 5):
        desk.place.north.tap(person, "08:36")
    await desk.place.heard("07:00", "08:37")
    await desk.judge.at("08:37")
    await told(desk.place, "late")
    desk.place.north.tap(6, "08:40")
    await desk.place.heard("08:37", "08:41")
    await desk.judge.at("08:41")
    assert await states(desk) == {"sent": 5, "held": 1}
    async with desk.place.store.begin() as connection:  # the clock of that door was wrong
        moved = tables.cards.c.person == "p1"
        await connection.execute(update(tables.cards).where(moved).values(token="another"))
        await mark_dirty(connection, [Day(SITE, DATE, "p1")])
    await desk.judge.at("08:42")
    assert "p1 correction pending" in await desk.place.notices(), "what was said is followed up as ever"


async def test_what_is_held_goes_when_a_person_says_so(desk: Clerk) -> None:
    await nobody_came(desk, but=[9, 10])
    assert await desk.types("08:46", "notify", "release", SITE, "--by", "Петрова") == "уходит 8 сообщений\n"
    await everybody_again(desk, "08:47")
    assert await states(desk) == {"pending": 8}
    assert set(await desk.place.rows(notices, "author", "decided")) == {
        ("Петрова", int(at("08:46").timestamp() * 1000))
    }
    async with desk.place.store.begin() as connection:  # the ninth was never there: somebody had the card
        other = tables.cards.c.person == "p9"
        await connection.execute(update(tables.cards).where(other).values(token="another"))
    await everybody_again(desk, "08:48")
    assert await states(desk) == {"pending": 8, "held": 1}, "nobody has looked at this one"


async def test_a_released_message_expires_with_its_lesson(desk: Clerk) -> None:
    await nobody_came(desk)
    await desk.types("08:46", "notify", "release", SITE, "--by", "Петрова")
    async with desk.place.store.begin() as connection:
        assert await expire(connection, at("09:15")) == 10


async def test_a_held_message_expires_too_and_cannot_be_released_then(desk: Clerk) -> None:
    await nobody_came(desk)
    english = ("--language", "en")
    assert await desk.types("09:15", "notify", "release", SITE, "--by", "П.", *english) == "0 messages go out\n"
    assert await desk.types("09:15", "notify", "held", SITE, *english) == "nothing is held\n"
    async with desk.place.store.begin() as connection:
        assert await expire(connection, at("09:15")) == 10


async def test_what_is_dropped_is_never_said_nor_that_the_child_came_late(desk: Clerk) -> None:
    await nobody_came(desk)
    assert await desk.types("08:46", "notify", "drop", SITE, "--by", "Петрова") == "отменено 10 сообщений\n"
    desk.place.north.tap(1, "08:50")
    await desk.place.heard("08:45", "08:51")
    await everybody_again(desk, "08:51")
    assert await states(desk) == {"dropped": 10}


async def test_a_held_message_that_is_false_is_withdrawn_and_the_rest_stays_held(desk: Clerk) -> None:
    await nobody_came(desk)
    async with desk.place.store.begin() as connection:
        c = tables.cards.c
        await connection.execute(update(tables.cards).where(c.person.not_in(["p1"])).values(state="lost"))
    await everybody_again(desk, "08:46")
    assert await states(desk) == {"withdrawn": 9, "held": 1}


async def test_only_one_class_is_released(desk: Clerk) -> None:
    await desk.place.add(tables.groups, {"group": "5b", "title": "5Б", "grade": 5})
    async with desk.place.store.begin() as connection:
        mine = tables.people.c.person.in_(["p1", "p2", "p3"])
        await connection.execute(update(tables.people).where(mine).values(class_group="5b"))
    await nobody_came(desk)
    assert await states(desk) == {"held": 7, "pending": 3}
    assert await desk.types("08:46", "notify", "release", SITE, "--class", "5Б", "--by", "П.") == "уходит 0 сообщений\n"
    assert await desk.types("08:46", "notify", "release", SITE, "--class", "5А", "--by", "П.") == "уходит 7 сообщений\n"


async def test_who_is_held_is_shown_by_name(desk: Clerk) -> None:
    await nobody_came(desk, but=range(1, 5))
    rows = json.loads(await desk.types("08:46", "notify", "held", SITE, "--json"))
    assert [row["person"] for row in rows] == ["p10", "p5", "p6", "p7", "p8", "p9"]
    first = {"class": "5А", "person": "p10", "name": "Фамилия10 Имя10", "template": "not_seen", "expires": "09:15"}
    assert rows[0] == first
    shown = await desk.types("08:46", "notify", "held", SITE, "--class", "5А")
    assert shown.splitlines()[0] == "класс  о чём              код  фамилия и имя    не позже"
    assert shown.splitlines()[1] == "5А     карта не отмечена  p10  Фамилия10 Имя10  09:15"
    assert shown.splitlines()[-1] == "5А: 6"
    english = await desk.types("08:46", "notify", "held", SITE, "--class", "5А", "--language", "en")
    assert english.splitlines()[2] == "5А     not seen  p5   Фамилия5 Имя5    09:15"
    said = await desk.types("08:46", "notify", "held", SITE, "--class", "5A", code=1)
    assert 'school-1 has no class "5A"' in said
    assert 'did you mean "5А"?' in said
    assert "known sites: school-1" in await desk.types("08:46", "notify", "held", "school-9", code=1)
    listed = await desk.types("08:46", "notify", "list", "--state", "held")
    assert listed.splitlines()[0].startswith(f"{DATE}  с 08:30  ждёт решения человека  карта не отмечена")
    assert listed.endswith("\nждёт решения человека: 6\n")
    assert await desk.types("08:46", "notify", "list", "--state", "sent") == "сообщений нет\n"


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_state_and_template_has_words(language: str) -> None:
    assert all(STATES[language][state] for state in State)
    assert all(TEMPLATES[language][template] for template in Template)


async def test_nobody_decides_without_a_name(desk: Clerk) -> None:
    assert "--by" in await desk.types("08:46", "notify", "release", SITE, code=2)


async def test_a_release_is_for_the_message_that_a_person_saw(desk: Clerk) -> None:
    await nobody_came(desk)
    await desk.types("08:46", "notify", "release", SITE, "--by", "Петрова")
    for state, expected in (("lost", {"withdrawn": 10}), ("active", {"held": 10})):
        async with desk.place.store.begin() as connection:
            await connection.execute(update(tables.cards).values(state=state))
        await everybody_again(desk, "08:47")
        assert await states(desk) == expected
    assert set(await desk.place.rows(notices, "author", "decided")) == {(None, None)}


@pytest.mark.parametrize("whose", ["nobody agreed to be told", "the teacher takes attendance"])
async def test_a_share_is_of_those_whose_parents_a_gate_could_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """Seven of seven are a class, though there are twenty in it."""
    (tmp_path / "wide").mkdir()
    async with clerk(tmp_path / "wide", monkeypatch, pupils=20) as made:
        others = [f"p{number}" for number in range(8, 21)]
        async with made.place.store.begin() as connection:
            c, m = tables.contacts.c, tables.memberships.c
            if whose == "nobody agreed to be told":
                await connection.execute(update(tables.contacts).where(c.person.in_(others)).values(consent=0))
            else:
                await connection.execute(update(tables.memberships).where(m.person.in_(others)).values(group="5a-2"))
        await made.place.add(tables.slots, lesson(1, "08:30", "09:15", group="5a-2", mode="teacher"))
        await nobody_came(made)
        assert await states(made) == {"held": 7}


@pytest.mark.parametrize("left", [{"active": 0}, {"role": "staff"}], ids=str)
async def test_a_pupil_who_left_the_school_is_not_spoken_of_any_more(desk: Clerk, left: dict[str, Any]) -> None:
    await nobody_came(desk, but=range(2, 11))
    assert await desk.place.notices() == ["p1 not_seen pending"]
    async with desk.place.store.begin() as connection:
        await connection.execute(update(tables.people).where(tables.people.c.person == "p1").values(**left))
    await everybody_again(desk, "08:46")
    assert await desk.place.notices() == ["p1 not_seen withdrawn"]


async def test_a_lesson_that_is_cancelled_takes_its_messages_along(desk: Clerk) -> None:
    await nobody_came(desk, but=range(2, 11))
    async with desk.place.store.begin() as connection:
        await connection.execute(tables.slots.delete())
        await mark_dirty(connection, [Day(SITE, DATE, EVERYBODY)])
    await desk.judge.at("08:46")
    assert await desk.place.notices() == ["p1 not_seen withdrawn"]


async def test_who_asked_hears_after_the_lesson(desk: Clerk) -> None:
    wish = ("notify", "wish", SITE, "p1", "parent1@example.org")
    assert await desk.types("08:00", *wish, "--of", "arrived") == "p1: вход\n"
    desk.place.north.tap(1, "08:20")
    desk.place.north.tap(2, "08:20")
    await desk.place.heard("07:00", "09:15")
    await everybody_again(desk, "09:15")
    assert await desk.place.notices() == ["p1 arrived pending"]
    assert await desk.types("09:16", *wish) == "p1: ничего сверх обычного\n"
    await desk.judge.at("09:16")
    assert await desk.place.notices() == ["p1 arrived withdrawn"]


async def test_a_wish_needs_a_contact(desk: Clerk) -> None:
    said = await desk.types("08:00", "notify", "wish", SITE, "p1", "parent2@example.org", "--of", "arrived", code=1)
    assert "lists no such address for p1" in said
    assert "parent2" not in said
