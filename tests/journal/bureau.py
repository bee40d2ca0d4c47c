"""An office that imports and publishes, and the shelf of a broker."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from gateway.domain.directory import Content
from gateway.domain.handshake import Manifest
from gateway.domain.model import Instant
from gateway.domain.parts import assemble
from gateway.domain.policy import Policy
from gateway.errors import LinkLost
from journal import tables
from journal.directory import Publication, Publisher
from journal.keys import CardCipher
from journal.office import Site, prepare, take_over
from journal.store import Day, Store, milliseconds
from sync.signing import Keyring, Signer
from sync.sources.table import read_folder
from tests.journal.door import CARD, KEY, MORNING, SITE, STRANGE, instant
from tests.journal.receiver import Alarms
from tests.journal.tables import write_school

SIGNER = Signer(b"\2" * 32)
CIPHER = CardCipher(b"\3" * 32)
DAYS = 14
_DEFAULT = Policy()
HEADER = "technology;uid;person;valid_from;valid_to;state\n"
MARIA, IVAN = f"em4100;{CARD.uid.hex().upper()};p-1", f"14443a;{STRANGE.uid.hex().upper()};p-2"


@dataclass
class Shelf:
    """What a broker retains; it can break at the n-th publish."""

    kept: dict[str, bytes] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    breaks_after: int = 10**9

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        assert retain
        if len(self.story) >= self.breaks_after:
            raise LinkLost
        self.story.append(topic)
        self.kept[topic] = payload
        if not payload:
            del self.kept[topic]
        return 0

    def read(self) -> tuple[Manifest, Content]:
        """As a gateway reads it; nothing else may be on the shelf."""
        root = f"att/v1/{SITE}/directory"
        manifest = Manifest.parse(self.kept[f"{root}/manifest"])
        Keyring([SIGNER.public]).check(manifest)
        names = [f"{root}/part/{name}" for name in manifest.parts]
        assert self.kept.keys() == {f"{root}/manifest", *names}
        return manifest, Content.parse(assemble(manifest, [self.kept[name] for name in names]))


class Clock:
    """Stands, until a test moves it; its sleep ends the loop that it is in."""

    def __init__(self) -> None:
        self.at = MORNING

    def now(self) -> Instant:
        return instant(self.at)

    async def sleep(self, seconds: float) -> None:
        raise LinkLost


class Office:
    """Imports, and publishes, at a time of its own."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder, self.clock, self.alarms = store, folder, Clock(), Alarms()
        self.publisher = Publisher(store, SIGNER, self.clock, self.alarms, days=DAYS)

    async def imports(self, *, since: dt.date | None = None, policy: Policy = _DEFAULT, **changed: str) -> set[Day]:
        school = read_folder(write_school(self.folder, **changed))
        site = Site(name=SITE, policy=policy, keys=[KEY], cipher=CIPHER)
        prepared = prepare(site, school, now=self.clock.at, since=since)
        async with self.store.begin() as connection:
            return (await take_over(connection, prepared)).days

    async def publishes(self, shelf: Shelf) -> Publication:
        return await self.publisher.publish(shelf, SITE)

    async def rows(self, table: str) -> Sequence[Any]:
        async with self.store.read() as connection:
            return (await connection.execute(select(tables.metadata.tables[table]))).mappings().all()

    async def holders(self) -> list[tuple[str, int | None, int | None]]:
        """(person, from, to) of the first card, in days after the start of the test."""

        def days(at: int | None) -> int | None:
            return None if at is None else (at - milliseconds(MORNING)) // 86_400_000

        rows = [row for row in await self.rows("cards") if row["token"] == KEY.token(CARD)]
        return [(row["person"], days(row["valid_from"]), days(row["valid_to"])) for row in rows]

    async def states(self) -> list[str]:
        """Of the same rows."""
        return [row["state"] for row in await self.rows("cards") if row["token"] == KEY.token(CARD)]
