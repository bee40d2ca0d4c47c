"""A card number as readers print it: hex or decimal, either byte order, perhaps as facility and number, perhaps with a checksum.

A print that leaves bytes out is no card's UID: 8D, 3D.5D and 26 bits are `wiegand26`, 10D of a five-byte card is `wiegand34`.
"""

import re
from functools import reduce
from operator import xor
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from drivers.frames import BadCard, BadFrame, Card, card
from gateway.domain.credential import UID_LENGTHS, Technology

_GROUPS = {"uid", "facility", "number", "checksum"}
#: With three choices a line of 128 characters is judged within 3 ms; with thirty, never.
_MOST_CHOICES = 3
_HALF_NUMBER_BITS = 16
_ORDERS: dict[str, Literal["big", "little"]] = {"be": "big", "le": "little"}

#: Escapes, classes and openings of groups: nothing in them is a choice.
_ATOMS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?", re.DOTALL)
_CHOICE = re.compile(r"[*+?|]|\{\d*,\d*\}")


def _expression(text: str) -> str:
    try:
        groups = re.compile(text).groupindex.keys()
    except re.error as error:
        raise ValueError(f"not a regular expression of Python: {error}") from None
    if not (groups <= _GROUPS and ("uid" in groups) != ({"facility", "number"} <= groups)):
        raise ValueError(
            "it needs the group (?P<uid>…), or (?P<facility>…) and (?P<number>…); (?P<checksum>…) may be there"
        )
    atoms = _ATOMS.sub("x", text)
    if len(_CHOICE.findall(atoms)) > _MOST_CHOICES or re.search(r"\)[*+{]", atoms):
        # (a+)+ takes for ever on the wrong line.
        raise ValueError("at most three of *, +, ?, | and {m,n}, and no repetition of a group")
    return text


class Printed(BaseModel):
    """How the number of a card stands in a line."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: What the number is; a number that was cut has the technology of its length.
    technology: Annotated[Technology, Field(strict=False)] = Field(
        description=f"one of {', '.join(Technology)}", examples=["em4100"]
    )
    #: Of the whole number.
    length: int = Field(description="the number of bytes", examples=[5])
    base: Literal["hex", "dec", "bytes"] = Field(default="hex", description='"hex", "dec" or "bytes"', examples=["dec"])
    order: Literal["be", "le"] = Field(default="be", description='"be" or "le"', examples=["le"])
    #: Stripped from the line, which is refused without them.
    prefix: str = Field(default="", max_length=32, description="at most 32 characters", examples=["\u0002"])
    suffix: str = Field(default="", max_length=32, description="at most 32 characters", examples=["#"])
    #: Of the rest of the line, all of it.
    expression: Annotated[str, AfterValidator(_expression)] = Field(
        default="(?P<uid>.+)",
        max_length=200,
        description="a regular expression with the group uid, or facility and number",
        examples=[r"(?P<facility>\d{1,5}),(?P<number>\d{5})", "(?P<uid>.+)(?P<checksum>[0-9A-F]{2})"],
    )
    #: Over the bytes of the number, as they are printed.
    checksum: Literal["none", "xor", "sum"] = Field(
        default="none",
        validate_default=True,
        description='"none", "xor" or "sum"; one of the last two where the expression has the group checksum',
        examples=["xor"],
    )

    @field_validator("length")
    @classmethod
    def _of_the_technology(cls, length: int, info: ValidationInfo) -> int:
        technology = info.data.get("technology")
        if technology is not None and length not in (lengths := UID_LENGTHS[technology]):
            expected = " or ".join(map(str, sorted(lengths)))
            raise ValueError(f"{technology} has {expected} bytes; a number that was cut is wiegand26 or wiegand34")
        return length

    @field_validator("checksum")
    @classmethod
    def _of_the_expression(cls, checksum: str, info: ValidationInfo) -> str:
        if ("(?P<checksum>" in info.data.get("expression", "")) != (checksum != "none"):
            raise ValueError("the group checksum of the expression and the key checksum need each other")
        return checksum

    def read(self, text: str, raw: bytes) -> Card | BadCard | BadFrame:
        """Judge a line without its end; `raw` are the bytes that said so."""
        begin = text.rfind(self.prefix) if self.prefix else 0
        if begin < 0 or not text.endswith(self.suffix):
            return BadFrame(raw=raw, why="the prefix or the suffix is missing")
        found = re.fullmatch(self.expression, text[begin + len(self.prefix) : len(text) - len(self.suffix)], re.DOTALL)
        if found is None:
            return BadFrame(raw=raw, why="the line does not match the expression")
        groups = found.groupdict()
        try:
            value = self._value(groups)
            self._check(value, groups.get("checksum"))
        except ValueError as wrong:
            return BadFrame(raw=raw, why=str(wrong))
        return card(self.technology, value if self.order == "be" else value[::-1], raw)

    def _value(self, groups: dict[str, str | None]) -> bytes:
        if groups.get("uid") is not None:
            return self._bytes(groups["uid"], self.length)
        split = min(2, self.length - 1)
        return self._bytes(groups["facility"], self.length - split) + self._bytes(groups["number"], split)

    def _bytes(self, text: str | None, length: int) -> bytes:
        """Raises ValueError."""
        match self.base:
            case "bytes":
                value = (text or "").encode("latin-1")
            case "hex":
                value = _unhexed(text or "")
            case "dec":
                value = _number(text or "", length)
        if len(value) != length:
            raise ValueError(f"{length} bytes are expected, got {len(value)}")
        return value

    def _check(self, value: bytes, written: str | None) -> None:
        """Raises ValueError."""
        if self.checksum == "none":
            return
        found = self._bytes(written, 1)[0]
        expected = reduce(xor, value) if self.checksum == "xor" else sum(value) & 0xFF
        if found != expected:
            raise ValueError(f"the checksum is {found:02X}, not {expected:02X}")


def _unhexed(text: str) -> bytes:
    try:
        return bytes.fromhex(text.replace(":", " ").replace("-", " "))
    except ValueError:
        raise ValueError("not a number in hex") from None


def _number(text: str, length: int) -> bytes:
    """With or without the zeros in front."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("not a number in decimal")
    most = 256**length - 1
    # As many zeros as a reader prints, which tells 10D from 8D.
    if len(text) > len(str(most)) or int(text) > most:
        raise ValueError(f"the number does not fit into {length} bytes")
    return int(text).to_bytes(length)
