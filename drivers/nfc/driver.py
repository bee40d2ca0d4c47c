"""A 13.56 MHz reader through nfcpy: PN532 on a serial line, ACR122U and others on USB, and nfcpy's UDP for rehearsals.

nfcpy blocks, so each reader has one thread of its own that asks for a card, tells the loop, and asks again.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, nullcontext
from functools import partial
from types import TracebackType
from typing import Annotated, Any, Literal, Never, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from drivers.abandoned import abandon, hanging, refuse_more
from drivers.channel import Channel, hearing
from drivers.nfc.frontend import Frontend, connect, readable_url
from drivers.nfc.genuine import Genuine, SunSettings
from drivers.presence import Presence
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import Gate, Reader, ReaderEvent

#: The first byte behind a USB converter of a Raspberry Pi may take 1.5 s, there are a dozen commands, and two tries.
_OPENING_SECONDS = 10.0
#: A round in which nobody comes takes a second over UDP, and four at the most on a line, as long as two tries to open it;
#: more is a call that hangs in a library or in the kernel.
_CLOSING_SECONDS = 5.0
#: The same while a tag is read, which repeats what it did not understand.
_ROUND_SECONDS = 10.0


class Nfc:
    """One antenna. It shows nothing: it has no gate."""

    class Settings(BaseModel):
        """The keys of its [[devices]] table."""

        model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

        #: Where the reader is; `tty:` and `usb:` as nfcpy writes them, a device file means a PN532.
        url: Annotated[str, AfterValidator(readable_url)] = Field(
            description='"/dev/serial/by-id/…", "tty:AMA0:pn532", "usb:072f:2200" or "udp:127.0.0.1:port"',
            examples=["tty:AMA0:pn532"],
        )
        #: What to look for, in this order; each one more makes a round longer.
        targets: tuple[Literal["106A", "212F", "424F"], ...] = Field(
            default=("106A",), strict=False, min_length=1, description="a list of 106A, 212F, 424F", examples=[["106A"]]
        )
        #: Seconds from one round to the next; one that takes longer is followed at once.
        interval: float = Field(default=0.05, ge=0.001, le=1, description="seconds from 0.001 to 1", examples=[0.05])
        #: Seconds without an answer after which the card has left.
        silence: float = Field(default=0.5, ge=0.1, le=10, description="seconds from 0.1 to 10", examples=[0.5])
        #: Which tags prove what they are (NTAG 424 DNA), and how; absent where every card is its UID.
        sun: SunSettings | None = Field(
            default=None,
            description="a table with meta_key, file_key and counters, and perhaps require, picc_data, cmac, mac_from, diversifier",
            examples=[{"meta_key": "/…", "file_key": "credential:sun-file", "counters": "/…"}],
        )

    def __init__(self, settings: Settings, *, connect: Callable[[str], Any] = connect) -> None:
        """`connect` gives the nfcpy device of a URL."""
        self._settings = settings
        self._connect = connect
        self._events: Channel[ReaderEvent] = Channel()
        self._stop = threading.Event()
        self._watching = AsyncExitStack()
        #: Since when the thread waits for the reader, if it does.
        self._asked: float | None = None

    async def __aenter__(self) -> Self:
        refuse_more(self._settings.url)
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._ended = asyncio.Event()
        name = f"nfc {self._settings.url}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        try:
            async with asyncio.timeout(_OPENING_SECONDS):
                await self._opened
        except TimeoutError as error:
            lost = DeviceLost(f"{self._settings.url} does not answer within {_OPENING_SECONDS:.0f} s")
            await self._close(lost)
            raise lost from error
        except BaseException as error:
            await self._close(error)
            raise
        await self._watching.enter_async_context(hearing(self._watch, self._events))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close(error)

    def reader(self, address: str) -> Reader:
        """The antenna, at ""."""
        return self._events.at(address)

    def gate(self, address: str) -> Gate:  # noqa: ARG002 - no address has one
        """Raises ConfigError: it has none."""
        raise ConfigError("an nfc reader has no gate", hint="name the device of the lamp or bolt as the lane's gate")

    async def _close(self, error: BaseException | None) -> None:
        self._stop.set()
        await self._watching.aclose()
        self._events.end(DeviceLost("the device was closed"))
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._ended.wait()
        except TimeoutError:
            # A thread cannot be ended from outside; this one is a daemon and ends with the process.
            abandon(self._settings.url, self._thread.is_alive)
            if error is not None:
                error.add_note(f"{self._thread.name}: its thread hangs and was left behind")
        else:
            self._thread.join()

    def _run(self) -> None:
        """The thread."""
        try:
            settings = self._settings
            with (
                Genuine(settings.sun) if settings.sun is not None else nullcontext() as genuine,
                Frontend(settings.url, settings.targets, self._connect, genuine, settings.silence) as frontend,
            ):
                self._tell(self._be_open)
                self._hear(frontend)
        except Exception as error:  # noqa: BLE001 - handed to the loop; DeviceLost or a bug
            self._tell(partial(self._fail, error))
        finally:
            self._tell(self._ended.set)

    def _hear(self, frontend: Frontend) -> None:
        presence = Presence(self._settings.silence)
        presence.faults.update(hanging(self._settings.url))
        self._events.faults = presence.faults
        pause = 0.0
        while not self._stop.wait(pause):
            self._asked = begun = time.monotonic()
            frame = frontend.sense()
            self._asked, now = None, time.monotonic()
            pause = max(0.0, begun + self._settings.interval - now)
            event = presence.event(frame, now) if frame is not None else None
            if event is not None:
                # Waits for room, as a full line would; closing the device makes it raise.
                asyncio.run_coroutine_threadsafe(self._events.put(event), self._loop).result()

    async def _watch(self) -> Never:
        """Raises DeviceLost when a call does not return."""
        while True:
            await asyncio.sleep(_ROUND_SECONDS / 10)
            if (asked := self._asked) is not None and time.monotonic() - asked > _ROUND_SECONDS:
                raise DeviceLost(
                    f"{self._settings.url} hangs: a call did not return within {_ROUND_SECONDS:.0f} s",
                    hint="it is opened again by itself; if it hangs again, plug it in anew",
                )

    def _tell(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def _be_open(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self._opened.done():
            self._events.end(error)
        else:
            self._opened.set_exception(error)
