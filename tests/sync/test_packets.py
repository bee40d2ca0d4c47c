"""The MQTT port against a peer that says anything: bounded memory, every reason code read."""

import asyncio
import struct

import pytest

from gateway.errors import LinkError, LinkLost, PublishRefused
from sync.mqtt import connect
from tests.sync.peer import DISCONNECT, PUBACK, PUBLISH, SUBSCRIBE, Peer, ending, length, publish


async def test_what_we_ask_for() -> None:
    async with Peer() as peer, asyncio.TaskGroup() as tasks:
        welcome = tasks.create_task(peer.welcome())
        async with connect(peer.at("door"), keepalive=7, receive_maximum=5):
            body = await welcome
            assert body[:10] == b"\0\4MQTT\5\2" + struct.pack("!H", 7)  # version 5, clean start
            assert b"\x21" + struct.pack("!H", 5) in body
            assert b"\x27" + struct.pack("!I", 65536) in body
        assert (await peer.packet())[0] == DISCONNECT


async def test_a_clone_raises_the_alarm() -> None:
    async with Peer() as peer, asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.welcome())
        async with connect(peer.at("door")) as door:
            peer.say(bytes.fromhex("e0028e00"))
            error = await ending(door)
    assert "connected as door" in str(error)
    assert "0x8E" in str(error)
    assert "certificate" in error.hint


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("2003008700", r"Not authorized \(0x87\)"),
        ("2003008500", r"\(0x85\)"),
        ("2003009F00", r"\(0x9F\)"),
        ("20030001", "before it answered"),
        ("2003004200", "does not speak MQTT 5"),
        ("3c21444f43545950452068746d6c3e", "before it answered"),
    ],
)
async def test_other_welcomes(answer: str, told: str) -> None:
    async with Peer() as peer, asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.dismiss(bytes.fromhex(answer)))
        with pytest.raises(LinkError, match=told):
            async with connect(peer.at("door")):
                pass


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"\xe0\x02\x8b\x00", "0x8B"),
        (b"\x30\xff\xff\xff\x7f" + bytes(100), "more than 65536 bytes"),
        (b"\x00\x00", "does not speak|is gone"),
        (b"\x30\x03\x00\x09a", "does not speak"),
        (publish("a", b"1", qos=2), "QoS 2"),
        (b"".join(publish("a", b"1" * 300, qos=1, packet=number) for number in range(1, 5)), "in flight"),
        (publish("a", b"", qos=1).replace(b"a", b"\xff"), "does not speak"),
    ],
)
async def test_a_peer_that_breaks_the_rules_loses_the_connection(
    said: bytes, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.mqtt.MAX_UNACKNOWLEDGED_BYTES", 1000)
    async with Peer() as peer, asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.welcome())
        async with connect(peer.at("door"), receive_maximum=5) as door:
            peer.say(said)
            with pytest.raises(LinkLost, match=told):
                raise await ending(door)


async def test_nothing_is_acknowledged_by_itself() -> None:
    async with Peer() as peer, asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.welcome())
        async with connect(peer.at("door")) as door:
            peer.say(publish("a", b"1", qos=1, packet=7))
            message = await anext(door.messages())
            publishing = tasks.create_task(door.publish("b", b""))
            kind, body = await peer.packet()
            assert kind & 0xF0 == PUBLISH
            peer.say(b"\x40\x02" + body[3:5])
            await publishing
            door.acknowledge(message)
            assert await peer.packet() == (PUBACK, b"\0\7")


async def test_a_flood_of_qos_0_costs_no_memory() -> None:
    async with Peer() as peer, asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.welcome())
        async with connect(peer.at("door"), receive_maximum=5, timeout=60) as door:
            publishing = tasks.create_task(door.publish("a", b""))
            _, body = await peer.packet()
            peer.say(publish("a", b"x" * 1000) * 500 + publish("b", b"", qos=1) + b"\x40\x02" + body[3:5])
            await publishing
            assert len(door._inbox) == 6
            assert door.dropped == 495


async def test_the_broker_narrows_the_window() -> None:
    async with Peer() as peer, asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.welcome(bytes.fromhex("2006000003210003")))
        async with connect(peer.at("door")) as door:
            publishing = [tasks.create_task(door.publish("a", b"%d" % number)) for number in range(9)]
            held = [await peer.packet() for _ in range(3)]
            assert len(door._pending) == 3
            for number in range(3, 12):
                assert held[0][0] & 0xF0 == PUBLISH
                # Only an answer lets the next one out.
                peer.say(b"\x40\x02" + held.pop(0)[1][3:5])
                if number < 9:
                    held.append(await peer.packet())
            assert [await task for task in publishing] == [0] * 9


async def test_too_large_for_the_broker_is_refused_here() -> None:
    async with Peer() as peer, asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.welcome(bytes.fromhex("2008000005") + b"\x27" + struct.pack("!I", 1000)))
        async with connect(peer.at("door")) as door:
            with pytest.raises(PublishRefused, match="at most 1000") as caught:
                await door.publish("a", b"x" * 1000)
            assert caught.value.code == 0x95
            small = tasks.create_task(door.publish("a", b"x" * 900))
            kind, body = await peer.packet()
            assert (kind & 0xF0, len(body)) == (PUBLISH, 906)
            peer.say(b"\x40\x02" + body[3:5])
            await small


async def test_a_refused_subscription() -> None:
    async with Peer() as peer, asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.welcome())
        async with connect(peer.at("door")) as door:
            subscribing = asyncio.create_task(door.subscribe("a", "b/#"))
            kind, body = await peer.packet()
            assert kind & 0xF0 == SUBSCRIBE
            peer.say(b"\x90" + length(5) + body[:2] + b"\0\x01\x87")
            with pytest.raises(LinkError, match=r"b/#.*0x87"):
                await subscribing
