"""What a device that was closed may have left behind."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


def descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def threads() -> set[str]:
    gc.collect()
    return {thread.name for thread in threading.enumerate()}


async def at_most(files: int) -> bool:
    """A simulator that dials has its own socket open now and then."""
    for _ in range(1000):
        if descriptors() <= files:
            return True
        await asyncio.sleep(0.001)
    return False


@asynccontextmanager
async def nothing_more() -> AsyncIterator[None]:
    """No thread and no descriptor more than before; what another test has left may end meanwhile."""
    names, files = threads(), descriptors()
    yield
    assert threads() <= names
    assert await at_most(files)
