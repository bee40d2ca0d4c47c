"""Children are stopped by id and never outlive their parent, however it dies."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simulators.broker import BrokerKind, command
from simulators.mail import mail_server
from simulators.ports import free_port
from simulators.processes import Child, ChildFailed, listening, output

SLEEPS = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]
ENVIRONMENT = dict(os.environ)


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def soon(true: Callable[[], bool], seconds: float = 20.0) -> None:
    await asyncio.to_thread(until, true, seconds)


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except OSError:
        return False


def child(folder: Path, line: list[str]) -> Child:
    return Child("child", line, log=folder / "child.log", environment=ENVIRONMENT)


async def test_a_killed_child_starts_again_as_another_process(tmp_path: Path) -> None:
    one = child(tmp_path, SLEEPS)
    await one.start()
    first = one.pid
    await one.kill()
    assert not one.alive
    assert not runs(first)
    one.check()
    await one.start()
    assert (one.alive, one.starts, one.pid != first) == (True, 2, True)
    await one.stop()
    assert not runs(one.pid)
    one.check()


async def test_a_child_that_does_not_end_is_killed(tmp_path: Path) -> None:
    one = child(tmp_path, STUBBORN)
    await one.start()
    await soon(lambda: one.last_words() == "up")
    await one.stop(patience=0.2)
    assert not runs(one.pid)


async def test_a_child_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    one = child(tmp_path, [sys.executable, "-c", "raise SystemExit('no disk')"])
    await one.start()
    await soon(lambda: not runs(one.pid))
    while one.alive:
        await asyncio.sleep(0)
    with pytest.raises(ChildFailed, match=r"status 1:\nno disk"):
        one.check()


async def test_what_a_command_prints_and_why_it_fails() -> None:
    assert await output([sys.executable, "-c", "print(7)"], environment=ENVIRONMENT) == "7\n"
    with pytest.raises(ChildFailed, match="no such table"):
        await output([sys.executable, "-c", "raise SystemExit('no such table')"], environment=ENVIRONMENT)


PARENT = """
import asyncio, os, sys
from pathlib import Path
from simulators.processes import Child

async def main():
    child = Child("child", [sys.executable, "-c", "import time; time.sleep(600)"], log=Path(sys.argv[1]), environment=os.environ)
    await child.start()
    print(child.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_parent_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert runs(pid)
    parent.send_signal(number)
    parent.wait(10)
    parent.stdout.close()
    until(lambda: not runs(pid))


@pytest.mark.parametrize(
    "kind", [pytest.param(BrokerKind.MOSQUITTO, marks=pytest.mark.needs("mosquitto")), BrokerKind.IOTCORE]
)
async def test_both_brokers_listen_on_loopback(tmp_path: Path, kind: BrokerKind) -> None:
    port = free_port()
    broker = child(tmp_path, command(kind, port))
    await broker.start()
    try:
        await listening(port, child=broker)
    finally:
        await broker.stop()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "kind", [pytest.param(BrokerKind.MOSQUITTO, marks=pytest.mark.needs("mosquitto")), BrokerKind.IOTCORE]
)
def test_no_broker_is_left_when_its_terminal_is_closed(kind: BrokerKind, number: signal.Signals) -> None:
    port = free_port()
    line = [sys.executable, "-m", "simulators", "broker", "--port", str(port), "--kind", kind.value]
    broker = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(port))
        broker.send_signal(number)
        broker.wait(20)
        until(lambda: not answers(port))
    finally:
        broker.kill()
        broker.wait()


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


async def test_the_mail_server_keeps_what_parents_would_read() -> None:
    text = "From: s@x.example\r\nTo: p@x.example\r\nSubject: =?utf-8?b?0L7Qvw==?=\r\n\r\nlate by 5\r\n.\r\n"
    async with mail_server() as box:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
        for line in (
            "",
            "EHLO x\r\n",
            "MAIL FROM:<s@x.example>\r\n",
            "RCPT TO:<p@x.example>\r\n",
            "DATA\r\n",
            text,
            "QUIT\r\n",
        ):
            writer.write(line.encode("ascii"))
            while (await reader.readline())[3:4] == b"-":
                pass
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert [(mail.recipient, mail.subject, mail.body.strip()) for mail in box.mails] == [
        ("p@x.example", "оп", "late by 5")
    ]
