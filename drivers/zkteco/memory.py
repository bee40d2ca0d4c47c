"""What the server remembers for terminals: how far each has told, and which users each was told of."""

import asyncio
import contextlib
import json
import os
import re
from pathlib import Path
from typing import Final

from drivers.zkteco.codec import delete_user, update_user

#: A stamp that is older than it could be costs repeated uploads, which are no new entries; one that is newer costs taps.
_WRITE_SECONDS: Final = 60.0
_AT_ONCE: Final = 20
_MOST_BYTES: Final = 1024 * 1024
_USER = re.compile(r"\s*([0-9]{1,18})\s*[,;]\s*([0-9]{0,20})\s*")
_STAMP = re.compile(r"[!-~]{1,32}")


class Stamps:
    """The stamp of the last upload of each terminal that is on the disk; without a file every terminal starts anew."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path is not None else None
        self._stamps: dict[str, str] = {}
        self._written = float("-inf")

    def load(self) -> None:
        """A file that cannot be read is none."""
        with contextlib.suppress(OSError, ValueError):
            if self._path is not None:
                told = json.loads(self._path.read_bytes()[:_MOST_BYTES])
                if isinstance(told, dict):
                    self._stamps = {str(serial): str(stamp) for serial, stamp in told.items()}

    def of(self, serial: str) -> str:
        """From where a terminal shall go on; "0" is everything it has."""
        return self._stamps.get(serial, "0")

    async def keep(self, serial: str, stamp: str) -> None:
        """Told after everything up to it is on the disk."""
        if _STAMP.fullmatch(stamp) and stamp != self._stamps.get(serial):
            self._stamps[serial] = stamp
            now = asyncio.get_running_loop().time()
            if now - self._written >= _WRITE_SECONDS:
                self._written = now
                await self.write()

    async def write(self) -> None:
        """To the disk; one that does not serve is no reason to stop."""
        if self._path is not None and self._stamps:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(_replace, self._path, json.dumps(self._stamps).encode("ascii"))


class Users:
    """Commands from a file of PINs and card numbers; who has no card is removed. Each terminal hears each line until it obeyed."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path is not None else None
        self._read: tuple[int, int] | None = None
        self._all: dict[int, str] = {}
        self._waiting: dict[str, dict[int, str]] = {}

    def commands(self, serial: str) -> str:
        """The next ones for a terminal; empty is none."""
        self._look()
        waiting = self._waiting.setdefault(serial, dict(self._all))
        return "".join(f"C:{number}:{command}\n" for number, command in [*waiting.items()][:_AT_ONCE])

    def done(self, serial: str, results: list[tuple[int, int]]) -> int:
        """What became of them; returns how many the terminal refused, which are not told again."""
        waiting = self._waiting.get(serial, {})
        return sum(waiting.pop(number, None) is not None and returned != 0 for number, returned in results)

    def _look(self) -> None:
        if self._path is None:
            return
        try:
            status = self._path.stat()
            version = status.st_mtime_ns, status.st_size
            if version == self._read:
                return
            lines = self._path.read_text("utf-8-sig", "replace")[:_MOST_BYTES].splitlines()
        except OSError:
            return
        found = [user for line in lines if (user := _USER.fullmatch(line))]
        commands = [update_user(user[1], user[2]) if user[2] else delete_user(user[1]) for user in found]
        self._read, self._all, self._waiting = version, dict(enumerate(commands, 1)), {}


def _replace(path: Path, data: bytes) -> None:
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
