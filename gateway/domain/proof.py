"""Whether a ledger is what it says: each entry reads, stands at its place, and hangs on the one before it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.domain.wire import Envelope, Stream, decode, link
from gateway.errors import MalformedMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """The first entry that does not prove itself."""

    seq: int
    why: str


@dataclass(slots=True, kw_only=True)
class Proof:
    """Takes the envelopes of one stream in order, in any number of portions; keeps the first flaw."""

    stream: Stream
    #: h of the entry before the first; None where that is not kept, and the first is believed.
    prev: bytes | None
    #: The seq that comes next; 0 takes any.
    expected: int = 0
    count: int = field(default=0, init=False)
    flaw: Flaw | None = field(default=None, init=False)

    def add(self, envelopes: Iterable[Envelope], *, reads: bool = True) -> None:
        """Hold these against everything before them; `reads` also decodes each, which a receiver of bad events cannot ask."""
        for envelope in envelopes:
            if self.flaw is not None:
                return
            if (why := self._why(envelope, reads=reads)) is not None:
                self.flaw = Flaw(seq=self.expected or envelope.seq, why=why)
            self.prev, self.expected = envelope.hash, envelope.seq + 1
            self.count += 1

    def _why(self, envelope: Envelope, *, reads: bool) -> str | None:
        if self.expected and envelope.seq != self.expected:
            return f"is missing; the next one here is {envelope.seq}"
        if self.prev is not None and link(self.prev, envelope.body) != envelope.hash:
            return "its bytes or those before it are not the ones that were chained"
        return self._unread(envelope) if reads else None

    def _unread(self, envelope: Envelope) -> str | None:
        try:
            event = decode(envelope.body)
        except MalformedMessage as error:
            return str(error)
        named = (event.stream, event.seq) == (self.stream, envelope.seq)
        return None if named else f"calls itself {event.seq} of {event.stream.source}"
