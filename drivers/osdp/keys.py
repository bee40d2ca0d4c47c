"""The secure channel keys of the readers on a bus: a file for each address, for this user alone."""

import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from gateway.errors import ConfigError

KEY_BYTES: Final = 16
#: SCBK-D, with which readers leave the factory: everybody knows it.
_DEFAULT: Final = bytes(range(0x30, 0x40))


class KeyFile:
    """Where the key of one reader is kept, 32 hexadecimal digits."""

    def __init__(self, folder: str, address: int) -> None:
        self.path = Path(folder) / f"{address}.key"
        self._new = self.path.with_suffix(".new")

    def read(self) -> bytes | None:
        """None where the reader was given none. Raises ConfigError for a file that others may read, or without a key."""
        return _read(self.path)

    def make(self) -> bytes:
        """A new random key, on the disk before any reader can know it; one that perhaps arrived is tried again. Raises ConfigError."""
        if (made := _read(self._new)) is not None:
            return made
        key = secrets.token_bytes(KEY_BYTES)
        try:
            descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{key.hex()}\n")
                file.flush()
                os.fsync(descriptor)
            self._settle()
        except OSError as error:
            hint = (
                f"make the folder for the user of the service: sudo install -d -m 700 -o attendance {self.path.parent}"
            )
            raise ConfigError(f"{self._new} cannot be written: {error.strerror}", hint=hint) from error
        return key

    def keep(self) -> None:
        """The reader has the new key: from now on it is the key."""
        self._new.replace(self.path)
        self._settle()

    def _settle(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: Path) -> bytes | None:
    try:
        with path.open(encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(100).strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", hint=f"look at it with: ls -l {path}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigError(f"{path} can be read by others", hint=f"chmod 600 {path}")
    key = bytes.fromhex(text) if re.fullmatch(f"[0-9A-Fa-f]{{{2 * KEY_BYTES}}}", text) else b""
    if key in (b"", _DEFAULT):
        raise ConfigError(f"{path} holds no key of its own", hint="remove it and give the reader a key again")
    return key
