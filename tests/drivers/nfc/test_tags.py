"""NTAG 424 DNA held to nfcpy's real reader code, and a reader that hangs in it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.nfc import driver
from drivers.nfc.driver import Nfc
from drivers.nfc.frontend import connect
from drivers.nfc.sun import Keys
from gateway.domain.credential import Credential, Technology
from gateway.domain.model import Assurance
from gateway.errors import DeviceLost
from gateway.ports import CardRead, CardRefused, Device, ReaderEvent
from gateway.supervisor import keep_open
from simulators.nfc import Card, NfcField
from simulators.pn532 import Fault, Pn532
from simulators.type4 import Ntag424, Type4
from sync.clock import SystemClock
from tests.drivers.nfc.test_genuine import KEYS, UID, table

RANDOM = bytes.fromhex("08112233")
SILENCE = 0.3
#: Where a tag is held for longer than that: nothing that this machine does between two rounds makes it two.
HELD = 1.0


def read(assurance: Assurance) -> CardRead:
    return CardRead(credential=Credential(technology=Technology.ISO14443A, uid=UID), assurance=assurance)


class Door:
    """A field with a reader that asks for SUN messages."""

    def __init__(self, field: NfcField, device: Nfc) -> None:
        self._field = field
        self._events = aiter(device.reader("").events())

    async def tap(self, card: Card, seconds: float = 0.0) -> ReaderEvent:
        """What a card gives, when it has left."""
        holding = asyncio.create_task(self._field.hold(card, seconds))
        event = await anext(self._events)
        await holding
        await asyncio.sleep(SILENCE * 1.5)  # it is away
        return event


@asynccontextmanager
async def door(folder: Path, silence: float = SILENCE, **more: object) -> AsyncIterator[Door]:
    async with asyncio.timeout(30), NfcField() as field:
        sun = table(folder, **more)
        settings = Nfc.Settings.model_validate({"url": field.url, "interval": 0.001, "silence": silence, "sun": sun})
        async with Nfc(settings) as device:
            yield Door(field, device)


async def test_a_tag_proves_itself_again_and_again(tmp_path: Path) -> None:
    tag = Ntag424(UID, KEYS)
    async with door(tmp_path) as entrance:
        for _ in range(3):
            assert await entrance.tap(Type4(UID, tag)) == read(Assurance.SUN)


async def test_a_held_tag_is_asked_once(tmp_path: Path) -> None:
    card = Type4(UID, Ntag424(UID, KEYS))
    async with door(tmp_path, HELD) as entrance:
        assert await entrance.tap(card, HELD * 1.5) == read(Assurance.SUN)
    assert card.readings == 1


async def test_a_tag_with_a_random_uid_is_known_by_its_message(tmp_path: Path) -> None:
    async with door(tmp_path) as entrance:
        assert await entrance.tap(Type4(RANDOM, Ntag424(UID, KEYS))) == read(Assurance.SUN)


async def test_a_copied_url_is_refused_also_after_a_restart(tmp_path: Path) -> None:
    tag = Ntag424(UID, KEYS)
    copied = tag()
    async with door(tmp_path) as entrance:
        assert await entrance.tap(Type4(UID, lambda: copied)) == read(Assurance.SUN)
        assert (
            refused(await entrance.tap(Type4(UID, lambda: copied)))
            == "its SUN message was shown before: this is a copy"
        )
    async with door(tmp_path) as entrance:
        assert "copy" in refused(await entrance.tap(Type4(UID, lambda: copied)))
        assert await entrance.tap(Type4(UID, tag)) == read(Assurance.SUN)
        assert "copy" in refused(await entrance.tap(Type4(UID, lambda: copied)))


@pytest.mark.parametrize("require", [True, False])
async def test_a_wrong_key_is_refused_whatever_the_policy(require: bool, tmp_path: Path) -> None:
    async with door(tmp_path, require=require) as entrance:
        forged = Ntag424(UID, Keys(meta=KEYS.meta, file=bytes(16)))
        assert refused(await entrance.tap(Type4(UID, forged))) == "its SUN message is not genuine"


class Classic(Card):
    sak = 0x08


@pytest.mark.parametrize("card", [Classic, Type4, lambda uid: Type4(uid, lambda: "https://journal.example/")])
async def test_a_uid_without_a_message_is_a_matter_of_policy(card: Any, tmp_path: Path) -> None:
    async with door(tmp_path, require=True) as entrance:
        assert refused(await entrance.tap(card(UID))) == "it shows no SUN message"
    async with door(tmp_path, require=False) as entrance:
        assert await entrance.tap(card(UID)) == read(Assurance.UID)


async def test_a_tag_that_is_taken_away_too_early_says_nothing(tmp_path: Path) -> None:
    """It is not refused, and it is not taken for a card without a message."""

    class Torn(Type4):
        def speak(self, frame: bytes) -> bytes | None:
            return None if frame.startswith(b"\x03\x00\xa4") else super().speak(frame)

    async with door(tmp_path, require=False) as entrance:
        torn = Torn(UID, Ntag424(UID, KEYS))
        holding = asyncio.create_task(entrance._field.hold(torn))
        await torn.selected.wait()
        await asyncio.sleep(0.3)
        holding.cancel()
        assert await entrance.tap(Type4(UID, Ntag424(UID, KEYS))) == read(Assurance.SUN)


async def test_a_key_that_is_missing_is_a_lost_device(tmp_path: Path) -> None:
    sun = table(tmp_path, meta_key=f"{tmp_path}/none.key")
    device = Nfc(Nfc.Settings.model_validate({"url": "udp:127.0.0.1:9", "sun": sun}))
    with pytest.raises(DeviceLost, match="cannot be read"):
        await device.__aenter__()


def refused(event: ReaderEvent) -> str:
    assert isinstance(event, CardRefused), event
    return event.why


async def test_a_silent_chip_comes_back_by_itself(tmp_path: Path, patient: None) -> None:
    events: asyncio.Queue[ReaderEvent] = asyncio.Queue()
    told: asyncio.Queue[DeviceLost | None] = asyncio.Queue()

    async def serve(opened: Device) -> None:
        async for event in opened.reader("").events():
            events.put_nowait(event)

    async with asyncio.timeout(60), Pn532(str(tmp_path / "reader")) as sim:
        settings = Nfc.Settings(url=sim.url, interval=0.001)
        keeping = asyncio.create_task(keep_open(lambda: Nfc(settings), serve, told.put, SystemClock()))
        assert await told.get() is None
        sim.fault = Fault.SILENT
        assert isinstance(await told.get(), DeviceLost)
        sim.fault = None
        assert await told.get() is None
        await sim.present(UID)
        assert await events.get() == read(Assurance.UID)
        keeping.cancel()
        await asyncio.wait([keeping])


async def test_a_call_that_hangs_while_it_is_open_is_a_lost_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "_ROUND_SECONDS", 1.5)
    monkeypatch.setattr(driver, "_CLOSING_SECONDS", 0.05)
    let_go = threading.Event()

    def hangs(url: str) -> Any:
        device = connect(url)
        device.sense_tta = lambda target: let_go.wait() or None
        return device

    async with asyncio.timeout(20), NfcField() as field:
        settings = Nfc.Settings(url=field.url, interval=0.001)
        hung = Nfc(settings, connect=hangs)
        async with hung:
            with pytest.raises(DeviceLost, match="did not return"):
                await anext(aiter(hung.reader("").events()))
        async with Nfc(settings) as again:
            events = aiter(again.reader("").events())
            await field.present(UID)
            assert await anext(events) == read(Assurance.UID)
            assert vars(again.reader(""))["faults"]["hanging"] == 1
        let_go.set()
        await asyncio.to_thread(hung._thread.join, 10)
        assert not hung._thread.is_alive()
