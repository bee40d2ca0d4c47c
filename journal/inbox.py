"""What gateways publish: births are answered; batches are verified, committed, receipted and only then acknowledged.

    PUBLISH ... -> verify -> one transaction for what waits -> COMMIT -> receipt -> PUBACK

A crash between any two arrows costs a repetition and nothing else: the gateway sends again what has no receipt.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.handshake import MAX_MESSAGE_BYTES, Birth, Parting, Receipt, Refusal, topic
from gateway.domain.wire import Stream
from gateway.errors import AttendanceError, BadSignature, MalformedMessage, NotRecorded, PublishRefused
from gateway.ports import Clock
from gateway.tasks import whole
from journal.batch import Received, Registered, claimed, examine
from journal.ledger import Position, position
from journal.prepared import Value, prepared
from journal.rekeying import change
from journal.shard import WHOLE
from journal.store import Store, milliseconds
from journal.straight import take
from journal.tables import gateways
from sync.packets import Publication
from sync.signing import Keyring, Signer, key_id

EVENTS, STATE = topic("+", "+", "events"), topic("+", "+", "state")
MAX_GROUP = 32
_MAX_REFUSED = 16
_MAX_TOPIC = 80
_MAX_EPOCHS = 16
_NAME = r"[a-z0-9-]{1,32}"
_PLACE = re.compile(rf"att/v1/(?P<site>{_NAME})/(?P<gateway>{_NAME})/(?:events|state)")

#: Tells the operator something: a sentence and named values; the supervisor's logger.
Alarm = Callable[..., object]
#: What each ledger of this round is to hear besides its position.
Answers = dict[Stream, list[Refusal]]


class Link(Protocol):
    """One connection to the broker. Everything raises LinkLost once it is gone."""

    async def subscribe(self, *filters: str) -> None: ...
    def messages(self) -> AsyncIterator[Publication]: ...
    def acknowledge(self, message: Publication) -> None: ...
    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int: ...


class Inbox:
    """The receiving side of the contract; outlives connections, because sessions do."""

    def __init__(self, store: Store, signer: Signer, clock: Clock, alarm: Alarm) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        self._alarm = alarm
        #: By gateway, and whether under its own site, only where its registered key signed: at most two for each.
        self._births: dict[tuple[str, bool], Birth] = {}
        #: The newest epochs that each gateway was born with, in order.
        self._epochs: dict[str, list[str]] = {}

    async def serve(self, link: Link) -> None:
        """Endless. Raises LinkLost; NotRecorded when the database does not take a batch."""
        if self._store.shard == WHOLE:  # of a share its own sites alone: journal.following
            await link.subscribe(EVENTS, STATE)
        taking = asyncio.ensure_future(asyncio.sleep(0))
        try:
            async for group in _gathered(link.messages()):
                read = await self._read_all(group)  # while the database works on the group before
                await whole(taking)
                taking = asyncio.ensure_future(self._take(link, group, *read))
        finally:
            await whole(taking)

    async def _read_all(self, group: Sequence[Publication]) -> tuple[list[Received], Answers]:
        places = [_PLACE.fullmatch(message.topic) for message in group]
        registered = await self._registered({place["gateway"] for place in places if place})
        answers: Answers = {}
        batches: list[Received] = []
        for message, place in zip(group, places, strict=True):
            try:
                site, sender = _sender(place, registered)
                if message.topic.endswith("/state"):
                    if (key := self._meet(message.payload, site, sender, answers)) is not None:
                        registered[sender.gateway] = await whole(self._change_key(sender, key))
                else:
                    batches += self._read(message, site, sender, answers)
            except AttendanceError as error:
                self._alarm(str(error), topic=message.topic[:_MAX_TOPIC], hint=error.hint)
            await asyncio.sleep(0)
        return batches, answers

    async def _take(
        self, link: Link, group: Sequence[Publication], batches: Sequence[Received], answers: Answers
    ) -> None:
        for receipt in await self._commit(batches, answers):
            await self._answer(link, receipt)
        for message in group:
            link.acknowledge(message)

    async def _registered(self, names: Collection[str]) -> dict[str, Registered]:
        async with self._store.read() as connection:
            rows = (await connection.execute(*_active(names))).all()
        found = (Registered(site=r.site, gateway=r.gateway, public_key=r.public_key, next_key=r.next_key) for r in rows)
        return {one.gateway: one for one in found}

    async def _change_key(self, sender: Registered, key: bytes) -> Registered:
        async with self._store.begin() as connection:
            await change(connection, sender.gateway, key)
        self._alarm(
            "a gateway has changed its key, as it had announced",
            gateway=sender.gateway,
            kid=key_id(key),
            hint="nothing has to be done; if nobody made it a new one, 'attendance-journal gateway revoke' it",
        )
        return replace(sender, public_key=key, next_key=None)

    def _meet(self, payload: bytes, site: str, sender: Registered, answers: Answers) -> bytes | None:
        """Remember a session that begins and forget one that ends; a late will cannot end a newer one.

        Returns the next key of this gateway where that has signed it.
        """
        if not payload:  # somebody cleared the retained state
            return None
        state, whose = _state(payload), (sender.gateway, sender.site == site)
        if isinstance(state, Parting):
            if (birth := self._births.get(whose)) and birth.session == state.session:
                del self._births[whose]
            return None
        keys = [key for key in (sender.public_key, sender.next_key) if key is not None]
        Keyring(keys).check(state)
        if (state.site, state.gateway) != (site, sender.gateway):
            raise BadSignature(f"a birth of {state.site}/{state.gateway} came under {site}/{sender.gateway}")
        self._births[whose] = state
        self._watch(state)
        refused = answers.setdefault(Stream(site=site, gateway=sender.gateway, epoch=state.epoch), [])
        if sender.site != site:
            refused.append(Refusal(first=0, last=state.last, code="site"))
        return None if state.kid == key_id(sender.public_key) else sender.next_key

    def _watch(self, birth: Birth) -> None:
        """A ledger that was left for a newer one does not come back, unless somebody else writes it."""
        known = self._epochs.setdefault(birth.gateway, [])
        if birth.epoch in known[:-1]:
            self._alarm(
                "two devices are this gateway, or a backup was put in twice",
                gateway=birth.gateway,
                hint=f"stop one of them; then 'attendance-journal gateway add SITE {birth.gateway} --replace --key HEX'",
            )
            known.remove(birth.epoch)
        if birth.epoch not in known:
            known.append(birth.epoch)
            del known[:-_MAX_EPOCHS]

    def _read(self, message: Publication, site: str, sender: Registered, answers: Answers) -> list[Received]:
        try:
            claim = claimed(message.properties)
        except MalformedMessage:
            if birth := self._births.get((sender.gateway, sender.site == site)):
                stream = Stream(site=site, gateway=sender.gateway, epoch=birth.epoch)
                answers.setdefault(stream, []).append(Refusal(first=0, last=0, code="malformed"))
            raise
        refused = answers.setdefault(Stream(site=site, gateway=sender.gateway, epoch=claim.epoch), [])
        batch = examine(claim, message.payload, site=site, registered=sender)
        if isinstance(batch, Received):
            _ = batch.rows  # read here, while the database works on the group before
            return [batch]
        refused.append(batch)
        return []

    async def _commit(self, batches: Sequence[Received], answers: Answers) -> list[Receipt]:
        """One transaction for all that waited; the receipts that may be sent after it."""
        try:
            async with self._transaction(writes=bool(batches)) as connection:
                now = milliseconds(self._clock.now().at)
                taken = await take(connection, batches, received=now)
                positions = {
                    stream: taken.positions.get(stream) or await position(connection, stream) for stream in answers
                }
        except SQLAlchemyError as error:
            raise NotRecorded(
                f"the journal's database did not take a batch: {error}",
                hint="check disk space and file rights of the database, then start the journal again",
            ) from error
        if taken.changed:
            self._store.dirtied.set()
        for stream, refused in answers.items():
            refused.extend(taken.refused.get(stream, ()))
            for refusal in refused:
                self._alarm(
                    "batch refused", source=stream.source, seqs=f"{refusal.first}-{refusal.last}", code=refusal.code
                )
        return [
            self._receipt(birth, stream, positions[stream], refused)
            for stream, refused in answers.items()
            if (birth := self._born(stream))
        ]

    def _born(self, stream: Stream) -> Birth | None:
        births = (self._births.get((stream.gateway, own)) for own in (True, False))
        return next((birth for birth in births if birth is not None and birth.site == stream.site), None)

    def _transaction(self, *, writes: bool) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._store.begin() if writes else self._store.read()

    def _receipt(self, birth: Birth, stream: Stream, at: Position, refused: Sequence[Refusal]) -> Receipt:
        receipt = Receipt(
            site=stream.site,
            gateway=stream.gateway,
            session=birth.session,
            epoch=stream.epoch,
            through=at.through,
            head=at.head.hex(),
            held=at.held,
            refused=tuple(dict.fromkeys(refused))[:_MAX_REFUSED],
            issued=milliseconds(self._clock.now().at),
        )
        return self._signer.seal(receipt)

    async def _answer(self, link: Link, receipt: Receipt) -> None:
        try:
            await link.publish(topic(receipt.site, receipt.gateway, "receipt"), receipt.payload())
        except PublishRefused as error:
            self._alarm(str(error), site=receipt.site, gateway=receipt.gateway, hint=error.hint)


@prepared
def _active(names: Value) -> Select[Any]:
    return select(gateways).where(gateways.c.gateway.in_(names), gateways.c.state == "active")


def _sender(place: re.Match[str] | None, registered: Mapping[str, Registered]) -> tuple[str, Registered]:
    """The site that the topic claims, and the gateway as it is registered. Raises BadSignature, MalformedMessage."""
    if place is None:
        raise MalformedMessage("no gateway of the contract publishes under this topic")
    if (sender := registered.get(place["gateway"])) is None:
        raise BadSignature(
            f"gateway {place['gateway']} is not registered; nothing of it is counted",
            hint=f"'attendance-journal gateway add SITE {place['gateway']} --key HEX' with the key that it prints",
        )
    return place["site"], sender


def _state(payload: bytes) -> Birth | Parting:
    """What a `state` message says. Raises MalformedMessage."""
    try:
        return Birth.parse(payload)
    except MalformedMessage:
        with suppress(ValueError):
            return Parting.model_validate_json(payload[:MAX_MESSAGE_BYTES])
        raise


async def _gathered(messages: AsyncIterator[Publication]) -> AsyncIterator[list[Publication]]:
    """Lists of what has arrived already: while one transaction runs, the next fills up."""
    following = asyncio.ensure_future(anext(messages))
    try:
        while True:
            group = [await following]
            following = asyncio.ensure_future(anext(messages))
            await asyncio.sleep(0)
            # What ends the connection is met at the top, after the group has been dealt with.
            while len(group) < MAX_GROUP and following.done() and following.exception() is None:
                group.append(following.result())
                following = asyncio.ensure_future(anext(messages))
                await asyncio.sleep(0)
            yield group
    finally:
        following.cancel()
