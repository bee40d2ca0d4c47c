"""A USB reader that types like a keyboard, for this process alone: its keys go nowhere else."""

import fcntl
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, Field

from drivers.cable import Line, open_line
from drivers.keyboard.codec import Codec, Format
from drivers.oneway import OneWay
from drivers.trouble import unopened

#: _IOW('E', 0x90, int) and _IOW('E', 0xa0, int) of linux/input.h.
_GRAB, _CLOCK = 0x40044590, 0x400445A0
_MONOTONIC = (1).to_bytes(4, "little")


def _keyboard_url(url: str) -> str:
    if not re.fullmatch(r"/dev/input/[^\0]{1,200}|unix:/[^\0]{1,100}", url):
        raise ValueError(
            "'attendance-gateway devices' lists the keyboards of this machine; take one that ends in -event-kbd"
        )
    return url


class Keyboard(OneWay):
    """One antenna."""

    codec: ClassVar = Codec
    format: ClassVar = Format

    class Settings(Format):
        """The keys of its [[devices]] table."""

        model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

        #: Where the reader is; or the socket of a program that plays one.
        url: Annotated[str, AfterValidator(_keyboard_url)] = Field(
            description='"/dev/input/by-id/…-event-kbd" or "unix:/path"',
            examples=["/dev/input/by-id/usb-Sycreader_RFID_Technology_Co.__Ltd-event-kbd"],
        )
        #: Seconds after which a card has left; the reader types it once.
        silence: float = Field(default=0.5, ge=0.1, le=10, description="seconds from 0.1 to 10", examples=[0.5])

    def __init__(self, settings: Settings) -> None:
        # Only where no key ends a number is it ended by the loop's clock, which a busy machine may stop for a moment.
        pause = 2 * settings.gap if settings.terminator == "none" else None
        super().__init__(
            partial(_opened, settings.url), partial(Codec, settings), silence=settings.silence, pause=pause
        )


class _Descriptor:
    def __init__(self, path: str) -> None:
        self._number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        return self._number

    def close(self) -> None:
        os.close(self._number)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Line]:
    """Raises DeviceLost."""
    if url.startswith("unix:"):
        async with open_line(url) as line:
            yield line
        return
    try:
        port = _Descriptor(url)
    except OSError as error:
        raise await unopened(url, error) from error
    with closing(port):
        try:
            fcntl.ioctl(port.fileno(), _GRAB, 1)
            fcntl.ioctl(port.fileno(), _CLOCK, _MONOTONIC)
        except OSError as error:
            raise await unopened(url, error) from error
        yield Line(url, port)
