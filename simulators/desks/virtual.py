"""A virtual reader and gate on the desk, spoken to like the others; what its lamp shows becomes words."""

import asyncio
from pathlib import Path

import click

from gateway.domain.credential import Credential, Technology
from gateway.errors import CredentialRefused
from simulators.desk import OnDesk, words
from simulators.virtual import Virtual

_TECHNOLOGIES = {3: Technology.WIEGAND26, 5: Technology.EM4100, 8: Technology.FELICA}


class _Lamp(Virtual):
    async def present(self, uid: bytes, hold: float) -> bool:
        """Holding makes no difference: this device says a card once."""
        technology = _TECHNOLOGIES.get(len(uid), Technology.ISO14443A)
        try:
            heard = await self.card(Credential(technology=technology, uid=uid))
        except CredentialRefused as error:
            heard = await self.refused(technology, str(error))
        await asyncio.sleep(hold)
        return heard

    async def tell(self) -> None:
        """What the lamp is told, in words."""
        async for verdict in self.shown():
            click.echo(f"{'green' if verdict.admit else 'amber'}: {verdict.reason}")


def on_desk(url: str | None, folder: Path) -> OnDesk:  # noqa: ARG001 - a free port needs no folder
    """At that url, or at a free port."""
    lamp = _Lamp(url or "tcp://127.0.0.1:0")
    return OnDesk(lamp, lengths=(3, 4, 5, 7, 8, 10), words={"tamper": lamp.tamper, **words(lamp)}, meanwhile=lamp.tell)
