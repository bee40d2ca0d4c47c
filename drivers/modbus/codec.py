"""Where the contacts and outputs of a board are, as they stand in a configuration, and an answer of it as levels.

    "3"       address 3, counted from 0; active while it is on, fire_alarm and tamper while it is off
    "3 off"   the other way round
    "10.3"    bit 3 of register 10; without a bit a register is on when it is not 0

On is 1, current flows, the contact is closed: `drivers.contacts` calls that low.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from drivers.contacts import Level, Role, usual

N = TypeVar("N", bound=Hashable)

_POINT: Final = re.compile(r"([0-9]{1,5})(?:\.([0-9]{1,2}))?(?: (on|off))?")
#: What one question of the protocol asks for at the most, as registers.
LONGEST: Final = 125


class Table(StrEnum):
    """Which of the four tables of a board its contacts are in."""

    DISCRETE_INPUTS = "discrete_inputs"
    COILS = "coils"
    INPUT_REGISTERS = "input_registers"
    HOLDING_REGISTERS = "holding_registers"

    @property
    def has_bits(self) -> bool:
        """Whether an address is one bit."""
        return self in (Table.DISCRETE_INPUTS, Table.COILS)


@dataclass(frozen=True, slots=True)
class Point:
    """One contact or output."""

    address: int
    bit: int | None
    #: None where it is as usual.
    active_on: bool | None

    @classmethod
    def parse(cls, text: str) -> "Point":
        """Raises ValueError."""
        found = _POINT.fullmatch(text)
        if found is None or int(found[1]) > 0xFFFF or int(found[2] or 0) > 15:
            raise ValueError("an address of the board's manual, counted from 0")
        return cls(int(found[1]), int(found[2]) if found[2] else None, found[3] == "on" if found[3] else None)

    @property
    def bits(self) -> frozenset[tuple[int, int]]:
        """What it takes of its address: all of it where no bit is named."""
        return frozenset((self.address, bit) for bit in (range(16) if self.bit is None else [self.bit]))

    def on(self, value: int) -> bool:
        """Whether it is on, by the value at its address."""
        return bool(value if self.bit is None else value >> self.bit & 1)

    def level(self, role: Role) -> Level:
        """The active level of a contact here."""
        if self.active_on is None:
            return usual(role)
        return Level.LOW if self.active_on else Level.HIGH


def span(points: Mapping[Role, Point]) -> range:
    """All addresses that one question asks for."""
    addresses = [point.address for point in points.values()]
    return range(min(addresses), max(addresses) + 1)


def levels(points: Mapping[Role, Point], asked: range, values: Sequence[int]) -> dict[Role, bool]:
    """Whether each contact is high, which is off. Raises ValueError for an answer that is too short."""
    if len(values) < len(asked):
        raise ValueError(f"{len(values)} values instead of {len(asked)}")
    return {role: not point.on(values[point.address - asked.start]) for role, point in points.items()}


def coils(points: Mapping[N, Point], on: AbstractSet[N]) -> dict[int, bool]:
    """What each coil shall be; an output is on while its coil is, unless it says otherwise."""
    return {point.address: (output in on) is not (point.active_on is False) for output, point in points.items()}
