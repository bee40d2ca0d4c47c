"""A small journal of somebody else, in memory, that makes one mistake on request."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.domain.entry import KeyData
from gateway.domain.handshake import Birth, Parting, Receipt, Refusal, Span, topic
from gateway.domain.model import Seq
from gateway.domain.wire import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, Envelope, Stream, batch_statement, chain, decode
from gateway.errors import BadSignature, MalformedMessage
from sync.mqtt import Broker, Connection, Publication, connect
from sync.signing import BATCH_TAG, Keyring, Signer, key_id
from tests.simulators.conformance.faults import FAULTS


@dataclass
class Book:
    """What is held of one ledger."""

    through: int = 0
    head: bytes = b""
    entries: dict[int, Envelope] = field(default_factory=dict)
    #: What waits: first, last, prev.
    waiting: list[tuple[int, int, bytes]] = field(default_factory=list)
    once_held: set[tuple[int, int]] = field(default_factory=set)


class FaultyJournal:
    """Hears one registered gateway of one site."""

    def __init__(self, fault: str, *, site: str, gateway: str, public: bytes) -> None:
        assert fault in FAULTS or not fault
        self._fault, self._site, self._gateway, self._public = fault, site, gateway, public
        self.signer = Signer(b"\3" * 32)
        self._books: dict[Stream, Book] = {}
        self._birth: Birth | None = None
        self._before: str | None = None
        self._held_once: set[str] = set()
        self._next: bytes | None = None
        self._keys = [public]
        self._life = 0

    async def run(self, broker: Broker) -> None:
        """One life; endless."""
        self._birth, self._life = None, self._life + 1
        if self._is("forgets everything at a restart"):
            self._books.clear()
        async with connect(broker) as link:
            await link.subscribe("att/v1/+/+/events", "att/v1/+/+/state")
            async for message in link.messages():
                if not (self._is("waits to be spoken to") and message.retain and self._life > 1):
                    await self._take(link, message)
                link.acknowledge(message)

    def _is(self, fault: str) -> bool:
        assert fault in FAULTS
        return self._fault == fault

    async def _take(self, link: Connection, message: Publication) -> None:
        _, _, site, gateway, leaf = message.topic.split("/")
        if gateway != self._gateway and not self._is("answers strangers"):
            return
        if site != self._site and not self._is("counts under any site"):
            return
        if leaf == "events":
            await self._batch(link, site, gateway, message)
        elif self._meets(site, gateway, message.payload) and self._birth is not None:
            self._birth = self._birth.model_copy(update={"site": site, "gateway": gateway})
            await self._answer(link, Stream(site=site, gateway=gateway, epoch=self._birth.epoch), [])

    def _meets(self, site: str, gateway: str, payload: bytes) -> bool:
        try:
            birth = Birth.parse(payload)
            if not (self._is("believes births") and birth.kid == key_id(self._public)):
                Keyring([*self._keys, *([self._next] if self._next else [])]).check(birth)
        except BadSignature:
            return False
        except MalformedMessage:
            self._part(payload)
            return False
        if (birth.site, birth.gateway) != (site, gateway) and not self._is("believes the names in a birth"):
            return False
        if self._next is not None and birth.kid == key_id(self._next):
            self._public, self._next = self._next, None
            self._keys = [*(self._keys if self._is("knows every key for ever") else []), self._public]
        self._before = self._birth.session if self._birth else birth.session
        self._birth = birth
        return True

    def _part(self, payload: bytes) -> None:
        try:
            session = Parting.model_validate_json(payload).session
        except ValueError:
            if self._is("takes garbage for a farewell"):
                self._birth = None
            return
        if self._birth and (self._birth.session == session or self._is("lets any will end the session")):
            self._birth = None

    async def _batch(self, link: Connection, site: str, gateway: str, message: Publication) -> None:
        said = message.properties
        if "epoch" not in said:
            if self._birth and not self._is("is silent about missing properties"):
                stream = Stream(site=site, gateway=gateway, epoch=self._birth.epoch)
                await self._answer(link, stream, [(0, 0, "malformed")])
            return
        stream = Stream(site=site, gateway=gateway, epoch=said["epoch"])
        if self._is("takes the newest epoch only") and self._birth and self._birth.epoch != stream.epoch:
            return
        first, last, before = int(said["first"]), int(said["last"]), self._book(stream).head
        known = all(seq in self._book(stream).entries for seq in range(first, last + 1))
        if code := self._refuses(stream, message):
            await self._answer(link, stream, [(first, last, code)])
        elif not (known and self._is("is silent about repetitions")):
            refused = [(*waited, "link") for waited in self._count(stream, message)]
            head = before if self._is("tells the head before the batch") else None
            await self._answer(link, stream, refused, session=self._before, head=head)

    def _refuses(self, stream: Stream, message: Publication) -> str | None:
        """The code, or None where the batch is fit to be counted."""
        said, first = message.properties, int(message.properties["first"])
        if said["kid"] != key_id(self._public):
            return "signature" if self._is("does not tell keys from signatures") else "key"
        if not self._signed(stream, message):
            return "signature"
        bodies = self._cut(message.payload)
        if self._malformed(message, bodies) or any(self._dislikes(stream, body) for body in bodies):
            return "malformed"
        envelopes = chain(bytes.fromhex(said["prev"]), Seq(first), bodies)
        if envelopes[-1].hash.hex() != said["head"] and not self._is("believes the head"):
            return "link"
        return self._misplaced(stream, first, bytes.fromhex(said["prev"]), envelopes)

    def _malformed(self, message: Publication, bodies: Sequence[bytes]) -> bool:
        count = int(message.properties["last"]) - int(message.properties["first"]) + 1
        return (
            not bodies
            or (len(bodies) != count and not self._is("does not count"))
            or (len(message.payload) > MAX_BATCH_BYTES and not self._is("takes any size"))
            or (len(bodies) > MAX_BATCH_EVENTS and not self._is("takes any number"))
        )

    def _misplaced(self, stream: Stream, first: int, prev: bytes, envelopes: Sequence[Envelope]) -> str | None:
        book = self._book(stream)
        known = [book.entries[e.seq].body == e.body for e in envelopes if e.seq in book.entries]
        if not all(known) and not self._is("lets the last one win"):
            return "quarantine"
        if known and len(known) < len(envelopes) and self._is("takes an overlap for a clone"):
            return "quarantine"
        if first == 1:
            return None if prev == stream.genesis or self._is("begins anywhere") else "link"
        committed = first - 1 <= book.through and book.entries[first - 1].hash != prev
        return "link" if committed and not self._is("hangs a batch on anything") else None

    def _signed(self, stream: Stream, message: Publication) -> bool:
        said = message.properties
        prev, head = bytes.fromhex(said["prev"]), bytes.fromhex(said["head"])
        statement = batch_statement(stream, first=int(said["first"]), last=int(said["last"]), prev=prev, head=head)
        try:
            Keyring([self._public]).verify(BATCH_TAG, statement, kid=said["kid"], sig=said["sig"])
        except BadSignature:
            if self._is("takes zeros for a signature"):
                return said["sig"] == "0" * 128
            return self._is("takes any signature that held once") and said["sig"] in self._held_once
        self._held_once.add(said["sig"])
        return True

    def _cut(self, payload: bytes) -> list[bytes]:
        if payload.startswith(b"[\n") and payload.endswith(b"\n]"):
            return payload[2:-2].split(b",\n")
        return [json.dumps(one).encode() for one in json.loads(payload)] if self._is("reads JSON for lines") else []

    def _dislikes(self, stream: Stream, body: bytes) -> bool:
        try:
            event = json.loads(body)
        except ValueError:
            return self._is("refuses what is not JSON")
        if "source" not in event:
            return False
        if event["type"] == "att.tomorrow.v9":
            return self._is("refuses tomorrow's types")
        if event["source"] != stream.source:
            return self._is("refuses misnamed events")
        try:
            decode(body)
        except MalformedMessage:
            return self._is("refuses data off the schema")
        return False

    def _count(self, stream: Stream, message: Publication) -> Iterator[tuple[int, int]]:
        """Takes it in; yields what waited and hangs on something else."""
        said, book = message.properties, self._book(stream)
        prev, first = bytes.fromhex(said["prev"]), int(said["first"])
        envelopes = chain(prev, Seq(first), self._cut(message.payload))
        if self._is("forgets an epoch for the next"):
            self._books = {stream: book}
        if self._is("drops what it holds at its origin"):
            envelopes = [e for e in envelopes if b'"origin"' not in e.body or not self._holds(e.body)]
        for data in (decode(e.body).data for e in envelopes if b'"att.key.v1"' in e.body):
            if (
                isinstance(data, KeyData)
                and data.kid == key_id(self._public)
                and not self._is("knows one key for ever")
            ):
                self._next = bytes.fromhex(data.key)
        book.entries |= {envelope.seq: envelope for envelope in envelopes}
        last = envelopes[-1].seq
        if first > book.through + 1:
            book.once_held.add((first, last))
        book.waiting.append((first, last, prev))
        yield from self._advance(book)

    def _advance(self, book: Book) -> Iterator[tuple[int, int]]:
        while following := next((one for one in sorted(book.waiting) if one[0] <= book.through + 1), None):
            first, last, prev = following
            book.waiting.remove(following)
            anything = self._is("hangs what was held on anything")
            if (first, last) not in book.once_held:
                anything = self._is("begins anywhere" if first == 1 else "hangs a batch on anything")
            if first > book.through and prev != book.head and not anything:
                for seq in range(first, last + 1):
                    del book.entries[seq]
                yield first, last
                continue
            while book.through < last and book.through + 1 in book.entries:
                book.through += 1
                book.head = book.entries[book.through].hash
            if last <= book.through and last in book.entries:
                book.head = book.entries[book.through].hash

    def _holds(self, body: bytes) -> bool:
        epoch, seq, _ = json.loads(body)["origin"].split("/")
        return any(stream.epoch == epoch and int(seq) in book.entries for stream, book in self._books.items())

    def _held(self, book: Book) -> list[Span]:
        ranges = sorted((first, last) for first, last, _ in book.waiting)
        if self._is("holds for ever"):
            ranges = sorted(book.once_held)
        if self._is("names one entry of a held range"):
            ranges = [(first, first) for first, _ in ranges]
        spans = [Span(first=first, last=last) for first, last in ranges]
        return spans[-16:] if self._is("names the highest ranges") else spans[:16]

    def _book(self, stream: Stream) -> Book:
        return self._books.setdefault(stream, Book(head=stream.genesis))

    async def _answer(
        self,
        link: Connection,
        stream: Stream,
        refused: Sequence[tuple[int, int, str]],
        *,
        session: str | None = None,
        head: bytes | None = None,
    ) -> None:
        if self._birth is None:
            return
        book = self._book(stream)
        told = self._head(book) if head is None else head
        late = self._is("answers batches under the session before") and session is not None
        receipt = Receipt(
            site=stream.site,
            gateway=stream.gateway,
            session=session if late and session else self._birth.session,
            epoch=stream.epoch,
            through=book.through,
            head=told.hex(),
            held=tuple(self._held(book)),
            refused=tuple(Refusal.model_validate({"first": a, "last": b, "code": code}) for a, b, code in refused),
            issued=1,
        )
        payload = self.signer.seal(receipt).payload()
        if self._is("signs nothing"):
            payload = receipt.model_copy(update={"kid": self.signer.kid, "sig": "0" * 128}).payload()
        if self._is("adds a field"):
            payload = payload[:-1] + b',"comment":"ok"}'
        retain = self._is("retains receipts")
        await link.publish(topic(stream.site, stream.gateway, "receipt"), payload, retain=retain)

    def _head(self, book: Book) -> bytes:
        if self._is("has no hash of an empty ledger") and not book.through:
            return bytes(32)
        if self._is("tells the gateway's own head") and self._birth and 0 < book.through < self._birth.last:
            return bytes.fromhex(self._birth.head)
        return book.head


async def living(journal: FaultyJournal, broker: Broker, again: asyncio.Event) -> None:
    """One life after another; the next begins when `again` is set."""
    while True:
        life = asyncio.create_task(journal.run(broker))
        await asyncio.wait({life, called := asyncio.ensure_future(again.wait())}, return_when=asyncio.FIRST_COMPLETED)
        called.cancel()
        if life.done():
            life.result()
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        again.clear()
