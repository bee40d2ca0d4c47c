"""What happens to the machines of a morning, drawn from its dice: kills, crashes, partitions, disks, clocks, old copies."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

from tests.faults.chance import Chance, Fault
from tests.faults.clock import START, UNSET
from tests.faults.entrance import Entrance
from tests.faults.machine import Machine
from tests.faults.network import Network
from tests.faults.registry import Registry
from tests.faults.witness import Witness

_JUMPS: Final = (
    timedelta(hours=-1),
    timedelta(days=1),
    timedelta(seconds=-20),
    UNSET - START,
    timedelta(days=4000),
)


class Struck(Protocol):
    """To whom it happens."""

    chance: Chance
    network: Network
    entrances: list[Entrance]
    journal: Registry
    witness: Witness
    telling: bool

    @property
    def machines(self) -> list[Machine]: ...


async def strike(world: Struck, until: float) -> None:
    """Several misfortunes until that second."""
    await _Misfortunes(world).strike(until)


class _Misfortunes:
    def __init__(self, world: Struck) -> None:
        self._world = world

    async def strike(self, until: float) -> None:
        dice = self._world.chance.dice
        acts = [dice.choice(self._acts()) for _ in range(dice.randrange(4, 11))]
        for moment, act in sorted(
            zip(
                (
                    dice.uniform(20 if not self._world.telling or dice.random() < 0.4 else until - 160, until - 5)
                    for _ in acts
                ),
                acts,
                strict=True,
            ),
            key=lambda p: p[0],
        ):
            await asyncio.sleep(moment - asyncio.get_running_loop().time())
            act()
        await asyncio.sleep(until - asyncio.get_running_loop().time())

    def _acts(self) -> list[Callable[[], None]]:
        if self._world.telling:
            return [*[self._kill] * 3, *[self._storage_crash] * 4, self._network_crash, self._partition, self._io_error]
        return [
            *[self._kill] * 2,
            *[self._storage_crash] * 4,
            *[self._network_crash] * 2,
            *[self._partition] * 2,
            self._world.network.wipe,
            self._fill,
            self._io_error,
            self._jump,
            self._old_image,
            self._old_backup,
            self._lose_reader,
        ]

    def _any(self) -> Machine:
        return (
            self._world.journal.machine if self._world.telling else self._world.chance.dice.choice(self._world.machines)
        )

    def _kill(self) -> None:
        self._any().kill(power=self._world.chance.dice.random() < 0.5)

    def _storage_crash(self) -> None:
        self._any().disk.fuse = self._world.chance.dice.randrange(40)

    def _network_crash(self) -> None:
        machine = self._any()
        self._world.network.fuses[machine.name] = self._world.chance.dice.randrange(8), machine.crash

    def _partition(self) -> None:
        self._world.network.part(self._any().name, self._world.chance.dice.choice((3.0, 20.0, 70.0, 150.0)))

    def _fill(self) -> None:
        disk = self._any().disk
        disk.full = True
        asyncio.get_running_loop().call_later(self._world.chance.dice.uniform(5, 60), setattr, disk, "full", False)

    def _io_error(self) -> None:
        self._any().disk.errors = self._world.chance.dice.randrange(1, 4)

    def _jump(self) -> None:
        clock, by = (
            self._world.chance.dice.choice(self._world.entrances).machine.clock,
            self._world.chance.dice.choice(_JUMPS),
        )
        clock.jump(by)
        asyncio.get_running_loop().call_later(self._world.chance.dice.uniform(20, 150), clock.set)

    def _lose_reader(self) -> None:
        entrance = self._world.chance.dice.choice(self._world.entrances)
        if entrance.machine.alive and entrance.device is not None:
            self._world.chance.note(Fault.READER_LOST, entrance.name)
            entrance.device.feed(None)

    def _old_image(self) -> None:
        """The card is copied while the journal has not answered the newest tap, and swapped for its copy minutes later."""
        self._copy_card(
            self._world.chance.dice.choice(self._world.entrances), self._world.chance.dice.choice((0, 3000))
        )

    def _copy_card(self, entrance: Entrance, looks: int) -> None:
        loop, machine = asyncio.get_running_loop(), entrance.machine
        position = entrance.outbox.position if entrance.outbox is not None else None
        if looks and (position is None or position.last == position.through):
            loop.call_later(0.02, self._copy_card, entrance, looks - 1)
            return
        image, wait = machine.disk.image(), self._world.chance.dice.uniform(20, 120)
        loop.call_later(wait, self._swap, machine, lambda: self._put_image(entrance, image))

    def _old_backup(self) -> None:
        machine = self._world.journal.machine
        image = machine.disk.image()
        asyncio.get_running_loop().call_later(
            self._world.chance.dice.uniform(20, 120), self._swap, machine, lambda: self._put_backup(image)
        )

    def _swap(self, machine: Machine, repair: Callable[[], None]) -> None:
        if self._world.chance.faults and machine.alive:
            machine.repair = repair
            machine.crash(power=False)

    def _put_image(self, entrance: Entrance, image: dict[str, bytes]) -> None:
        self._world.chance.note(Fault.OLD_IMAGE, entrance.name)
        entrance.machine.disk.restore(image)
        self._world.witness.card_replaced(entrance.name, entrance.machine.disk, self._world.journal.machine.disk)

    def _put_backup(self, image: dict[str, bytes]) -> None:
        self._world.chance.note(Fault.OLD_BACKUP, "journal")
        self._world.journal.machine.disk.restore(image)
        ledgers = {entrance.name: entrance.machine.disk for entrance in self._world.entrances}
        self._world.witness.journal_restored(ledgers, self._world.journal.machine.disk)
