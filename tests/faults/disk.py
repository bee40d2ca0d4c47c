"""A disk that forgets: SQLite's files through a VFS that knows which writes no sync has covered.

Files lie in a real folder as the running process sees them; beside them is kept what each write since the last sync of
its file replaced. A power cut takes those back and keeps, by chance, none, a first part, some, or a first part and a
piece of the next one. What the disk does about folders (names, deletions) is taken as durable at once.
"""

# ruff: noqa: N802 - SQLite names the methods of a disk

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apsw

from tests.faults.chance import Chance, Fault

#: Of the VFS.
NAME = "forgetful"
_SECTOR = 512
_POWERSAFE_OVERWRITE = 0x1000  # as SQLite takes it for granted on Linux


@dataclass(frozen=True, slots=True)
class Write:
    """One that no sync has covered yet; data None is a truncation to `offset`."""

    offset: int
    data: bytes | None
    replaced: bytes
    size: int


class Disk:
    """The folder of one machine. `crash` is called, and the operation fails, when the time has come."""

    def __init__(self, folder: Path, chance: Chance) -> None:
        folder.mkdir(parents=True)
        self.folder, self.chance = folder, chance
        self.crash: Callable[[], None] = lambda: None
        #: Storage steps until the crash.
        self.fuse: int | None = None
        #: Nothing may grow.
        self.full = False
        #: Storage steps that fail from now on.
        self.errors = 0
        #: Of the process that has the disk now; what an earlier one left open may do nothing any more.
        self.life = 0
        self.pending: dict[str, tuple[int, list[Write]]] = {}
        mounted[str(folder)] = self

    def step(self, life: int) -> None:
        """Before every write, truncation, sync and deletion."""
        if life != self.life:
            raise apsw.IOError("the process is gone")
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = None
                self.chance.note(Fault.STORAGE_CRASH, self.folder.name)
                self.crash()
                raise apsw.IOError("the process is gone")
        if self.errors:
            self.errors -= 1
            self.chance.note(Fault.IO_ERROR, self.folder.name)
            raise apsw.IOError("disk I/O error")

    def end_life(self) -> None:
        """The process is gone; what it wrote is still there."""
        self.life += 1
        self.fuse = None

    def unsynced(self, path: str, inode: int) -> list[Write]:
        """Of this file, not of another one that had its name."""
        if self.pending.get(path, (0, []))[0] != inode:
            self.pending[path] = (inode, [])
        return self.pending[path][1]

    def power_cut(self) -> None:
        """Takes back what no sync has covered, but for what chance keeps."""
        self.chance.note(Fault.POWER_CUT, self.folder.name)
        for path, (inode, writes) in sorted(self.pending.items()):
            if writes and Path(path).exists() and Path(path).stat().st_ino == inode:
                with Path(path).open("r+b", buffering=0) as file:
                    for write in reversed(writes):
                        file.seek(write.offset if write.data is not None else write.size - len(write.replaced))
                        file.write(write.replaced)
                        file.truncate(write.size)
                    for write in self._kept(writes):
                        _apply(file.fileno(), write)
        self.pending.clear()

    def image(self) -> dict[str, bytes]:
        """All files as they are now."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}

    def ask(self, name: str, sql: str) -> list[Any]:
        """A look at a copy of a database, whoever has it open or has left it behind; nothing before it has its tables."""
        with TemporaryDirectory(prefix="simulated-") as folder:
            for path in self.folder.glob(f"{name}*"):
                shutil.copy(path, folder)
            with closing(sqlite3.connect(Path(folder) / name)) as copy, suppress(sqlite3.OperationalError):
                return copy.execute(sql).fetchall()
        return []

    def restore(self, image: dict[str, bytes]) -> None:
        """Of a machine that is off: these files, and no others."""
        self.pending.clear()
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        for name, content in image.items():
            (self.folder / name).write_bytes(content)

    def _kept(self, writes: list[Write]) -> list[Write]:
        dice = self.chance.dice
        whole = dice.randrange(len(writes) + 1)
        kept = {
            "none": list[Write](),
            "prefix": writes[:whole],
            "subset": [write for write in writes if dice.random() < 0.5],
            "torn": writes[:whole],
        }[mode := dice.choice(("none", "prefix", "subset", "torn"))]
        if mode == "torn" and whole < len(writes) and (data := writes[whole].data) is not None:
            torn = writes[whole]
            cut = dice.randrange(len(data)) // _SECTOR * _SECTOR
            kept = [*kept, Write(torn.offset, data[:cut], b"", 0)]
            self.chance.note(Fault.TORN_WRITE, self.folder.name)
        if len(kept) < len(writes):
            self.chance.note(Fault.LOST_WRITE, self.folder.name)
        return kept


def _apply(descriptor: int, write: Write) -> None:
    if write.data is None:
        os.ftruncate(descriptor, write.offset)
    else:
        os.pwrite(descriptor, write.data, write.offset)


#: By the names of their folders: SQLite knows a file by its path alone.
mounted: dict[str, Disk] = {}


class _File:
    def __init__(self, path: str, disk: Disk) -> None:  # the base class opens files of its own: it is not asked
        self._path, self._disk, self._life = path, disk, disk.life
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._inode = os.fstat(self._descriptor).st_ino

    def xRead(self, amount: int, offset: int) -> bytes:
        return os.pread(self._descriptor, amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.step(self._life)
        size, data = self.xFileSize(), bytes(data)
        if self._disk.full and offset + len(data) > size:
            self._disk.chance.note(Fault.FULL, self._disk.folder.name)
            raise apsw.FullError("database or disk is full")
        self._do(Write(offset, data, self.xRead(len(data), offset), size))

    def xTruncate(self, newsize: int) -> None:
        self._disk.step(self._life)
        size = self.xFileSize()
        self._do(Write(newsize, None, self.xRead(max(size - newsize, 0), newsize), size))

    def _do(self, write: Write) -> None:
        self._disk.unsynced(self._path, self._inode).append(write)
        _apply(self._descriptor, write)

    def xSync(self, _flags: int) -> None:
        self._disk.step(self._life)
        self._disk.unsynced(self._path, self._inode).clear()

    def xFileSize(self) -> int:
        return os.fstat(self._descriptor).st_size

    def xLock(self, _level: int) -> None: ...
    def xUnlock(self, _level: int) -> None: ...

    def xCheckReservedLock(self) -> bool:
        return False

    def xSectorSize(self) -> int:
        return _SECTOR * 8

    def xDeviceCharacteristics(self) -> int:
        return _POWERSAFE_OVERWRITE

    def xFileControl(self, _op: int, _pointer: int) -> bool:
        return False

    def xClose(self) -> None:
        os.close(self._descriptor)


class _Forgetful(apsw.VFS):
    def __init__(self) -> None:
        super().__init__(NAME, "")

    def xFullPathname(self, name: str) -> str:
        return name

    def xOpen(self, name: str | apsw.URIFilename | None, _flags: list[int]) -> _File:  # type: ignore[override] # by shape
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        return _File(path, disk_of(path))

    def xDelete(self, filename: str, _syncdir: bool) -> None:
        disk = disk_of(filename)
        disk.step(disk.life)
        disk.pending.pop(filename, None)
        Path(filename).unlink(missing_ok=True)

    def xAccess(self, pathname: str, _flags: int) -> bool:
        return Path(pathname).exists()

    def xCurrentTime(self) -> float:
        return 2461000.5

    def xRandomness(self, numbytes: int) -> bytes:
        return bytes(numbytes)

    def xSleep(self, microseconds: int) -> int:
        return microseconds

    def xGetLastError(self) -> tuple[int, str]:
        return 0, ""


def disk_of(path: Path | str) -> Disk:
    """Where this file lies."""
    return mounted[str(Path(path).parent)]


#: Registered with SQLite for as long as somebody refers to it.
_VFS = _Forgetful()
