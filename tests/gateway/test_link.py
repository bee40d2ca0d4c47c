"""The gateway's side of the link over a real broker, and what the log hears of it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.model import UplinkConfig
from gateway.domain.handshake import Refusal
from gateway.domain.model import Seq
from gateway.errors import LinkLost
from gateway.link import Link, LoggedStatus
from sync.directory import DirectoryReceiver
from sync.outbox import SqliteOutbox
from tests.broker import Mosquitto
from tests.gateway.fakes import HandClock
from tests.gateway.keys import rekeying
from tests.sync.session import JOURNAL, Journal, journal_at, receipt

REFUSED = Refusal(first=4, last=6, code="signature")


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[SqliteOutbox]:
    async with SqliteOutbox(tmp_path / "ledger.db", site="school-1", gateway="north", clock=HandClock()) as outbox:
        yield outbox


async def met(journal: Journal, link: Link) -> tuple[dict[str, object], dict[str, object]]:
    """What the journal hears first on `state` and on `health`."""
    keeping = asyncio.create_task(link.keep())
    try:
        messages = [await journal.next(leaf) for leaf in ("state", "health")]
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
    return json.loads(messages[0].payload), json.loads(messages[1].payload)


async def test_it_is_born_and_its_health_stays_with_the_broker(tmp_path: Path, outbox: SqliteOutbox) -> None:
    async def health() -> dict[str, object]:
        return {"queue": 1, "time": "now"}

    directory = DirectoryReceiver(
        tmp_path / "directory.json", site="school-1", keys=[JOURNAL.public], clock=HandClock()
    )
    with Mosquitto(tmp_path / "mosquitto") as broker:
        link = Link(UplinkConfig(url=broker.url), outbox, directory, rekeying(tmp_path, outbox), health)
        async with journal_at(broker) as journal:
            birth, told = await met(journal, link)
        assert (birth["state"], birth["gateway"], birth["epoch"]) == ("online", "north", outbox.stream.epoch)
        assert (birth["last"], birth["floor"]) == (1, 1)
        assert told == {"queue": 1, "time": "now"}
        async with journal_at(broker, "late") as late:
            kept = await late.next("health")
        assert kept.retain
        assert json.loads(kept.payload) == told


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "gateway"]


def test_each_new_reason_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    status = LoggedStatus()
    for _ in range(3):
        status.down(LinkLost("no route"))
    status.up("s-1")
    status.down(LinkLost("refused"))
    assert said(caplog) == ["link down: no route", "link up", "link down: refused"]


def test_what_the_journal_does_not_count_or_cannot_get_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    status = LoggedStatus()
    for refused in ([], [REFUSED], [REFUSED], [REFUSED, Refusal(first=7, last=7, code="key")]):
        status.heard(receipt("s-1", 3, refused=tuple(refused)), floor=Seq(1), settled=True)
    for _ in range(2):
        status.heard(receipt("s-1", 3), floor=Seq(9), settled=False)
    words = [sentence.rpartition(": ")[2] for sentence in said(caplog)]
    assert words == ["4-6:signature", "7-7:key", "4-8"]
    assert all(getattr(record, "hint", None) for record in caplog.records)
    assert status.summary["gone"] == "4-8"
