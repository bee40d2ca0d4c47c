"""A 13.56 MHz reader through nfcpy: PN532 on a serial line, ACR122U and others on USB, and nfcpy's UDP for rehearsals.

nfcpy blocks, so each reader has one thread of its own that asks for a card, tells the loop, and asks again.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from drivers.channel import Channel
from drivers.nfc.frontend import Frontend, connect, readable_url
from drivers.presence import Presence
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import Gate, Reader, ReaderEvent

#: The first byte behind a USB converter of a Raspberry Pi may take 1.5 s, and there are a dozen commands.
_OPENING_SECONDS = 10.0
#: By URL, threads that hang: a device that is still held by one cannot be opened again.
_LEFT_BEHIND: dict[str, threading.Thread] = {}

#: A round without an answer takes a second over UDP; more is a call that hangs in a library or in the kernel.
_CLOSING_SECONDS = 3.0


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
        #: Seconds between two rounds, with the field off.
        interval: float = Field(default=0.05, ge=0.001, le=1, description="seconds from 0.001 to 1", examples=[0.05])
        #: Seconds without an answer after which the card has left.
        silence: float = Field(default=0.5, ge=0.1, le=10, description="seconds from 0.1 to 10", examples=[0.5])

    def __init__(self, settings: Settings, *, connect: Callable[[str], Any] = connect) -> None:
        """`connect` gives the nfcpy device of a URL."""
        self._settings = settings
        self._connect = connect
        self._events: Channel[ReaderEvent] = Channel()
        self._stop = threading.Event()

    async def __aenter__(self) -> Self:
        hanging = _LEFT_BEHIND.get(self._settings.url)
        if hanging is not None and hanging.is_alive():
            raise DeviceLost(
                f"{self._settings.url} still hangs since it was last used",
                hint="plug it in again; if that does not help: 'systemctl restart attendance-gateway'",
            )
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
        self._events.end(DeviceLost("the device was closed"))
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._ended.wait()
        except TimeoutError:
            # A thread cannot be ended from outside; this one is a daemon and ends with the process.
            _LEFT_BEHIND[self._settings.url] = self._thread
            if error is not None:
                error.add_note(f"{self._thread.name}: its thread hangs and was left behind")
        else:
            self._thread.join()

    def _run(self) -> None:
        """The thread."""
        try:
            with Frontend(self._settings.url, self._settings.targets, self._connect) as frontend:
                self._tell(self._be_open)
                self._hear(frontend)
        except Exception as error:  # noqa: BLE001 - handed to the loop; DeviceLost or a bug
            self._tell(partial(self._fail, error))
        finally:
            self._tell(self._ended.set)

    def _hear(self, frontend: Frontend) -> None:
        presence = Presence(self._settings.silence)
        self._events.faults = presence.faults
        while not self._stop.wait(self._settings.interval):
            frame = frontend.sense()
            event = presence.event(frame, time.monotonic()) if frame is not None else None
            if event is not None:
                # Waits for room, as a full line would; closing the device makes it raise.
                asyncio.run_coroutine_threadsafe(self._events.put(event), self._loop).result()

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
