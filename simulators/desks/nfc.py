"""A field of nfcpy's UDP reader on the desk."""

from pathlib import Path

from simulators.desk import OnDesk
from simulators.nfc import NfcField


def on_desk(url: str | None, folder: Path) -> OnDesk:  # noqa: ARG001 - a datagram needs no folder
    """At that url, or at a free port."""
    return OnDesk(NfcField(url or "udp:127.0.0.1:0"), lengths=(4, 7, 10))
