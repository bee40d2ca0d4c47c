"""Proves a ledger beside a running daemon: read-only, in portions, every epoch that the file holds."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gateway.domain.model import Seq
from gateway.domain.proof import Proof
from gateway.domain.wire import Envelope, Stream
from gateway.errors import NotRecorded
from sync.database import SQL
from sync.epochs import EPOCH

_PAGE = 1000


def prove(path: Path) -> list[Proof]:
    """One proof for each epoch, oldest first. Raises NotRecorded when the file cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return [_proof(database, *row) for row in database.execute(SQL["epochs"]).fetchall()]
    except sqlite3.Error as error:
        raise NotRecorded(f"{path}: {error}", hint="has the gateway ever run with this configuration?") from error


def _proof(database: sqlite3.Connection, number: int, epoch: str, site: str, gateway: str) -> Proof:
    stream, proof = Stream(site=site, gateway=gateway, epoch=epoch), None
    for envelopes in _pages(database, number * EPOCH, (number + 1) * EPOCH):
        whole = envelopes[0].seq == 1
        proof = proof or Proof(stream=stream, prev=stream.genesis if whole else None)
        proof.add(envelopes)
    return proof or Proof(stream=stream, prev=None)


def _pages(database: sqlite3.Connection, after: int, before: int) -> Iterator[list[Envelope]]:
    while rows := database.execute(SQL["between"], {"after": after, "before": before, "limit": _PAGE}).fetchall():
        yield [Envelope(seq=Seq(key % EPOCH), body=body, hash=hash_) for key, body, hash_ in rows]
        after = rows[-1][0]
