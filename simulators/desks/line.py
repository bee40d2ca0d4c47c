"""A reader that prints on the desk: ten hex digits of an EM4100 card."""

from pathlib import Path

from simulators.desk import OnDesk
from simulators.text import TextReader


def on_desk(url: str | None, folder: Path) -> OnDesk:
    """At that url, or at one in the folder."""
    reader = TextReader(url or str(folder / "line"))
    return OnDesk(reader, lengths=(5,), settings='technology = "em4100"\nlength = 5\n')
