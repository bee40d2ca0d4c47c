"""What a kind of gate brings for the contract suite: `GATES` in the bench.py of its tests."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from drivers.signals import Colour
from gateway.domain.entry import DeviceState, FireAlarm, GateMode, Obstruction
from gateway.domain.model import Direction
from gateway.ports import Device, DeviceNotice


@dataclass(frozen=True)
class Stand:
    """How a simulated gate stands before anybody opens it."""

    mode: GateMode = GateMode.SINGLE
    alarm: bool = False
    blocked: bool = False

    @property
    def told(self) -> list[DeviceNotice]:
        return [
            DeviceNotice(kind=DeviceState.MODE, detail=self.mode),
            DeviceNotice(kind=DeviceState.FIRE_ALARM, detail=FireAlarm.ALARM if self.alarm else FireAlarm.ALL_CLEAR),
            DeviceNotice(kind=DeviceState.BLOCKED, detail=Obstruction.BLOCKED if self.blocked else Obstruction.CLEAR),
        ]


class Plug(Protocol):
    """A simulated gate that is there for as long as the block lasts."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def opened(self) -> None: ...
    async def unplug(self) -> None: ...
    async def replug(self) -> None: ...
    async def mode(self, mode: GateMode) -> object: ...
    async def fire_alarm(self, *, on: bool = True) -> object: ...
    async def blocked(self, *, on: bool = True) -> object: ...


class Bench(Protocol):
    """One kind with its simulator."""

    @property
    def sim(self) -> Plug: ...
    def device(self) -> Device: ...
    async def stand(self, stand: Stand) -> None:
        """How the gate stands, whether anybody has opened it or not."""
        ...

    async def connected(self, stand: Stand) -> None:
        """Returns when a driver has opened it and was told how it stands, once."""
        ...

    async def rotate(self, direction: Direction) -> None: ...
    @property
    def light(self) -> tuple[Colour | None, bool]:
        """The colour that is lit, and whether the bolt is open."""
        ...
