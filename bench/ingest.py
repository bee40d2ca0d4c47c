"""The journal's inbox, from signed batches to receipts, into SQLite and into PostgreSQL; and two workers beside one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import md5

from bench.outbox import TAP
from gateway.domain.credential import Token
from gateway.domain.entry import Entry, EpochData, TapData
from gateway.domain.handshake import Birth, Receipt, topic
from gateway.domain.model import ClockState, Instant, Seq
from gateway.domain.wire import Batch, Stream, chain, encode
from gateway.errors import LinkLost
from sync.packets import Publication
from sync.signing import BATCH_TAG, Signer

_ROUNDS = 3
_AIM = 20_000.0
_GATEWAYS, _BATCHES, _PUPILS = 16, 15, 300
_MORNING = datetime(2026, 9, 1, 5, 0, tzinfo=UTC)


class Clock:
    """One that need not be asked."""

    def now(self) -> Instant:
        return Instant(at=_MORNING, boot="b", boottime=1, clock=ClockState.SYNCED)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Gateway:
    """A ledger of taps, signed and cut into batches beforehand."""

    def __init__(self, number: int, batches: int, size: int) -> None:
        self.stream = Stream(site=f"school-{number}", gateway=f"gate-{number}", epoch="e1")
        self.signer = Signer(number.to_bytes(32, "big"))
        entries = [Entry(at=self._at(0), data=EpochData(previous=None, reason="first start"))]
        entries += [Entry(at=self._at(n), data=self._tap(n)) for n in range(1, batches * size)]
        bodies = [encode(e, stream=self.stream, seq=Seq(n), recorded=e.at.at) for n, e in enumerate(entries, 1)]
        self._envelopes = tuple(chain(self.stream.genesis, Seq(1), bodies))
        self.messages = [self._batch(start, size) for start in range(0, len(bodies), size)]

    def _at(self, n: int) -> Instant:
        return Instant(at=_MORNING + timedelta(milliseconds=800 * n), boot="b1", boottime=n, clock=ClockState.SYNCED)

    def _tap(self, n: int) -> TapData:
        return replace(TAP, token=token(self.stream.site, n))

    @property
    def birth(self) -> Publication:
        stream, head = self.stream, self._envelopes[-1]
        said = Birth(
            site=stream.site,
            gateway=stream.gateway,
            session="s1",
            epoch=stream.epoch,
            last=head.seq,
            head=head.hash.hex(),
            floor=1,
        )
        return Publication(topic(stream.site, stream.gateway, "state"), self.signer.seal(said).payload(), retain=True)

    def _batch(self, start: int, size: int) -> Publication:
        prev = self._envelopes[start - 1].hash if start else self.stream.genesis
        batch = Batch(stream=self.stream, prev=prev, envelopes=self._envelopes[start : start + size])
        told = {key: str(value) for key, value in batch.statement().items() if key not in {"site", "gateway"}}
        told |= {"kid": self.signer.kid, "sig": self.signer.sign(BATCH_TAG, batch.statement())}
        place = topic(self.stream.site, self.stream.gateway, "events")
        return Publication(place, batch.payload, properties=told, packet=1)


def token(site: str, n: int) -> Token:
    return Token(f"1:{md5(f'{site}/{n % _PUPILS}'.encode()).hexdigest()}")


class Feed:
    """A connection on which everything waits already; it breaks after the last acknowledgement."""

    def __init__(self, gateways: Sequence[Gateway]) -> None:
        self._births = [gateway.birth for gateway in gateways]
        # As a broker deals them out: the gateways take turns.
        self._batches = [m for several in zip(*(g.messages for g in gateways), strict=True) for m in several]
        self.through: dict[str, int] = {}

    async def subscribe(self, *filters: str) -> None:
        """Everything comes anyway."""

    async def messages(self) -> AsyncIterator[Publication]:
        for message in (*self._births, *self._batches):
            yield message
        raise LinkLost

    def acknowledge(self, message: Publication) -> None:
        """Nobody waits for it."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        receipt = Receipt.parse(payload)
        self.through[receipt.gateway] = receipt.through
        return 0
