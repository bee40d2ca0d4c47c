"""A ledger that the conformance kit makes up: sound where it is not spoilt on purpose, and signed in any case."""

import json
from collections.abc import Sequence
from dataclasses import replace

from gateway.domain.entry import DeviceData, DeviceState, Entry, EpochData, KeyData
from gateway.domain.handshake import Birth, Parting, topic
from gateway.domain.model import Instant, LaneId, Seq
from gateway.domain.wire import CONTENT_TYPE, Envelope, Origin, Stream, again, batch_statement, chain, encode, join
from sync.packets import Publication
from sync.signing import BATCH_TAG, Signer

_LANE = LaneId("conformance")


class Ledger:
    """One epoch of one gateway, and every message about it."""

    def __init__(
        self, stream: Stream, signer: Signer, now: Instant, *, prev: bytes | None = None, after: int = 0
    ) -> None:
        """`prev` and `after` begin it in the middle, on a hash of the caller's choice."""
        self.stream, self.signer, self._now = stream, signer, now
        self._before, self._after = stream.genesis if prev is None else prev, after
        self.envelopes: list[Envelope] = []

    @property
    def last(self) -> int:
        """Seq of the newest entry."""
        return self._after + len(self.envelopes)

    @property
    def head(self) -> bytes:
        """h(last)."""
        return self.envelopes[-1].hash if self.envelopes else self._before

    def head_of(self, seq: int) -> str:
        """h(seq) in hex, as receipts tell it."""
        return (self.envelopes[seq - self._after - 1].hash if seq > self._after else self._before).hex()

    def write(self, count: int, note: str = "", size: int = 0) -> "Ledger":
        """So many entries more; `note` and `size` make other bytes under the same names."""
        for _ in range(count):
            if self.last == 0:
                self.add(self._encoded(Entry(at=self._now, data=EpochData(previous=None, reason=f"conformance{note}"))))
                continue
            detail = f"entry {self.last + 1}{note}" + "." * size
            self.add(
                self._encoded(Entry(at=self._now, data=DeviceData(lane=_LANE, kind=DeviceState.UP, detail=detail)))
            )
        return self

    def add(self, body: bytes) -> None:
        """These very bytes as the next entry."""
        self.envelopes += chain(self.head, Seq(self.last + 1), [body])

    def altered(self, **fields: object) -> bytes:
        """The bytes of a next entry with other attributes; what is not JSON is for `add`."""
        sound = Entry(at=self._now, data=DeviceData(lane=_LANE, kind=DeviceState.UP, detail="altered"))
        return json.dumps(json.loads(self._encoded(sound)) | fields, separators=(",", ":")).encode("ascii")

    def announce(self, following: Signer) -> "Ledger":
        """The next key of this gateway, under the one that signs this ledger."""
        data = KeyData(kid=self.signer.kid, key=following.public.hex())
        self.add(self._encoded(Entry(at=self._now, data=data)))
        return self

    def repeat(self, old: "Ledger", first: int) -> None:
        """The entries of another epoch from that one on, appended again with their origins."""
        for envelope in old.envelopes[first - 1 :]:
            seq = Seq(self.last + 1)
            self.add(again(envelope, old.stream, new=self.stream, seq=seq, places={}))

    def fork(self, after: int, *, prev: bytes | None = None) -> "Ledger":
        """Another history of the same epoch from there on; it hangs on this one unless `prev` says on what."""
        before = bytes.fromhex(self.head_of(after)) if prev is None else prev
        return Ledger(self.stream, self.signer, self._now, prev=before, after=after)

    def signed_by(self, signer: Signer) -> "Ledger":
        """The same entries in the hands of somebody else."""
        other = Ledger(self.stream, signer, self._now, prev=self._before, after=self._after)
        other.envelopes = list(self.envelopes)
        return other

    def moved(self, **to: str) -> "Ledger":
        """As many entries under another site, gateway or epoch."""
        return Ledger(replace(self.stream, **to), self.signer, self._now).write(self.last)

    def batch(self, first: int, last: int, **changed: str | bytes) -> Publication:
        """A signed batch. `changed` spoils a property or the payload after signing; `claimed_last` is signed instead of last."""
        part = self.envelopes[first - self._after - 1 : last - self._after]
        prev = bytes.fromhex(self.head_of(first - 1))
        claimed = int(changed.pop("claimed_last", last))
        statement = batch_statement(self.stream, first=first, last=claimed, prev=prev, head=part[-1].hash)
        properties = {key: str(value) for key, value in statement.items() if key not in ("site", "gateway")}
        properties |= {"kid": self.signer.kid, "sig": self.signer.sign(BATCH_TAG, statement)}
        payload = changed.pop("payload", join(envelope.body for envelope in part))
        properties |= {key: str(value) for key, value in changed.items()}
        return self._publication("events", payload if isinstance(payload, bytes) else payload.encode(), properties)

    def batches(self, *ranges: tuple[int, int]) -> Sequence[Publication]:
        """Several of them."""
        return [self.batch(first, last) for first, last in ranges]

    def bare(self) -> Publication:
        """A batch that says nothing of itself."""
        return self._publication("events", join(envelope.body for envelope in self.envelopes), {})

    def birth(self, session: str, **spoilt: str) -> Publication:
        """A signed birth; `spoilt` fields are put in after signing."""
        said = Birth(
            site=self.stream.site,
            gateway=self.stream.gateway,
            session=session,
            epoch=self.stream.epoch,
            last=self.last,
            head=self.head.hex(),
            floor=1,
        )
        return self._state(self.signer.seal(said).model_copy(update=spoilt).payload())

    def lost(self, session: str) -> Publication:
        """The last will of a session."""
        return self._state(Parting(state="lost", session=session).model_dump_json().encode("ascii"))

    def garbage(self, payload: bytes) -> Publication:
        """Something else where a birth should be."""
        return self._state(payload)

    def origin_of(self, seq: int) -> str:
        """What an entry that is appended again says of its first place."""
        return str(Origin(epoch=self.stream.epoch, seq=Seq(seq), hash=self.head_of(seq)))

    def _encoded(self, entry: Entry) -> bytes:
        return encode(entry, stream=self.stream, seq=Seq(self.last + 1), recorded=self._now.at)

    def _state(self, payload: bytes) -> Publication:
        return Publication(topic(self.stream.site, self.stream.gateway, "state"), payload, retain=True)

    def _publication(self, leaf: str, payload: bytes, properties: dict[str, str]) -> Publication:
        address = topic(self.stream.site, self.stream.gateway, leaf)
        return Publication(address, payload, content_type=CONTENT_TYPE, properties=properties)
