"""The device side of an IronLogic reader, on a pseudo-terminal or behind tcp://."""

import asyncio

from drivers.ironlogic.codec import card_left, encode
from gateway.domain.credential import Technology
from simulators.line import Plugged, device_end


class Ironlogic(Plugged):
    """Says a card when it comes and that it has left, like the firmware of a Matrix III RD-ALL."""

    def __init__(self, url: str, *, says_removal: bool = True) -> None:
        """Some firmware never says that a card has left."""
        super().__init__(device_end(url))
        self._says_removal = says_removal

    async def present(self, uid: bytes, hold: float = 0.0) -> bool:
        """Hold a card of five bytes (EM4100), four or seven (Mifare) into the field; whether its line went out."""
        technology = Technology.EM4100 if len(uid) == 5 else Technology.ISO14443A
        line = encode(technology, uid)
        heard = self._port.send(line)
        await asyncio.sleep(hold)
        if self._says_removal:
            self._port.send(card_left())
        return heard == len(line)

    async def garbage(self, data: bytes) -> None:
        """Whatever a broken wire says."""
        await self._port.pour(data)
