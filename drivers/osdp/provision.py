"""Gives one reader its key: the only time that the published default key is spoken, by hand and for seconds."""

import time
from typing import Final

from drivers.cable import Line
from drivers.osdp.keys import KeyFile
from drivers.osdp.panel import PATIENCE, Panel
from gateway.errors import DeviceLost

_TURN: Final = 0.01


def install(line: Line, address: int, file: KeyFile, seconds: float) -> None:
    """The new key is on the disk before the reader has it, and is the key once the reader has answered under it.

    Blocks. Raises ConfigError where it cannot be kept, DeviceLost where the reader did not take it within `seconds`.
    """
    key = file.make()
    _comes(Panel(line, {address: key}, time.monotonic, installs=True), address, seconds)
    # From here on nothing but the new key is spoken, as in operation: whatever was heard before proves nothing.
    if not _comes(Panel(line, {address: key}, time.monotonic), address, PATIENCE):
        raise DeviceLost(
            f"reader {address} took no key within {seconds:g} s",
            hint="set it to be given a key, as its manual says (installation mode), and compare address and baud rate",
        )
    file.keep()


def _comes(panel: Panel, address: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        panel.turn()
        if panel.there(address):
            return True
        time.sleep(_TURN)
    return False
