"""Why a device cannot be opened or used, as a sentence and what to do about it."""

import asyncio
import errno
import grp
import os
from pathlib import Path

from drivers.holders import holders
from gateway.errors import DeviceLost

_BY_ID = Path("/dev/serial/by-id")
_INPUT = "/dev/input/"
_KEYBOARDS = Path(_INPUT) / "by-id"
_GONE = {errno.ENOENT, errno.ENODEV, errno.ENXIO}
_BUSY = {errno.EBUSY, errno.EAGAIN}


def lost(url: str, error: Exception) -> DeviceLost:
    """The DeviceLost for what the system or a library said about a device file, a USB device or a socket."""
    code = error.errno if isinstance(error, OSError) else None
    if code in _GONE:
        return DeviceLost(f"{url} is not there", hint=f"plug it in; {_plugged(url)}")
    if code in (errno.EACCES, errno.EPERM):
        return DeviceLost(
            f"{url} may not be opened by {_user()}",
            hint=f"add it to group {_group(url)}: sudo usermod -aG {_group(url)} {_user()}, then start again",
        )
    if code in _BUSY:
        node = os.path.realpath(url)
        who = holders(node)
        hint = who[0].fix(node) if who else "stop that program"
        return DeviceLost(f"{url} is in use by {', '.join(map(str, who)) or 'another program'}", hint=hint)
    if code == errno.ECONNREFUSED:
        return DeviceLost(f"nobody listens at {url}", hint="check the power of the converter and its port number")
    if code in (None, errno.ENOTTY):
        kind = "keyboard" if url.startswith(_INPUT) else "serial device"
        return DeviceLost(f"{url} is not usable: {error}", hint=f"check that the path leads to a {kind}")
    return DeviceLost(f"{url}: {os.strerror(code) if code > 0 else getattr(error, 'strerror', None) or error}")


async def unopened(url: str, error: Exception) -> DeviceLost:
    """The same from the event loop: who holds a device is looked up beside it."""
    busy = isinstance(error, OSError) and error.errno in _BUSY
    return await asyncio.to_thread(lost, url, error) if busy else lost(url, error)


def _plugged(url: str) -> str:
    folder = _KEYBOARDS if url.startswith(_INPUT) else _BY_ID
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        names = []
    return f"in {folder} there is {', '.join(names) or 'nothing'}"


def _user() -> str:
    return os.environ.get("USER") or str(os.geteuid())


def _group(path: str) -> str:
    try:
        return grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"
