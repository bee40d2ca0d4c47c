"""The device side of an RDM6300 or ID-12LA, on a pseudo-terminal or behind tcp://."""

import asyncio

from drivers.rdm6300.codec import encode
from simulators.line import Plugged, device_end

#: At 9600 baud a frame takes 15 ms; the module sends one about every 65 ms.
PERIOD = 0.065


class Rdm6300(Plugged):
    """Repeats the frame of a card for as long as it is in the field."""

    def __init__(self, url: str, *, id12la: bool = False) -> None:
        """An ID-12LA sends a card once, with CR LF before the end."""
        super().__init__(device_end(url))
        self._id12la = id12la

    async def present(self, uid: bytes, hold: float = 0.0) -> bool:
        """Hold a card of five bytes into the field for `hold` seconds; whether any of its frames went out."""
        loop = asyncio.get_running_loop()
        frame = encode(uid, line_end=b"\r\n" if self._id12la else b"")
        leaves = loop.time() + hold
        heard = self._port.send(frame)
        while (left := leaves - loop.time()) > 0:
            await asyncio.sleep(min(PERIOD, left))
            if not self._id12la and left > PERIOD:
                heard = max(heard, self._port.send(frame))
        return heard == len(frame)

    async def garbage(self, data: bytes) -> None:
        """Whatever a broken wire says."""
        await self._port.pour(data)
