"""Gateways' ledgers of taps, signed and cut into batches beforehand, and a journal's database that knows them."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bench.outbox import TAP
from gateway.domain.credential import Token
from gateway.domain.entry import Entry, EpochData, TapData
from gateway.domain.handshake import Birth, topic
from gateway.domain.model import ClockState, Instant, Seq
from gateway.domain.policy import Policy
from gateway.domain.wire import Batch, Stream, chain, encode
from journal import tables
from journal.migrate import migrate
from journal.rules import Numbers, written
from journal.store import Store
from sync.packets import Publication
from sync.signing import BATCH_TAG, Signer

#: As many taps as fit into 48 KiB.
BATCH = 80
_PUPILS = 300
_MORNING = datetime(2026, 9, 1, 5, 0, tzinfo=UTC)


class Gateway:
    """One ledger of one site."""

    def __init__(self, number: int, batches: int) -> None:
        self.stream = Stream(site=f"school-{number}", gateway=f"gate-{number}", epoch="e1")
        self.signer = Signer(number.to_bytes(32, "big"))
        entries = [Entry(at=_at(0), data=EpochData(previous=None, reason="first start"))]
        entries += [Entry(at=_at(n), data=self._tap(n)) for n in range(1, batches * BATCH)]
        bodies = [encode(e, stream=self.stream, seq=Seq(n), recorded=e.at.at) for n, e in enumerate(entries, 1)]
        self.envelopes = tuple(chain(self.stream.genesis, Seq(1), bodies))
        self.messages = [self._batch(start) for start in range(0, len(bodies), BATCH)]

    def token(self, n: int) -> Token:
        """Of the n-th pupil's card; no other site has it."""
        return Token(f"1:{hashlib.sha256(f'{self.stream.site}/{n % _PUPILS}'.encode()).hexdigest()[:32]}")

    @property
    def birth(self) -> Publication:
        """Its session."""
        said = Birth(
            site=self.stream.site,
            gateway=self.stream.gateway,
            session="s1",
            epoch=self.stream.epoch,
            last=len(self.envelopes),
            head=self.envelopes[-1].hash.hex(),
            floor=1,
        )
        return Publication(topic(said.site, said.gateway, "state"), self.signer.seal(said).payload(), retain=True)

    def _tap(self, n: int) -> TapData:
        return replace(TAP, token=self.token(n))

    def _batch(self, start: int) -> Publication:
        prev = self.envelopes[start - 1].hash if start else self.stream.genesis
        batch = Batch(stream=self.stream, prev=prev, envelopes=self.envelopes[start : start + BATCH])
        told = {key: str(value) for key, value in batch.statement().items() if key not in {"site", "gateway"}}
        told |= {"kid": self.signer.kid, "sig": self.signer.sign(BATCH_TAG, batch.statement())}
        place = topic(self.stream.site, self.stream.gateway, "events")
        return Publication(place, batch.payload, properties=told, packet=1)


async def furnish(store: Store, gateways: Sequence[Gateway]) -> None:
    """Sites, gateways, and a card ledger in which every tap has a holder."""
    await migrate(store)
    site = {"name": "x", "zone": "Europe/Moscow", "language": "ru", "revision": 0, **written(Numbers(Policy()))}
    card = {"technology": "em4100", "uid_encrypted": b"x", "state": "active"}
    async with store.begin() as connection:
        for gateway in gateways:
            name = {"site": gateway.stream.site}
            known = name | {"gateway": gateway.stream.gateway, "public_key": gateway.signer.public, "added": 0}
            await connection.execute(tables.sites.insert(), [name | site])
            await connection.execute(tables.gateways.insert(), [known])
            cards = [name | card | {"token": gateway.token(n), "person": f"p-{n}"} for n in range(_PUPILS)]
            await connection.execute(tables.cards.insert(), cards)


def _at(n: int) -> Instant:
    return Instant(at=_MORNING + timedelta(milliseconds=800 * n), boot="b1", boottime=n, clock=ClockState.SYNCED)
