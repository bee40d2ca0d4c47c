"""An inbox, and what a test wants to know of it."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.handshake import Receipt
from gateway.domain.model import Instant
from gateway.errors import LinkLost
from journal import tables
from journal.inbox import Inbox
from journal.store import Store
from sync.packets import Publication
from sync.signing import Keyring, Signer
from tests.journal.door import (
    MORNING,
    FakeLink,
    instant,
)

JOURNAL = Signer(b"\2" * 32)


class Still:
    """A clock that stands."""

    def now(self) -> Instant:
        return instant(MORNING)

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class Alarms(list[dict[str, Any]]):
    """What the operator was told."""

    def __call__(self, sentence: str, **fields: object) -> None:
        self.append({"sentence": sentence, **fields})


class Journal:
    """An inbox that remembers its sessions over several connections."""

    def __init__(self, store: Store) -> None:
        self.store, self.alarms = store, Alarms()
        self.inbox = Inbox(store, JOURNAL, Still(), self.alarms)

    async def takes(self, *messages: Publication) -> FakeLink:
        link = FakeLink(messages)
        with pytest.raises(LinkLost):
            await self.inbox.serve(link)
        assert link.acknowledged == list(messages)
        return link

    async def receipt(self, *messages: Publication) -> Receipt:
        """The last receipt; checked as a gateway checks it."""
        receipt = (await self.takes(*messages)).receipts[-1]
        Keyring([JOURNAL.public]).check(receipt)
        return receipt

    async def rows(self, table: str = "entries") -> Sequence[Any]:
        async with self.store.read() as connection:
            return (await connection.execute(select(tables.metadata.tables[table]))).all()

    async def dirty(self) -> set[tuple[str, str]]:
        return {(row.date, row.person) for row in await self.rows("dirty")}


def held(receipt: Receipt) -> list[str]:
    return [str(span) for span in receipt.held]


def refused(receipt: Receipt) -> list[str]:
    return [str(refusal) for refusal in receipt.refused]
