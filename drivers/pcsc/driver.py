"""A PC/SC reader: ACR122U and others that pcscd knows. A process of its own holds it, and is killed when it hangs."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack, asynccontextmanager, closing
from types import TracebackType
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from drivers.abandoned import abandon, hanging, refuse_more
from drivers.cable import Line
from drivers.channel import Channel, hearing
from drivers.lamp import Lamp, Output
from drivers.pcsc.codec import QUIET, Codec, Idle, Lost, Ready, Still, Told, encode_beep, encode_lamp
from drivers.presence import Presence
from drivers.signals import signal
from gateway.domain.answer import Words
from gateway.domain.model import Verdict
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import Gate, GateEvent, Reader, ReaderEvent

_PROGRAM = (sys.executable, "-m", "drivers.pcsc.child")
_SCHEME = "pcsc:"
#: The process speaks every second; a Raspberry Pi that is busy may start it this slowly.
_SILENT_SECONDS = 10.0
_ENDING_SECONDS = 3.0
#: Whose lamp and buzzer this driver knows.
_SHOWS = "ACR122"


def _named(url: str) -> str:
    name = url.removeprefix(_SCHEME)
    if name == url or not name.isprintable() or not name.strip():
        raise ValueError("'attendance-gateway devices' lists the readers of this machine")
    try:
        re.compile(name)
    except re.error as error:
        raise ValueError(f"a part of the reader's name, or a regular expression: {error}") from None
    return url


class Pcsc:
    """One reader with one antenna, and the lamp of an ACR122U."""

    class Settings(BaseModel):
        """The keys of its [[devices]] table."""

        model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

        #: Which reader: part of its name, or a regular expression that only one name matches.
        url: Annotated[str, AfterValidator(_named)] = Field(
            max_length=200, description='"pcsc:" and a part of the reader\'s name', examples=["pcsc:ACS ACR122U"]
        )
        #: Seconds without a card after which it has left.
        silence: float = Field(default=0.5, ge=0.3, le=10, description="seconds from 0.3 to 10", examples=[0.5])
        #: The lamp of an ACR122U without its buzzer.
        silent: bool = Field(default=False, description="true or false", examples=[True])

    def __init__(self, settings: Settings, *, program: Sequence[str] = _PROGRAM) -> None:
        """`program` is started with the reader's name and speaks as codec.py says."""
        self._settings = settings
        self._program = program
        self._events: Channel[ReaderEvent] = Channel()
        self._passed: Channel[GateEvent] = Channel()
        self._line: Line | None = None
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            line = await stack.enter_async_context(_process(self._settings.url, self._program))
            told = self._told(line)
            while not isinstance(await anext(told), Ready):
                pass
            await stack.enter_async_context(hearing(lambda: self._hear(told), self._events, self._passed))
            self._open, self._line = stack.pop_all(), line
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def reader(self, address: str) -> Reader:
        """The antenna, at ""."""
        return self._events.at(address)

    def gate(self, address: str) -> Gate:
        """The lamp and the buzzer of an ACR122U, at "". Raises ConfigError for a reader that is not named so."""
        if _SHOWS not in self._settings.url.upper():
            hint = "name the device of the lamp or bolt as the lane's gate; an ACR122U shows if its url says that it is one"
            raise ConfigError("this pcsc reader has no gate", hint=hint)
        return _PcscGate(self._passed.at(address), self, silent=self._settings.silent)

    def tell(self, command: bytes) -> None:
        """Say something to the reader; what it cannot do without a card is lost. Raises DeviceLost."""
        self._passed.check()
        if self._line is None:
            raise DeviceLost("the device is not open")
        try:
            self._line.write(command.hex().encode("ascii") + b"\n")
        except DeviceLost as error:
            # Who watches the device hears of it too: a lamp that is gone is opened again.
            for channel in (self._events, self._passed):
                channel.end(error)
            raise

    async def _hear(self, told: AsyncIterator[Told]) -> None:
        presence = Presence(self._settings.silence)
        presence.faults.update(hanging(self._settings.url))
        self._events.faults = presence.faults
        loop = asyncio.get_running_loop()
        async for frame in told:
            match frame:
                case Idle() | Lost() | Ready():
                    pass
                case Still(frame=held):
                    presence.event(held, loop.time())
                case _:
                    if event := presence.event(frame, loop.time()):
                        await self._events.put(event)

    async def _told(self, line: Line) -> AsyncIterator[Told]:
        """What the process says. Raises DeviceLost when it says so, ends or hangs."""
        codec, chunks, url = Codec(), line.chunks(), self._settings.url
        while True:
            try:
                async with asyncio.timeout(_SILENT_SECONDS):
                    chunk = await anext(chunks)
            except TimeoutError as error:
                raise DeviceLost(
                    f"{url} hangs: its process said nothing for {_SILENT_SECONDS:.0f} s and was killed",
                    hint="systemctl restart pcscd; if that does not help, plug the reader in again",
                ) from error
            for told in codec.feed(chunk):
                if isinstance(told, Lost):
                    raise DeviceLost(f"{url}: {told.why}", hint=told.hint or None)
                yield told


class _PcscGate:
    """Green, red and both at once; no bolt."""

    def __init__(self, passed: Channel[GateEvent], device: Pcsc, *, silent: bool) -> None:
        self._passed = passed
        self._device = device
        self._silent = silent
        self._beep = 0.0
        self._on: AbstractSet[Output] = frozenset()
        self._lamp = Lamp(self._switch, {*Output} - {Output.UNLOCK}, opens=0, silent=silent)

    async def events(self) -> AsyncIterator[GateEvent]:
        """None ever, until the device is lost."""
        self._device.tell(QUIET)
        try:
            async for event in self._passed.events():
                yield event
        finally:
            self._lamp.stop()

    async def show(self, verdict: Verdict, words: Words) -> None:
        self._beep = signal(words.answer, silent=self._silent).beep
        # Whoever comes next hears the same again.
        self._on = frozenset()
        self._lamp.show(words.answer, admit=verdict.admit)

    async def rest(self) -> None:
        self._lamp.rest()

    def _switch(self, on: AbstractSet[Output]) -> None:
        amber, sounds = Output.AMBER in on, Output.BUZZER in on - self._on
        if not on or on - {Output.BUZZER} != self._on - {Output.BUZZER}:
            self._device.tell(encode_lamp(green=amber or Output.GREEN in on, red=amber or Output.RED in on))
        self._on = on
        if sounds:
            self._device.tell(encode_beep(self._beep))


@asynccontextmanager
async def _process(url: str, program: Sequence[str]) -> AsyncIterator[Line]:
    """The line to a process that lives as long as the block."""
    refuse_more(url)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with closing(ours):
        with closing(theirs):
            child = start([*program, url.removeprefix(_SCHEME)], theirs)
        try:
            yield Line(url, ours)
        finally:
            child.kill()
            if not await _ended(child):
                # It hangs in the kernel; the object is kept, and asked again before the next one is started.
                abandon(url, lambda: child.poll() is None)


def start(command: Sequence[str], end: socket.socket) -> subprocess.Popen[bytes]:
    """A process that talks through that end."""
    return subprocess.Popen(command, stdin=end.fileno(), stdout=end.fileno(), stderr=subprocess.DEVNULL)


async def _ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether a killed process was seen to end."""
    if child.poll() is not None:
        return True
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    descriptor = os.pidfd_open(child.pid)
    loop.add_reader(descriptor, gone.set)
    try:
        async with asyncio.timeout(_ENDING_SECONDS):
            await gone.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return child.poll() is not None
