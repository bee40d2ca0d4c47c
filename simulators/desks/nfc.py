"""A field of nfcpy's UDP reader on the desk."""

import asyncio
from pathlib import Path

from gateway.errors import DeviceLost
from simulators.desk import OnDesk
from simulators.nfc import NfcField

#: Seconds in which a gateway that is there has found a card.
_PATIENCE = 5.0


class _Field(NfcField):
    async def present(self, uid: bytes, hold: float = 0.0) -> None:
        """Raises DeviceLost where no gateway asked for the card."""
        try:
            async with asyncio.timeout(_PATIENCE + hold):
                await super().present(uid, hold)
        except TimeoutError:
            hint = "start a gateway with this url, which reads 14443a"
            raise DeviceLost("no gateway has asked for the card", hint=hint) from None


def on_desk(url: str | None, folder: Path) -> OnDesk:  # noqa: ARG001 - a datagram needs no folder
    """At that url, or at a free port."""
    return OnDesk(_Field(url or "udp:127.0.0.1:0"), lengths=(4, 7, 10), example="04DE5F1EACC040")
