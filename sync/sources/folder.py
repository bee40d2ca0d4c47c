"""The files of a folder, read when a table is looked for; nothing else in it is opened."""

import os
import stat
import unicodedata
from pathlib import Path

from sync.sources.rows import MAX_BYTES, Problems


def fold_name(name: str) -> str:
    """The same for every way in which systems write the name of a file."""
    return unicodedata.normalize("NFC", name).casefold()


class Folder:
    """Gives the bytes of its files. Raises SourceError where there is no such folder."""

    def __init__(self, path: Path, problems: Problems) -> None:
        self._path = path
        self._problems = problems
        try:
            self._names = {fold_name(name): name for name in sorted(entry.name for entry in path.iterdir())}
        except OSError as error:
            problems.add(path.name or str(path), _reason(error), "a folder of tables", "check the path and its rights")
            problems.settle()

    def get(self, name: str) -> bytes | None:
        """The bytes of a file, in whatever case it is written; None where there is none. Raises SourceError."""
        actual = self._names.get(fold_name(name))
        if actual is None:
            return None
        try:
            # Non-blocking, so that a named pipe is refused instead of waited for.
            path = self._path / actual
            with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return file.read(MAX_BYTES + 1)
                self._problems.add(name, "something that is no file", "a file", "export the table again")
        except OSError as error:
            self._problems.add(name, _reason(error), "a readable file", "check the path and the rights of the file")
        self._problems.settle()
        return None


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
