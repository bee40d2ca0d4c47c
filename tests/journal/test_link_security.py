"""The broker as it is shipped, with the access list that the journal writes, tried from the outside over TLS 1.3."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.domain.handshake import topic
from gateway.errors import LinkError, PublishRefused
from sync.mqtt import Broker, Connection, TlsFiles, connect
from tests.broker import Mosquitto
from tests.journal.door import Door
from tests.journal.test_cli import Desk
from tests.sync.authority import Authority

SYSTEMD = Path(__file__).parents[2] / "systemd" / "mosquitto"
KEY = Door().signer.public.hex()

pytestmark = pytest.mark.needs("mosquitto", "openssl")


def run(script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", SYSTEMD / script, *words], capture_output=True, text=True, check=False)


class School:
    """Certificates of the shipped scripts, and the shipped broker on a free port; journal, main-entrance, yard, annex."""

    def __init__(self, folder: Path) -> None:
        self.certificates, self._folder = folder / "certs", folder
        names = ("journal", "main-entrance", "yard", "annex")
        made = run("certificates.sh", self.certificates, "127.0.0.1", *names)
        assert made.returncode == 0, made.stderr
        assert run("revoke.sh", self.certificates).returncode == 0
        desk = Desk(folder)
        for site, gateway in (("school-12", "main-entrance"), ("school-12", "yard"), ("school-8", "annex")):
            desk.types("gateway", "add", site, gateway, "--key", KEY, "--out", str(folder / gateway))
        text = (SYSTEMD / "attendance.conf").read_text().replace("# crlfile", "crlfile")
        text = text.replace("/etc/mosquitto/certs", str(self.certificates))
        settings = [
            line for line in text.splitlines() if not line.startswith(("listener", "acl_file", "allow_anonymous"))
        ]
        self.broker = Mosquitto(folder / "broker", lines=settings, acl=desk.types("broker-acl"), anonymous=False)

    def files(self, name: str) -> TlsFiles:
        place = self.certificates
        return TlsFiles(ca=place / "ca.crt", certificate=place / f"{name}.crt", key=place / f"{name}.key")

    def at(self, client_id: str, files: TlsFiles) -> Broker:
        return Broker.parse(f"mqtts://127.0.0.1:{self.broker.port}", client_id=client_id, username=client_id, tls=files)

    @asynccontextmanager
    async def client(self, name: str, *, claims: str | None = None) -> AsyncIterator[Connection]:
        async with connect(self.at(claims or name, self.files(name))) as connection:
            yield connection


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    one = School(tmp_path_factory.mktemp("school"))
    with one.broker:
        yield one


@pytest.fixture
def another(tmp_path: Path) -> School:
    """One whose broker is not running yet."""
    return School(tmp_path)


#: What the gateway `yard` of school-12 may not write, whoever it says that it is.
FOREIGN = [
    *(("school-12", "main-entrance", leaf) for leaf in ("events", "state", "health", "reply")),
    *(("school-8", name, leaf) for name in ("yard", "annex") for leaf in ("events", "state")),
    *(("school-12", "yard", leaf) for leaf in ("receipt", "command")),
    ("school-12", "directory", "manifest"),
    ("school-12", "directory", "part", "0"),
]


@pytest.mark.parametrize("claims", ["yard", "main-entrance", "journal"])
async def test_a_gateway_writes_for_itself_alone_whatever_it_calls_itself(school: School, claims: str) -> None:
    async with school.client("yard", claims=claims) as yard:
        socket = yard._client.socket()
        assert isinstance(socket, ssl.SSLSocket)
        assert socket.version() == "TLSv1.3"
        assert await yard.publish(topic("school-12", "yard", "events"), b"[]") in (0x00, 0x10)
        for place in FOREIGN:
            with pytest.raises(PublishRefused, match="0x87") as caught:
                await yard.publish(topic(*place), b"-")
            assert "broker-acl" in caught.value.hint


async def test_a_gateway_hears_nothing_that_is_for_another(school: School) -> None:
    async with school.client("yard") as yard, school.client("annex") as annex, school.client("journal") as journal:
        for spy in (yard, annex):
            for one in ("#", "att/v1/#", "att/v1/+/+/receipt", topic("school-12", "main-entrance", "receipt")):
                try:
                    await spy.subscribe(one)
                except LinkError:
                    continue
        for place in (("school-12", "main-entrance", "receipt"), ("school-12", "main-entrance", "command")):
            await journal.publish(topic(*place), b"secret")
        await journal.publish(topic("school-12", "directory", "manifest"), b"of school 12")
        await journal.publish(topic("school-12", "yard", "receipt"), b"for yard")
        await journal.publish(topic("school-8", "annex", "receipt"), b"for annex")
        heard = {"yard": await until(yard, b"for yard"), "annex": await until(annex, b"for annex")}
    assert heard == {"yard": [b"of school 12"], "annex": []}


async def until(connection: Connection, last: bytes) -> list[bytes]:
    """What came before the last one, which comes after everything else; once each, however many filters it matched."""
    heard: list[bytes] = []
    async with asyncio.timeout(60):
        async for message in connection.messages():
            connection.acknowledge(message)
            if message.payload == last:
                return list(dict.fromkeys(heard))
            heard.append(message.payload)
    raise AssertionError(last)


async def test_without_a_certificate_of_this_school_nobody_comes_in(school: School, tmp_path: Path) -> None:
    strange = Authority(tmp_path, "strange").sign("yard")
    ours = school.files("yard")
    for files in (TlsFiles(ca=ours.ca), TlsFiles(ca=ours.ca, certificate=strange.certificate, key=strange.key)):
        with pytest.raises(LinkError):
            async with connect(school.at("yard", files), timeout=60):
                pass


async def test_a_certificate_that_was_taken_back_opens_nothing(another: School, tmp_path: Path) -> None:
    school = another
    with school.broker:
        async with school.client("yard") as yard:
            assert await yard.publish(topic("school-12", "yard", "events"), b"[]") in (0x00, 0x10)
    kept = tmp_path / "kept.crt"
    kept.write_bytes((school.certificates / "yard.crt").read_bytes())
    assert run("revoke.sh", school.certificates, "yard").returncode == 0
    assert run("revoke.sh", school.certificates, "yard").returncode == 1
    with school.broker:
        stolen = TlsFiles(ca=school.certificates / "ca.crt", certificate=kept, key=school.certificates / "yard.key")
        with pytest.raises(LinkError, match="we showed"):
            async with connect(school.at("yard", stolen), timeout=60):
                pass
        async with school.client("main-entrance") as north:
            assert await north.publish(topic("school-12", "main-entrance", "events"), b"[]") in (0x00, 0x10)
