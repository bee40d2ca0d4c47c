"""The uplink over a real broker, and what it makes of messages that are not ours."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.domain.handshake import Birth, Parting, topic
from gateway.domain.parts import digest, pack
from gateway.domain.wire import CONTENT_TYPE, batch_statement, link, split
from gateway.errors import LinkLost
from sync.directory import DirectoryReceiver
from sync.signing import BATCH_TAG, Keyring, Signer
from sync.uplink import open_uplink
from tests.broker import Mosquitto
from tests.gateway.fakes import HandClock
from tests.sync.roster import content, manifest
from tests.sync.session import GATEWAY, JOURNAL, STREAM, batch, birth, journal_at, receipt, uplink_at


async def test_a_session_is_born_signed_and_leaves_cleanly(mosquitto: Mosquitto) -> None:
    async with journal_at(mosquitto) as journal:
        async with uplink_at(mosquitto) as uplink:
            born = Birth.parse((await journal.next("state")).payload)
            Keyring([GATEWAY.public]).check(born)
            assert born.session == uplink.session
        left = Parting.model_validate_json((await journal.next("state")).payload)
        assert left == Parting(state="offline", session=born.session)
        async with uplink_at(mosquitto) as uplink:
            assert uplink.session != born.session
    # For a journal that starts later.
    async with journal_at(mosquitto) as later:
        kept = await later.next("state")
        assert kept.retain
        assert Parting.model_validate_json(kept.payload).state == "offline"


async def test_a_cancelled_session_leaves_cleanly(mosquitto: Mosquitto) -> None:
    born = asyncio.Event()

    async def stay() -> None:
        async with uplink_at(mosquitto):
            born.set()
            await asyncio.Event().wait()

    async with journal_at(mosquitto) as journal:
        staying = asyncio.create_task(stay())
        await journal.next("state")
        await born.wait()
        staying.cancel()
        assert b"offline" in (await journal.next("state")).payload
        with pytest.raises(asyncio.CancelledError):
            await staying


async def test_a_session_that_dies_is_lost_by_its_will(mosquitto: Mosquitto) -> None:
    async with journal_at(mosquitto) as journal:
        async with AsyncExitStack() as stack:
            uplink = await stack.enter_async_context(uplink_at(mosquitto))
            await journal.next("state")
            uplink._connection._drop("unplugged")
            with pytest.raises(LinkLost, match="unplugged"):
                await uplink.send(batch())
        left = Parting.model_validate_json((await journal.next("state")).payload)
        assert left == Parting(state="lost", session=uplink.session)


async def test_a_batch_carries_its_signed_statement(mosquitto: Mosquitto) -> None:
    async with journal_at(mosquitto) as journal, uplink_at(mosquitto) as uplink:
        await uplink.send(batch(4, 2))
        message = await journal.next("events")
    said = message.properties
    assert message.content_type == CONTENT_TYPE
    assert message.topic == "att/v1/school-1/north/events"
    assert set(said) == {"epoch", "first", "last", "prev", "head", "kid", "sig"}
    prev, head = bytes.fromhex(said["prev"]), bytes.fromhex(said["head"])
    statement = batch_statement(STREAM, first=int(said["first"]), last=int(said["last"]), prev=prev, head=head)
    Keyring([GATEWAY.public]).verify(BATCH_TAG, statement, kid=said["kid"], sig=said["sig"])
    for body in split(message.payload):
        prev = link(prev, body)
    assert prev == head


async def test_nobody_who_listens_is_noticed(mosquitto: Mosquitto) -> None:
    async with uplink_at(mosquitto) as uplink:
        await uplink.send(batch())
        assert uplink.unheard
        async with journal_at(mosquitto):
            await uplink.send(batch())
            assert not uplink.unheard


async def test_what_is_not_ours_is_dropped_and_counted(mosquitto: Mosquitto) -> None:
    dropped: Counter[str] = Counter()
    async with journal_at(mosquitto) as journal, uplink_at(mosquitto, dropped) as uplink:
        good = receipt(uplink.session, 3)
        for payload in (
            b"{",
            b"x" * 20000,
            receipt(uplink.session, 3, signer=Signer(b"\7" * 32)).payload(),
            good.model_copy(update={"through": 4}).payload(),
            good.model_copy(update={"kid": GATEWAY.kid}).payload(),
            receipt("session-x", 3).payload(),
            receipt(uplink.session, 3, gateway="south").payload(),
            receipt(uplink.session, 3, site="school-2").payload(),
            receipt(uplink.session, 3, epoch="epoch-b").payload(),
            b"",
            good.payload(),
        ):
            await journal.say(payload)
        async with asyncio.timeout(60):
            assert await anext(uplink.receipts()) == good
    assert dropped == {"malformed": 2, "signature": 3, "session": 1, "gateway": 1, "site": 1, "epoch": 1}


async def test_a_key_that_is_learned_holds_in_the_same_session(mosquitto: Mosquitto) -> None:
    fresh, trusted = Signer(b"\7" * 32), [JOURNAL.public]
    uplinks = open_uplink(
        mosquitto.at("north"),
        birth_of=birth,
        signer=GATEWAY,
        keys=lambda: Keyring(trusted),
    )
    async with journal_at(mosquitto) as journal, uplinks as uplink:
        trusted.append(fresh.public)
        await journal.say(receipt(uplink.session, 3, signer=fresh).payload())
        async with asyncio.timeout(60):
            assert (await anext(uplink.receipts())).through == 3


async def test_health_is_retained(mosquitto: Mosquitto) -> None:
    async with uplink_at(mosquitto) as uplink:
        await uplink.publish_health(b'{"queue":1}')
        await uplink.publish_health(b'{"queue":0}')
        async with journal_at(mosquitto) as journal:
            message = await journal.next("health")
    assert (message.payload, message.retain) == (b'{"queue":0}', True)


async def test_a_directory_comes_over_the_broker(mosquitto: Mosquitto, tmp_path: Path) -> None:
    raw = content(padding=5 * 48 * 1024).raw()
    root = topic("school-1", "directory")
    receiver = DirectoryReceiver(
        tmp_path / "directory.json", site="school-1", keys=[Signer(b"\1" * 32).public], clock=HandClock()
    )
    async with journal_at(mosquitto) as journal, uplink_at(mosquitto) as uplink:
        receiving = asyncio.create_task(receiver.receive(uplink))
        # The manifest may come before its parts.
        await journal.connection.publish(f"{root}/manifest", manifest(raw), retain=True)
        for part in pack(raw):
            await journal.connection.publish(f"{root}/part/{digest(part)}", part, retain=True)
        async with asyncio.timeout(60):
            while receiver.current.version is None:
                assert receiver.error is None
                await asyncio.sleep(0.01)
        # While parts are fetched receipts come through as before.
        await journal.say(receipt(uplink.session, 3).payload())
        assert (await anext(uplink.receipts())).through == 3
        waiting = asyncio.create_task(uplink.part("ab" * 32))
        await asyncio.sleep(0)
        uplink._connection._drop("unplugged")
        for work in (receiving, waiting):
            with pytest.raises(LinkLost):
                await work
