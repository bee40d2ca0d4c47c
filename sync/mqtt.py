"""A thin asyncio port over paho-mqtt: one MQTT 5 connection, every reason code read, nothing buffered.

    async with connect(Broker.parse("mqtt://127.0.0.1", client_id="door")) as connection:
        await connection.subscribe("a/+")
        await connection.publish("a/b", b"payload")          returns at PUBACK
        async for message in connection.messages():
            connection.acknowledge(message)                  nothing is acknowledged before this

paho runs inside the event loop; only name look-up, TCP connect and TLS handshake block, in a thread. A client object
serves one connection with a clean start, so that paho never holds a backlog and never reconnects by itself.
Source of all reason codes: MQTT 5.0, section 2.4.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.errors import LinkError, LinkLost, PublishRefused, TakenOver
from sync.broker import Broker, TlsFiles, dial
from sync.packets import MAX_PACKET_BYTES, PahoClient, Publication

__all__ = ["Broker", "Connection", "Publication", "TlsFiles", "connect"]

#: Publishes on their way without PUBACK, whatever the broker would allow.
MAX_IN_FLIGHT: Final = 20

#: Receive Maximum is only a wish: mosquitto 2.0.11 disregards it when it empties its queue.
MAX_UNACKNOWLEDGED_BYTES: Final = 32 * 1024 * 1024

_FAREWELL_SECONDS: Final = 2.0
_TICK_SECONDS: Final = 1.0
_WITH_WILL: Final = 0x04
_PROTOCOL_ERROR: Final = 0x82
_KEEP_ALIVE: Final = 0x8D
_TAKEN_OVER: Final = 0x8E
_TOO_LARGE: Final = 0x95
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Connection:
    """One connection; when it has ended every call raises LinkLost with the reason."""

    def __init__(self, broker: Broker, client: PahoClient, *, receive_maximum: int, timeout: float) -> None:
        self._broker, self._client = broker, client
        self._receive_maximum, self._timeout = receive_maximum, timeout
        self._loop = asyncio.get_running_loop()
        self._welcome: asyncio.Future[None] = self._loop.create_future()
        self._window = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._largest = MAX_PACKET_BYTES
        self._pending: dict[int, asyncio.Future[Sequence[ReasonCode]]] = {}
        self._inbox: deque[Publication] = deque()
        self._unacknowledged = 0  # bytes
        self._arrived, self._ended = asyncio.Event(), asyncio.Event()
        self._failure: LinkError | None = None
        self._timer: asyncio.TimerHandle | None = None
        #: QoS 0 messages that came faster than they were taken.
        self.dropped = 0

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        content_type: str | None = None,
        properties: Mapping[str, str] = _NOTHING,
    ) -> int:
        """Publish at QoS 1 and return the reason code of its PUBACK: 0x00, or 0x10 when nobody is subscribed.

        Raises PublishRefused (0x80 and above, or larger than the broker takes) and LinkLost; after LinkLost, no
        answer within the timeout included, nobody knows whether the broker has it.
        """
        publication = Publication(topic, payload, retain, content_type, properties)
        if publication.size > self._largest:
            raise PublishRefused(topic, f"{publication.size} bytes, at most {self._largest}", _TOO_LARGE)
        packed = publication.properties_of(PacketTypes.PUBLISH)
        (reason,) = await self._ask(lambda: self._client.publish(topic, payload, 1, retain, packed).mid)
        if reason.is_failure:
            raise PublishRefused(topic, reason.getName(), reason.value)
        return int(reason.value)

    async def subscribe(self, *filters: str) -> None:
        """Subscribe at QoS 1. Raises LinkError when the broker refuses one of them, LinkLost."""
        wanted = [(one, SubscribeOptions(qos=1)) for one in filters]
        reasons = await self._ask(lambda: self._client.subscribe(wanted)[1])
        for one, reason in zip(filters, reasons, strict=True):
            if reason.is_failure:
                raise LinkError(
                    f"the broker refused the subscription to {one}: {reason.getName()} (0x{reason.value:02X})",
                    hint=PublishRefused.hint,
                )

    async def unsubscribe(self, *filters: str) -> None:
        """Raises LinkLost."""
        await self._ask(lambda: self._client.unsubscribe(list(filters))[1])

    async def messages(self) -> AsyncIterator[Publication]:
        """In order of arrival, in bounded memory. Raises LinkLost after the last one."""
        while True:
            while self._inbox:
                yield self._inbox.popleft()
            if self._failure is not None:
                raise self._lost()
            self._arrived.clear()
            await self._arrived.wait()

    def acknowledge(self, message: Publication) -> None:
        """Let the broker forget the message and send the next one. In order of arrival; nothing for QoS 0."""
        if message.packet and self._failure is None:
            self._unacknowledged -= message.size
            self._client.ack(message.packet, 1)

    async def _ask(self, send: Callable[[], int | None]) -> Sequence[ReasonCode]:
        """Send one packet that the broker answers. A place in the window is free again only at the answer."""
        await self._window.acquire()
        if self._failure is not None:
            self._window.release()
            raise self._lost()
        answer: asyncio.Future[Sequence[ReasonCode]] = self._loop.create_future()
        self._pending[send() or 0] = answer
        try:
            async with asyncio.timeout(self._timeout):
                return await answer
        except TimeoutError:
            self._drop(f"the broker has not answered within {self._timeout:g} s")
            raise self._lost() from None

    async def _open(self, will: Publication | None, keepalive: int) -> None:
        client = self._client
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish = lambda _c, _u, mid, reason, _p: self._answered(mid, [reason])
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._answered(mid, reasons)
        client.on_unsubscribe = lambda _c, _u, mid, reasons, _p: self._answered(mid, reasons)
        client.on_message = self._on_message
        client.on_socket_open = lambda _c, _u, sock: self._loop.add_reader(sock, self._read)
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = lambda _c, _u, sock: self._loop.add_writer(sock, client.loop_write)
        client.on_socket_unregister_write = self._on_written
        if will is not None:
            packed = will.properties_of(PacketTypes.WILLMESSAGE)
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain, properties=packed)
        client.begin(self._broker, keepalive, self._receive_maximum)
        self._tick()
        try:
            async with asyncio.timeout(self._timeout):
                await self._welcome
        except TimeoutError:
            raise self._broker.no_welcome() from None

    async def _close(self, *, with_will: bool) -> None:
        self._welcome.cancel()
        if self._failure is None:
            code = _WITH_WILL if with_will else 0x00
            self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=code))
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await self._ended.wait()
        self._drop("this side closed the connection")

    def _read(self) -> None:
        try:
            self._client.loop_read()
        except Exception as error:  # noqa: BLE001 - paho raises whatever a malformed packet makes it stumble over
            self._drop(f"the broker does not speak MQTT 5: {type(error).__name__}: {error}"[:200])
            return
        if violation := self._client.violation:
            self._drop(violation)
            return
        sock = self._client.socket()
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            # Decrypted already: the selector does not see it.
            self._loop.call_soon(self._read)

    def _tick(self) -> None:
        self._client.loop_misc()
        if self._failure is None:
            self._timer = self._loop.call_later(_TICK_SECONDS, self._tick)

    def _on_written(self, _c: Client, _u: Any, sock: Any) -> None:
        self._loop.remove_writer(sock)

    def _on_socket_close(self, _c: Client, _u: Any, sock: Any) -> None:
        self._loop.remove_reader(sock)

    def _on_connect(
        self, _c: Client, _u: Any, _f: ConnectFlags, reason: ReasonCode, granted: Properties | None
    ) -> None:
        if reason.is_failure:
            self._end(self._broker.refused(reason.getName(), reason.value))
            return
        self._largest = min(self._largest, getattr(granted, "MaximumPacketSize", self._largest))
        self._window = asyncio.Semaphore(min(MAX_IN_FLIGHT, getattr(granted, "ReceiveMaximum", MAX_IN_FLIGHT)))
        if not self._welcome.done():
            self._welcome.set_result(None)

    def _on_disconnect(self, _c: Client, _u: Any, flags: DisconnectFlags, reason: ReasonCode, _p: Any) -> None:
        if reason.value == _TAKEN_OVER:
            self._end(self._broker.taken_over())
        elif flags.is_disconnect_packet_from_server:
            self._end(LinkLost(f"the broker ended the connection: {reason.getName()} (0x{reason.value:02X})"))
        elif reason.value == _PROTOCOL_ERROR:
            self._end(LinkLost(f"the broker {self._broker} does not speak MQTT 5"))
        elif not self._welcome.done():
            self._end(self._broker.no_welcome())
        else:
            why = "it was silent for too long" if reason.value == _KEEP_ALIVE else "the other side is gone"
            self._end(LinkLost(f"the connection to {self._broker} broke: {why}"))

    def _on_message(self, _c: Client, _u: Any, message: MQTTMessage) -> None:
        if message.qos == 0 and len(self._inbox) >= self._receive_maximum:
            self.dropped += 1
            return
        told = message.properties
        publication = Publication(
            topic=message.topic,
            payload=bytes(message.payload),
            retain=message.retain,
            content_type=getattr(told, "ContentType", None),
            properties=dict(getattr(told, "UserProperty", ())),
            packet=message.mid if message.qos else 0,
        )
        if publication.packet:
            self._unacknowledged += publication.size
            if self._unacknowledged > MAX_UNACKNOWLEDGED_BYTES:
                raise ValueError(f"more than {MAX_UNACKNOWLEDGED_BYTES} bytes in flight without acknowledgement")
        self._inbox.append(publication)
        self._arrived.set()

    def _answered(self, mid: int, reasons: Sequence[ReasonCode]) -> None:
        answer = self._pending.pop(mid, None)
        if answer is not None:
            self._window.release()
            if not answer.done():
                answer.set_result(reasons)

    def _drop(self, sentence: str) -> None:
        self._client.hang_up()
        self._end(LinkLost(sentence))

    def _end(self, failure: LinkError) -> None:
        """The one place where a connection ends: the first reason stays, everybody who waits is told."""
        self._failure = self._failure or failure
        if self._timer is not None:
            self._timer.cancel()
        if not self._welcome.done():
            self._welcome.set_exception(failure)
        waiting, self._pending = self._pending, {}
        for answer in waiting.values():
            self._window.release()
            if not answer.done():
                answer.set_exception(self._lost())
        self._arrived.set()
        self._ended.set()

    def _lost(self) -> LinkLost:
        kind = TakenOver if isinstance(self._failure, TakenOver) else LinkLost
        return kind(str(self._failure), hint=self._failure.hint if self._failure else None)


@asynccontextmanager
async def connect(
    broker: Broker,
    *,
    will: Publication | None = None,
    receive_maximum: int = 20,
    keepalive: int = 30,
    timeout: float = 10.0,  # noqa: ASYNC109 - a promise about each answer, not about the whole call
) -> AsyncIterator[Connection]:
    """A fresh connection with a clean start; `keepalive` and `timeout` (of each answer) in seconds.

    Leaving the block normally or by cancellation discards the will; any other exception lets the broker publish it.
    Raises LinkError when the broker cannot be reached, trusted or satisfied.
    """
    client = PahoClient(broker, await dial(broker, timeout))
    connection = Connection(broker, client, receive_maximum=receive_maximum, timeout=timeout)
    with_will = False
    try:
        await connection._open(will, keepalive)  # noqa: SLF001 - its constructor
        yield connection
    except asyncio.CancelledError:
        raise
    except BaseException:
        with_will = True
        raise
    finally:
        await connection._close(with_will=with_will)  # noqa: SLF001 - its destructor
