"""One session of the gateway with its journal over MQTT: birth, batches out, verified receipts and directory in.

    connect (will: lost) -> subscribe receipt, manifest -> birth, retained ... -> offline, retained -> disconnect

A forged, foreign or malformed message is dropped and counted by its reason; it never ends the session.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final, Generic, TypeVar

from gateway.domain.handshake import Birth, Parting, Receipt, topic
from gateway.domain.wire import CONTENT_TYPE, Batch
from gateway.errors import BadSignature, LinkError, LinkLost, MalformedMessage
from sync.mqtt import Broker, Connection, Publication, connect
from sync.signing import BATCH_TAG, Keyring, Signer

_FAREWELL_SECONDS: Final = 2.0
_NO_SUBSCRIBER: Final = 0x10

T = TypeVar("T")


class Newest(Generic[T]):
    """A hand-over that keeps only the newest value: a slow taker costs no memory and misses nothing that still holds."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._changed = asyncio.Event()
        self._over: BaseException | None = None

    def put(self, value: T) -> None:
        """Replace what nobody has taken yet."""
        self._value = value
        self._changed.set()

    def end(self, error: BaseException) -> None:
        """Nothing more comes; takers get the error after the last value."""
        self._over = error
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            await self._changed.wait()
            value, self._value = self._value, None
            if value is not None:
                yield value
            elif self._over is not None:
                raise self._over
            else:
                self._changed.clear()


class MqttUplink:
    """`gateway.ports.Uplink`, and a shelf of directories, over one connection of one session."""

    def __init__(
        self,
        connection: Connection,
        birth: Birth,
        signer: Signer,
        keys: Callable[[], Keyring],
        dropped: Counter[str],
        met: Callable[[str, bool], None],
    ) -> None:
        self._connection, self._birth, self._signer, self._keys = connection, birth, signer, keys
        self._met = met
        self._receipts, self._manifests = Newest[Receipt](), Newest[bytes]()
        self._parts: dict[str, asyncio.Future[bytes]] = {}
        #: How many messages were dropped, by reason.
        self.dropped = dropped
        #: Whether the broker knew nobody who listens when the newest batch was published.
        self.unheard = False

    @property
    def session(self) -> str:
        """Names this connection to the journal."""
        return self._birth.session

    async def send(self, batch: Batch) -> None:
        """Returns at PUBACK, which settles nothing. Raises LinkLost, PublishRefused."""
        statement = batch.statement()
        properties = {key: str(statement[key]) for key in ("epoch", "first", "last", "prev", "head")}
        properties |= {"kid": self._signer.kid, "sig": self._signer.sign(BATCH_TAG, statement)}
        code = await self._connection.publish(
            self._topic("events"), batch.payload, content_type=CONTENT_TYPE, properties=properties
        )
        self.unheard = code == _NO_SUBSCRIBER

    def receipts(self) -> AsyncIterator[Receipt]:
        """Verified, of this session, in order of arrival; only the newest of those that wait. Raises LinkLost."""
        return aiter(self._receipts)

    def manifests(self) -> AsyncIterator[bytes]:
        """As they arrive, unverified; only the newest of those that wait. Raises LinkLost."""
        return aiter(self._manifests)

    async def part(self, sha256: str) -> bytes:
        """The part of that name as soon as the broker has it, unverified. Raises LinkLost."""
        name = topic(self._birth.site, "directory", "part", sha256)
        arrival: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._parts[name] = arrival
        try:
            await self._connection.subscribe(name)
            try:
                return await arrival
            finally:
                with suppress(LinkLost):
                    await self._connection.unsubscribe(name)
        finally:
            del self._parts[name]

    async def publish_health(self, payload: bytes) -> None:
        """Retained, in the place of the one before. Raises LinkLost, PublishRefused."""
        await self._connection.publish(self._topic("health"), payload, retain=True)

    async def begin(self) -> None:
        """Be born: only now does the journal know this session. Raises LinkLost, PublishRefused."""
        await self._look_who_was_here()
        await self._connection.subscribe(self._topic("receipt"), topic(self._birth.site, "directory", "manifest"))
        await self._connection.publish(self._topic("state"), self._signer.seal(self._birth).payload(), retain=True)

    async def _look_who_was_here(self) -> None:
        try:
            await self._connection.subscribe(self._topic("state"))
        except LinkLost:
            raise
        except LinkError:
            return  # a broker whose access list is older: then a clone shows by other signs only

    async def leave(self) -> None:
        """A clean stop, as far as a broker listens."""
        with suppress(LinkError, TimeoutError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await self._connection.publish(self._topic("state"), parting("offline", self.session), retain=True)

    async def pump(self) -> None:
        """Hand over what arrives until the connection ends. Raises LinkLost."""
        async for message in self._connection.messages():
            self._take(message)
            self._connection.acknowledge(message)

    def end(self, pump: "asyncio.Task[None]") -> None:
        """Tell everybody who waits for something that it will not come."""
        over = LinkLost("this side closed the connection") if pump.cancelled() else pump.exception() or LinkLost()
        self._receipts.end(over)
        self._manifests.end(over)
        for arrival in self._parts.values():
            if not arrival.done():
                arrival.set_exception(over)

    def _take(self, message: Publication) -> None:
        if not message.payload:
            # Somebody cleared a retained message: nothing has arrived.
            return
        arrival = self._parts.get(message.topic)
        if arrival is not None:
            if not arrival.done():
                arrival.set_result(message.payload)
        elif message.topic == self._topic("receipt"):
            self._receive(message.payload)
        elif message.topic.endswith("/directory/manifest"):
            self._manifests.put(message.payload)
        elif message.topic == self._topic("state") and (session := session_of(message.payload)) != self.session:
            self._met(session, message.retain)

    def _receive(self, payload: bytes) -> None:
        try:
            receipt = Receipt.parse(payload)
            self._keys().check(receipt)
        except MalformedMessage:
            self.dropped["malformed"] += 1
        except BadSignature:
            self.dropped["signature"] += 1
        else:
            wrong = [key for key in ("site", "gateway", "epoch", "session") if _differ(receipt, self._birth, key)]
            if wrong:
                self.dropped[wrong[0]] += 1
            else:
                self._receipts.put(receipt)

    def _topic(self, leaf: str) -> str:
        return topic(self._birth.site, self._birth.gateway, leaf)


@asynccontextmanager
async def open_uplink(
    broker: Broker,
    *,
    birth_of: Callable[[str], Birth],
    signer: Signer,
    keys: Callable[[], Keyring],
    dropped: Counter[str] | None = None,
    met: Callable[[str, bool], None] = lambda _session, _retained: None,
    keepalive: int = 30,
    timeout: float = 10.0,  # noqa: ASYNC109 - a promise about each answer, not about the whole session
    dial: Callable[..., AbstractAsyncContextManager[Connection]] = connect,
) -> AsyncIterator[MqttUplink]:
    """A fresh session; `birth_of(session)` tells who is born, `keys()` which keys of the journal hold now.

    `met(session, retained)` hears of each other session under this name: what the broker kept of it, or that it is there.

    Leaving the block normally or by cancellation publishes `offline`; otherwise the broker publishes `lost`.
    Raises LinkError when no session comes about.
    """
    birth = birth_of(secrets.token_hex(8))
    state = topic(birth.site, birth.gateway, "state")
    will = Publication(state, parting("lost", birth.session), retain=True)
    async with dial(broker, will=will, keepalive=keepalive, timeout=timeout) as connection:
        uplink = MqttUplink(connection, birth, signer, keys, Counter() if dropped is None else dropped, met)
        await uplink.begin()
        pump = asyncio.create_task(uplink.pump(), name="uplink pump")
        pump.add_done_callback(uplink.end)
        try:
            yield uplink
            await uplink.leave()
        except asyncio.CancelledError:
            await uplink.leave()
            raise
        finally:
            pump.cancel()
            with suppress(asyncio.CancelledError, LinkLost):
                await pump


def parting(state: str, session: str) -> bytes:
    """The payload of a clean stop, or of a last will."""
    return Parting.model_validate({"state": state, "session": session}).model_dump_json().encode("ascii")


def session_of(payload: bytes) -> str:
    """Whose state that is; "" where it says nothing."""
    with suppress(MalformedMessage):
        return Birth.parse(payload).session
    with suppress(ValueError):
        return Parting.model_validate_json(payload).session
    return ""


def _differ(receipt: Receipt, birth: Birth, key: str) -> bool:
    return bool(getattr(receipt, key) != getattr(birth, key))
