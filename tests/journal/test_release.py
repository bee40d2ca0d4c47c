"""What a person is told who lets messages go or drops them: how many, when they go, and which cannot."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from journal.notify.notice import Window
from journal.notify.tables import notices
from journal.notify.wording import dropped_in_words, released_in_words
from journal.store import milliseconds
from tests.journal.clerk import Clerk, clerk
from tests.journal.school import SITE, TODAY, ZONE, at


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clerk]:
    """Ten pupils of whom nobody came: all messages are held."""
    async with clerk(tmp_path, monkeypatch, pupils=10) as made:
        await made.place.heard("07:00", "08:45")
        await made.judge.at("08:45")
        yield made


@pytest.mark.parametrize(
    ("count", "language", "released", "dropped"),
    [
        (1, "ru", "уходит 1 сообщение", "отменено 1 сообщение"),
        (2, "ru", "уходят 2 сообщения", "отменены 2 сообщения"),
        (11, "ru", "уходит 11 сообщений", "отменено 11 сообщений"),
        (21, "ru", "уходит 21 сообщение", "отменено 21 сообщение"),
        (1, "en", "1 message goes out", "1 message is dropped"),
        (2, "en", "2 messages go out", "2 messages are dropped"),
    ],
)
def test_plurals_of_what_was_decided(count: int, language: str, released: str, dropped: str) -> None:
    open_now = [Window(opens=at("08:30"), expires=at("09:15"))] * count
    assert released_in_words(open_now, at("08:46"), ZONE, language, paused=False) == released
    assert dropped_in_words(count, language) == dropped


@pytest.mark.parametrize(
    ("language", "paused", "said"),
    [
        ("ru", False, "уходят 2 сообщения; уйдёт 1 сообщение в 07:00; не уйдёт 1 сообщение: урок закончится раньше"),
        ("en", False, "2 messages go out; 1 message goes out at 07:00; 1 message will not be sent: the lesson is over"),
        ("ru", True, "ждут 3 сообщения: отправка приостановлена, «attendance-journal notify resume»"),
        ("en", True, "3 messages wait: sending is paused, 'attendance-journal notify resume'"),
    ],
)
def test_a_release_tells_when_messages_go(language: str, paused: bool, said: str) -> None:
    windows = [
        Window(opens=at("06:00"), expires=at("06:50")),
        Window(opens=at("06:10"), expires=at("06:50")),
        Window(opens=at("07:00"), expires=at("07:30")),
        Window(opens=at("07:00"), expires=at("06:50")),
    ]
    assert released_in_words(windows, at("06:40"), ZONE, language, paused=paused).startswith(said)
    over = released_in_words(windows[3:], at("06:40"), ZONE, language, paused=paused)
    assert over == released_in_words(windows, at("06:40"), ZONE, language, paused=paused).split("; ")[-1]


async def test_what_is_released_before_its_hour_or_in_a_pause_is_said_to_wait(desk: Clerk) -> None:
    async with desk.place.store.begin() as connection:
        await connection.execute(update(notices).values(due=milliseconds(at("09:00"))))
    release = ("notify", "release", SITE, "--by", "Петрова")
    assert await desk.types("08:46", *release) == "уйдёт 10 сообщений в 09:00\n"
    assert (await desk.types("08:46", "notify", "list")).startswith(f"{TODAY}  с 09:00  ждёт отправки")
    async with desk.place.store.begin() as connection:
        await connection.execute(update(notices).values(state="held"))
    await desk.types("08:46", "notify", "pause")
    assert (await desk.types("08:46", *release)).startswith("ждёт 10 сообщений: отправка приостановлена")


@pytest.mark.parametrize("what", ["release", "drop"])
async def test_a_class_that_does_not_exist_is_refused(desk: Clerk, what: str) -> None:
    said = await desk.types("08:46", "notify", what, SITE, "--class", "9Я", "--by", "П.", code=1)
    assert 'school-1 has no class "9Я"' in said
    assert set(await desk.place.rows(notices, "state")) == {("held",)}
