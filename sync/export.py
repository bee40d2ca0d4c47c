"""What is recorded, as a file to carry away: one event a line, byte for byte as it was appended.

Where no journal is (`uplink = none`) an export is what settles: it leaves a note beside the ledger, and the daemon takes
it over. With a journal only its receipt settles, and an export is a copy.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel, ValidationError

from gateway.domain.handshake import Name
from gateway.errors import NotRecorded
from sync.database import SQL
from sync.epochs import EPOCH
from sync.files import write_whole

_PAGE = 1000


class Exported(BaseModel):
    """How far a ledger was carried away."""

    epoch: Name
    through: int
    count: int = 0

    @classmethod
    def read(cls, ledger: Path) -> "Exported | None":
        """The note beside a ledger, if there is a sound one."""
        try:
            return cls.model_validate_json(_note(ledger).read_bytes())
        except (OSError, ValidationError):
            return None

    def leave(self, ledger: Path) -> None:
        """For the daemon. Raises OSError."""
        write_whole(_note(ledger), self.model_dump_json().encode("ascii"))

    @staticmethod
    def forget(ledger: Path) -> None:
        """It was taken over."""
        _note(ledger).unlink(missing_ok=True)


def export(ledger: Path, out: Path, *, everything: bool) -> Exported:
    """Writes what nobody has confirmed or carried away yet, or everything; beside a running daemon. Raises NotRecorded."""
    try:
        with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("BEGIN")
            [(number, epoch, _, _, through, _, last, _)] = database.execute(SQL["running"]).fetchall()
            before = Exported.read(ledger)
            carried = before.through if before and before.epoch == epoch else 0
            first = 0 if everything else max(through, carried)
            bodies = list(_bodies(database, number * EPOCH + first, (number + 1) * EPOCH))
        write_whole(out, b"".join(body + b"\n" for body in bodies))
    except (sqlite3.Error, ValueError) as error:
        raise NotRecorded(f"{ledger}: {error}", hint="has the gateway ever run with this configuration?") from error
    except OSError as error:
        raise NotRecorded(f"{out}: {error}", hint="name a file in a folder that you may write") from error
    return Exported(epoch=epoch, through=last, count=len(bodies))


def _bodies(database: sqlite3.Connection, after: int, before: int) -> Iterator[bytes]:
    while rows := database.execute(SQL["between"], {"after": after, "before": before, "limit": _PAGE}).fetchall():
        yield from (body for _, body, _ in rows)
        after = rows[-1][0]


def _note(ledger: Path) -> Path:
    return ledger.with_name("exported.json")
