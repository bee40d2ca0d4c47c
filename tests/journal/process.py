"""The journal as a process, and a gateway's end of the line to it."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

from gateway.domain.handshake import Receipt, topic
from journal.keys import Keys
from sync.mqtt import Connection, connect
from sync.packets import Publication
from sync.signing import Keyring
from tests.broker import Mosquitto
from tests.journal.door import GATEWAY, SITE, Door
from tests.journal.test_cli import Desk

PATIENCE = 60.0
#: Runs the journal, which kills itself without a word when it comes to a method for the n-th time.
DIES_AT = """
import os, signal, sys
from importlib import import_module
place, turn = sys.argv[1], int(sys.argv[2])
module, _, name = place.partition(":")
owner, _, method = name.partition(".")
kind = getattr(import_module(module), owner)
true = getattr(kind, method)
def dying(*args, **kwargs):
    global turn
    turn -= 1
    if turn == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return true(*args, **kwargs)
setattr(kind, method, dying)
sys.argv = ["journal", *sys.argv[3:]]
from journal.cli import main
main()
"""


class Process:
    """One life of the journal after another, on the same folder."""

    def __init__(self, desk: Desk, broker: Mosquitto) -> None:
        self.desk, self.broker = desk, broker
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(desk.folder / "notify"))
        self.notify.settimeout(PATIENCE)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *dies_at: str) -> None:
        """Returns when it says that it is ready; `dies_at` = method, turn."""
        program = ["-c", DIES_AT, *dies_at] if dies_at else ["-m", "journal"]
        environment = os.environ | {"NOTIFY_SOCKET": str(self.desk.folder / "notify"), "WATCHDOG_USEC": "200000"}
        with (self.desk.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *program, "run", "--config", str(self.desk.config)],
                env=environment,
                stdout=log,
                stderr=log,
            )
        self.hears("READY=1")

    def hears(self, state: str) -> None:
        end = time.monotonic() + PATIENCE
        while self.notify.recv(100).decode() != state:
            assert time.monotonic() < end, self.log

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait(PATIENCE)

    def gone(self, patience: float = PATIENCE) -> int:
        assert self._process is not None
        return self._process.wait(patience)

    def terminate(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self.gone()

    @property
    def log(self) -> str:
        return (self.desk.folder / "log").read_text()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        database = f"file:{self.desk.folder}/state/journal.db?mode=ro"
        with closing(sqlite3.connect(database, uri=True)) as connection:
            return connection.execute(query).fetchall()

    @property
    def entries(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT seq, body FROM entries ORDER BY seq")


class Guard:
    """A gateway's end of the line: sends, and reads receipts as a gateway does."""

    def __init__(self, connection: Connection, door: Door, journal: bytes) -> None:
        self.connection, self.door = connection, door
        self._keys = Keyring([journal])
        self._messages = connection.messages()

    async def send(self, *messages: Publication) -> None:
        for message in messages:
            await self.connection.publish(
                message.topic, message.payload, retain=message.retain, properties=message.properties
            )

    async def born(self) -> Receipt:
        """Nothing is sent before the journal has answered: nobody may be listening."""
        await self.send(self.door.birth())
        return await self.hears(0)

    async def hears(self, through: int) -> Receipt:
        """The first receipt that far; any other on the way must be verified, too."""
        async with asyncio.timeout(PATIENCE):
            async for message in self._messages:
                self.connection.acknowledge(message)
                receipt = Receipt.parse(message.payload)
                self._keys.check(receipt)
                if receipt.through >= through:
                    return receipt
        raise AssertionError


@asynccontextmanager
async def guarding(process: Process, door: Door) -> AsyncIterator[Guard]:
    async with connect(process.broker.at(GATEWAY)) as connection:
        await connection.subscribe(topic(SITE, GATEWAY, "receipt"))
        yield Guard(connection, door, Keys(process.desk.folder / "state").signer().public)
