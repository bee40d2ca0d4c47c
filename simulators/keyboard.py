"""A reader that types, as the kernel would tell it, behind a socket: most machines of tests have no /dev/uinput."""

import asyncio
from collections.abc import Callable

from drivers.keyboard.codec import EV_KEY, EV_SYN, EVENT, KEYS, LEFT_SHIFT, SYN_REPORT
from simulators.line import Plugged, device_end

ENTER = 28
_CODES = {key: code for code, key in reversed(KEYS.items())}
#: Seconds between two keys.
_STEP = 0.002


def ten_hex_digits(uid: bytes) -> str:
    """10H."""
    return uid.hex().upper()


class Typist:
    """Makes events; its time is an argument and goes on with every key."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def event(self, kind: int, code: int, value: int) -> bytes:
        """One event now."""
        return EVENT.pack(int(self.now), int(self.now % 1 * 1e6), kind, code, value)

    def key(self, code: int, *, shift: bool = False) -> bytes:
        """A key goes down and up, perhaps with Shift, each with its report."""
        strokes = [(LEFT_SHIFT, 1), (code, 1), (code, 0), (LEFT_SHIFT, 0)] if shift else [(code, 1), (code, 0)]
        self.now += _STEP
        report = self.event(EV_SYN, SYN_REPORT, 0)
        return b"".join(self.event(EV_KEY, stroke, value) + report for stroke, value in strokes)

    def text(self, text: str, end: int | None = ENTER) -> bytes:
        """Capitals with Shift, then the terminator."""
        typed = b"".join(self.key(_CODES[key], shift=key.isalpha()) for key in text)
        return typed if end is None else typed + self.key(end)


class Keyboard(Plugged):
    """Types a card once when it comes."""

    def __init__(self, url: str, printed: Callable[[bytes], str] = ten_hex_digits) -> None:
        """`url` is `unix:/path`; `printed` makes the keys of a UID."""
        super().__init__(device_end(url))
        self._printed = printed
        self._typist = Typist()

    async def present(self, uid: bytes, hold: float = 0.0) -> bool:
        """Hold a card into the field for `hold` seconds; whether its keys went out."""
        self._typist.now = max(self._typist.now, asyncio.get_running_loop().time())
        keys = self._typist.text(self._printed(uid))
        heard = self._port.send(keys)
        await asyncio.sleep(hold)
        return heard == len(keys)

    async def garbage(self, data: bytes) -> None:
        """Whatever a broken program says."""
        await self._port.pour(data)
