"""ZKTeco terminals that decide alone: they push their taps to the gateway, and the gateway looks into their logs."""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import ClassVar, Self, TypeAlias

from drivers.channel import hearing
from drivers.zkteco import settings as keys
from drivers.zkteco.codec import Codec
from drivers.zkteco.memory import Stamps, Users
from drivers.zkteco.push import Server, serving
from drivers.zkteco.terminal import Terminal
from gateway.errors import ConfigError
from gateway.ports import Gate, Reader


class Zkteco:
    """A server for all terminals of a network; the address of a reader is the terminal's serial number."""

    codec: ClassVar = Codec
    Settings: TypeAlias = keys.Settings

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._terminals = {one.serial: Terminal(one) for one in settings.terminals}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        stamps = Stamps(self._settings.stamps)
        stamps.load()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(stamps.write)
            server = Server(self._terminals, stamps, Users(self._settings.users))
            await stack.enter_async_context(serving(self._settings.url, server))
            channels = [terminal.channel for terminal in self._terminals.values()]
            await stack.enter_async_context(hearing(self._pull, *channels))
            self._open = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def reader(self, address: str) -> Reader:
        """The terminal with this serial number, or the only one, at ""."""
        if not address and len(self._terminals) == 1:
            return next(iter(self._terminals.values()))
        if address not in self._terminals:
            raise ConfigError(
                f'no terminal here has the serial number "{address}"',
                hint=f"after the slash write one of {', '.join(self._terminals)}",
            )
        return self._terminals[address]

    def gate(self, address: str) -> Gate:  # noqa: ARG002 - no address has one
        """Raises ConfigError: the terminal opens its own door."""
        raise ConfigError("a zkteco terminal opens by itself", hint="leave out the lane's gate")

    async def _pull(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for terminal in self._terminals.values():
                if terminal.settings.pull is not None:
                    tasks.create_task(terminal.keep_pulling(self._settings.pull_seconds))
