"""What asyncio forgets."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def apart(work: Coroutine[Any, Any, None]) -> None:
    """Await work in a task of its own, so that a stop which meets an error stays a stop.

    Before Python 3.13 a TaskGroup that is cancelled while one of its tasks fails tells only of the failure; a loop that
    goes on after failures would go on for ever.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise
    task.result()


async def whole(work: Awaitable[T]) -> T:
    """Await work that is not stopped half-way: whoever is cancelled here goes when it has ended."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise
