"""What crosses paho's threshold: publications, and a client whose memory is bounded and that leaves no socket open."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sync.broker import Broker

#: Larger packets are neither sent nor accepted: a batch or a part with its properties fits well.
MAX_PACKET_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published: to be sent, received, or left as a will."""

    topic: str
    payload: bytes = field(repr=False)
    retain: bool = False
    content_type: str | None = None
    #: User properties.
    properties: Mapping[str, str] = field(default_factory=dict)
    #: Of a received one, what its acknowledgement names; 0 for QoS 0.
    packet: int = field(default=0, repr=False, compare=False)

    @property
    def size(self) -> int:
        """Bytes of its PUBLISH packet, at most."""
        names = len(self.topic.encode()) + len((self.content_type or "").encode())
        pairs = sum(5 + len(key.encode()) + len(value.encode()) for key, value in self.properties.items())
        return 24 + names + pairs + len(self.payload)

    def properties_of(self, packet: int) -> Properties:
        """Content type and user properties for a PUBLISH or a will."""
        packed = Properties(packet)  # type: ignore[no-untyped-call]
        if self.content_type is not None:
            packed.ContentType = self.content_type
        if self.properties:
            packed.UserProperty = list(self.properties.items())
        return packed


class PahoClient(Client):
    """paho over a socket that is connected already: its own dialling leaks the socket when a TLS handshake fails."""

    def __init__(self, broker: Broker, ready: socket.socket) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._ready = ready
        # The window is ours; 0 switches paho's queue off.
        self.max_inflight_messages = 0
        if broker.username is not None:
            self.username_pw_set(broker.username, broker.password)

    def _create_socket(self) -> socket.socket:
        return self._ready

    def hang_up(self) -> None:
        """Close the socket and say nothing. Not from within a callback: paho holds its lock there."""
        self._sock_close()

    @property
    def violation(self) -> str | None:
        """What the broker does that would cost unbounded memory."""
        if self._in_packet["remaining_length"] > MAX_PACKET_BYTES:
            return f"the broker sent a packet of more than {MAX_PACKET_BYTES} bytes"
        return "the broker sent QoS 2, which nobody asked for" if self._in_messages else None

    def begin(self, broker: Broker, keepalive: int, receive_maximum: int) -> None:
        """Send CONNECT with a clean start; the answer comes to on_connect."""
        wishes = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wishes.ReceiveMaximum = receive_maximum
        wishes.MaximumPacketSize = MAX_PACKET_BYTES
        self.connect(broker.host, broker.port, keepalive, clean_start=True, properties=wishes)
