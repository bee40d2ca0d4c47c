"""Who holds a device file, and the command that makes it let go; as far as this user may see."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MACHINE: Final = Path("/")
_FIXES: Final[Mapping[str, str]] = {
    "pcscd": 'use kind = "pcsc", or stop it: sudo systemctl disable --now pcscd.socket pcscd',
    "ModemManager": "sudo systemctl disable --now ModemManager",
    "brltty": "sudo apt remove brltty",
    "agetty": "sudo systemctl disable --now serial-getty@{name}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process."""

    name: str
    process: int

    def fix(self, node: str) -> str:
        """What to do about it."""
        return _FIXES.get(self.name, "stop that program").format(name=Path(node).name)

    def __str__(self) -> str:
        return f"{self.name} (process {self.process})"


def holders(node: str, root: Path = _MACHINE) -> list[Holder]:
    """Processes other than this one that have this file open; `root` is another folder in tests only."""
    found = []
    for process in sorted((root / "proc").glob("[0-9]*")):
        try:
            if process.name != str(os.getpid()) and any(
                str(fd.readlink()) == node for fd in (process / "fd").iterdir()
            ):
                name = (process / "comm").read_text(errors="replace").strip()
                found.append(Holder(name=name, process=int(process.name)))
        except OSError:
            continue
    return found
