"""A session after the other: a fresh link each time, all jobs on it, and longer pauses while nothing works."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Never, Protocol, TypeVar

from gateway.errors import AttendanceError, LinkLost
from gateway.tasks import apart
from sync.relay import Backoff, LinkStatus


class Named(Protocol):
    """Anything with a session."""

    @property
    def session(self) -> str: ...


U = TypeVar("U", bound=Named)


async def keep_link(
    link: Callable[[], AbstractAsyncContextManager[U]],
    jobs: Sequence[Callable[[U], Coroutine[Any, Any, None]]],
    status: LinkStatus,
    *,
    longest: float = 60.0,
) -> Never:
    """A fresh link each time, with all jobs on it until one of them fails; then wait, longer each time, and again.

    Everything that an operator can mend ends up in `status`; any other exception is a bug and passes through.
    """
    backoff = Backoff(first=1.0, longest=longest)
    while True:
        try:
            await apart(_on(link(), jobs, status))
        except* AttendanceError as group:
            status.down(_telling(group))
        # Two devices of one name throw each other out: each waits longer, so that the other gets something done.
        if status.progress and not status.contested:
            backoff.reset()
        status.progress = status.contested = False
        await asyncio.sleep(backoff.pause())


async def _on(
    link: AbstractAsyncContextManager[U], jobs: Sequence[Callable[[U], Coroutine[Any, Any, None]]], status: LinkStatus
) -> None:
    async with link as uplink, asyncio.TaskGroup() as tasks:
        status.up(uplink.session)
        for job in jobs:
            tasks.create_task(job(uplink))


def _telling(group: BaseExceptionGroup[AttendanceError]) -> AttendanceError:
    """The error that tells most: anything rather than the loss of the link that followed from it."""
    leaves = [_telling(error) if isinstance(error, BaseExceptionGroup) else error for error in group.exceptions]
    return next((error for error in leaves if not isinstance(error, LinkLost)), leaves[0])
