"""The device side of any reader that prints a number, on a pseudo-terminal or behind tcp://."""

import asyncio
from collections.abc import Callable

from simulators.line import Plugged, device_end


def ten_hex_digits(uid: bytes) -> bytes:
    """10H and CR LF, the commonest print."""
    return uid.hex().upper().encode("ascii") + b"\r\n"


class TextReader(Plugged):
    """Says a card once when it comes."""

    def __init__(self, url: str, printed: Callable[[bytes], bytes] = ten_hex_digits) -> None:
        """`printed` makes a line of a UID."""
        super().__init__(device_end(url))
        self._printed = printed

    async def present(self, uid: bytes, hold: float = 0.0) -> bool:
        """Hold a card into the field for `hold` seconds; whether its line went out."""
        line = self._printed(uid)
        heard = self._port.send(line)
        await asyncio.sleep(hold)
        return heard == len(line)

    async def garbage(self, data: bytes) -> None:
        """Whatever a broken wire says."""
        await self._port.pour(data)
