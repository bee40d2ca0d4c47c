"""A board with a turnstile behind it on the desk: a gate, to which no card can be held."""

from pathlib import Path

import click

from simulators.desk import OnDesk, words
from simulators.modbus import Turnstile


class _Board(Turnstile):
    async def tell(self) -> None:
        """Which outputs are on, in words."""
        told = self.on
        while True:
            await self.asked_again()
            if self.on != told:
                told = self.on
                click.echo(", ".join(sorted(told)) or "all off")


def on_desk(url: str | None, folder: Path) -> OnDesk:
    """At that url, or at one in the folder."""
    board = _Board(url or str(folder / "modbus"))
    settings = "".join(f'{key} = "{place}"\n' for key, place in board.settings.items() if key != "url")
    return OnDesk(board, words=words(board), settings=settings, says_opened=True, meanwhile=board.tell)
