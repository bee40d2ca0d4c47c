"""An IronLogic reader on the desk, of the firmware that never says that a card has left."""

from pathlib import Path

from simulators.desk import OnDesk
from simulators.ironlogic import Ironlogic


def on_desk(url: str | None, folder: Path) -> OnDesk:
    """At that url, or at one in the folder."""
    return OnDesk(Ironlogic(url or str(folder / "ironlogic"), says_removal=False), lengths=(4, 5, 7))
