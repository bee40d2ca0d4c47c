"""The worker against a real SMTP server: each message once or not at all, and a broken server hurts nobody else."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from journal import tables
from journal.notify.outbox import pause
from journal.notify.tables import notices
from journal.notify.templates import Message
from journal.notify.worker import AppriseChannel, Attempt, Channel, Outcome, Worker
from journal.store import milliseconds
from tests.journal.school import FakeClock, School, at
from tests.smtp import MailServer, Mood, dead_port, deaf_port, mail_server

#: Apprise asks whether Python has this module, once, while it loads.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")

channel_type: type[Channel] = AppriseChannel


@pytest.fixture
async def post() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


def notice(person: int = 1, template: str = "late", **changed: Any) -> dict[str, Any]:
    said = {"name": f"Имя{person}", "at": milliseconds(at("08:36")), "minutes": 6}
    return {
        "person": f"p{person}",
        "date": "2026-09-01",
        "episode": f"school-1/2026-09-01/p{person}",
        "recipient": f"parent{person}@example.org",
        "language": "ru",
        "template": template,
        "body": json.dumps(said),
        "created": milliseconds(at("08:37")),
        "due": milliseconds(at("08:30")),
        "expires": milliseconds(at("09:15")),
        "state": "pending",
        "attempts": 0,
    } | changed


def worker(place: School, channel: Channel, local: str = "08:40") -> Worker:
    return Worker(place.store, FakeClock(at(local)), channel)


async def emptied(sender: Worker) -> int:
    attempts = 0
    while await sender.step():
        attempts += 1
    return attempts


async def outcome(place: School) -> list[tuple[Any, ...]]:
    return await place.rows(notices, "state", "attempts", "error")


async def test_a_message_arrives_once(place: School, post: MailServer) -> None:
    await place.add(notices, notice(1), notice(2, "not_seen", language="en"))
    assert await emptied(worker(place, AppriseChannel(post.url))) == 2
    assert await emptied(worker(place, AppriseChannel(post.url))) == 0
    assert post.texts == [
        "parent1@example.org: Имя1: вход в 08:36, опоздание 6 минут.",
        "parent2@example.org: Имя2: the card was not seen at the entrance by 08:36.",
    ]
    assert [message["subject"] for _, message in post.taken] == ["Опоздание", "Card not seen at the entrance"]
    assert await outcome(place) == [("sent", 1, None), ("sent", 1, None)]


async def test_an_address_may_be_a_service_of_its_own(place: School, post: MailServer) -> None:
    await place.add(notices, notice(1, recipient=f"{post.url}&to=a%40example.org&format=text"))
    await emptied(worker(place, AppriseChannel("mailto://nobody.invalid")))
    assert post.texts == ["a@example.org: Имя1: вход в 08:36, опоздание 6 минут."]


@pytest.mark.parametrize(
    "changed",
    [
        {"due": milliseconds(at("08:41"))},
        {"expires": milliseconds(at("08:40"))},
        {"state": "withdrawn"},
        {"state": "uncertain"},
        {"state": "held"},
    ],
    ids=str,
)
async def test_what_may_not_be_sent_stays(place: School, post: MailServer, changed: dict[str, Any]) -> None:
    await place.add(notices, notice(1, **changed))
    assert await emptied(worker(place, AppriseChannel(post.url))) == 0
    assert post.texts == []


async def test_while_messages_are_paused_nobody_is_told(place: School, post: MailServer) -> None:
    await place.add(notices, notice(1), notice(2, expires=milliseconds(at("08:41"))))
    async with place.store.begin() as connection:
        await pause(connection, paused=True)
    assert await emptied(worker(place, AppriseChannel(post.url))) == 0
    assert not await worker(place, AppriseChannel(post.url), "08:41").step()
    assert await place.notices() == ["p1 late pending", "p2 late expired"]
    async with place.store.begin() as connection:
        await pause(connection, paused=False)
    assert await emptied(worker(place, AppriseChannel(post.url))) == 1
    assert len(post.texts) == 1


async def test_after_its_lesson_a_message_expires(place: School, post: MailServer) -> None:
    await place.add(notices, notice(1))
    assert not await worker(place, AppriseChannel(post.url), "09:15").step()
    assert await outcome(place) == [("expired", 0, None)]


@pytest.mark.parametrize("person", ["", "p1"])
async def test_nothing_is_said_while_a_fact_is_not_judged(place: School, post: MailServer, person: str) -> None:
    await place.add(notices, notice(1))
    await place.add(tables.dirty, {"date": "2026-09-01", "person": person, "stamp": 1})
    assert await emptied(worker(place, AppriseChannel(post.url))) == 0


@pytest.mark.parametrize(
    ("mood", "reason"),
    [(Mood.REFUSES_RECIPIENT, "550 no such mailbox"), (Mood.REFUSES_MESSAGE, "451 try again later")],
)
async def test_a_refused_message_waits_and_goes_later(place: School, post: MailServer, mood: Mood, reason: str) -> None:
    await place.add(notices, notice(1))
    sender = worker(place, AppriseChannel(post.url))
    post.mood = mood
    assert await emptied(sender) == 1
    assert await outcome(place) == [("pending", 1, reason)]
    assert await place.rows(tables.dirty, "person") == [("p1",)]
    await judged(place)
    assert not await sender.step()
    post.mood = Mood.TAKES
    assert await emptied(worker(place, AppriseChannel(post.url), "08:40:15")) == 1
    assert await outcome(place) == [("sent", 2, None)]
    assert len(post.texts) == 1


async def judged(place: School) -> None:
    async with place.store.begin() as connection:
        await connection.execute(tables.dirty.delete())


async def test_a_dead_server_is_tried_until_the_lesson_ends(place: School) -> None:
    await place.add(notices, notice(1))
    clock = FakeClock(at("08:40"))
    sender = Worker(place.store, clock, AppriseChannel(f"mailto://127.0.0.1:{dead_port()}?from=s@example.org"))
    waits = []
    while await place.rows(notices, "state") == [("pending",)]:
        began = clock.moment
        while not await sender.step() and await place.rows(notices, "state") == [("pending",)]:
            await clock.sleep(15)
        await judged(place)
        waits.append((clock.moment - began).total_seconds())
    assert waits[:7] == [0, 15, 30, 60, 120, 240, 300]
    ((state, _, error),) = await outcome(place)
    assert state == "expired"
    assert "refused" in error


@pytest.mark.parametrize("mood", [Mood.HANGS_AFTER_MESSAGE, Mood.BREAKS_AFTER_MESSAGE])
async def test_nobody_is_told_twice_when_the_answer_is_lost(place: School, post: MailServer, mood: Mood) -> None:
    await place.add(notices, notice(1))
    # A third of it for each answer: the ones before the message must not be late, however busy this machine is.
    sender = worker(place, AppriseChannel(post.url, timeout=6 if mood is Mood.HANGS_AFTER_MESSAGE else 60))
    post.mood = mood
    assert await emptied(sender) == 1
    post.mood = Mood.TAKES
    assert await emptied(sender) == 0
    assert len(post.texts) == 1
    ((state, attempts, _),) = await outcome(place)
    assert (state, attempts) == ("uncertain", 1)


async def test_a_deaf_server_took_nothing(place: School) -> None:
    await place.add(notices, notice(1))
    with contextmanager(deaf_port)() as port:
        channel = AppriseChannel(f"mailto://127.0.0.1:{port}?from=s@example.org", timeout=0.6)
        assert await worker(place, channel).step()
    ((state, _, reason),) = await outcome(place)
    assert state == "pending"
    assert "timed out" in reason


async def test_a_server_that_takes_its_time_delays_nobody(place: School, post: MailServer) -> None:
    await place.add(notices, notice(1))
    post.mood = Mood.HANGS_AFTER_MESSAGE
    sending = asyncio.create_task(worker(place, AppriseChannel(post.url, timeout=180)).step())
    await post.arrived.wait()
    # the attempt is under way, and the journal writes all the same
    assert await place.rows(notices, "state") == [("sending",)]
    place.north.tap(1, "08:41")
    await place.deliver()
    assert not sending.done()
    post.release()
    assert await sending
    assert await outcome(place) == [("sent", 1, None)]


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class Crash(Exception):
    """The process is gone."""


class CrashingChannel:
    """Dies in the middle of an attempt: before or after the server took the message."""

    def __init__(self, inner: Channel | None = None) -> None:
        self._inner = inner

    async def send(self, address: str, message: Message) -> Attempt:
        if self._inner is not None:
            assert (await self._inner.send(address, message)).outcome is Outcome.SENT
        raise Crash


@pytest.mark.parametrize("delivered", [False, True])
async def test_a_crash_in_the_middle_of_an_attempt_is_for_the_office(
    place: School, post: MailServer, delivered: bool
) -> None:
    await place.add(notices, notice(1), notice(2))
    inner = AppriseChannel(post.url) if delivered else None
    with pytest.raises(Crash):
        await worker(place, CrashingChannel(inner)).run()
    assert await place.notices() == ["p1 late sending", "p2 late pending"]

    restarted = asyncio.create_task(worker(place, AppriseChannel(post.url)).run())
    while await place.notices() != ["p1 late uncertain", "p2 late sent"]:
        await asyncio.sleep(0)
        assert not restarted.done()
    await stopped(restarted)
    assert max(post.texts).startswith("parent2@")
    assert len(post.texts) == 1 + delivered


async def test_a_clean_stop_ends_the_attempt_first(place: School, post: MailServer) -> None:
    await place.add(notices, notice(1), notice(2))
    post.mood = Mood.HANGS_AFTER_MESSAGE
    running = asyncio.create_task(worker(place, AppriseChannel(post.url)).run())
    await post.arrived.wait()
    running.cancel()
    post.release()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await place.notices() == ["p1 late sent", "p2 late pending"]


class Heard(logging.Handler):
    """What reaches the program's own log; caplog would hear loggers that are cut off from it, too."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # The database driver and the mail server of the test are not the worker.
        if record.name.split(".")[0] not in {"aiosqlite", "asyncio", "mail"}:
            self.lines.append(record.getMessage())


async def test_no_log_names_anybody(place: School, post: MailServer, capfd: pytest.CaptureFixture[str]) -> None:
    heard, root = Heard(), logging.getLogger()
    level = root.level
    root.setLevel(0)
    root.addHandler(heard)
    try:
        await place.add(notices, notice(1), notice(2))
        post.mood = Mood.REFUSES_RECIPIENT
        await emptied(worker(place, AppriseChannel(post.url)))
    finally:
        root.removeHandler(heard)
        root.setLevel(level)
    said = "".join([*heard.lines, *capfd.readouterr(), str(await outcome(place))])
    assert "550" in said
    assert "parent" not in said
    assert "Имя" not in said
