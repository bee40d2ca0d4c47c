"""Looks into the ledger beside a running daemon: read-only, one query, no lock that could stop a tap."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.errors import NotRecorded
from sync.database import SQL


def ledger_summary(path: Path) -> dict[str, object]:
    """Epoch, newest entry, how far the journal confirmed, and what waits. Raises NotRecorded when there is no ledger."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(SQL["running"]).fetchall()
    except sqlite3.Error as error:
        raise NotRecorded(f"{path}: {error}", hint="has the gateway ever run with this configuration?") from error
    if not rows:
        raise NotRecorded(f"{path}: the ledger is empty", hint="start the gateway once")
    _, epoch, site, gateway, through, _, last, _ = rows[0]
    return {
        "site": site,
        "gateway": gateway,
        "epoch": epoch,
        "recorded": last,
        "confirmed": through,
        "waiting": last - through,
    }
