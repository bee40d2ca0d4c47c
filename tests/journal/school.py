"""A school of one class with two doors, as rows of a real database; and its doors' ledgers, fed as batches."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Table, insert, select

from gateway.domain.credential import Credential, SiteKey, Technology
from gateway.domain.entry import CoverageData, Data, Entry, EpochData, TapData
from gateway.domain.model import Assurance, ClockState, Direction, Instant, LaneId, Reason, Seq, Verdict
from gateway.domain.wire import Envelope, Stream, chain, encode
from journal import tables
from journal.batch import Received
from journal.ledger import record
from journal.notify.tables import notices
from journal.store import Store, milliseconds, opened

SITE, ZONE, TODAY = "school-1", ZoneInfo("Europe/Moscow"), date(2026, 9, 1)
KEY = SiteKey(version=1, secret=bytes(range(32)))
LANE = LaneId("main")


def at(local: str) -> datetime:
    """A moment of the school's day by its own clock: `08:30` or `08:30:15`."""
    return datetime.fromisoformat(f"{TODAY} {local}").replace(tzinfo=ZONE).astimezone(UTC)


@dataclass
class FakeClock:
    """A clock that a test sets; sleeping moves it."""

    moment: datetime

    def now(self) -> Instant:
        return Instant(at=self.moment, boot="b", boottime=0, clock=ClockState.SYNCED)

    async def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def card(person: int) -> Credential:
    return Credential(technology=Technology.EM4100, uid=bytes([1, 0, 0, 0, person]))


@dataclass
class Ledger:
    """What one gateway sends."""

    gateway: str
    envelopes: list[Envelope] = field(default_factory=list)
    delivered: int = 0

    @property
    def stream(self) -> Stream:
        return Stream(site=SITE, gateway=self.gateway, epoch="e1")

    def append(self, when: datetime, data: Data, *, clock: ClockState = ClockState.SYNCED, boot: str = "b1") -> int:
        if not self.envelopes and not isinstance(data, EpochData):
            self.append(when, EpochData(previous=None, reason="first start"))
        boottime = milliseconds(when) - milliseconds(at("00:00"))
        entry = Entry(at=Instant(at=when, boot=boot, boottime=max(boottime, 0), clock=clock), data=data)
        seq = Seq(len(self.envelopes) + 1)
        head = self.envelopes[-1].hash if self.envelopes else self.stream.genesis
        self.envelopes += chain(head, seq, [encode(entry, stream=self.stream, seq=seq, recorded=when)])
        return seq

    def tap(
        self,
        person: int,
        local: str,
        *,
        way: Direction = Direction.IN,
        clock: ClockState = ClockState.SYNCED,
        boot: str = "b1",
        wrong: timedelta = timedelta(0),
        verdict: Verdict = Verdict(admit=True, reason=Reason.KNOWN),  # noqa: B008  (a frozen value)
    ) -> int:
        data = TapData(
            lane=LANE,
            direction=way,
            token=KEY.token(card(person)),
            technology=Technology.EM4100,
            assurance=Assurance.UID,
            person=None,
            verdict=verdict,
            match=None,
            directory=1,
        )
        return self.append(at(local) + wrong, data, clock=clock, boot=boot)

    def covers(self, since: str, until: str) -> int:
        return self.append(at(until), CoverageData(lane=LANE, since=at(since), until=at(until)))

    def received(self, first: int, last: int) -> Received:
        prev = self.envelopes[first - 2].hash if first > 1 else self.stream.genesis
        picked = self.envelopes[first - 1 : last]
        return Received(stream=self.stream, prev=prev, kid="k", sig="s", envelopes=picked)


@dataclass
class School:
    """The database and the doors."""

    store: Store
    north: Ledger = field(default_factory=lambda: Ledger("north"))
    south: Ledger = field(default_factory=lambda: Ledger("south"))

    async def deliver(self, *ledgers: Ledger) -> None:
        """Hand over what is new, one batch for each door."""
        async with self.store.begin() as connection:
            for ledger in ledgers or (self.north, self.south):
                if len(ledger.envelopes) > ledger.delivered:
                    batch = ledger.received(ledger.delivered + 1, len(ledger.envelopes))
                    outcome = await record(connection, batch, received=0)
                    assert not outcome.refused
                    ledger.delivered = len(ledger.envelopes)

    async def heard(self, since: str, until: str) -> None:
        """Both doors tell that they were awake."""
        self.north.covers(since, until)
        self.south.covers(since, until)
        await self.deliver()

    async def add(self, table: Table, *rows: dict[str, Any]) -> None:
        async with self.store.begin() as connection:
            await connection.execute(insert(table), [{"site": SITE, **row} for row in rows])

    async def rows(self, table: Table, *columns: str) -> list[tuple[Any, ...]]:
        picked = [table.c[name] for name in columns]
        async with self.store.read() as connection:
            return [tuple(row) for row in await connection.execute(select(*picked).order_by(*table.primary_key))]

    async def marks(self) -> dict[str, str]:
        """The newest revision of every mark of the first lesson: `late 6`."""
        found = {}
        c = ("person", "slot", "revision", "status", "minutes_late")
        for person, slot, _, status, late in await self.rows(tables.marks, *c):
            if slot.endswith("/1"):
                found[person] = f"{status} {late}" if late else status
        return found

    async def notices(self) -> list[str]:
        """`p1 late pending`."""
        return [" ".join(row) for row in await self.rows(notices, "person", "template", "state")]


#: By pupils, grade and policy: a school is made once and copied.
_made: dict[tuple[int, int, str], bytes] = {}


@asynccontextmanager
async def school(folder: Path, *, pupils: int = 3, grade: int = 5, policy: str = "{}") -> AsyncIterator[School]:
    """Pupils p1, p2, ... of one class with lessons at 08:30-09:15 and 09:25-10:10."""
    file, shape = folder / "journal.db", (pupils, grade, policy)
    url = f"sqlite+aiosqlite:///{file}"
    if shape in _made:
        file.write_bytes(_made[shape])
    else:
        await furnish_school(url, pupils=pupils, grade=grade, policy=policy)
        _made[shape] = file.read_bytes()
    async with opened(url) as store:
        yield School(store)


async def furnish_school(url: str, *, pupils: int = 3, grade: int = 5, policy: str = "{}") -> None:
    """Make it in an empty database."""
    numbers, doors = range(1, pupils + 1), ("north", "south")
    hours = {"direction": "arrival_only", "opens": "07:00", "closes": "20:00", "lane": LANE}
    rows: dict[Table, Sequence[dict[str, Any]]] = {
        tables.sites: [{"name": "Школа", "zone": str(ZONE), "language": "ru", "policy": policy}],
        tables.gateways: _gateways(),
        tables.lanes: [{"gateway": name, **hours} for name in doors],
        tables.groups: [{"group": "5a", "title": "5А", "grade": grade}],
        tables.people: [_person(number) for number in numbers],
        tables.memberships: [{"person": f"p{n}", "group": "5a"} for n in numbers],
        tables.contacts: _contacts(numbers),
        tables.cards: [_card(number) for number in numbers],
        tables.slots: [lesson(1, "08:30", "09:15"), lesson(2, "09:25", "10:10")],
    }
    async with opened(url) as store, store.begin() as connection:
        await connection.run_sync(tables.metadata.create_all)
        for table, mine in rows.items():
            await connection.execute(insert(table), [{"site": SITE, **row} for row in mine])


def lesson(number: int, start: str, end: str, *, group: str = "5a", mode: str = "gate") -> dict[str, Any]:
    times = {"start": milliseconds(at(start)), "end": milliseconds(at(end)), "date": TODAY.isoformat()}
    return {"slot": f"{group}/{number}", "group": group, "number": number, "kind": "lesson", "mode": mode, **times}


def _gateways() -> Sequence[dict[str, Any]]:
    return [{"gateway": name, "public_key": b"k", "added": 0, "state": "active"} for name in ("north", "south")]


def _person(number: int) -> dict[str, Any]:
    names = {"last_name": f"Фамилия{number}", "first_name": f"Имя{number}"}
    return {"person": f"p{number}", "class_group": "5a", "language": None, "role": "pupil", "active": 1, **names}


def _contacts(numbers: Iterable[int]) -> Sequence[dict[str, Any]]:
    return [
        {"person": f"p{number}", "address": f"parent{number}@example.org", "language": None, "consent": 1}
        for number in numbers
    ]


def _card(number: int) -> dict[str, Any]:
    held = {"valid_from": None, "valid_to": None, "state": "active", "uid_encrypted": b"x"}
    return {"token": KEY.token(card(number)), "technology": "em4100", "person": f"p{number}", **held}
