"""Short ways to a ledger, to what is put into it and to what is in it."""

from collections.abc import Sequence
from pathlib import Path

from gateway.domain.entry import DeviceData, DeviceState, Entry
from gateway.domain.handshake import Receipt
from gateway.domain.model import Seq
from gateway.domain.wire import Envelope, chain, decode
from sync.database import Connect, connect
from sync.outbox import SqliteOutbox
from tests.domain.build import LANE
from tests.gateway.fakes import HandClock
from tests.sync.fakes import FakeOutbox

CLOCK = HandClock()


def ledger(path: Path, *, connect: Connect = connect, gateway: str = "north") -> SqliteOutbox:
    return SqliteOutbox(path, site="school-1", gateway=gateway, clock=CLOCK, connect=connect)


def note(text: str) -> Entry:
    return Entry(at=CLOCK.now(), data=DeviceData(lane=LANE, kind=DeviceState.UP, detail=text))


async def everything(outbox: SqliteOutbox) -> Sequence[Envelope]:
    """All envelopes, after a check that seqs have no gap and the chain holds."""
    envelopes = await outbox.after(Seq(0), 100_000)
    assert list(envelopes) == chain(outbox.stream.genesis, Seq(1), [envelope.body for envelope in envelopes])
    assert [decode(envelope.body).seq for envelope in envelopes] == [envelope.seq for envelope in envelopes]
    assert (outbox.position.last, outbox.position.head) == (envelopes[-1].seq, envelopes[-1].hash)
    return envelopes


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def texts(envelopes: Sequence[Envelope]) -> dict[int, str]:
    events = [decode(envelope.body) for envelope in envelopes]
    return {event.seq: event.data.detail for event in events if isinstance(event.data, DeviceData)}


def receipt(outbox: FakeOutbox | SqliteOutbox, through: int, epoch: str | None = None) -> Receipt:
    """What a journal would say of this ledger, unsigned."""
    stream = outbox.stream
    return Receipt(
        site=stream.site,
        gateway=stream.gateway,
        session="s",
        epoch=epoch or stream.epoch,
        through=through,
        head="0" * 64,
        issued=0,
    )
