"""What the one use case needs of the world, as promises. Adapters satisfy these by shape, not by inheritance."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Literal, Protocol, Self, runtime_checkable

from gateway.domain.answer import Words
from gateway.domain.credential import Credential, Technology
from gateway.domain.entry import DeviceState, Entry
from gateway.domain.handshake import Receipt
from gateway.domain.model import Assurance, Direction, Instant, Seq, Verdict
from gateway.domain.wire import Batch, Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRead:
    """A card came into the field; a card that stays there is not read again."""

    credential: Credential
    #: Only where the device itself tells.
    direction: Direction = Direction.UNKNOWN
    assurance: Assurance = Assurance.UID
    #: Only where the device's own clock tells (a terminal that decides alone).
    at: datetime | None = None
    #: Whether that clock was between two times when it told: one hour twice, or one that never was.
    ambiguous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What a terminal that decides alone tells of its past, perhaps hours later and perhaps again."""

    #: Each with the terminal's time.
    reads: tuple[CardRead, ...]
    #: By the terminal's clock, [since, until] in which nothing happened there that was not told by now; None proves nothing.
    covers: tuple[datetime, datetime] | None = None
    #: Told once, whether all of it is on the disk: until then the terminal keeps it.
    recorded: Callable[[bool], None] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRefused:
    """A card came into the field that cannot serve as an identity."""

    technology: Technology
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNotice:
    """The device tells about itself: tamper, garbage on the line, a mode, the fire alarm.

    One reader or gate of several that is away while its device lives tells `down`, and `up` when it is back; its detail
    begins with the word reader or gate.
    """

    kind: DeviceState
    #: As DeviceData has it.
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Somebody went through the gate."""

    direction: Direction


ReaderEvent = CardRead | CardRefused | DeviceNotice | Upload
GateEvent = Rotation | DeviceNotice


class Reader(Protocol):
    """One antenna."""

    def events(self) -> AsyncIterator[ReaderEvent]:
        """Endless while the device lives; raises DeviceLost when it does not. Memory is bounded whatever arrives."""
        ...


@runtime_checkable
class Terminal(Reader, Protocol):
    """A reader that decides alone: it tells Uploads, and what is covered only with them."""

    decides: Literal["device"]


class Gate(Protocol):
    """One lamp with a bolt, and perhaps a screen."""

    def events(self) -> AsyncIterator[GateEvent]:
        """Endless while the device lives; raises DeviceLost when it does not.

        A gate that knows its mode, a fire alarm or that it is blocked tells how it stands when it was opened and when
        that changes: until then it is taken to stand as before.
        """
        ...

    async def show(self, verdict: Verdict, words: Words) -> None:
        """Sets lamp, bolt and screen and returns within 50 ms; the device itself ends the picture. Raises DeviceLost."""
        ...

    async def rest(self) -> None:
        """Ends the picture and shuts the bolt, as `show` does: nobody is waited for any more. Raises DeviceLost."""
        ...


class Device(Protocol):
    """A serial port, a bus, a USB reader: opened once by `async with`, closed by it whatever happens.

    The constructor validates and touches nothing; entering raises DeviceLost when the device cannot be opened.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def reader(self, address: str) -> Reader:
        """The reader at an address of this device; "" is the only one of a device that has one."""
        ...

    def gate(self, address: str) -> Gate:
        """The gate at an address of this device; raises ConfigError where the kind has none."""
        ...


class Outbox(Protocol):
    """The ledger of this gateway: what it returned from append is on the disk."""

    async def append(self, entries: Sequence[Entry]) -> Seq:
        """Fsynced before it returns the seq of the last entry; all or nothing. Raises NotRecorded."""
        ...

    async def after(self, seq: Seq, limit: int) -> Sequence[Envelope]:
        """At most `limit` envelopes with consecutive seqs from seq + 1 on; empty when there is nothing newer."""
        ...

    async def apply(self, receipt: Receipt) -> None:
        """Settles everything up to receipt.through; the caller has verified the receipt."""
        ...


class Uplink(Protocol):
    """One connection of one session to the journal; dead after LinkLost, then a fresh one is made."""

    async def send(self, batch: Batch) -> None:
        """Returns when the broker has taken it, which settles nothing. Raises LinkLost, PublishRefused."""
        ...

    def receipts(self) -> AsyncIterator[Receipt]:
        """Verified, of this session, in order of arrival. Raises LinkLost."""
        ...


class Clock(Protocol):
    """The only source of time outside drivers."""

    def now(self) -> Instant:
        """Never blocks, never fails."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits on the monotonic clock; a jump of the wall clock does not shorten or lengthen it."""
        ...
