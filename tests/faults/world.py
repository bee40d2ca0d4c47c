"""One run: a school morning of two gateways and a journal, faults from one seed, and then quiet until all has drained."""

import asyncio
import shutil
import tempfile
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import AttendanceError
from tests.faults.chance import Chance, Fault
from tests.faults.clock import START, UNSET, MachineClock, true_time
from tests.faults.disk import Disk
from tests.faults.engine import Engine
from tests.faults.entrance import Entrance
from tests.faults.loop import SteppingLoop, one_thread
from tests.faults.machine import Bug, Machine
from tests.faults.network import Network
from tests.faults.registry import ENDS, GATEWAYS, PUPILS, Registry, furnish, introduce
from tests.faults.witness import Witness
from tests.journal.school import at, card

#: Faults until then; the lesson ends later, so that it is judged in peace.
QUIET: Final = at("08:32:30")
#: When everything has been said about the lesson, and how long what was disturbed may take to come to rest, in seconds.
OVER: Final = ENDS + timedelta(minutes=3)
DRAINED_WITHIN: Final = 900.0
_JUMPS: Final = (
    timedelta(hours=-1),
    timedelta(days=1),
    timedelta(seconds=-20),
    UNSET - START,
    timedelta(days=4000),
)


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
        running = [asyncio.create_task(work) for work in [*works, self._people(), self._misfortune()]]
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
        times = sorted(dice.uniform(65, (QUIET - START).total_seconds() + 60) for _ in range(16))
        for moment in times:
            await asyncio.sleep(moment - asyncio.get_running_loop().time())
            entrance, person = dice.choice(self.entrances), dice.randrange(1, PUPILS)
            if entrance.machine.alive and entrance.device is not None:
                self.chance.tell(f"p{person} at {entrance.name}")
                entrance.device.feed(card(person))

    async def _misfortune(self) -> None:
        dice = self.chance.dice
        until = (QUIET - START).total_seconds()
        acts = [dice.choice(self._acts()) for _ in range(dice.randrange(4, 11))]
        for moment, act in sorted(
            zip((dice.uniform(20, until - 20) for _ in acts), acts, strict=True), key=lambda p: p[0]
        ):
            await asyncio.sleep(moment - asyncio.get_running_loop().time())
            act()
        await asyncio.sleep(until - asyncio.get_running_loop().time())
        self._calm()

    def _acts(self) -> list[Callable[[], None]]:
        return [
            *[self._kill] * 2,
            *[self._storage_crash] * 4,
            *[self._network_crash] * 2,
            *[self._partition] * 2,
            self.network.wipe,
            self._fill,
            self._io_error,
            self._jump,
            self._old_image,
            self._old_backup,
            self._lose_reader,
        ]

    def _any(self) -> Machine:
        return self.chance.dice.choice(self.machines)

    def _kill(self) -> None:
        self._any().kill(power=self.chance.dice.random() < 0.5)

    def _storage_crash(self) -> None:
        self._any().disk.fuse = self.chance.dice.randrange(40)

    def _network_crash(self) -> None:
        machine = self._any()
        self.network.fuses[machine.name] = self.chance.dice.randrange(8), machine.crash

    def _partition(self) -> None:
        self.network.part(self._any().name, self.chance.dice.choice((3.0, 20.0, 70.0, 150.0)))

    def _fill(self) -> None:
        disk = self._any().disk
        disk.full = True
        asyncio.get_running_loop().call_later(self.chance.dice.uniform(5, 60), setattr, disk, "full", False)

    def _io_error(self) -> None:
        self._any().disk.errors = self.chance.dice.randrange(1, 4)

    def _jump(self) -> None:
        clock, by = self.chance.dice.choice(self.entrances).machine.clock, self.chance.dice.choice(_JUMPS)
        clock.jump(by)
        asyncio.get_running_loop().call_later(self.chance.dice.uniform(20, 150), clock.set)

    def _lose_reader(self) -> None:
        entrance = self.chance.dice.choice(self.entrances)
        if entrance.machine.alive and entrance.device is not None:
            self.chance.note(Fault.READER_LOST, entrance.name)
            entrance.device.feed(None)

    def _old_image(self) -> None:
        """What is on the card now is put back some minutes later, as if the card had been copied and swapped."""
        entrance = self.chance.dice.choice(self.entrances)
        machine, image = entrance.machine, entrance.machine.disk.image()
        asyncio.get_running_loop().call_later(
            self.chance.dice.uniform(20, 120), self._swap, machine, lambda: self._put_image(entrance, image)
        )

    def _old_backup(self) -> None:
        machine = self.journal.machine
        image = machine.disk.image()
        asyncio.get_running_loop().call_later(
            self.chance.dice.uniform(20, 120), self._swap, machine, lambda: self._put_backup(image)
        )

    def _swap(self, machine: Machine, repair: Callable[[], None]) -> None:
        if self.chance.faults and machine.alive:
            machine.repair = repair
            machine.crash(power=False)

    def _put_image(self, entrance: Entrance, image: dict[str, bytes]) -> None:
        self.chance.note(Fault.OLD_IMAGE, entrance.name)
        entrance.machine.disk.restore(image)
        self.witness.card_replaced(entrance.name, entrance.machine.disk, self.journal.machine.disk)

    def _put_backup(self, image: dict[str, bytes]) -> None:
        self.chance.note(Fault.OLD_BACKUP, "journal")
        self.journal.machine.disk.restore(image)
        self.witness.journal_restored()

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
        await asyncio.sleep((QUIET - START).total_seconds() + 61)
        quiet = (QUIET - START).total_seconds()
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
