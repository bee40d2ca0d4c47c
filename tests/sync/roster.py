"""Directories of a small school, signed or not, and a shelf that hands them over."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest

from gateway.domain.directory import Content, CredentialRow, PersonRow
from gateway.domain.handshake import Manifest
from gateway.domain.model import GroupId, PersonId, Slot, SlotId
from gateway.domain.parts import digest, pack
from gateway.errors import LinkLost
from sync.directory import DirectoryReceiver, Shelf
from sync.signing import Signer
from sync.uplink import MqttUplink
from tests.domain.build import CARD, KEY, at

SITE = "school-1"
JOURNAL = Signer(b"\1" * 32)
STRANGER = Signer(b"\2" * 32)


class FakeShelf:
    """Gives each manifest once, then the link is lost."""

    def __init__(self, *manifests: bytes, parts: Mapping[str, bytes]) -> None:
        self.asked: list[str] = []
        self._manifests, self._parts = manifests, parts

    async def manifests(self) -> AsyncIterator[bytes]:
        for manifest in self._manifests:
            yield manifest
        raise LinkLost

    async def part(self, sha256: str) -> bytes:
        self.asked.append(sha256)
        if sha256 not in self._parts:
            raise LinkLost
        return self._parts[sha256]


class OpenShelf:
    """Its link holds: what a test lays on it now is found now, and a part that is missing is waited for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._manifests: asyncio.Queue[bytes] = asyncio.Queue()
        self._parts: dict[str, asyncio.Future[bytes]] = {}

    def lay(self, *manifests: bytes, raw: bytes = b"") -> None:
        for part in pack(raw) if raw else ():
            self._place(digest(part)).set_result(part)
        for manifest in manifests:
            self._manifests.put_nowait(manifest)

    async def manifests(self) -> AsyncIterator[bytes]:
        while True:
            yield await self._manifests.get()

    async def part(self, sha256: str) -> bytes:
        self.asked.append(sha256)
        return await asyncio.shield(self._place(sha256))

    def _place(self, sha256: str) -> "asyncio.Future[bytes]":
        return self._parts.setdefault(sha256, asyncio.get_running_loop().create_future())


fakes: list[type[Shelf]] = [FakeShelf, OpenShelf]
real: type[Shelf] = MqttUplink


def content(*, site: str = SITE, person: str = "p-1", zone: str = "Europe/Moscow", padding: int = 0) -> Content:
    slots = [
        Slot(
            id=SlotId(f"5a-{day}"),
            group=GroupId("5a"),
            number=1,
            start=at("05:30") + timedelta(days=day),
            end=at("06:15") + timedelta(days=day),
        )
        for day in range(14)
    ]
    return Content(
        site=site,
        zone=zone,
        gateways=(),
        persons=(PersonRow(id=PersonId(person), groups=(GroupId("5a"),), display="x" * padding),),
        credentials=(CredentialRow(token=KEY.token(CARD), person=PersonId(person)),),
        slots=tuple(slots),
    )


def manifest(raw: bytes, version: int = 1, *, signer: Signer = JOURNAL, site: str = SITE, **other: object) -> bytes:
    fields = {"sha256": digest(raw), "parts": tuple(map(digest, pack(raw))), "valid_until": 1_800_000_000_000}
    return signer.seal(Manifest.model_validate({"site": site, "version": version, **fields, **other})).payload()


def shelf(*manifests: bytes, raw: bytes = b"") -> FakeShelf:
    return FakeShelf(*manifests, parts={digest(part): part for part in pack(raw)} if raw else {})


async def receive(receiver: DirectoryReceiver, shelf: FakeShelf) -> None:
    with pytest.raises(LinkLost):
        await receiver.receive(shelf)


def person_of_card(receiver: DirectoryReceiver) -> str | None:
    row = receiver.current.credential([KEY.token(CARD)], at("08:00"))
    return row.person if row is not None else None


#: The directory that tests send after the first one.
RAW = content(person="p-2").raw()
