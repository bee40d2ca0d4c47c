"""The doors as pupils meet them: wait for a turn, hold the card to the reader, look at the lamp, try again like a child."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from simulators.crowd import Arrival, Card, Manner
from simulators.oracle import Attempt, Lamp
from simulators.pace import Pace

#: Real seconds: hands, readers and lamps do not run faster in a fast morning.
_LOOKS_FOR = 1.0
_LEAVES_AFTER = 0.04
_STEPS_ASIDE = 0.7
_HOLDS = 1.2
_TRIES = 15


class Antenna(Protocol):
    """The field of a reader."""

    def put(self, card: Card) -> None:
        """The card comes into the field and stays."""
        ...

    def take(self) -> None:
        """The field is empty."""
        ...


@dataclass(slots=True, kw_only=True)
class Door:
    """One lane."""

    gateway: str
    lane: str
    #: Of the cards that its reader reads.
    technology: str
    antenna: Antenna
    #: What the lamp showed, newest last.
    lamps: asyncio.Queue[Lamp] = field(default_factory=asyncio.Queue)
    #: One at a time.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: How many stand here.
    waiting: int = 0
    #: How many came here.
    came: int = 0


class Entrance:
    """All doors, and what happened at them."""

    def __init__(self, doors: Sequence[Door], pace: Pace) -> None:
        self.attempts: list[Attempt] = []
        self._doors = doors
        self._pace = pace

    async def admit(self, arrivals: Iterable[Arrival]) -> None:
        """Everybody comes; returns when the last has a lamp or has given up."""
        async with asyncio.TaskGroup() as group:
            for arrival in arrivals:
                group.create_task(self._come(arrival))

    async def _come(self, arrival: Arrival) -> None:
        await self._pace.until(arrival.at)
        doors = [door for door in self._doors if door.technology == arrival.card.technology]
        dark: Door | None = None
        for _ in range(_TRIES):
            # The shortest queue, but not the one where no lamp came.
            door = min((d for d in doors if d is not dark or len(doors) == 1), key=lambda d: (d.waiting, d.came))
            if await self._try(door, arrival):
                return
            dark = door

    async def _try(self, door: Door, arrival: Arrival) -> bool:
        door.waiting += 1
        door.came += 1
        try:
            async with door.turn:
                lamp = await self._show(door, arrival, stays=_HOLDS if arrival.manner is Manner.HELD else _LEAVES_AFTER)
                if lamp is not None and arrival.manner is Manner.DOUBLE:
                    # Sooner, a reader takes the next tap for the same one.
                    await asyncio.sleep(_STEPS_ASIDE)
                    await self._show(door, arrival, stays=_LEAVES_AFTER)
        finally:
            door.waiting -= 1
        return lamp is not None

    async def _show(self, door: Door, arrival: Arrival, *, stays: float) -> Lamp | None:
        while not door.lamps.empty():
            door.lamps.get_nowait()
        presented = time.monotonic()
        door.antenna.put(arrival.card)
        try:
            lamp = await _look(door, _LOOKS_FOR)
            ended = time.monotonic()
            await asyncio.sleep(stays)
        finally:
            door.antenna.take()
        left = time.monotonic()
        if lamp is None:
            # The card may have been read just before it was taken away.
            lamp = await _look(door, _STEPS_ASIDE)
            ended = time.monotonic()
        self.attempts.append(
            Attempt(
                gateway=door.gateway,
                lane=door.lane,
                card=arrival.card,
                pupil=arrival.pupil,
                presented=self._pace.wall(presented),
                ended=self._pace.wall(ended),
                left=self._pace.wall(left),
                lamp=lamp,
            )
        )
        return lamp


async def _look(door: Door, seconds: float) -> Lamp | None:
    with contextlib.suppress(TimeoutError):
        return await asyncio.wait_for(door.lamps.get(), seconds)
    return None
