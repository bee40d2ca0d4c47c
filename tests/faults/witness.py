"""Watches from outside, after every step that changes something, and objects to what must never be."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.credential import Credential
from gateway.domain.entry import TapData
from gateway.domain.model import Reason, Seq, Verdict
from gateway.domain.wire import Origin, Stream, decode, link, split
from journal.notify.templates import Message
from journal.store import moment
from sync.epochs import EPOCH
from sync.packets import Publication
from tests.faults.clock import true_time
from tests.faults.disk import Disk
from tests.faults.engine import Engine
from tests.faults.entrance import Entrance
from tests.faults.machine import Bug
from tests.faults.registry import BEGINS, ENDS, OPENS
from tests.journal.school import KEY, SITE, at

#: A tap that came just before a mark was made may be on its way.
_LEEWAY = timedelta(seconds=1)
#: Who misses more than half of a lesson is absent in any case.
_HALF = BEGINS + (ENDS - BEGINS) / 2
_COUNTED = "FROM entries JOIN watermarks USING (site, gateway, epoch) WHERE seq <= through"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands: gateway, epoch, seq and hash."""

    gateway: str
    epoch: str
    seq: int
    hash: bytes

    @property
    def origin(self) -> str:
        """As another epoch tells it again."""
        return str(Origin(epoch=self.epoch, seq=Seq(self.seq), hash=self.hash.hex()))


class Witness:
    """What was seen so far."""

    def __init__(self) -> None:
        #: Green taps: where each stands, who, and when in truth.
        self.green: dict[Place, tuple[str, datetime]] = {}
        self.taps = self.refused = 0
        self.mails: Counter[tuple[str, str]] = Counter()
        self.absences = 0
        #: Gone with an SD card, and with no entry of theirs in the journal.
        self.excused: set[Place] = set()
        self._sent: dict[tuple[str, str, int], bytes] = {}
        self._appended: dict[tuple[str, int], tuple[int, bytes]] = {}
        self._committed: Counter[tuple[str, str]] = Counter()
        #: Ledgers that an old SD card brought back: they learn from the journal which numbers they may not send.
        self._replaced: set[tuple[str, str]] = set()
        self._proven: dict[tuple[str, str], tuple[int, bytes]] = {}

    def shown(self, entrance: Entrance, card: Credential, verdict: Verdict) -> None:
        """A lamp: green only over an entry that is on the disk."""
        self.taps += 1
        if verdict.reason is Reason.NOT_RECORDED:
            self.refused += 1
            return
        assert entrance.engine is not None
        epochs = dict(entrance.engine.ask("SELECT number, id FROM epoch"))
        token = KEY.token(card)
        for key, body, digest in entrance.engine.ask("SELECT key, body, hash FROM entry ORDER BY key DESC LIMIT 40"):
            if token.encode() in body and isinstance(decode(body).data, TapData):
                place = Place(entrance.name, epochs[key // EPOCH], key % EPOCH, digest)
                if (origin := decode(body).origin) is not None:
                    place = Place(entrance.name, origin.epoch, origin.seq, bytes.fromhex(origin.hash))
                self.green.setdefault(place, (token, true_time()))
                return
        raise Bug(f"{entrance.name} shows green and has no entry of it")

    def ledger(self, entrance: Entrance, engine: Engine, sql: str) -> None:
        """A statement of a gateway's database has taken place."""
        if "INSERT INTO entry" in sql or sql == "COMMIT":
            self._gapless(entrance.name, engine)
        elif "UPDATE epoch SET through" in sql:
            self._settled(entrance.name, engine)
        elif "DELETE FROM entry" in sql and (gone := engine.real.changes()):
            raise Bug(f"{entrance.name} forgets {gone} entries of this morning")

    def started(self, name: str) -> None:
        """What a process knew is gone; its disk is read from the beginning."""
        for key in [key for key in self._appended if key[0] == name]:
            del self._appended[key]

    def published(self, client: str, message: Publication) -> None:
        """A batch is out in the world: its numbers are taken for ever."""
        if not message.topic.endswith("/events"):
            return
        epoch, seq = message.properties["epoch"], int(message.properties["first"])
        head = bytes.fromhex(message.properties["prev"])
        for place, body in enumerate(split(message.payload), seq):
            head = link(head, body)
            self._once(client, epoch, place, head)

    def journal(self, engine: Engine, sql: str) -> None:
        """The journal has committed something."""
        if sql != "COMMIT":
            return
        for gateway, epoch, through, head in engine.ask("SELECT gateway, epoch, through, head FROM watermarks"):
            self._chain(engine, gateway, epoch, through, head)
            self._committed[gateway, epoch] = max(through, self._committed[gateway, epoch])
        self._absent(engine)

    def mailed(self, address: str, message: Message) -> None:
        """A parent reads this."""
        self.mails[address, f"{message.subject} {message.text}"] += 1
        if self.mails[address, f"{message.subject} {message.text}"] > 1:
            raise Bug(f"{address} is told twice: {message.subject}")

    def journal_restored(self, ledgers: Mapping[str, Disk], journal: Disk) -> None:
        """From a backup: what it has heard and sent since, it cannot know; what stood there alone is lost."""
        self._proven.clear()
        self.mails.clear()
        for name, ledger in ledgers.items():
            self._excuse(name, ledger, journal)

    def card_replaced(self, name: str, ledger: Disk, journal: Disk) -> None:
        """An older SD card: what stood on the other one alone is lost, and its numbers are given again."""
        self._excuse(name, ledger, journal)
        for key in [key for key in self._sent if key[0] == name]:
            if key[2] > self._committed[key[0], key[1]]:
                del self._sent[key]
        self._replaced |= {(name, epoch) for (epoch,) in ledger.ask("ledger.db", "SELECT id FROM epoch")}
        self.started(name)

    def _excuse(self, name: str, ledger: Disk, journal: Disk) -> None:
        """What the journal only holds beyond a gap is lost where the gap was on another card alone."""
        counted = journal.ask("journal.db", f"SELECT hash, origin {_COUNTED}")
        stored = {digest for (digest,) in ledger.ask("ledger.db", "SELECT hash FROM entry")}
        kept, told = stored | {digest for digest, _ in counted}, {origin for _, origin in counted}
        mine = {place for place in self.green if place.gateway == name}
        self.excused |= {place for place in mine if place.hash not in kept and place.origin not in told}

    def missing(self, engine: Engine) -> list[str]:
        """Green taps that the journal does not count exactly once."""
        counted = Counter[str]()
        query = f"SELECT gateway, epoch, seq, hash, origin {_COUNTED} AND flag IS NULL AND type = 'att.tap.v1'"
        for gateway, epoch, seq, digest, origin in engine.ask(query):
            counted[f"{gateway} {origin or Place(gateway, epoch, seq, digest).origin}"] += 1
        wrong = {place: counted[f"{place.gateway} {place.origin}"] for place in self.green}
        return [
            f"{place.gateway} {place.epoch}/{place.seq} is {times} times in the journal"
            for place, times in wrong.items()
            if times > 1 or (times < 1 and place not in self.excused)
        ]

    def _gapless(self, name: str, engine: Engine) -> None:
        epochs = engine.ask("SELECT number, id FROM epoch ORDER BY number")
        for number, epoch in epochs:
            genesis = Stream(site=SITE, gateway=name, epoch=epoch).genesis
            last, head = self._appended.get((name, number), (0, genesis))
            if last and number == epochs[-1][0]:
                newest = engine.ask("SELECT hash FROM entry WHERE key = ?", (number * EPOCH + last,))
                if newest != [(head,)]:
                    raise Bug(f"{name} has lost {last} of epoch {epoch}, which was on its disk")
            query = "SELECT key, body, hash FROM entry WHERE key > ? AND key < ? ORDER BY key"
            for key, body, digest in engine.ask(query, (number * EPOCH + last, (number + 1) * EPOCH)):
                seq, head = key % EPOCH, link(head, body)
                pruned = last == 0 and seq > 1
                if seq != last + 1 and not pruned:
                    raise Bug(f"{name} has {seq} after {last} in epoch {epoch}")
                if digest != head and not pruned:
                    raise Bug(f"{name}: the chain breaks at {seq} of epoch {epoch}")
                reused = self._sent.get((name, epoch, seq), digest) != digest
                if reused and (name, epoch) not in self._replaced:
                    raise Bug(f"{name} gives {seq} of epoch {epoch} a second time")
                last, head = seq, digest
            self._appended[name, number] = last, head

    def _once(self, name: str, epoch: str, seq: int, digest: bytes) -> None:
        if self._sent.setdefault((name, epoch, seq), digest) != digest:
            raise Bug(f"{name} sends other bytes as {seq} of epoch {epoch}")

    def _settled(self, name: str, engine: Engine) -> None:
        for epoch, through in engine.ask("SELECT id, through FROM epoch"):
            if through > self._committed[name, epoch]:
                committed = self._committed[name, epoch]
                raise Bug(f"{name} settles up to {through} of {epoch}, the journal has committed {committed}")

    def _chain(self, engine: Engine, gateway: str, epoch: str, through: int, head: bytes) -> None:
        genesis = Stream(site=SITE, gateway=gateway, epoch=epoch).genesis
        last, digest = self._proven.get((gateway, epoch), (0, genesis))
        query = (
            "SELECT seq, body, hash FROM entries WHERE gateway = ? AND epoch = ? AND seq > ? AND seq <= ? ORDER BY seq"
        )
        for seq, body, told in engine.ask(query, (gateway, epoch, last, through)):
            digest = link(digest, body)
            if (seq, told) != (last + 1, digest):
                raise Bug(f"the journal's chain of {gateway}/{epoch} breaks at {seq} after {last}")
            last = seq
        if (last, digest) != (through, head):
            raise Bug(f"the journal counts {gateway}/{epoch} up to {through} and has it up to {last}")
        self._proven[gateway, epoch] = last, digest

    def _absent(self, engine: Engine) -> None:
        query = "SELECT person, status, max(revision), judged_at FROM marks GROUP BY person, slot"
        found = [(person, moment(judged)) for person, status, _, judged in engine.ask(query) if status == "absent"]
        self.absences = len(found)
        holders = dict(engine.ask("SELECT token, person FROM cards"))
        for person, judged in found:
            seen = [when for token, when in self.green.values() if holders[token] == person]
            if any(at(OPENS) <= when <= min(_HALF, judged - _LEEWAY) for when in seen):
                raise Bug(f"{person} is absent, and a lamp was green for the card")
