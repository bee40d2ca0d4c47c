"""A wire that the kernel spoils: the whole ward in a network namespace of its own, and nftables on the port of one gateway.

Stands where `tests.faults.proxy` stands; there it is a program between the two that does the same to bytes.
"""

import asyncio
import ctypes
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

import pytest

#: Of a namespace in which nobody else listens.
PORT: Final = 1884
_CLONE_NEWNET: Final = 0x40000000
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_WORDS: Final = {"drops_up": f"tcp dport {PORT}", "drops_down": f"tcp sport {PORT}"}


@contextmanager
def own_network() -> Iterator[None]:
    """This thread and the processes that it starts have a loopback of their own; not run where that is not permitted."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if _LIBC.unshare(_CLONE_NEWNET) != 0:
            pytest.skip(f"a network namespace is not permitted: {os.strerror(ctypes.get_errno())}")
        try:
            _run("ip", "link", "set", "lo", "up")
            _run("nft", "add table inet wire; add chain inet wire in { type filter hook input priority 0; }")
            yield
        finally:
            if _LIBC.setns(before, 0) != 0:
                raise OSError(ctypes.get_errno(), "the old network namespace is gone")
    finally:
        os.close(before)


class Firewall:
    """What `Proxy` is, by rules of the kernel; the broker listens on `PORT` as well."""

    port = PORT
    #: What the broker is told.
    lines: Sequence[str] = (f"listener {PORT} 127.0.0.1",)
    #: Packets that were thrown away, but for those of a rule that still stands.
    _gone = 0

    def __init__(self, _port: int) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.heal()

    def spoil(self, way: str) -> None:
        """`drops_up` to the broker, `drops_down` to the gateway: nothing gets through that way any more."""
        _rule(f"{_WORDS[way]} counter drop")

    def heal(self) -> None:
        """Everything gets through again."""
        self._gone = self.dropped
        _run("nft", "flush chain inet wire in")

    @property
    def dropped(self) -> int:
        """Packets that were thrown away."""
        rules = _run("nft", "list chain inet wire in")
        return self._gone + sum(int(packets) for packets in re.findall(r"counter packets (\d+)", rules))

    async def reset(self) -> None:
        """The next packet of the gateway is answered with a reset."""
        _rule(f"{_WORDS['drops_up']} counter reject with tcp reset")
        before = self._gone
        async with asyncio.timeout(60):
            while self.dropped == before:
                await asyncio.sleep(0.02)
        self.heal()


def _rule(words: str) -> None:
    _run("nft", f"add rule inet wire in {words}")


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
