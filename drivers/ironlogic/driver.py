"""An IronLogic Z-2 USB or Matrix III RD-ALL on its virtual serial port, or behind a serial server."""

from functools import partial
from typing import ClassVar

from drivers.ironlogic.codec import Codec, Format
from drivers.oneway import CableSettings, OneWay


class Ironlogic(OneWay):
    """One antenna; it says a card once, and once that it has left."""

    codec: ClassVar = Codec
    format: ClassVar = Format

    class Settings(CableSettings, Format):
        """The keys of its [[devices]] table."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.opening, partial(Codec, settings), silence=settings.silence)
