"""A new key for a running gateway: told to the journal under the old one, and in use once the journal has it.

gateway.key.next ──> att.key.v1 in the ledger ──receipt──> gateway.key ──> a session that is born under it
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.domain.entry import Entry, KeyData
from gateway.errors import AttendanceError, ConfigError, LinkLost
from gateway.ports import Clock
from sync.files import sync_folder
from sync.outbox import SqliteOutbox
from sync.signing import Signer

_NEXT: Final = "next"


def next_key(path: Path) -> Path:
    """Where the next key waits beside the one in use."""
    return path.with_name(f"{path.name}.{_NEXT}")


class Rekeying:
    """The key of one gateway, and the change from one to the next; a crash anywhere begins where it was."""

    def __init__(
        self, path: Path, outbox: SqliteOutbox, clock: Clock, report: Callable[[AttendanceError], None]
    ) -> None:
        self._path, self._outbox, self._clock, self._report = path, outbox, clock, report
        #: The key in use.
        self.signer = Signer.load(path)
        #: Epoch, seq and key of the entry that announces the next one; a new process tells it again, which says no more.
        self._told: tuple[str, int, str] | None = None
        self._changed = asyncio.Event()

    async def look(self) -> None:
        """One step of the change, where there is a next key."""
        fresh = next_key(self._path)
        try:
            if fresh.exists():
                await self._step(Signer.load(fresh), fresh)
        except (AttendanceError, OSError) as error:
            self._report(error if isinstance(error, AttendanceError) else ConfigError(f"{fresh}: {error}"))

    async def session(self, _uplink: object) -> None:
        """A job of each session: ends it when another key is in use. Raises LinkLost."""
        signer = self.signer
        while self.signer is signer:
            self._changed.clear()
            await self._changed.wait()
        raise LinkLost("a new key is in use; the next session is born under it")

    async def _step(self, signer: Signer, fresh: Path) -> None:
        epoch, through = self._outbox.stream.epoch, self._outbox.position.through
        if self._told is None or (self._told[0], self._told[2]) != (epoch, signer.kid):
            said = KeyData(kid=self.signer.kid, key=signer.public.hex())
            seq = await self._outbox.append([Entry(at=self._clock.now(), data=said)])
            self._told = (self._outbox.stream.epoch, seq, signer.kid)
        elif through >= self._told[1]:
            await asyncio.to_thread(_replace, fresh, self._path)
            self.signer, self._told = signer, None
            self._changed.set()


def _replace(fresh: Path, path: Path) -> None:
    fresh.rename(path)
    sync_folder(path.parent)
