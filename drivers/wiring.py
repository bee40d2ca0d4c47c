"""The keys of a gate of contacts and outputs, for every kind of board: what is wired, and a kind says how one writes where."""

from collections.abc import Hashable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from drivers.contacts import Role, Side
from drivers.lamp import Output

N = TypeVar("N", Role, Output)
#: A text with its judge, its description and its examples.
W = TypeVar("W", bound=str)
_NOWHERE: Final[Any] = ""


class Wiring(BaseModel, Generic[W]):
    """Each contact and each output by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: Those that may not be at the same place.
    apart: ClassVar[tuple[frozenset[str], ...]] = (frozenset({*Role, *Output}),)

    pass_a: W = _NOWHERE
    pass_b: W = _NOWHERE
    ready: W = _NOWHERE
    alarm: W = _NOWHERE
    fire_alarm: W = _NOWHERE
    tamper: W = _NOWHERE
    free: W = _NOWHERE
    locked: W = _NOWHERE
    #: Which way somebody goes who turns the gate's side A.
    a_is: Side = Field(default="entry", description='"entry" or "exit"', examples=["entry"])
    green: W = _NOWHERE
    amber: W = _NOWHERE
    red: W = _NOWHERE
    buzzer: W = _NOWHERE
    unlock: W = _NOWHERE
    #: No sound, whatever happens.
    silent: bool = Field(default=False, description="true or false", examples=[True])

    @field_validator(*Role, *Output)
    @classmethod
    def _its_own_place(cls, text: str, info: ValidationInfo) -> str:
        kin = next(names for names in cls.apart if info.field_name in names)
        for key, other in info.data.items():
            if text and other and key in kin and cls.place(text) & cls.place(other):
                raise ValueError(f"that is {key} already")
        return text

    @classmethod
    def place(cls, text: str) -> AbstractSet[Hashable]:
        """What it takes, however it is written."""
        return {text}

    def wired(self, names: Iterable[N]) -> dict[N, str]:
        """Where each is that is there."""
        return {name: text for name in names if (text := getattr(self, name))}
