"""The key that gateways of tests sign with, as a file in a folder."""

from contextlib import suppress
from pathlib import Path

from gateway.rekeying import Rekeying
from sync.files import make_secret
from sync.outbox import SqliteOutbox
from tests.gateway.fakes import HandClock
from tests.sync.session import SECRET


def rekeying(folder: Path, outbox: SqliteOutbox) -> Rekeying:
    """Of a gateway that has the key of `tests.sync.session.GATEWAY`, unless it has changed it."""
    with suppress(FileExistsError):
        make_secret(folder / "gateway.key", SECRET.hex().encode())
    return Rekeying(folder / "gateway.key", outbox, HandClock(), _raise)


def _raise(error: Exception) -> None:
    raise error
