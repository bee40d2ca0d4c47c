"""The lines of one GPIO chip, asked of the kernel: which chip, which line, and who has it where it is not free."""

import asyncio
import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, TypeAlias

import gpiod
from gpiod.line import Bias, Clock, Direction, Edge, Value

from drivers.contacts import Level, Role
from drivers.lamp import Output
from drivers.trouble import lost
from gateway.errors import DeviceLost

_DEV = Path("/dev")
#: Changes that wait in the kernel; what comes on top is lost and seen to be lost.
_ROOM = 64
#: The kernel's own filter against a storm of edges; what a bounce is decides contacts.py.
_FILTER = timedelta(milliseconds=5)
_BIAS = {"pull_up": Bias.PULL_UP, "pull_down": Bias.PULL_DOWN, "none": Bias.DISABLED}

Pull: TypeAlias = Literal["pull_up", "pull_down", "none"]


class Lines(Protocol):
    """Requested lines, by offset; of the vendor's LineRequest what is used here. Raises OSError when the chip is gone."""

    @property
    def fd(self) -> int: ...
    def wait_edge_events(self, timeout: float | None = None) -> bool: ...
    def read_edge_events(self, max_events: int | None = None) -> list[gpiod.EdgeEvent]: ...
    def get_values(self, lines: Iterable[int | str] | None = None) -> list[Value]: ...
    def set_values(self, values: dict[int | str, Value]) -> None: ...
    def release(self) -> None: ...


#: Requests the lines of a chip and returns them with their offsets, in order. Raises DeviceLost.
Ask: TypeAlias = Callable[[str, Mapping[str, gpiod.LineSettings]], tuple[Lines, Sequence[int]]]


class Wired:
    """What is wired to the lines of a chip, by name; dark, still and shut when it is opened and when it is closed."""

    def __init__(
        self,
        ask: Ask,
        chip: str,
        inputs: Mapping[Role, tuple[str, Level]],
        outputs: Mapping[Output, tuple[str, Level]],
        bias: Pull,
    ) -> None:
        self._chip = chip
        heard = gpiod.LineSettings(
            direction=Direction.INPUT,
            bias=_BIAS[bias],
            edge_detection=Edge.BOTH,
            debounce_period=_FILTER,
            event_clock=Clock.MONOTONIC,
        )
        wanted = {line: heard for line, _ in inputs.values()}
        for line, level in outputs.values():
            wanted[line] = gpiod.LineSettings(
                direction=Direction.OUTPUT, active_low=level is Level.LOW, output_value=Value.INACTIVE
            )
        self._lines, offsets = ask(chip, wanted)
        at = dict(zip(wanted, offsets, strict=True))
        self._roles = {at[line]: role for role, (line, _) in inputs.items()}
        self._outputs = {output: at[line] for output, (line, _) in outputs.items()}
        #: How many changes of each input the kernel has told.
        self._heard = dict.fromkeys(self._roles, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(DeviceLost):
            self.switch(frozenset())
        self._lines.release()

    def levels(self) -> dict[Role, bool]:
        """Whether each input is high now. Raises DeviceLost."""
        if not self._roles:
            return {}
        with self._there():
            values = self._lines.get_values(self._roles)
        return {role: value is Value.ACTIVE for role, value in zip(self._roles.values(), values, strict=True)}

    async def changed(self) -> None:
        """Returns when there is something to hear."""
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._lines.fd, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._lines.fd)

    def changes(self) -> tuple[list[tuple[Role, bool, float]], int]:
        """What was heard, with the loop's time, and how many changes were lost before. Never waits. Raises DeviceLost."""
        missed, found = 0, []
        with self._there():
            while self._lines.wait_edge_events(0):
                for event in self._lines.read_edge_events():
                    missed += event.line_seqno - self._heard[event.line_offset] - 1
                    self._heard[event.line_offset] = event.line_seqno
                    high = event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE
                    found.append((self._roles[event.line_offset], high, event.timestamp_ns / 1e9))
                if len(found) > _ROOM:
                    break
        return found, missed

    def switch(self, on: AbstractSet[Output]) -> None:
        """These on, the others off. Raises DeviceLost."""
        if self._outputs:
            values: dict[int | str, Value] = {
                offset: Value.ACTIVE if output in on else Value.INACTIVE for output, offset in self._outputs.items()
            }
            with self._there():
                self._lines.set_values(values)

    @contextlib.contextmanager
    def _there(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DeviceLost(f"the GPIO chip {self._chip} is gone: {error.strerror}") from error


def request(chip: str, wanted: Mapping[str, gpiod.LineSettings]) -> tuple[Lines, Sequence[int]]:
    """Lines by name or number, for this process alone, with their offsets in the same order. Raises DeviceLost."""
    path = _path(chip)
    try:
        with closing(gpiod.Chip(path)) as found:
            offsets = one_each(chip, wanted, [_offset(found, chip, line) for line in wanted])
            try:
                config: dict[Iterable[int | str] | int | str, gpiod.LineSettings | None] = dict(
                    zip(offsets, wanted.values(), strict=True)
                )
                return found.request_lines(config, consumer="attendance-gateway", event_buffer_size=_ROOM), offsets
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                raise DeviceLost(f"{chip}: {_held(found, offsets)}", hint="stop that program or driver") from error
    except OSError as error:
        raise lost(path, error) from error


def one_each(chip: str, lines: Iterable[str], offsets: Sequence[int]) -> Sequence[int]:
    """The offsets. Raises DeviceLost where two lines are one: as an input and an output a contact would short it."""
    known: dict[int, str] = {}
    for line, offset in zip(lines, offsets, strict=True):
        if (other := known.setdefault(offset, line)) != line:
            hint = "gpioinfo lists name and number of each line: give every contact and output one of its own"
            raise DeviceLost(f"{chip}: {other} and {line} are one line", hint=hint)
    return offsets


def _path(chip: str) -> str:
    """By path, name or label: numbers change between kernels, labels do not."""
    if chip.startswith("/"):
        return chip
    seen = []
    for path in sorted(map(str, _DEV.glob("gpiochip*"))):
        try:
            with closing(gpiod.Chip(path)) as found:
                info = found.get_info()
        except OSError as error:
            raise lost(path, error) from error
        if chip in (info.name, info.label):
            return path
        seen.append(info.label)
    raise DeviceLost(f"no GPIO chip {chip}", hint=f"this machine has {', '.join(seen) or 'none'}")


def _offset(found: gpiod.Chip, chip: str, line: str) -> int:
    try:
        return found.line_offset_from_id(line)
    except (OSError, ValueError) as error:
        raise DeviceLost(f"{chip} has no line {line}", hint="gpioinfo lists the lines of every chip") from error


def _held(found: gpiod.Chip, offsets: Sequence[int]) -> str:
    infos = [found.get_line_info(offset) for offset in offsets]
    used = [f"{info.name or info.offset} is in use by {info.consumer or 'the kernel'}" for info in infos if info.used]
    return ", ".join(used) or "a line is in use"
