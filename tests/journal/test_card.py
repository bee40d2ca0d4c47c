"""The card ledger mended by hand: rows close and open, past taps change hands, days of both are judged again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.credential import Credential, Technology
from gateway.domain.model import Reason, Verdict
from journal import tables
from journal.keys import CardCipher
from journal.store import milliseconds
from tests.journal.counter import Counter, counter
from tests.journal.judging import told
from tests.journal.school import KEY, SITE, at, card

UNKNOWN = Verdict(admit=False, reason=Reason.UNKNOWN_CARD)


def uid(number: int) -> str:
    return card(number).uid.hex().upper()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as made:
        yield made


async def ledger(desk: Counter, number: int) -> list[tuple[Any, ...]]:
    """(person, from, to, state) of one card by the school's clock, empty rows left out."""

    def wall(value: int | None) -> str:
        midnights = {milliseconds(at("00:00")): "today", milliseconds(at("00:00")) + 86_400_000: "tomorrow"}
        return "–" if value is None else midnights.get(value, "later")

    rows = await desk.place.rows(tables.cards, "token", "person", "valid_from", "valid_to", "state")
    mine = [row[1:] for row in rows if row[0] == KEY.token(card(number))]
    return [(p, wall(a), wall(b), s) for p, a, b, s in mine if b is None or b > (a or 0)]


async def test_siblings_who_swapped_cards_are_told_apart_at_noon(desk: Counter) -> None:
    desk.place.north.tap(1, "08:20")  # in truth p2
    desk.place.north.tap(2, "08:40")  # in truth p1
    await desk.place.heard("07:00", "12:00")
    await desk.judge.at("08:46")
    await told(desk.place, "late")
    await desk.judge.at("12:00")
    assert await desk.marks() == {"p1": "present", "p2": "late 10", "p3": "absent"}
    swap = ("card", "swap", "p1", "p2", "--last", "2026-09-01", "--by", "Петрова", "--note", "брат и сестра")
    assert "Меняются 2 отметки, уже отправлено 1 сообщение" in await desk.types(*swap, "--dry-run")
    assert await ledger(desk, 1) == [("p1", "–", "–", "active")]
    await desk.types(*swap)
    assert await ledger(desk, 1) == [
        ("p1", "–", "today", "active"),
        ("p1", "tomorrow", "–", "active"),
        ("p2", "today", "tomorrow", "active"),
    ]
    await desk.judge.at("12:01")
    assert await desk.marks() == {"p1": "late 10", "p2": "present", "p3": "absent"}


async def test_an_unknown_card_finds_its_owner_afterwards(desk: Counter) -> None:
    desk.place.north.tap(9, "08:10", verdict=UNKNOWN)
    desk.place.north.tap(8, "08:25", verdict=UNKNOWN)
    desk.place.south.tap(9, "08:26", verdict=UNKNOWN)
    await desk.place.heard("07:00", "12:00")
    await desk.judge.at("12:00")
    assert (await desk.marks())["p3"] == "absent"
    said = await desk.types("card", "give", "p3", "--last-unknown", "north/main", "--by", "Guard")
    assert "показанная в 08:25:00" in said
    assert await ledger(desk, 8) == [("p3", "today", "–", "active")]
    await desk.judge.at("12:01")
    assert (await desk.marks())["p3"] == "present"
    await desk.types("card", "give", "p2", "--last-unknown", "north/main", "--by", "Guard")
    assert await ledger(desk, 9) == [("p2", "today", "–", "active")]
    said = await desk.types("card", "give", "p1", "--last-unknown", "south/main", "--by", "Guard", code=1)
    assert "show the card there once more" in said


async def test_a_new_card_replaces_the_lost_one(desk: Counter) -> None:
    words = ("card", "reissue", "p1", uid(7), "--technology", "em4100", "--by", "Петрова")
    said = await desk.types(*words)
    assert uid(7) not in said
    assert await ledger(desk, 1) == [("p1", "–", "today", "active"), ("p1", "today", "–", "lost")]
    assert await ledger(desk, 7) == [("p1", "today", "–", "active")]
    cipher = CardCipher(b"\3" * 32)
    sealed = [row[0] for row in await desk.place.rows(tables.cards, "uid_encrypted")]
    assert [cipher.open(SITE, one) for one in sealed if one != b"x"] == [card(7)]


async def test_a_card_for_one_day(desk: Counter) -> None:
    await desk.types("card", "lend", "p2", uid(1), "--by", "Guard")
    assert await ledger(desk, 1) == [
        ("p1", "–", "today", "active"),
        ("p1", "tomorrow", "–", "active"),
        ("p2", "today", "tomorrow", "active"),
    ]
    desk.place.north.tap(1, "08:20")
    await desk.place.heard("07:00", "12:00")
    await desk.judge.at("12:00")
    assert (await desk.marks())["p2"] == "present"


async def test_a_lost_card_stops_now(desk: Counter) -> None:
    await desk.types("card", "state", "p1", "lost", "--by", "Петрова")
    assert await ledger(desk, 1) == [("p1", "–", "later", "active"), ("p1", "later", "–", "lost")]
    said = await desk.types("card", "state", "p1", "lost", "--by", "Петрова", code=1)
    assert "no working card" in said
    await desk.types("card", "give", "p1", uid(1), "--by", "Петрова")
    assert (await ledger(desk, 1))[-1] == ("p1", "today", "–", "active")


async def test_who_had_no_card_is_judged_once_there_is_one(desk: Counter) -> None:
    async with desk.place.store.begin() as connection:
        await connection.execute(tables.cards.delete().where(tables.cards.c.person == "p1"))
    await desk.place.heard("07:00", "12:00")
    await desk.judge.at("12:00")
    assert "p1" not in await desk.marks()
    await desk.types("card", "give", "p1", uid(1), "--technology", "em4100", "--by", "Петрова")
    await desk.judge.at("12:01")
    assert (await desk.marks())["p1"] == "absent"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("give", "p1"), "--last-unknown GATEWAY/LANE"),
        (("give", "p1", "11AA55AA55AA"), "leave bytes out"),
        (("give", "p1", "11AA55AA55", "--technology", "14443a"), "leave bytes out"),
        (("give", "p1", "no number"), "hex digits in pairs"),
        (("give", "p1", "0800000000000000"), "leave bytes out"),
        (("give", "p9", "55AA55AA55"), "directory"),
        (("swap", "p1", "p2", "--date", "2026-09-02", "--last", "2026-09-01"), "--last on or after --date"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_mistakes_have_a_hint_and_repeat_no_number(desk: Counter, words: tuple[str, ...], hint: str) -> None:
    said = await desk.types("card", *words, "--by", "Петрова", code=1)
    assert said.startswith("error: ")
    assert hint in said
    assert "AA55AA" not in said


async def test_the_list_shows_the_end_of_a_number_and_who_corrected_it(desk: Counter) -> None:
    await desk.types(
        "card", "give", "p1", "04DE5F1EACC040", "--technology", "14443a", "--by", "Петрова", "--note", "новая"
    )
    await desk.types("card", "list", "p2", code=1)  # the sample's own cards are sealed under no key
    async with desk.place.store.begin() as connection:
        sealed = CardCipher(b"\3" * 32).seal(SITE, Credential(technology=Technology.EM4100, uid=card(1).uid))
        await connection.execute(
            tables.cards.update().where(tables.cards.c.uid_encrypted == b"x").values(uid_encrypted=sealed)
        )
    assert (await desk.types("card", "list", "p1")).splitlines() == [
        "em4100:…0001  действует  всегда – дальше  (import)",
        "14443a:…C040  действует  01.09.2026 00:00 – дальше  (Петрова: новая)",
    ]
    shown = await desk.json("card", "list", "p1")
    assert [(one["card"], one["by"], one["note"]) for one in shown][1] == ("14443a:…C040", "Петрова", "новая")
    assert await desk.types("card", "list", "p3", "--language", "en") != ""
