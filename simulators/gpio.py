"""A turnstile with dry contacts, wired to a GPIO chip that is not there: the driver's line request, played over a pipe.

Of the turnstile: an arm that stands still unless it is unlocked, two pass contacts, a key, and a fire alarm that frees it
without asking anybody.
"""

import asyncio
import errno
import os
import select
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from gpiod import EdgeEvent, LineSettings
from gpiod.line import Direction as Flow
from gpiod.line import Value

from drivers.contacts import OPENS, Level, Role, usual
from drivers.gpio.chip import one_each
from drivers.lamp import Output
from gateway.domain.entry import GateMode
from gateway.domain.model import Direction
from gateway.errors import DeviceLost

CHIP = "simulated"
_ROOM = 64
#: As the maker has it: the arm waits so long, and turns in this time.
_UNLOCKED, _TURNS = 5.0, 0.1
_GONE = OSError(errno.ENODEV, os.strerror(errno.ENODEV))


class Requested:
    """What the kernel gives to whoever requests lines; the fake of gpiod.LineRequest."""

    def __init__(self, chip: "Chip", settings: Mapping[int, LineSettings]) -> None:
        self._chip = chip
        self.settings = settings
        self.queue: deque[EdgeEvent] = deque(maxlen=_ROOM)
        self._seq: Counter[int] = Counter()
        self.fd, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def wait_edge_events(self, timeout: float | None = None) -> bool:
        return bool(self.queue) or bool(select.select([self.fd], [], [], timeout)[0])

    def read_edge_events(self, max_events: int | None = None) -> list[EdgeEvent]:
        self._check()
        if self._ready():
            os.read(self.fd, 1)
        return [self.queue.popleft() for _ in range(min(len(self.queue), max_events or _ROOM))]

    def get_values(self, lines: Iterable[int | str] | None = None) -> list[Value]:
        self._check()
        wanted = self.settings if lines is None else lines
        return [Value.ACTIVE if self._chip.high[int(line)] else Value.INACTIVE for line in wanted]

    def set_values(self, values: Mapping[int | str, Value]) -> None:
        self._check()
        if self._chip.deaf:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.drive({int(line): value for line, value in values.items()})

    def release(self) -> None:
        self._chip.released(self)
        os.close(self.fd)
        if self._write >= 0:
            os.close(self._write)

    def drive(self, values: Mapping[int, Value]) -> None:
        """Output lines at their electrical level."""
        self._chip.high |= {
            line: (value is Value.ACTIVE) is not self.settings[line].active_low for line, value in values.items()
        }
        self._chip.driven()

    def edge(self, line: int, *, lose: bool) -> None:
        """An input changed; `lose` it as a full buffer does."""
        self._seq[line] += 1
        if lose:
            return
        kind = EdgeEvent.Type.RISING_EDGE if self._chip.high[line] else EdgeEvent.Type.FALLING_EDGE
        self.queue.append(EdgeEvent(kind.value, time.monotonic_ns(), line, self._seq.total(), self._seq[line]))
        if not self._ready():
            os.write(self._write, b"x")

    def hang_up(self) -> None:
        """The chip is gone: the descriptor is readable for ever."""
        os.close(self._write)
        self._write = -1

    def _ready(self) -> bool:
        return bool(select.select([self.fd], [], [], 0)[0])

    def _check(self) -> None:
        if self._write < 0:
            raise _GONE


class Chip:
    """Lines that a driver may request, each by its number as a string or as PIN and its number."""

    def __init__(self) -> None:
        #: The electrical level of each line; one that nobody drives is pulled up.
        self.high: dict[int, bool] = dict.fromkeys(range(32), True)
        self._request: Requested | None = None
        self._there = False
        #: Takes no output any more, as a chip behind a bus that hangs.
        self.deaf = False
        #: How the last driver left its outputs: true is on.
        self.left: dict[int, bool] = {}
        self._somebody = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.replug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.unplug()

    def ask(self, chip: str, wanted: Mapping[str, LineSettings]) -> tuple[Requested, Sequence[int]]:
        """As drivers.gpio.chip.request has it."""
        if chip != CHIP or not self._there:
            raise DeviceLost(f"no GPIO chip {chip}", hint="this machine has none")
        if self._request is not None:
            raise DeviceLost(f"{chip}: a line is in use", hint="stop that program or driver")
        offsets = one_each(chip, wanted, [int(line.removeprefix("PIN")) for line in wanted])
        self._request = Requested(self, dict(zip(offsets, wanted.values(), strict=True)))
        outputs = {
            line: setting.output_value
            for line, setting in self._request.settings.items()
            if setting.direction is Flow.OUTPUT
        }
        self._request.drive(outputs)
        self._somebody.set()
        return self._request, offsets

    def released(self, request: Requested) -> None:
        """A line that nobody drives is pulled up, or down where up is active."""
        self.left = {
            line: self.high[line] is not setting.active_low
            for line, setting in request.settings.items()
            if setting.direction is Flow.OUTPUT
        }
        self.high |= {line: s.active_low for line, s in request.settings.items() if s.direction is Flow.OUTPUT}
        self._request = None
        self._somebody.clear()
        self.driven()

    def driven(self) -> None:
        """The driver has switched something."""

    def set(self, line: int, *, high: bool, lose: bool = False) -> None:
        """What is wired to an input changes its level."""
        if self.high[line] is not high:
            self.high[line] = high
            if self._request is not None and line in self._request.settings:
                self._request.edge(line, lose=lose)

    async def opened(self) -> None:
        """Returns when a driver has requested lines."""
        await self._somebody.wait()

    async def unplug(self) -> None:
        """Take the chip away."""
        self._there = False
        if self._request is not None:
            self._request.hang_up()

    async def replug(self) -> None:
        """Bring it back."""
        self._there = True


class Turnstile(Chip):
    """Every contact and output has its line; `settings` are what a driver is told of them."""

    def __init__(self) -> None:
        super().__init__()
        self._line: dict[Role | Output, int] = {name: line for line, name in enumerate([*Role, *Output], 2)}
        self.settings: dict[str, object] = {"chip": CHIP, **{name: str(line) for name, line in self._line.items()}}
        for role in Role:
            self._contact(role, active=role is Role.READY)
        for output in Output:
            self.high[self._line[output]] = False
        self._permits_until = 0.0
        self._unlock = False
        #: What was on, whenever that changed.
        self.switched: list[frozenset[Output]] = []

    @property
    def on(self) -> frozenset[Output]:
        """What is on now."""
        return frozenset(output for output in Output if self.high[self._line[output]])

    def driven(self) -> None:
        """A pulse on its unlock input is good for one passage within some seconds."""
        if not self.switched or self.switched[-1] != self.on:
            self.switched.append(self.on)
        unlock = Output.UNLOCK in self.on
        if unlock and not self._unlock:
            self._permits_until = time.monotonic() + _UNLOCKED
        self._unlock = unlock

    async def push(self, direction: Direction, *, force: bool = False) -> bool:
        """Somebody pushes the arm; whether it turned."""
        fire, free = self._is(Role.FIRE_ALARM), self._is(Role.FREE)
        permitted = time.monotonic() < self._permits_until and not self._is(Role.LOCKED)
        if not (fire or free or permitted or force):
            return False
        self._permits_until = 0.0
        side = Role.PASS_A if direction is Direction.IN else Role.PASS_B
        self._contact(side, active=True)
        await asyncio.sleep(_TURNS)
        self._contact(side, active=False)
        await asyncio.sleep(OPENS)
        return True

    async def mode(self, mode: GateMode) -> None:
        """Somebody turns the gate's key."""
        self._contact(Role.FREE, active=mode is GateMode.FREE)
        self._contact(Role.LOCKED, active=mode is GateMode.LOCKED)

    async def fire_alarm(self, *, on: bool = True) -> None:
        """The fire alarm opens its contact, or closes it again."""
        self._contact(Role.FIRE_ALARM, active=on)

    async def blocked(self, *, on: bool = True) -> None:
        """The arm is not at home; or is again."""
        self._contact(Role.READY, active=not on)

    async def tamper(self) -> None:
        """Somebody opens the housing."""
        self._contact(Role.TAMPER, active=True)

    def cut(self, role: Role) -> None:
        """Somebody cuts the wire of a contact: the input is pulled up."""
        self.set(self._line[role], high=True)

    def lose(self, role: Role, changes: int) -> None:
        """The contact changes so often that nobody hears it; it ends as it began where that is even."""
        for _ in range(changes):
            self.set(self._line[role], high=not self.high[self._line[role]], lose=True)

    def flutter(self, role: Role, changes: int) -> None:
        """The same with everything heard."""
        for _ in range(changes):
            self.set(self._line[role], high=not self.high[self._line[role]])

    def _contact(self, role: Role, *, active: bool) -> None:
        self.set(self._line[role], high=active is (usual(role) is Level.HIGH))

    def _is(self, role: Role) -> bool:
        return self.high[self._line[role]] is (usual(role) is Level.HIGH)
