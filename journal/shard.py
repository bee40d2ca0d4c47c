"""A share of the sites, for one of several workers on a PostgreSQL database.

    site -> SHA-256 -> one of 64 slices -> shard 1 + slice mod n          the same on every machine, for ever

A worker holds an advisory lock on each slice of its shard, on the one connection on which it writes. Whoever finds one
held stands by. When that connection ends, the locks are free and its process cannot write any more: two never write, not
even workers that were started with different n.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from sqlalchemy import ColumnElement, func, true

from gateway.errors import ConfigError

SLICES = 64


def slice_of(site: str) -> int:
    """Where a site falls."""
    return hashlib.sha256(site.encode("utf-8")).digest()[0] % SLICES


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of so many shares; 1/1 is every site."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2/3`. Raises ConfigError."""
        found = re.fullmatch(r"([1-9][0-9]?)/([1-9][0-9]?)", text)
        if found is None or not int(found[1]) <= int(found[2]) <= SLICES:
            raise ConfigError(f"--shard {text}: no share", hint=f"--shard 1/2 and --shard 2/2; at most {SLICES} shares")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def slices(self) -> list[int]:
        """What its worker locks."""
        return [one for one in range(SLICES) if one % self.of == self.number - 1]

    def owns(self, site: str) -> bool:
        """Whether the site is of this share."""
        return slice_of(site) in self.slices

    def mine(self, site: ColumnElement[str]) -> ColumnElement[bool]:
        """`owns` as SQL; a share of several is PostgreSQL's."""
        if self.of == 1:
            return true()
        first_byte = func.get_byte(func.sha256(func.convert_to(site, "UTF8")), 0)
        return first_byte % SLICES % self.of == self.number - 1


WHOLE = Shard()
