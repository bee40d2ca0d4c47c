"""What a kind of reader brings for the contract suite: `READERS` in the bench.py of its tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Protocol

from gateway.domain.credential import Credential, Technology
from gateway.ports import CardRead, ReaderEvent, Upload

#: Shorter than the default, so that a card that stayed and one that came back are told apart within a test.
SILENCE = 0.3
#: Where a card is held for longer than that: so much longer than the time between two of its frames that nothing this
#: machine does in between makes it two.
HELD = 1.0


class Simulated(Protocol):
    """The device's side."""

    @property
    def url(self) -> str: ...
    async def __aenter__(self) -> object: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def opened(self) -> None: ...
    async def unplug(self) -> None: ...
    async def replug(self) -> None: ...


class Bench(Protocol):
    """One kind with its simulator."""

    kind: str
    #: Of its device, beside the url.
    settings: Mapping[str, object]
    first: Credential
    second: Credential

    @property
    def sim(self) -> Simulated: ...
    async def present(self, card: Credential, hold: float = 0.0) -> None: ...
    async def unfit(self) -> None: ...
    async def storm(self) -> None: ...


@asynccontextmanager
async def again(bench: Bench, card: Credential) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """What shows the card to a device that was just opened; where that takes more than a second it lies there already."""
    lying: Callable[[Credential], AbstractAsyncContextManager[None]] | None = getattr(bench, "lying", None)
    if lying is None:
        yield partial(bench.present, card)
    else:
        async with lying(card):
            yield partial(asyncio.sleep, 0)


def em4100(uid: str) -> Credential:
    return Credential(technology=Technology.EM4100, uid=bytes.fromhex(uid))


def type_a(uid: str) -> Credential:
    return Credential(technology=Technology.ISO14443A, uid=bytes.fromhex(uid))


def unpacked(event: ReaderEvent) -> list[ReaderEvent]:
    """What was told alone, without its time; the terminal hears that it is recorded. An upload that only covers tells nothing."""
    if not isinstance(event, Upload):
        return [event]
    event.recorded(True)
    return [CardRead(credential=read.credential) for read in event.reads]
