"""A requirement of the contract: its name, the page that asks for it, and how the kit finds out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from simulators.conformance.player import Missed, Player

Check: TypeAlias = Callable[[Player], Awaitable[None]]
FOLDER = "docs/contract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One sentence that a journal can keep or break."""

    name: str
    #: Within docs/contract, with its heading.
    page: str
    sentence: str
    check: Check


class Page:
    """One heading of a page, and its requirements in order."""

    def __init__(self, page: str) -> None:
        self._page = page
        self.requirements: list[Requirement] = []

    def asks(self, sentence: str) -> Callable[[Check], Check]:
        """The function under it, by its name, finds out whether the sentence is kept."""

        def add(check: Check) -> Check:
            name = getattr(check, "__name__", "").replace("_", "-")
            self.requirements.append(Requirement(name=name, page=self._page, sentence=sentence, check=check))
            return check

        return add


def expect(holds: object, otherwise: str) -> None:
    """Raises Missed with what was seen otherwise."""
    if not holds:
        raise Missed(otherwise)
