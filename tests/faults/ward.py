"""A gateway and a journal as real processes, a real mosquitto, a wire that can be spoilt, and the oracle over all of it.

A card that nobody knows is recorded before its lamp like any other, so this school needs no pupils.
"""

import asyncio
import os
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

from gateway.domain.credential import Credential, SiteKey, Technology
from gateway.domain.model import Reason, Verdict
from simulators import ledgers
from simulators.audit import Entries, _chained
from simulators.processes import Child, output
from simulators.school import journal_settings
from simulators.virtual import Virtual
from sync.signing import Signer
from tests.broker import Mosquitto
from tests.faults.firewall import Firewall, own_network
from tests.faults.proxy import Proxy

SITE, NAME = "school", "north"
#: Everything must have arrived so long after the fault has ended, in seconds: the promise.
DRAINED_WITHIN = 60.0
_LAMP, _LAST_WORD, _LOOK = 20.0, 0.5, 0.1
_TRIES = 300
_NO_MAIL = 9


class Ward:
    """One gateway with one lane; `tap` is a pupil who tries until a lamp answers."""

    def __init__(self, folder: Path, broker: Mosquitto, wire: Proxy | Firewall, door: Virtual) -> None:
        self.folder, self.broker, self.wire, self.door = folder, broker, wire, door
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("ATTENDANCE_")}
        self.journal = self.child("journal", "-m", "journal", "run", "--config", str(folder / "journal.toml"))
        self.gateway = self.daemon()
        #: Tokens of the cards whose lamp said that they are recorded.
        self.recorded: list[str] = []
        self._cards = 0

    def child(self, name: str, *words: str, before: Sequence[str] = (), more: dict[str, str] | None = None) -> Child:
        log = self.folder / f"{name}.log"
        return Child(name, [*before, sys.executable, *words], log=log, environment=self._environment | (more or {}))

    def daemon(self, *before: str, more: dict[str, str] | None = None) -> Child:
        """The gateway, perhaps under a program that spoils its system calls, perhaps in another time."""
        return self.child("north", "-m", "gateway", "run", str(self.folder / "north.toml"), before=before, more=more)

    @property
    def ledger(self) -> Path:
        return self.folder / NAME / "ledger.db"

    @property
    def books(self) -> Path:
        return self.folder / "journal" / "journal.db"

    async def set_up(self) -> None:
        """The administrator introduces the two to each other."""
        settings = journal_settings(self.folder / "journal", broker=self.broker.port, mail=_NO_MAIL)
        (self.folder / "journal.toml").write_text(settings, encoding="utf-8")
        key = Signer.load(self.folder / NAME / "gateway.key").public.hex()
        enrolment = self.folder / NAME / "enrolment.toml"
        await self.ask("journal", "gateway", "add", SITE, NAME, "--key", key, "--out", str(enrolment))
        (self.folder / "north.toml").write_text(
            f'site = "{SITE}"\ngateway = "{NAME}"\n[state]\ndirectory = "{self.folder / NAME}"\n'
            f'[enrolment]\nfile = "{enrolment}"\n[uplink]\nurl = "mqtt://127.0.0.1:{self.wire.port}"\nkeepalive = 5\n'
            f'[[devices]]\nid = "door"\nkind = "virtual"\nurl = "{self.door.url}"\n'
            '[[lanes]]\nid = "door"\ndirection = "arrival_only"\nreader = "door"\ngate = "door"\n',
            encoding="utf-8",
        )
        self._key = SiteKey(version=1, secret=_secret(enrolment))

    async def ask(self, program: str, *words: str) -> str:
        config = () if program == "gateway" else ("--config", str(self.folder / "journal.toml"))
        command = [sys.executable, "-m", program, *words, *config]
        return await output(command, environment=self._environment)

    async def tap(self, count: int = 1, *, tries: int = _TRIES) -> int:
        """So many pupils, one after the other; how many lamps said that the tap is recorded."""
        recorded = 0
        for _ in range(count):
            self._cards += 1
            card = Credential(technology=Technology.EM4100, uid=self._cards.to_bytes(5, "big"))
            for _ in range(tries):
                if await self.door.card(card):
                    verdict = await self._lamp()
                    if verdict is not None and verdict.reason is not Reason.NOT_RECORDED:
                        self.recorded.append(self._key.token(card))
                        recorded += 1
                    if verdict is not None:
                        break
                await asyncio.sleep(_LOOK)
        return recorded

    async def _lamp(self) -> Verdict | None:
        """What is shown; nothing by a gateway that is gone, whose last word may still be on its way."""
        answer = asyncio.ensure_future(anext(self.door.shown()))
        left = int(_LAMP / _LOOK)
        while left and not answer.done():
            left -= 1
            if not self.gateway.alive:
                left = min(left, int(_LAST_WORD / _LOOK))
            await asyncio.wait([answer], timeout=_LOOK)
        if answer.done():
            return answer.result()
        answer.cancel()
        return None

    async def drained(self) -> None:
        """Waits until the journal has everything that the gateway keeps; at most as long as is promised."""
        async with asyncio.timeout(DRAINED_WITHIN):
            while not self._has_all():
                self.gateway.check()
                self.journal.check()
                await asyncio.sleep(0.1)

    async def oracle(self) -> None:
        """Every recorded tap exactly once, no gap, and both ledgers prove themselves."""
        counted = counted_taps(self.books)
        assert {token: counted[token] for token in self.recorded} == dict.fromkeys(self.recorded, 1)
        found = Entries()
        _chained(ledgers.of_journal(self.books), SITE, found)
        assert (found.mismatches, found.gaps) == ([], 0)
        await self.ask("journal", "verify")
        await self.ask("gateway", "verify", str(self.folder / "north.toml"))

    def _has_all(self) -> bool:
        if not (self.ledger.exists() and self.books.exists()):
            return False
        mine, theirs = ledgers.of_gateway(self.ledger), ledgers.of_journal(self.books)
        # What an earlier epoch had and the journal had not, stands again in the running one.
        running = {(record.place, record.body) for record in mine if record.epoch == mine[-1].epoch}
        have = {(record.place, record.body) for record in theirs}
        return running <= have and set(self.recorded) <= {record.token for record in theirs}


def counted_taps(books: Path) -> Counter[str]:
    """How often each token counts: what a new epoch told again stands in the journal and is flagged."""
    with closing(sqlite3.connect(f"file:{books}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT token FROM entries WHERE type = 'att.tap.v1' AND flag IS NULL").fetchall()
    return Counter(token for (token,) in rows)


@asynccontextmanager
async def ward(folder: Path, *, wire: type[Proxy | Firewall] = Proxy) -> AsyncIterator[Ward]:
    """Everything runs and the first tap has arrived."""
    async with AsyncExitStack() as stack:
        if wire is Firewall:
            stack.enter_context(own_network())
        broker = stack.enter_context(Mosquitto(folder / "broker", lines=wire.lines))
        spoilt: Proxy | Firewall = wire(broker.port)
        await stack.enter_async_context(spoilt)
        door = await stack.enter_async_context(Virtual(f"unix:{folder}/door"))
        made = Ward(folder, broker, spoilt, door)
        await made.set_up()
        try:
            await made.journal.start()
            await made.gateway.start()
            assert await made.tap() == 1
            await made.drained()
            yield made
        finally:
            await made.gateway.stop()
            await made.journal.stop()


def image(folder: Path, name: str) -> Path:
    """A copy of everything in a folder; of a process that is down."""
    copy = folder.with_name(name)
    shutil.copytree(folder, copy)
    return copy


def put_back(copy: Path, folder: Path) -> None:
    """Nothing but what the copy has."""
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)


def _secret(enrolment: Path) -> bytes:
    [line] = [line for line in enrolment.read_text().splitlines() if line.startswith('1 = "')]
    return bytes.fromhex(line.removeprefix('1 = "').removesuffix('"'))
