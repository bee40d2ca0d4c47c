"""Everything that a morning needs, in one folder and on loopback: broker, journal, gateways, doors, mail, one clock."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from simulators import ledgers
from simulators.broker import BrokerKind, command
from simulators.crowd import Crowd
from simulators.doors import plugged
from simulators.entrance import Door
from simulators.mail import Mailbox, mail_server
from simulators.pace import Pace
from simulators.ports import free_port
from simulators.processes import Child, ChildFailed, listening, output
from simulators.scenario import Scenario
from simulators.school import SITE, LaneFile, gateway_settings, journal_settings, write_tables
from sync.clock import ENVIRONMENT
from sync.signing import Signer

#: Real seconds that everything has to come up before the lanes open; where to prepare took long, twice as long as that.
_LEAD = 6.0
_JOURNAL = "journal"
_BROKER = "broker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A morning that is about to begin."""

    scenario: Scenario
    crowd: Crowd
    pace: Pace
    folder: Path
    gateways: Sequence[str]
    doors: Sequence[Door]
    mailbox: Mailbox
    #: broker, journal, and each gateway by its name.
    children: Mapping[str, Child]
    environment: Mapping[str, str]
    #: Of the broker, on loopback.
    port: int

    @property
    def journal_database(self) -> Path:
        """Of the journal."""
        return self.folder / _JOURNAL / "journal.db"

    def ledger(self, gateway: str) -> Path:
        """Of a gateway."""
        return self.folder / gateway / "ledger.db"

    async def ask_journal(self, *words: str) -> str:
        """What a command of the journal prints."""
        return await output(_journal(self.folder, *words), environment=self.environment)

    def check(self) -> None:
        """Raises ChildFailed when a process ended by itself."""
        for child in self.children.values():
            child.check()

    async def ready(self) -> None:
        """Returns when every gateway has its directory and the journal hears it. Raises ChildFailed when the lanes open before."""
        while not self._up():
            self.check()
            if self.pace.now() >= self.scenario.at(self.scenario.opens):
                raise ChildFailed(
                    "the lanes opened before all processes were up",
                    hint="this machine is too slow or too busy now: try again, or read the logs with --keep FOLDER",
                )
            await asyncio.sleep(0.1)

    def _up(self) -> bool:
        heard = ledgers.heard_of(self.journal_database)
        return all((self.folder / name / "directory.json").exists() and name in heard for name in self.gateways)


@asynccontextmanager
async def set_up(
    scenario: Scenario, crowd: Crowd, gateways: Sequence[str], *, speed: float, broker: BrokerKind, folder: Path
) -> AsyncIterator[Stage]:
    """Build it, start it, and stop everything in the end, whatever happens."""
    (folder / "logs").mkdir()
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ATTENDANCE_")}
    children: dict[str, Child] = {}

    async def start(name: str, line: list[str]) -> None:
        children[name] = Child(name, line, log=folder / "logs" / f"{name}.log", environment=environment)
        await children[name].start()

    async with mail_server() as mailbox, plugged(gateways, folder) as (doors, files):
        try:
            await start(_BROKER, command(broker, port))
            await listening(port, child=children[_BROKER])
            settings = journal_settings(folder / _JOURNAL, broker=port, mail=mailbox.port)
            (folder / "journal.toml").write_text(settings, encoding="utf-8")
            write_tables(folder / "tables", scenario, crowd, gateways)
            began = time.monotonic()
            await _enrol(folder, files, port, environment | {ENVIRONMENT: _early(scenario).variable})

            lead = timedelta(seconds=max(_LEAD, 2 * (time.monotonic() - began)) * speed)
            pace = Pace(start=scenario.at(scenario.opens) - lead, origin=time.monotonic(), speed=speed)
            environment[ENVIRONMENT] = pace.variable
            await start(_JOURNAL, _journal(folder, "run"))
            for name in gateways:
                await start(name, _gateway(folder, name))
            yield Stage(
                scenario=scenario,
                crowd=crowd,
                pace=pace,
                folder=folder,
                gateways=gateways,
                doors=doors,
                mailbox=mailbox,
                children=children,
                environment=environment,
                port=port,
            )
        finally:
            # While the devices are still there: a gateway that stops has nothing to complain of.
            await _stop(children, gateways)


async def _enrol(
    folder: Path, files: Mapping[str, Sequence[LaneFile]], port: int, environment: Mapping[str, str]
) -> None:
    """The office imports its tables, the administrator adds each gateway by its public key."""
    tables = str(folder / "tables")
    await output(_journal(folder, "directory", "import", SITE, tables), environment=environment)
    for name, lanes in files.items():
        settings = gateway_settings(folder / name, name, broker=port, lanes=lanes)
        (folder / f"{name}.toml").write_text(settings, encoding="utf-8")
        public = Signer.load(folder / name / "gateway.key").public.hex()
        enrolment = folder / name / "enrolment.toml"
        add = ("gateway", "add", SITE, name, "--key", public, "--out", str(enrolment))
        await output(_journal(folder, *add), environment=environment)


async def _stop(children: Mapping[str, Child], gateways: Sequence[str]) -> None:
    """Gateways first, the broker last: so that each can say goodbye."""
    await asyncio.gather(*(children[name].stop() for name in gateways if name in children))
    for name in (_JOURNAL, _BROKER):
        if name in children:
            await children[name].stop()


def _early(scenario: Scenario) -> Pace:
    """The office prepares the day before the lanes open."""
    return Pace(start=scenario.at(scenario.opens) - timedelta(hours=3), origin=time.monotonic(), speed=1.0)


def _journal(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "journal", *words, "--config", str(folder / "journal.toml")]


def _gateway(folder: Path, name: str) -> list[str]:
    return [sys.executable, "-m", "gateway", "run", str(folder / f"{name}.toml")]
