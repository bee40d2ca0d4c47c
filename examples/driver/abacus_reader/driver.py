"""An Abacus reader on a serial line: everything but its frames is shared with the other kinds that only speak."""

from typing import ClassVar

from abacus_reader.codec import Codec
from drivers.oneway import CableSettings, OneWay


class Abacus(OneWay):
    """One antenna."""

    codec: ClassVar = Codec
    Settings: ClassVar = CableSettings

    def __init__(self, settings: CableSettings) -> None:
        super().__init__(settings.opening, Codec, silence=settings.silence)
