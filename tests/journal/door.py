"""A small gateway that signs what it sends, and a broker's connection that hands over what a test puts into it."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.domain.credential import Credential, SiteKey, Technology
from gateway.domain.entry import CoverageData, Data, Entry, EpochData, TapData
from gateway.domain.handshake import Birth, Receipt, topic
from gateway.domain.model import Assurance, ClockState, Direction, Instant, LaneId, Reason, Seq, Verdict
from gateway.domain.wire import Batch, Envelope, Stream, chain, encode
from gateway.errors import LinkLost
from sync.packets import Publication
from sync.signing import BATCH_TAG, Signer

SITE, GATEWAY, LANE = "school-1", "door-1", LaneId("north")
KEY = SiteKey(version=1, secret=bytes(range(32)))
CARD = Credential(technology=Technology.EM4100, uid=bytes.fromhex("55007EE424"))
STRANGE = Credential(technology=Technology.ISO14443A, uid=bytes.fromhex("04DE5F1EACC040"))
#: A Tuesday in Moscow, 07:00 UTC = 10:00 local.
MORNING = datetime(2026, 9, 1, 7, 0, tzinfo=UTC)


def instant(at: datetime, clock: ClockState = ClockState.SYNCED, boot: str = "boot-1") -> Instant:
    return Instant(at=at, boot=boot, boottime=int((at - MORNING).total_seconds() * 1000) + 10**6, clock=clock)


def tap(at: datetime = MORNING, credential: Credential = CARD, clock: ClockState = ClockState.SYNCED) -> Entry:
    data = TapData(
        lane=LANE,
        direction=Direction.IN,
        token=KEY.token(credential),
        technology=credential.technology,
        assurance=Assurance.UID,
        person=None,
        verdict=Verdict(admit=True, reason=Reason.KNOWN),
        match=None,
        directory=None,
    )
    return Entry(at=instant(at, clock), data=data)


def coverage(since: datetime, until: datetime) -> Entry:
    return entry(CoverageData(lane=LANE, since=since, until=until), until)


def entry(data: Data, at: datetime = MORNING) -> Entry:
    return Entry(at=instant(at), data=data)


class Door:
    """One ledger of one gateway; `salt` makes other bytes under the same names."""

    def __init__(
        self, gateway: str = GATEWAY, epoch: str = "epoch-1", site: str = SITE, secret: bytes = b"\1" * 32
    ) -> None:
        self.stream = Stream(site=site, gateway=gateway, epoch=epoch)
        self.signer = Signer(secret)
        self.session = "session-1"
        self.ledger: list[Envelope] = []

    @property
    def head(self) -> bytes:
        return self.ledger[-1].hash if self.ledger else self.stream.genesis

    def append(self, *entries: Entry) -> None:
        for one in entries:
            seq = Seq(len(self.ledger) + 1)
            self.append_bytes(encode(one, stream=self.stream, seq=seq, recorded=one.at.at))

    def append_bytes(self, *bodies: bytes) -> None:
        self.ledger += chain(self.head, Seq(len(self.ledger) + 1), bodies)

    def taps(self, count: int) -> "Door":
        """The first entry names the epoch, as in life; then taps, a second apart."""
        self.append(entry(EpochData(previous=None, reason="first start")))
        self.append(*(tap(MORNING + timedelta(seconds=n)) for n in range(1, count)))
        return self

    def batch(self, first: int, last: int) -> Batch:
        prev = self.ledger[first - 2].hash if first > 1 else self.stream.genesis
        return Batch(stream=self.stream, prev=prev, envelopes=tuple(self.ledger[first - 1 : last]))

    def message(self, first: int, last: int, /, *, site: str | None = None, **changed: str | bytes) -> Publication:
        """A signed batch; `changed` spoils a property, or the payload, after signing."""
        batch = self.batch(first, last)
        properties = {key: str(value) for key, value in batch.statement().items() if key not in ("site", "gateway")}
        properties |= {"kid": self.signer.kid, "sig": self.signer.sign(BATCH_TAG, batch.statement())}
        properties |= {key: str(value) for key, value in changed.items() if key != "payload"}
        payload = changed.get("payload", batch.payload)
        assert isinstance(payload, bytes)
        return publication(
            topic(site or self.stream.site, self.stream.gateway, "events"), payload, properties=properties
        )

    def birth(self, site: str | None = None) -> Publication:
        said = Birth(
            site=site or self.stream.site,
            gateway=self.stream.gateway,
            session=self.session,
            epoch=self.stream.epoch,
            last=len(self.ledger),
            head=self.head.hex(),
            floor=1,
        )
        return publication(topic(said.site, said.gateway, "state"), self.signer.seal(said).payload(), retain=True)


def publication(
    address: str, payload: bytes, *, retain: bool = False, properties: Mapping[str, str] | None = None
) -> Publication:
    return Publication(address, payload, retain, None, properties or {})


@dataclass
class FakeLink:
    """A connection on which a test says what arrives; it breaks at the end."""

    arriving: Iterable[Publication] = ()
    published: list[tuple[str, bytes]] = field(default_factory=list)
    acknowledged: list[Publication] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    #: What happened, in order.
    story: list[str] = field(default_factory=list)

    async def subscribe(self, *filters: str) -> None:
        self.filters += filters

    async def messages(self) -> AsyncIterator[Publication]:
        for message in self.arriving:
            yield message
        raise LinkLost

    def acknowledge(self, message: Publication) -> None:
        self.acknowledged.append(message)
        self.story.append(f"puback {message.topic.rpartition('/')[2]}")

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        self.published.append((topic, payload))
        self.story.append(topic.rpartition("/")[2])
        return 0

    @property
    def receipts(self) -> list[Receipt]:
        return [Receipt.parse(payload) for address, payload in self.published if address.endswith("/receipt")]
