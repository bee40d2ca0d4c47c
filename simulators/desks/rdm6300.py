"""An RDM6300 on the desk."""

from pathlib import Path

from simulators.desk import OnDesk
from simulators.rdm6300 import Rdm6300


def on_desk(url: str | None, folder: Path) -> OnDesk:
    """At that url, or at one in the folder."""
    return OnDesk(Rdm6300(url or str(folder / "rdm6300")), lengths=(5,))
