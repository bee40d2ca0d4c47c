"""A broker and the wires to it: `sync.mqtt.Connection` by shape, over a network on which everything happens to messages."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType

from gateway.errors import LinkLost, PublishRefused
from sync.mqtt import Broker
from sync.packets import Publication
from tests.faults.chance import Chance, Fault

_NOTHING: Mapping[str, str] = MappingProxyType({})
#: As the real client waits for an answer, and as a broker waits for a sign of life; in seconds.
ANSWER, KEEPALIVE = 10.0, 45.0
_NO_SUBSCRIBER = 0x10


class Network:
    """The broker: it keeps retained messages and nothing else for anybody."""

    def __init__(self, chance: Chance, sees: Callable[[str, Publication], None]) -> None:
        self.chance, self._sees = chance, sees
        self.wires: dict[str, Wire] = {}
        self.cut_off: set[str] = set()
        self._retained: dict[str, Publication] = {}
        #: By client: what is called, and how many more of its messages go before.
        self.fuses: dict[str, tuple[int, Callable[[], None]]] = {}

    @asynccontextmanager
    async def connect(self, broker: Broker, *, will: Publication | None = None, **_: object) -> AsyncIterator["Wire"]:
        """As `sync.mqtt.connect`."""
        name = broker.client_id
        await asyncio.sleep(self.chance.dice.uniform(0.001, 0.05))
        if name in self.cut_off:
            await asyncio.sleep(ANSWER)
            raise LinkLost("the broker does not answer")
        if before := self.wires.get(name):
            before.cut("another connection took its name")
        wire = self.wires[name] = Wire(self, name, will)
        try:
            yield wire
            wire.will = None
        except asyncio.CancelledError:
            wire.will = None
            raise
        finally:
            wire.cut("closed")

    def part(self, name: str, seconds: float) -> None:
        """Nothing gets through to this one or from it, for that long."""
        self.chance.note(Fault.PARTITION, name)
        self.cut_off.add(name)
        loop = asyncio.get_running_loop()
        if (wire := self.wires.get(name)) is not None and seconds > KEEPALIVE:
            loop.call_later(KEEPALIVE, wire.cut, "no sign of life")
        loop.call_later(seconds, self.cut_off.discard, name)

    def wipe(self) -> None:
        """The broker dies and comes back with an empty head."""
        self.chance.note(Fault.WIPED, "broker")
        self._retained.clear()
        for wire in list(self.wires.values()):
            wire.will = None
            wire.cut("the broker is gone")

    def burn(self, name: str) -> bool:
        """Whether the process of this client dies at this step."""
        if name not in self.fuses:
            return False
        left, crash = self.fuses.pop(name)
        if left:
            self.fuses[name] = left - 1, crash
            return False
        self.chance.note(Fault.NETWORK_CRASH, name)
        crash()
        return True

    def take(self, sender: str, message: Publication) -> int:
        """The broker has it; the reason code of its PUBACK."""
        self._sees(sender, message)
        self.chance.tell(f"{sender} -> {message.topic.partition('/v1/')[2]} {len(message.payload)} bytes")
        if message.retain:
            self._retained[message.topic] = message
            if not message.payload:
                del self._retained[message.topic]
        heard = [wire for wire in self.wires.values() if wire.wants(message.topic)]
        for wire in heard:
            self.carry(wire, message)
        return 0 if heard else _NO_SUBSCRIBER

    def carry(self, wire: "Wire", message: Publication) -> None:
        """From the broker to one that subscribed: a full queue drops, a new attempt doubles, a slow one is overtaken."""
        chance, loop = self.chance, asyncio.get_running_loop()
        if wire.name in self.cut_off or chance.strikes(0.03):
            chance.note(Fault.LOSS, f"to {wire.name}")
            return
        delay = chance.dice.uniform(0.001, 0.02)
        if chance.strikes(0.05):
            chance.note(Fault.DELAY, f"to {wire.name}")
            delay = chance.dice.uniform(0.5, 10)
        loop.call_later(delay, wire.arrive, message, next(wire.numbers))
        if chance.strikes(0.05):
            chance.note(Fault.DUPLICATE, f"to {wire.name}")
            loop.call_later(delay + chance.dice.uniform(0, 5), wire.arrive, message, 0)

    def retained(self, wanted: str) -> list[Publication]:
        return [message for topic, message in self._retained.items() if matches(wanted, topic)]


class Wire:
    """One connection of one client."""

    def __init__(self, network: Network, name: str, will: Publication | None) -> None:
        self._network, self.name, self.will = network, name, will
        self._filters: set[str] = set()
        self._inbox: deque[Publication] = deque()
        self._arrived, self._failure = asyncio.Event(), ""
        self.numbers, self._newest = iter(range(1, 1_000_000)), 0

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        content_type: str | None = None,
        properties: Mapping[str, str] = _NOTHING,
    ) -> int:
        self._check()
        network, chance = self._network, self._network.chance
        message = Publication(topic, payload, retain, content_type, dict(properties))
        await asyncio.sleep(chance.dice.uniform(0.001, 0.02))
        self._check()
        if network.burn(self.name):
            raise LinkLost
        lost = self.name in network.cut_off or chance.strikes(0.02)
        if lost:
            chance.note(Fault.LOSS, f"from {self.name}")
        if chance.strikes(0.01):
            raise PublishRefused(topic, "Not authorized", 0x87)
        code = 0 if lost else network.take(self.name, message)
        if not lost and chance.strikes(0.02):
            chance.note(Fault.UNACKNOWLEDGED, f"from {self.name}")
            lost = True
        if lost:
            await self._silence()
        if network.burn(self.name):
            raise LinkLost
        return code

    async def subscribe(self, *filters: str) -> None:
        self._check()
        await asyncio.sleep(self._network.chance.dice.uniform(0.001, 0.02))
        if self.name in self._network.cut_off:
            await self._silence()
        for wanted in filters:
            self._filters.add(wanted)
            for message in self._network.retained(wanted):
                self._network.carry(self, message)

    async def unsubscribe(self, *filters: str) -> None:
        self._check()
        self._filters.difference_update(filters)

    async def messages(self) -> AsyncIterator[Publication]:
        while True:
            while self._inbox:
                message = self._inbox.popleft()
                if self._network.burn(self.name):
                    raise LinkLost
                yield message
            self._check()
            self._arrived.clear()
            await self._arrived.wait()

    def acknowledge(self, message: Publication) -> None: ...

    def wants(self, topic: str) -> bool:
        return not self._failure and any(matches(wanted, topic) for wanted in self._filters)

    def arrive(self, message: Publication, number: int) -> None:
        """Hand over what the network carried."""
        if self._failure:
            return
        if number and number < self._newest:
            self._network.chance.note(Fault.REORDER, f"to {self.name}")
        self._newest = max(self._newest, number)
        self._inbox.append(message)
        self._arrived.set()

    def cut(self, why: str) -> None:
        """It is over, for both sides; the broker publishes the will of one who did not say goodbye."""
        if self._failure:
            return
        self._failure = why
        self._arrived.set()
        if self._network.wires.get(self.name) is self:
            del self._network.wires[self.name]
        if self.will is not None:
            self._network.take(self.name, self.will)

    async def _silence(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER):
                while not self._failure:
                    self._arrived.clear()
                    await self._arrived.wait()
        self.cut("the broker has not answered")
        self._check()

    def _check(self) -> None:
        if self._failure:
            raise LinkLost(self._failure)


def matches(wanted: str, topic: str) -> bool:
    """Whether an MQTT filter takes a topic; no filter of ours ends in #."""
    ours, theirs = wanted.split("/"), topic.split("/")
    return len(ours) == len(theirs) and all(o in ("+", t) for o, t in zip(ours, theirs, strict=True))
