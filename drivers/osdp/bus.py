"""One thread for one bus: all of libosdp happens in it, and nothing of it can hold up the loop.

thread   a turn of the panel ── events, who is there ──> Hears, in the loop
   ^     for bytes, for orders, and twenty times a second
   └──── orders ── Bus.tell, in the loop
"""

import asyncio
import contextlib
import os
import select
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Final, Protocol, Self

from drivers.abandoned import abandon, refuse_more
from drivers.cable import Line
from drivers.frames import Noise
from drivers.osdp.codec import Order
from drivers.osdp.panel import PATIENCE, Panel
from gateway.errors import DeviceLost

#: Milliseconds; libosdp polls a reader when more than 50 have passed since its last answer.
_TURN: Final = 51
#: Seconds between two turns of a line that does not stop speaking, so that noise is no load.
_BREATH: Final = 0.002
#: Seconds after which a turn that does not end is a library that hangs.
_HANGS: Final = 10.0
_CLOSING: Final = 3.0
#: A bus that is still held by a thread that hangs cannot be opened again.
_MOST: Final = 1


class Hears(Protocol):
    """Who is told, in the loop, what happens on the bus. A call may wait for room: the thread waits with it."""

    async def event(self, address: int, event: Mapping[str, Any] | Noise) -> None:
        """A reader told something, or noise was heard instead of it."""
        ...

    async def stands(self, address: int, why: str | None) -> None:
        """Why a reader is not there; None when it is back."""
        ...


class Bus:
    """The panel and its thread, from `async with` until it is closed."""

    def __init__(self, url: str, line: Line, keys: Mapping[int, bytes], hears: Hears) -> None:
        self._url = url
        self._line = line
        self._keys = keys
        self._hears = hears
        #: None: nobody knows yet.
        self._there: dict[int, bool | None] = dict.fromkeys(keys)
        self._pictures: dict[int, list[Order]] = {}
        self._stop = threading.Event()
        self._failed: Exception | None = None
        self._turns = 0
        self._why = ""

    async def __aenter__(self) -> Self:
        """Returns when of every reader is known whether it is there. Raises DeviceLost when none is."""
        refuse_more(self._url, _MOST)
        self._loop = asyncio.get_running_loop()
        self._known, self._ended = asyncio.Event(), asyncio.Event()
        self._woken, self._wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name=f"osdp {self._url}", daemon=True)
        self._thread.start()
        try:
            await self._opened()
        except BaseException as error:
            await self._close(error)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close(error)

    async def watch(self) -> None:
        """Raises what ended the thread, or DeviceLost when it hangs."""
        while True:
            turns = self._turns
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HANGS):
                    await self._ended.wait()
            if self._ended.is_set():
                raise self._failed or DeviceLost("the device was closed")
            if self._turns == turns:
                raise DeviceLost(f"{self._url}: libosdp hangs")

    def tell(self, address: int, orders: list[Order]) -> None:
        """Instead of what was not told yet. Raises DeviceLost where that reader is not there."""
        if not self._there.get(address):
            raise DeviceLost(f"reader {address} of {self._url} is not there")
        self._pictures[address] = [*orders]
        self._wake()

    async def _opened(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE + _HANGS):
                await self._known.wait()
        except TimeoutError as error:
            raise DeviceLost(f"{self._url}: libosdp hangs") from error
        if self._failed is not None:
            raise self._failed
        if not any(self._there.values()):
            hint = "check its power, A to A and B to B, address and baud rate"
            raise DeviceLost(f"no reader is there at {self._url}: {self._why}", hint=hint)

    async def _close(self, error: BaseException | None) -> None:
        self._stop.set()
        self._wake()
        try:
            async with asyncio.timeout(_CLOSING):
                await self._ended.wait()
        except TimeoutError:
            # A thread cannot be ended from outside; this one is a daemon and ends with the process.
            abandon(self._url, self._thread.is_alive)
            if error is not None:
                error.add_note(f"{self._thread.name}: its thread hangs and was left behind")
            return
        self._thread.join()

    def _end(self) -> None:
        """The thread is gone, in time or long after it was left behind."""
        self._ended.set()
        for end in (self._woken, self._wakes):
            os.close(end)

    def _wake(self) -> None:
        if not self._ended.is_set():
            with contextlib.suppress(BlockingIOError):
                os.write(self._wakes, b"\0")

    def _run(self) -> None:
        """The thread."""
        try:
            self._serve(Panel(self._line, self._keys, time.monotonic))
        except Exception as error:  # noqa: BLE001 - handed to the loop; DeviceLost or a bug
            self._failed = error
        finally:
            self._call(self._known.set)
            self._call(self._end)

    def _serve(self, panel: Panel) -> None:
        waiting = select.poll()
        waiting.register(self._line.fileno(), select.POLLIN)
        waiting.register(self._woken, select.POLLIN)
        heard = time.monotonic()
        doubts_end = heard + PATIENCE
        while not self._stop.is_set():
            self._turns += 1
            self._give(panel)
            panel.turn()
            for address, event in panel.events():
                self._hand(self._hears.event(address, event))
            for address in self._there:
                self._look(panel, address, sure=time.monotonic() >= doubts_end)
            ready = waiting.poll(_TURN)
            if (self._woken, select.POLLIN) in ready:
                os.read(self._woken, 64)
            elif ready:
                if time.monotonic() - heard < _BREATH:
                    time.sleep(_BREATH)
                heard = time.monotonic()

    def _look(self, panel: Panel, address: int, *, sure: bool) -> None:
        there, before = panel.there(address), self._there[address]
        if there is before or not (there or before or sure):
            return
        self._there[address] = there
        if not there:
            self._why = panel.why(address)
            self._hand(self._hears.stands(address, self._why))
        elif before is False:
            self._hand(self._hears.stands(address, None))
        if None not in self._there.values():
            self._call(self._known.set)

    def _give(self, panel: Panel) -> None:
        for address in [*self._pictures]:
            orders = self._pictures.pop(address)
            while orders and panel.tell(address, orders[0]):
                del orders[0]
            if orders:
                # Full; if the loop has meanwhile told something newer, the rest of this is old.
                self._pictures.setdefault(address, orders)

    def _hand(self, hearing: Coroutine[None, None, None]) -> None:
        future = asyncio.run_coroutine_threadsafe(hearing, self._loop)
        while True:
            try:
                return future.result(timeout=1.0)
            except TimeoutError:
                # Waiting for room is not hanging; closing the device makes it raise.
                self._turns += 1

    def _call(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)
