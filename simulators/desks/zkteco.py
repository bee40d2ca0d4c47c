"""A terminal on the desk: people by their numbers, whom it lets in by itself and tells to the gateway afterwards."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from gateway.errors import ConfigError, DeviceLost
from simulators.desk import OnDesk
from simulators.zkteco import Terminal

#: Seconds between two looks at the gateway, and until it should have taken what it was told.
_PACE, _PATIENCE = 0.5, 10.0


class _Terminal(Terminal):
    async def present(self, uid: bytes, hold: float) -> None:  # noqa: ARG002 - a terminal itself knows a held card
        """Somebody with this number is let in; returns when the gateway has recorded it."""
        if not uid.hex().isdecimal():
            hint = "type decimal digits in pairs, as they stand in the ledger: 0501 for the number 501"
            raise ConfigError("a terminal knows people by decimal numbers", hint=hint)
        self.tap(uid.hex().lstrip("0") or "0", at=datetime.now(UTC).replace(tzinfo=None, microsecond=0))
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.idle()
        except TimeoutError:
            hint = "the terminal keeps it and tells it again; see what the gateway logs"
            raise DeviceLost(f"the gateway has not taken it within {_PATIENCE:.0f} s", hint=hint) from None


def on_desk(url: str | None, folder: Path) -> OnDesk:  # noqa: ARG001 - the url is the gateway's
    """For the gateway at that url, or at a free port."""
    terminal = _Terminal(url, pace=_PACE)
    settings = f'terminals = [{{ serial = "{terminal.serial}", zone = "UTC" }}]\n'
    card = "a person's number as pairs of decimal digits"
    return OnDesk(terminal, lengths=tuple(range(2, 10)), card=card, example="0501", settings=settings, at_once=False)
