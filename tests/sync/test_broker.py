"""TLS to the broker: with the right files it works; every other way ends in a sentence that names what is wrong."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.errors import ConfigError, LinkError
from simulators.ports import free_port
from sync.broker import dial
from sync.mqtt import Broker, Publication, TlsFiles, connect
from tests.broker import Mosquitto
from tests.sync.authority import Authority
from tests.sync.peer import Peer, publish


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def mine(authority: Authority) -> TlsFiles:
    return authority.sign("north")


@pytest.fixture(scope="module")
def secured(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    files = authority.sign("broker")
    lines = [f"cafile {files.ca}", f"certfile {files.certificate}", f"keyfile {files.key}", "tls_version tlsv1.3"]
    identity = ["require_certificate true", "use_identity_as_username true"]
    with Mosquitto(tmp_path_factory.mktemp("broker"), lines=lines + identity) as broker:
        yield broker


def at(broker: Mosquitto, files: TlsFiles | None, host: str = "127.0.0.1") -> Broker:
    return Broker.parse(f"mqtts://{host}:{broker.port}", client_id="north", tls=files)


async def refusal(broker: Broker) -> LinkError:
    with pytest.raises(LinkError) as caught:
        async with connect(broker, timeout=60):
            pass
    return caught.value


async def test_both_sides_are_who_they_say(secured: Mosquitto, mine: TlsFiles) -> None:
    async with connect(at(secured, mine)) as north:
        await north.subscribe("a")
        # Larger than one TLS record: what is decrypted already must be read without the selector's help.
        assert await north.publish("a", b"x" * 60_000) == 0x00
        message = await anext(north.messages())
        assert len(message.payload) == 60_000
        sock = north._client.socket()
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.version() == "TLSv1.3"
    assert "u'north'" in secured.log


async def test_messages_that_share_a_tls_record_all_come(authority: Authority, mine: TlsFiles) -> None:
    files = authority.sign("peer")
    async with Peer(_server_context(files)) as peer, asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.welcome())
        address = Broker.parse(f"mqtts://127.0.0.1:{peer.port}", client_id="north", tls=mine)
        async with connect(address) as north, asyncio.timeout(60):
            peer.say(b"".join(publish("a", b"%d" % number) for number in range(5)))
            heard = [(await anext(north.messages())).payload for _ in range(5)]
    assert heard == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_broker_of_another_authority(secured: Mosquitto, mine: TlsFiles, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    error = await refusal(at(secured, replace(mine, ca=other.file)))
    assert str(other.file) in str(error)


async def test_a_broker_under_a_name_that_its_certificate_does_not_hold(authority: Authority, mine: TlsFiles) -> None:
    error = await refusal_of_server(authority.sign("elsewhere", host="elsewhere.example"), mine)
    assert "127.0.0.1" in str(error)
    assert "does not hold" in str(error)


async def test_a_gateway_without_certificate(secured: Mosquitto, mine: TlsFiles) -> None:
    error = await refusal(at(secured, TlsFiles(ca=mine.ca)))
    assert "no client certificate" in str(error)


async def test_a_gateway_of_another_authority(secured: Mosquitto, mine: TlsFiles, tmp_path: Path) -> None:
    stranger = replace(Authority(tmp_path, "other").sign("north"), ca=mine.ca)
    error = await refusal(at(secured, stranger))
    assert str(stranger.certificate) in str(error)
    assert "trusts" in error.hint


async def test_the_authorities_of_the_system_do_not_know_it(secured: Mosquitto) -> None:
    assert "of the system" in str(await refusal(at(secured, None)))


@pytest.mark.parametrize(("days", "told"), [((-9, -1), "expired"), ((1, 9), "not yet valid")])
async def test_a_certificate_outside_its_time_asks_for_the_clock(
    authority: Authority, mine: TlsFiles, days: tuple[int, int], told: str
) -> None:
    files = authority.sign(f"broker{days[0]}", days=days)
    error = await refusal_of_server(files, mine)
    assert told in str(error)
    assert "timedatectl" in error.hint


async def test_tls_1_2_is_not_enough(authority: Authority, mine: TlsFiles) -> None:
    error = await refusal_of_server(authority.sign("old"), mine, newest=ssl.TLSVersion.TLSv1_2)
    assert "cannot be reached" in str(error)


async def refusal_of_server(
    files: TlsFiles, mine: TlsFiles, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> LinkError:
    """What `dial` says to a server that shows this certificate."""
    context = _server_context(files)
    context.maximum_version = newest
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LinkError) as caught:
            await dial(Broker.parse(f"mqtts://127.0.0.1:{port}", client_id="north", tls=mine), 60)
    return caught.value


def _server_context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert files.certificate is not None
    context.load_cert_chain(files.certificate, files.key)
    return context


class TestFiles:
    def test_that_are_not_there(self, mine: TlsFiles, tmp_path: Path) -> None:
        absent = tmp_path / "absent.pem"
        for files in (TlsFiles(ca=absent), replace(mine, certificate=absent), replace(mine, key=absent)):
            with pytest.raises(LinkError, match=r"absent\.pem.*No such file"):
                files.context()

    def test_that_are_something_else(self, mine: TlsFiles, tmp_path: Path) -> None:
        odd = tmp_path / "odd.pem"
        odd.write_bytes(os.urandom(100))
        for files in (TlsFiles(ca=odd), replace(mine, certificate=odd), replace(mine, key=odd)):
            with pytest.raises(LinkError, match=r"odd\.pem"):
                files.context()

    def test_that_do_not_belong_together(self, authority: Authority, mine: TlsFiles) -> None:
        with pytest.raises(LinkError, match=r"authority-north\.crt with .*authority-south\.key"):
            replace(mine, key=authority.sign("south").key).context()

    def test_a_key_with_a_pass_phrase_asks_nobody(self, authority: Authority) -> None:
        with pytest.raises(LinkError, match=r"hidden\.key"):
            authority.sign("hidden", password=b"secret").context()


class TestDial:
    async def test_a_name_that_is_none(self) -> None:
        for name in ("no-such-host.invalid", "x" * 80, "a..b"):
            with pytest.raises(LinkError, match="cannot be reached"):
                await dial(Broker.parse(f"mqtt://{name}", client_id="north"), 60)

    async def test_a_server_that_never_shakes_hands(self, mine: TlsFiles) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"mqtts://127.0.0.1:{silent.getsockname()[1]}"
            with pytest.raises(LinkError, match="cannot be reached"):
                await dial(Broker.parse(address, client_id="north", tls=mine), 0.2)

    async def test_nobody_there(self) -> None:
        with pytest.raises(LinkError, match="Connection refused") as caught:
            await dial(Broker.parse(f"mqtt://127.0.0.1:{free_port()}", client_id="north"), 60)
        assert "configured address" in caught.value.hint
        assert "[uplink]" not in caught.value.hint  # the journal dials, too


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [("mqtt://a", "a", 1883), ("mqtts://a.b", "a.b", 8883), ("mqtts://[::1]:9", "::1", 9), ("mqtt://a:7/", "a", 7)],
)
def test_addresses(url: str, host: str, port: int) -> None:
    broker = Broker.parse(url, client_id="door")
    assert (broker.host, broker.port, broker.tls is not None) == (host, port, url.startswith("mqtts"))


@pytest.mark.parametrize(
    "make",
    [
        *(lambda url=url: Broker.parse(url, client_id="d") for url in ("", "a:1", "tcp://a", "mqtt://", "mqtt://a:x")),
        *(lambda url=url: Broker.parse(url, client_id="d") for url in ("mqtt://u:p@a", "mqtt://a/b", "mqtt://a?b=c")),
        lambda: Broker.parse("mqtt://a", client_id="d", tls=TlsFiles()),
    ],
)
def test_addresses_that_are_none(make: Callable[[], Broker]) -> None:
    with pytest.raises(ConfigError):
        make()


def test_no_secret_and_no_payload_in_a_repr() -> None:
    broker = Broker.parse("mqtt://a", client_id="d", username="d", password="hush")
    assert "hush" not in repr(broker)
    assert "1234" not in repr(Publication("a", b"1234"))


async def test_a_small_packet_does_not_wait_for_an_acknowledgement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"mqtt://127.0.0.1:{server.getsockname()[1]}"
        with await dial(Broker.parse(address, client_id="north"), 60) as dialled:
            assert dialled.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
