"""A 125 kHz reader of the RDM6300 or ID-12LA family on a serial line, or behind a serial server."""

from typing import ClassVar

from drivers.oneway import CableSettings, OneWay
from drivers.rdm6300.codec import Codec


class Rdm6300(OneWay):
    """One antenna; the modules repeat about every 65 ms what they see."""

    codec: ClassVar = Codec

    class Settings(CableSettings):
        """The keys of its [[devices]] table."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.opening, Codec, silence=settings.silence)
