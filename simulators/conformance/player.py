"""Plays a gateway to a journal that it knows nothing of: publishes what it is told, and keeps every receipt it hears."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from pydantic import ValidationError

from gateway.domain.handshake import Receipt, topic
from gateway.domain.wire import Stream
from gateway.errors import AttendanceError, BadSignature, LinkError, MalformedMessage, PublishRefused
from gateway.ports import Clock
from simulators.conformance.ledger import Ledger
from sync.mqtt import Connection
from sync.packets import Publication
from sync.signing import Keyring, Signer

#: Under this name no journal knows a gateway, or a site.
NOBODY = "conformance-nobody"


class Missed(Exception):
    """The journal does not do what a requirement asks for: the sentence says what was seen instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A receipt as it came, sound or not."""

    topic: str
    receipt: Receipt
    #: Why it is none of the contract; None when it is one.
    fault: str | None
    #: Whether a trusted key signed it.
    verified: bool
    #: Whether the broker kept it from before.
    retained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long, in seconds."""

    #: The journal may take this long for an answer.
    answer: float = 10.0
    #: An answer may come this much later than that to a later message: a journal may work on several at once.
    grace: float = 0.5
    #: A journal that is started again, perhaps by hand, may take this long until it answers.
    restart: float = 120.0


class Player:
    """One connection as one registered gateway; everything raises Missed where the journal does not answer."""

    def __init__(
        self,
        connection: Connection,
        *,
        stream: Stream,
        signer: Signer,
        keys: Keyring,
        clock: Clock,
        restart: Callable[[], Awaitable[None]],
        patience: Patience = Patience(),
    ) -> None:
        self._connection, self._keys, self._clock, self._patience = connection, keys, clock, patience
        self._stream, self.signer = stream, signer
        #: Starts the journal again.
        self.restart = restart
        #: Everything heard so far, in order.
        self.heard: list[Heard] = []
        self._epoch = ""
        self._news = asyncio.Event()

    def ledger(self) -> Ledger:
        """A new epoch, of which the journal cannot have heard."""
        stream = Stream(site=self._stream.site, gateway=self._stream.gateway, epoch=secrets.token_hex(8))
        return Ledger(stream, self.signer, self._clock.now())

    async def listen(self) -> None:
        """Endless. Raises LinkLost."""
        async for message in self._connection.messages():
            self._connection.acknowledge(message)
            if message.topic.endswith("/receipt") and message.payload:
                self.heard.append(self._read(message))
                self._news.set()

    async def subscribe(self, site: str = "", gateway: str = "") -> None:
        """To the receipts of this gateway, or of a name that is not ours, as far as the broker lets us."""
        name = topic(site or self._stream.site, gateway or self._stream.gateway, "receipt")
        with suppress(LinkError):
            await self._connection.unsubscribe(name)
            await self._connection.subscribe(name)

    async def say(self, *messages: Publication) -> None:
        """In this order. What the broker refuses under a name that is not ours has been refused as it should be."""
        for message in messages:
            try:
                await self._connection.publish(
                    message.topic,
                    message.payload,
                    retain=message.retain,
                    content_type=message.content_type,
                    properties=message.properties,
                )
            except PublishRefused:
                if message.topic.split("/")[2:4] == [self._stream.site, self._stream.gateway]:
                    raise

    async def born(self, ledger: Ledger) -> Receipt:
        """A new session of that ledger, and the first receipt that names it."""
        session, self._epoch = secrets.token_hex(8), ledger.stream.epoch
        await self.say(ledger.birth(session))
        return await self.until(lambda receipt: receipt.session == session, f"a receipt of session {session}")

    async def restarted(self, wanted: Callable[[Receipt], bool], what: str) -> Receipt:
        """The first receipt that is wanted after the journal was started again."""
        since = len(self.heard)
        await self.restart()
        return await self.until(wanted, what, since=since, within=self._patience.restart)

    async def until(
        self, wanted: Callable[[Receipt], bool], what: str, *, since: int = 0, within: float | None = None
    ) -> Receipt:
        """The first receipt that is wanted, from that place of `heard` on."""
        within = self._patience.answer if within is None else within
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    self._news.clear()
                    for receipt in self.receipts(since):
                        if wanted(receipt):
                            return receipt
                    await self._news.wait()
        raise Missed(f"{what} did not come within {within:g} s")

    async def after(self, ledger: Ledger, *messages: Publication) -> tuple[Receipt, set[str]]:
        """In a session of that ledger: where the journal stands once it has dealt with these, and what it refused of them."""
        if self._epoch != ledger.stream.epoch:
            await self.born(ledger)
        since = len(self.heard)
        await self.say(*messages)
        # A journal that reads ahead may answer what came before under the first of these sessions, never under the second.
        await self.born(ledger)
        session = (await self.born(ledger)).session
        if self._patience.grace:
            await self._clock.sleep(self._patience.grace)
        told = [receipt for receipt in self.receipts(since) if receipt.epoch == ledger.stream.epoch]
        last = [receipt for receipt in told if receipt.session == session][-1]
        return last, {str(refusal) for receipt in told for refusal in receipt.refused}

    def receipts(self, since: int = 0) -> Iterator[Receipt]:
        """Those under our own name."""
        own = topic(self._stream.site, self._stream.gateway, "receipt")
        yield from (heard.receipt for heard in self.heard[since:] if heard.topic == own)

    def _read(self, message: Publication) -> Heard:
        fault = None
        try:
            receipt = Receipt.parse(message.payload)
        except MalformedMessage as error:
            fault, receipt = str(error), _leniently(message.payload)
        return Heard(
            topic=message.topic,
            receipt=receipt,
            fault=fault,
            verified=self._verified(receipt),
            retained=message.retain,
        )

    def _verified(self, receipt: Receipt) -> bool:
        try:
            self._keys.check(receipt)
        except (BadSignature, AttendanceError):
            return False
        return True


def _leniently(payload: bytes) -> Receipt:
    """What can be understood of it, so that one mistake of a journal is told as one."""
    empty = {"site": NOBODY, "gateway": NOBODY, "session": NOBODY, "epoch": NOBODY}
    plain: dict[str, object] = empty | {"through": 0, "head": "0" * 64, "issued": 0}
    with suppress(ValueError):
        read = json.loads(payload)
        known = (
            {key: value for key, value in read.items() if key in Receipt.model_fields} if isinstance(read, dict) else {}
        )
        with suppress(ValidationError):
            return Receipt.model_validate_json(json.dumps(plain | known))
    return Receipt.model_validate(plain)
