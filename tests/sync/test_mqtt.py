"""The MQTT port against a real broker: its messages, its wills and its ends."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import LinkError, LinkLost, PublishRefused
from simulators.ports import free_port
from sync.broker import dial
from sync.mqtt import Broker, Connection, Publication, connect
from tests.broker import Mosquitto
from tests.sync.peer import ending


async def first(connection: Connection) -> Publication:
    async with asyncio.timeout(60):
        message = await anext(connection.messages())
    connection.acknowledge(message)
    return message


class TestOverARealBroker:
    async def test_what_is_published_arrives_whole(self, mosquitto: Mosquitto) -> None:
        async with connect(mosquitto.at("door")) as door, connect(mosquitto.at("journal")) as journal:
            await journal.subscribe("a/+", "b")
            code = await door.publish("a/b", b"\x00\xff", content_type="x/y", properties={"first": "1", "kid": "ü"})
            message = await first(journal)
        assert code == 0x00
        assert message == Publication("a/b", b"\x00\xff", False, "x/y", {"first": "1", "kid": "ü"})

    async def test_nobody_listens_is_told_and_no_error(self, mosquitto: Mosquitto) -> None:
        async with connect(mosquitto.at("door")) as door:
            assert await door.publish("a/b", b"1") == 0x10

    async def test_retained_comes_to_a_later_subscriber(self, mosquitto: Mosquitto) -> None:
        async with connect(mosquitto.at("door")) as door, connect(mosquitto.at("journal")) as journal:
            await door.publish("state", b"on", retain=True)
            await journal.subscribe("state")
            message = await first(journal)
        assert (message.payload, message.retain) == (b"on", True)

    async def test_after_unsubscribe_nothing_comes(self, mosquitto: Mosquitto) -> None:
        async with connect(mosquitto.at("door")) as door:
            await door.subscribe("a")
            await door.unsubscribe("a")
            assert await door.publish("a", b"1") == 0x10

    async def test_everything_comes_in_order_through_a_narrow_window(self, mosquitto: Mosquitto) -> None:
        async with (
            connect(mosquitto.at("door")) as door,
            connect(mosquitto.at("journal"), receive_maximum=2) as journal,
        ):
            await journal.subscribe("a")
            for number in range(100):
                await door.publish("a", b"%d" % number)
            assert [(await first(journal)).payload for _ in range(100)] == [b"%d" % number for number in range(100)]

    async def test_a_cancelled_publish_hurts_no_other(self, mosquitto: Mosquitto) -> None:
        async with connect(mosquitto.at("door")) as door:
            mosquitto.freeze()
            given_up = [asyncio.create_task(door.publish("a", b"1")) for _ in range(30)]
            await asyncio.sleep(0)
            for task in given_up:
                task.cancel()
            await asyncio.wait(given_up)
            mosquitto.thaw()
            assert [await door.publish("a", b"2") for _ in range(30)] == [0x10] * 30

    async def test_a_denied_publish_is_refused_and_the_connection_lives(self, tmp_path: Path) -> None:
        with Mosquitto(tmp_path / "b", acl="user door\ntopic write a\n") as broker:
            async with connect(broker.at("door")) as door:
                with pytest.raises(PublishRefused) as caught:
                    await door.publish("other", b"1")
                assert caught.value.code == 0x87
                assert "broker-acl" in caught.value.hint
                assert await door.publish("a", b"1") == 0x10

    async def test_a_killed_broker_fails_everybody_who_waits(self, mosquitto: Mosquitto) -> None:
        async with connect(mosquitto.at("door")) as door:
            mosquitto.freeze()
            waiting = [asyncio.create_task(door.publish("a", b"1")) for _ in range(50)]
            listening = asyncio.create_task(ending(door))
            await asyncio.sleep(0)
            mosquitto.kill()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {LinkLost}
            assert "is gone" in str(await listening)
            with pytest.raises(LinkLost):
                await door.subscribe("a")
        mosquitto.start()
        async with connect(mosquitto.at("door")) as again:
            assert await again.publish("a", b"1") == 0x10

    async def test_a_frozen_broker_is_a_lost_link(self, mosquitto: Mosquitto) -> None:
        async with connect(mosquitto.at("door")) as door:
            mosquitto.freeze()
            door._timeout = 0.1
            with pytest.raises(LinkLost, match="not answered"):
                await door.publish("a", b"1")
            with pytest.raises(LinkLost, match="not answered"):
                await door.publish("a", b"2")

    async def test_a_frozen_broker_is_noticed_without_any_traffic(self, mosquitto: Mosquitto) -> None:
        async with connect(mosquitto.at("door"), keepalive=1) as door:
            mosquitto.freeze()
            assert "silent" in str(await ending(door))

    async def test_a_client_of_the_same_id_takes_the_connection_over(self, mosquitto: Mosquitto) -> None:
        """Before 2.0.13 mosquitto closes the older connection without giving 0x8E as its reason."""
        async with connect(mosquitto.at("door")) as older, connect(mosquitto.at("door")) as newer:
            assert "clone" in str(error := await ending(older)) or "is gone" in str(error)
            assert await newer.publish("a", b"1") == 0x10

    async def test_a_user_who_is_not_known_is_refused(self, tmp_path: Path) -> None:
        lines = ["allow_anonymous false", f"password_file {_passwords(tmp_path)}"]
        with Mosquitto(tmp_path / "b", lines=lines) as broker, pytest.raises(LinkError, match=r"door.*0x87") as caught:
            async with connect(broker.at("door")):
                pass
        assert "certificate" in caught.value.hint

    async def test_nobody_listens_there(self) -> None:
        with pytest.raises(LinkError, match="cannot be reached"):
            async with connect(Broker.parse(f"mqtt://127.0.0.1:{free_port()}", client_id="door")):
                pass

    async def test_a_broker_that_accepts_and_says_nothing(
        self, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # To dial may take as long as it likes: only the answer is missed.
        monkeypatch.setattr("sync.mqtt.dial", lambda broker, _: dial(broker, 60))
        mosquitto.freeze()
        with pytest.raises(LinkError, match="before it answered"):
            async with connect(mosquitto.at("door"), timeout=0.2):
                pass

    async def test_a_cancelled_connect_leaves_nothing_open(self, mosquitto: Mosquitto) -> None:
        mosquitto.freeze()
        opening = asyncio.create_task(connect(mosquitto.at("door")).__aenter__())
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening


class TestWill:
    WILL = Publication("state", b"lost", True)

    @pytest.fixture
    async def journal(self, mosquitto: Mosquitto) -> AsyncIterator[Connection]:
        async with connect(mosquitto.at("journal")) as journal:
            await journal.subscribe("state", "end")
            yield journal

    async def test_it_is_published_when_the_socket_dies(self, mosquitto: Mosquitto, journal: Connection) -> None:
        async with connect(mosquitto.at("door"), will=self.WILL) as door:
            door._drop("unplugged")
            assert (await first(journal)).payload == b"lost"

    async def test_it_is_published_when_the_block_ends_with_an_error(
        self, mosquitto: Mosquitto, journal: Connection
    ) -> None:
        with pytest.raises(ZeroDivisionError):
            async with connect(mosquitto.at("door"), will=self.WILL):
                raise ZeroDivisionError
        assert (await first(journal)).payload == b"lost"

    @pytest.mark.parametrize("cancelled", [True, False])
    async def test_a_clean_end_discards_it(self, mosquitto: Mosquitto, journal: Connection, cancelled: bool) -> None:
        async def stay() -> None:
            async with connect(mosquitto.at("door"), will=self.WILL) as door:
                await door.publish("end", b"1")
                if cancelled:
                    await asyncio.Event().wait()

        staying = asyncio.create_task(stay())
        assert (await first(journal)).payload == b"1"
        if cancelled:
            staying.cancel()
        await asyncio.wait({staying})
        await journal.publish("end", b"2")
        assert (await first(journal)).payload == b"2"


def _passwords(folder: Path) -> Path:
    file = folder / "passwords"
    file.write_text("")
    file.chmod(0o600)
    return file
