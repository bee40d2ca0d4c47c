"""A PC/SC reader on the desk: Debian's pcscd with its virtual reader, beside the pcscd of the machine."""

import os
import shutil
from pathlib import Path
from typing import Self

from drivers.registry import lacking
from gateway.errors import ConfigError, DeviceLost
from simulators.desk import OnDesk
from simulators.pcsc import LIBRARY, PATH, PcscReader

_SOCKET = "PCSCLITE_CSOCK_NAME"


class _Reader(PcscReader):
    async def __aenter__(self) -> Self:
        """Raises ConfigError where its service is not installed."""
        _judge()
        await super().__aenter__()
        return self

    async def present(self, uid: bytes, hold: float = 0.0) -> None:
        """Raises DeviceLost where no gateway asked for the card."""
        try:
            await super().present(uid, hold)
        except TimeoutError:
            hint = f"start a gateway with {_SOCKET}={self.service.socket}"
            raise DeviceLost("no gateway has asked for the card", hint=hint) from None


def _judge() -> None:
    if shutil.which("pcscd", path=PATH) is None or not Path(LIBRARY).exists():
        hint = "sudo apt install pcscd vsmartcard-vpcd"
        if lack := lacking("pcsc"):
            hint += f"; and the gateway needs {lack.library}: {lack.hint}"
        raise ConfigError("pcscd and its virtual reader are not installed", hint=hint)


def on_desk(url: str | None, folder: Path) -> OnDesk:
    """The reader of the name in that url; the socket of its service is where the environment says, or in the folder."""
    socket = Path(os.environ.get(_SOCKET) or folder / "pcscd.comm")
    reader = _Reader(folder, *([url.removeprefix("pcsc:")] if url else []), socket=socket)
    settings = f"# only for a gateway that is started with {_SOCKET}={socket}\n"
    if lack := lacking("pcsc"):
        settings += f"# that gateway needs the library {lack.library}, which is not installed here: {lack.hint}\n"
    return OnDesk(reader, lengths=(4, 7, 10), example="04DE5F1EACC040", settings=settings, at_once=False)
