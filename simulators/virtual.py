"""The other end of a virtual reader and gate: says what happens there, and hears what the lamp shall show."""

import asyncio
from collections.abc import AsyncIterator

from drivers.virtual.codec import REST, encode_card, read_show
from gateway.domain.answer import Words
from gateway.domain.credential import Credential, Technology
from gateway.domain.entry import GateMode
from gateway.domain.model import Direction, Verdict
from simulators.line import Plugged, device_end

_LONGEST = 1024
_MOST_SHOWN = 10_000
_SWITCH = {True: "on", False: "off"}


class Virtual(Plugged):
    """Every method returns whether a driver was there to hear it."""

    def __init__(self, url: str) -> None:
        super().__init__(device_end(url, self._hear))
        self._line = b""
        #: What it says now: None is dark.
        self.screen: Words | None = None
        #: Whether the bolt is open.
        self.unlocked = False
        self._shown: asyncio.Queue[Verdict] = asyncio.Queue(_MOST_SHOWN)

    async def card(self, credential: Credential) -> bool:
        """A card is held to the reader."""
        return self._say(encode_card(credential))

    async def refused(self, technology: Technology, why: str) -> bool:
        """A card that cannot serve as an identity is held to the reader."""
        return self._say(f"refused {technology} {why}\n".encode("ascii"))

    async def rotate(self, direction: Direction) -> bool:
        """Somebody goes through the gate."""
        return self._say(f"rotation {direction}\n".encode("ascii"))

    async def tamper(self) -> bool:
        """Somebody opens the reader."""
        return self._say(b"tamper\n")

    async def mode(self, mode: GateMode) -> bool:
        """Somebody turns the gate's key."""
        return self._say(f"mode {mode}\n".encode("ascii"))

    async def fire_alarm(self, *, on: bool = True) -> bool:
        """The fire alarm opens the gate; or all is clear."""
        return self._say(f"fire_alarm {_SWITCH[on]}\n".encode("ascii"))

    async def blocked(self, *, on: bool = True) -> bool:
        """Somebody stands in the gate; or leaves it."""
        return self._say(f"blocked {_SWITCH[on]}\n".encode("ascii"))

    async def garbage(self, data: bytes) -> None:
        """Whatever a broken program says."""
        await self._port.pour(data)

    async def shown(self) -> AsyncIterator[Verdict]:
        """What the lamp was told, in order."""
        while True:
            yield await self._shown.get()

    def _say(self, line: bytes) -> bool:
        return self._port.send(line) == len(line)

    def _hear(self, data: bytes) -> None:
        *lines, rest = (self._line + data).split(b"\n")
        self._line = rest[-_LONGEST:]
        for line in lines:
            told = read_show(line)
            if line == REST.strip():
                self.screen, self.unlocked = None, False
            if told is not None:
                verdict, self.screen = told
                self.unlocked = verdict.admit
                if not self._shown.full():
                    self._shown.put_nowait(verdict)
