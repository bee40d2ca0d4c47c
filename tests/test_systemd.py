"""The files of systemd/ as they are installed: units, reader names, and the broker sample with real certificates."""

import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulators.ports import free_port

SYSTEMD = Path(__file__).parents[1] / "systemd"
UNITS = sorted(SYSTEMD.glob("*.service"))
UNIT_IDS = [unit.stem for unit in UNITS]
WAIT = 20
NOT_AUTHORIZED = 0x87


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=UNIT_IDS)
def test_unit_verifies(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("true")
    copy = tmp_path / unit.name
    text, installed = re.subn(
        r"(?m)^ExecStart=/opt/attendance-gateway/\.venv/bin/\S+", f"ExecStart={program}", unit.read_text()
    )
    copy.write_text(text)
    verified = run("systemd-analyze", "verify", copy)
    assert (installed, verified.stderr, verified.returncode) == (1, "", 0)


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=UNIT_IDS)
def test_unit_is_hardened(unit: Path) -> None:
    judged = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", unit)
    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize("unit", UNITS, ids=UNIT_IDS)
def test_unit_starts_a_program_of_this_project_without_waiting_for_the_network(unit: Path) -> None:
    text = unit.read_text()
    program = re.search(r"(?m)^ExecStart=\S+/bin/(\S+) run\b", text)
    assert "/etc/attendance-gateway/" in text
    assert program
    assert f"\n{program[1]} = " in (SYSTEMD.parent / "pyproject.toml").read_text()
    settings = [line for line in text.splitlines() if not line.startswith("#")]
    assert not [line for line in settings if "network-online" in line or "time-sync" in line]
    assert "Type=notify" in settings
    # EX_CONFIG: what only a person can mend is not started again every two seconds.
    assert {"Restart=always", "RestartPreventExitStatus=78"} <= {*settings}


@pytest.mark.needs("systemd-sysusers")
def test_user_is_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    made = run("systemd-sysusers", f"--root={tmp_path}", SYSTEMD / "sysusers.conf")
    assert made.returncode == 0, made.stderr
    assert "attendance:x:" in (tmp_path / "etc/passwd").read_text()
    assert "attendance:x:" in (tmp_path / "etc/group").read_text()


def test_reader_names_follow_the_grammar_of_udev() -> None:
    """udevadm verify knows more, where it is new enough."""
    term = re.compile(r'(SUBSYSTEM|ENV\{\w+\}|ATTR\{\w+\})=="[^"]+"|(SYMLINK\+|MODE|GROUP)="[^"]+"')
    rules = [
        line for line in (SYSTEMD / "70-attendance-readers.rules").read_text().splitlines() if line and line[0] != "#"
    ]
    assert rules
    assert [part for rule in rules for part in rule.split(", ") if not term.fullmatch(part)] == []


@pytest.mark.needs("udevadm")
def test_udev_accepts_the_reader_names() -> None:
    if run("udevadm", "verify", "--help").returncode:
        pytest.skip("udevadm verify came with systemd 254, this is an older one")
    verified = run("udevadm", "verify", "--resolve-names=never", SYSTEMD / "70-attendance-readers.rules")
    assert verified.returncode == 0, verified.stdout + verified.stderr


class Broker:
    """mosquitto with the sample as its configuration; only paths and the port are of the test."""

    def __init__(self, folder: Path) -> None:
        self.certificates = folder / "certs"
        made = run(
            "sh",
            SYSTEMD / "mosquitto/certificates.sh",
            self.certificates,
            "127.0.0.1",
            "journal",
            "main-entrance",
            "east-9",
        )
        assert made.returncode == 0, made.stderr
        self.port = free_port()
        text = (SYSTEMD / "mosquitto/attendance.conf").read_text()
        text = text.replace("/etc/mosquitto/certs", str(self.certificates))
        text = text.replace("/etc/mosquitto/attendance.acl", str(SYSTEMD / "mosquitto/attendance.acl"))
        text, listeners = re.subn(r"(?m)^listener 8883$", f"listener {self.port} 127.0.0.1", text)
        assert (listeners, "/etc/mosquitto/certs" in text) == (1, False)
        (folder / "mosquitto.conf").write_text(f"{text}\nuser {pwd.getpwuid(os.geteuid()).pw_name}\n")
        self.log = (folder / "mosquitto.log").open("w")
        self.process = subprocess.Popen(
            [
                shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "mosquitto",
                "-c",
                folder / "mosquitto.conf",
            ],
            stdout=self.log,
            stderr=self.log,
        )

    def wait(self) -> None:
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            assert self.process.poll() is None, Path(self.log.name).read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("the broker does not listen")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(WAIT)
        self.log.close()


class Peer:
    """A real client; what it sees arrives in `seen`."""

    def __init__(self, broker: Broker, certificate: str | None, client_id: str = "any") -> None:
        self.seen: Queue[ReasonCode | mqtt.MQTTMessage] = Queue()
        tls = ssl.create_default_context(cafile=str(broker.certificates / "ca.crt"))
        tls.verify_flags |= ssl.VERIFY_X509_STRICT
        if certificate:
            own = broker.certificates / certificate
            tls.load_cert_chain(f"{own}.crt", f"{own}.key")
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        self.client.tls_set_context(tls)
        self.client.on_connect = lambda _client, _data, _flags, reason, _properties: self.seen.put(reason)
        self.client.on_publish = lambda _client, _data, _mid, reason, _properties: self.seen.put(reason)
        self.client.on_subscribe = lambda _client, _data, _mid, reasons, _properties: self.seen.put(reasons[0])
        self.client.on_message = lambda _client, _data, message: self.seen.put(message)
        self.client.connect("127.0.0.1", broker.port, clean_start=True)
        self.client.loop_start()

    def next(self) -> ReasonCode | mqtt.MQTTMessage:
        return self.seen.get(timeout=WAIT)

    def publish(self, topic: str, payload: bytes = b"{}") -> int:
        self.client.publish(topic, payload, qos=1)
        answer = self.next()
        assert isinstance(answer, ReasonCode)
        return int(answer.value)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    try:
        broker.wait()
        yield broker
    finally:
        broker.stop()


def connected(broker: Broker, name: str, client_id: str = "any") -> Peer:
    peer = Peer(broker, name, client_id)
    answer = peer.next()
    assert isinstance(answer, ReasonCode)
    assert answer.value == 0, answer
    return peer


@pytest.mark.needs("mosquitto", "openssl")
def test_broker_sample_lets_each_gateway_speak_for_itself_alone(broker: Broker) -> None:
    journal, north = connected(broker, "journal"), connected(broker, "main-entrance")
    try:
        journal.client.subscribe("att/v1/+/+/events", qos=1)
        journal.next()
        assert north.publish("att/v1/school-12/main-entrance/events", b"[]") == 0
        arrived = journal.next()
        assert isinstance(arrived, mqtt.MQTTMessage)
        assert (arrived.topic, arrived.payload) == ("att/v1/school-12/main-entrance/events", b"[]")
        foreign = [
            "school-12/yard/events",
            "school-8/main-entrance/events",
            "school-12/main-entrance/receipt",
            "school-12/main-entrance/command",
        ]
        refused = {topic: north.publish(f"att/v1/{topic}") for topic in [*foreign, "school-12/directory/manifest"]}
        assert set(refused.values()) == {NOT_AUTHORIZED}, refused
        assert journal.seen.empty()
    finally:
        north.close()
        journal.close()


@pytest.mark.needs("mosquitto", "openssl")
def test_broker_sample_carries_receipts_and_the_directory_to_the_gateway(broker: Broker) -> None:
    journal, north = connected(broker, "journal"), connected(broker, "main-entrance")
    try:
        for topic in ("att/v1/school-12/main-entrance/receipt", "att/v1/school-12/directory/#"):
            north.client.subscribe(topic, qos=1)
            north.next()
        for topic in ("att/v1/school-12/main-entrance/receipt", "att/v1/school-12/directory/manifest"):
            assert journal.publish(topic) == 0
            arrived = north.next()
            assert isinstance(arrived, mqtt.MQTTMessage)
            assert arrived.topic == topic
    finally:
        north.close()
        journal.close()


@pytest.mark.needs("mosquitto", "openssl")
def test_broker_sample_names_a_client_by_its_certificate(broker: Broker) -> None:
    """A gateway that calls itself another one stays itself, and an unknown one may say nothing."""
    thief, stranger = connected(broker, "east-9", client_id="main-entrance"), connected(broker, "main-entrance")
    try:
        assert thief.publish("att/v1/school-12/main-entrance/events") == NOT_AUTHORIZED
        assert stranger.publish("att/v1/school-12/main-entrance/health") in (0, 0x10)
    finally:
        thief.close()
        stranger.close()


@pytest.mark.needs("mosquitto", "openssl")
def test_broker_sample_refuses_who_has_no_certificate(broker: Broker) -> None:
    with socket.create_connection(("127.0.0.1", broker.port)) as plain:
        tls = ssl.create_default_context(cafile=str(broker.certificates / "ca.crt"))
        with (
            pytest.raises(ssl.SSLError, match="certificate required"),
            tls.wrap_socket(plain, server_hostname="127.0.0.1") as line,
        ):
            line.recv(1)
