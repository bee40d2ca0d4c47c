"""Any reader that prints the numbers of cards on a serial line, or behind a serial server."""

from functools import partial
from typing import ClassVar

from pydantic import Field

from drivers.line.codec import Codec, Format
from drivers.oneway import CableSettings, OneWay


class LineReader(OneWay):
    """One antenna; its settings say what it prints."""

    codec: ClassVar = Codec
    format: ClassVar = Format

    class Settings(CableSettings, Format):
        """The keys of its [[devices]] table."""

        #: What ends a line where nothing else does, and drops half a line elsewhere.
        pause: float = Field(
            default=0.2, ge=0.02, le=5, description="seconds without a byte, from 0.02 to 5", examples=[0.2]
        )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.opening, partial(Codec, settings), silence=settings.silence, pause=settings.pause)
