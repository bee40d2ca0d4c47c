"""One run: a school morning of two gateways and a journal, faults from one seed, and then quiet until all has drained."""

import asyncio
import shutil
import tempfile
import traceback
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import AttendanceError
from tests.faults.chance import Chance
from tests.faults.clock import START, MachineClock, true_time
from tests.faults.disk import Disk
from tests.faults.engine import Engine
from tests.faults.entrance import Entrance
from tests.faults.loop import SteppingLoop, one_thread
from tests.faults.machine import Bug, Machine
from tests.faults.misfortune import strike
from tests.faults.network import Network
from tests.faults.registry import ENDS, GATEWAYS, PUPILS, Registry, furnish, introduce
from tests.faults.witness import Witness
from tests.journal.school import at, card

#: Faults until then; the lesson ends later, so that it is judged in peace.
QUIET: Final = at("08:32:30")
#: On a morning on which no gateway dies, who was not seen is known, and parents are told while faults go on.
TELLING: Final = at("08:35:30")
_TOLD: Final = 0.35
#: When everything has been said about the lesson, and how long what was disturbed may take to come to rest, in seconds.
OVER: Final = ENDS + timedelta(minutes=3)
DRAINED_WITHIN: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run has shown."""

    seed: int
    chance: Chance
    witness: Witness
    #: Why it is red.
    wrong: str | None = None
    #: Seconds from the end of the faults to rest.
    drained: float = 0.0


@dataclass(slots=True)
class World:
    """Machines, network and witness of one run."""

    chance: Chance
    folder: Path
    database: Path
    witness: Witness = field(default_factory=Witness)

    def __post_init__(self) -> None:
        self.telling = self.chance.dice.random() < _TOLD
        #: Seconds of faults.
        self.quiet = ((TELLING if self.telling else QUIET) - START).total_seconds()
        self.network = Network(self.chance, self.witness.published)
        self.entrances = [self._entrance(name) for name in GATEWAYS]
        clock = MachineClock("journal", self.chance, pace=20.0, battery=True)
        self.journal = Registry(
            Machine(
                "journal", self.folder, self.network, self.chance, clock, gives_up=(AttendanceError, SQLAlchemyError)
            ),
            self.witness.journal,
            self.witness.mailed,
        )
        shutil.copy(self.database, self.journal.machine.disk.folder / "journal.db")

    telling: bool = field(init=False)
    quiet: float = field(init=False)
    network: Network = field(init=False)
    entrances: list[Entrance] = field(init=False)
    journal: Registry = field(init=False)

    def _entrance(self, name: str) -> Entrance:
        clock = MachineClock(name, self.chance)
        machine = Machine(name, self.folder, self.network, self.chance, clock, gives_up=(AttendanceError,))
        return Entrance(machine, self.witness.ledger, self.witness.shown)

    @property
    def machines(self) -> list[Machine]:
        return [self.journal.machine, *(entrance.machine for entrance in self.entrances)]

    async def play(self) -> float:
        """Raises Bug. Seconds to rest after the faults."""
        works: list[Coroutine[Any, Any, None]] = [one.machine.run(one.main) for one in self.entrances]
        works.append(self.journal.machine.run(self.journal.main))
        running = [asyncio.create_task(work) for work in [*works, self._people(), self._faults()]]
        rest = asyncio.create_task(self._rest())
        try:
            while not rest.done():
                done, _ = await asyncio.wait({rest, *running}, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in running if task in done]:
                    task.result()
                    running.remove(task)
            return rest.result()
        finally:
            rest.cancel()
            for task in running:
                task.cancel()
            for machine in self.machines:
                machine.crash(power=False)
            await asyncio.gather(rest, *running, return_exceptions=True)

    async def _people(self) -> None:
        """Pupils who come when they like, some of them twice, and one who stays away."""
        dice = self.chance.dice
        times = sorted(dice.uniform(65, self.quiet + 60) for _ in range(16))
        for moment in times:
            await asyncio.sleep(moment - asyncio.get_running_loop().time())
            entrance, person = dice.choice(self.entrances), dice.randrange(1, PUPILS)
            if entrance.machine.alive and entrance.device is not None:
                self.chance.tell(f"p{person} at {entrance.name}")
                entrance.device.feed(card(person))

    async def _faults(self) -> None:
        await strike(self, self.quiet)
        self._calm()

    def _calm(self) -> None:
        """From now on nothing goes wrong any more."""
        self.chance.tell("the faults are over")
        self.chance.faults = False
        self.network.cut_off.clear()
        self.network.fuses.clear()
        for machine in self.machines:
            machine.disk.full, machine.disk.fuse, machine.disk.errors = False, None, 0
            machine.clock.set()

    async def _rest(self) -> float:
        """Everything that the gateways have is in the journal, settled and judged."""
        quiet = self.quiet
        await asyncio.sleep(quiet + 61)
        rested: float | None = None
        while rested is None or true_time() < OVER:
            if (open_ := self._open()) and rested is not None:
                rested = None
            elif not open_ and rested is None:
                rested = asyncio.get_running_loop().time() - quiet
            if asyncio.get_running_loop().time() - quiet > DRAINED_WITHIN:
                raise Bug(f"not at rest after {DRAINED_WITHIN:g} s: {open_}")
            await asyncio.sleep(5)
        if missing := self.witness.missing(self._ask()):
            raise Bug("; ".join(missing))
        return rested

    def _ask(self) -> Engine:
        assert self.journal.engine is not None
        return self.journal.engine

    def _open(self) -> str:
        for entrance in self.entrances:
            position = entrance.outbox.position if entrance.outbox is not None else None
            if not entrance.machine.alive or position is None or position.through != position.last:
                return f"{entrance.name} at {position and (position.through, position.last)}"
        if not self.journal.machine.alive or self.journal.engine is None:
            return "the journal is down"
        with suppress(Exception):
            if self._ask().ask("SELECT 1 FROM dirty"):
                return "days to judge"
            return ""
        return "the journal's database is closed"


@contextmanager
def prepared() -> Iterator[Path]:
    """The database that every run begins with."""
    with tempfile.TemporaryDirectory(prefix="simulated-") as folder:
        database = Path(folder) / "journal.db"
        asyncio.run(furnish(database))
        chance = Chance(0, lambda: 0.0)
        copy = Disk(Path(folder) / "copy", chance).folder / "journal.db"
        shutil.copy(database, copy)
        with _loop(chance) as runner:
            runner.run(introduce(copy))
        yield database


def play(seed: int, database: Path) -> Outcome:
    """Runs one seed to its end."""
    with tempfile.TemporaryDirectory(prefix="simulated-") as folder:
        chance = Chance(seed, lambda: runner.get_loop().time())
        world = World(chance, Path(folder), database)
        with _loop(chance) as runner:
            try:
                drained, wrong = runner.run(world.play()), None
            except Exception as error:  # noqa: BLE001 - whatever it is, this seed is red
                drained, wrong = 0.0, _why(error)
        return Outcome(seed=seed, chance=chance, witness=world.witness, drained=drained, wrong=wrong)


@contextmanager
def _loop(chance: Chance) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=lambda: SteppingLoop(chance)) as runner, one_thread(chance):
        yield runner


def _why(error: BaseException) -> str:
    """The last words of what went wrong; where it was, if it is no plain objection."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Bug):
        return str(error)
    return "".join(traceback.format_exception(error)[-4:])
