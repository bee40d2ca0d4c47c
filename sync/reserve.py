"""Room set aside for the ledger: a file that is given up when the disk is full, and made again when it is not.

free space:   plenty            nearly none                          plenty again
reserve:      held    ────>     given up: taps are recorded in it    ────>   held
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from sync.files import sync_folder

#: Some hundred taps with everything that SQLite writes for them, and what it needs to open a database at all.
SIZE: Final = 4 * 1024 * 1024
#: Less free space than this is told to the operator, and settled entries are not kept any longer.
LOW: Final = 16 * 1024 * 1024
#: With this much free space the reserve is made again; the gap keeps it from coming and going.
PLENTY: Final = LOW + 2 * SIZE


class Reserve:
    """One file beside the ledger. The constructor touches nothing."""

    def __init__(self, path: Path, *, size: int = SIZE, low: int = LOW, plenty: int = PLENTY) -> None:
        self._path, self._size, self._low, self._plenty = path, size, low, plenty

    @property
    def held(self) -> bool:
        """Whether it is there to be given up."""
        return self._path.exists()

    @property
    def low(self) -> bool:
        """Whether the disk is nearly full: little is free, or the reserve was given up."""
        free = self._free()
        return free is not None and (free < self._low or (not self.held and free < self._plenty))

    def make_room(self) -> bool:
        """Give it up; False where there is none. Frees nothing that anybody asked to keep."""
        with suppress(OSError):
            self._path.unlink()
            sync_folder(self._path.parent)
            return True
        return False

    def keep(self) -> None:
        """Make it where there is none and room enough; a disk that refuses is asked again another time."""
        free = self._free()
        if self.held or free is None or free < self._plenty:
            return
        fresh = self._path.with_name(f"{self._path.name}.new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            fresh.rename(self._path)
            sync_folder(self._path.parent)
        except OSError:
            fresh.unlink(missing_ok=True)

    def _free(self) -> int | None:
        with suppress(OSError):
            return shutil.disk_usage(self._path.parent).free
        return None
