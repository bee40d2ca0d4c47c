"""The lamp and the buzzer of an ACR122U, as the card between pcscd and the reader hears what they are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.pcsc.codec import QUIET, encode_beep, encode_lamp
from drivers.pcsc.driver import Pcsc
from gateway.domain.answer import Answer, Words
from gateway.domain.model import Reason, Verdict
from gateway.errors import ConfigError, DeviceLost
from gateway.ports import Gate
from simulators.pcsc import Card, PcscReader
from tests.needs import PCSC

UID = bytes.fromhex("04DE5F1EACC040")
ADMIT = Verdict(admit=True, reason=Reason.KNOWN)
GREEN, BOTH = encode_lamp(green=True, red=False), encode_lamp(green=True, red=True)
DARK = encode_lamp(green=False, red=False)


async def heard(card: Card, *commands: bytes) -> list[bytes]:
    """What the reader was told, as soon as all of these are in it."""
    while not {*commands} <= {*card.heard}:
        await asyncio.sleep(0.01)
    return [command for command in card.heard if command.startswith(b"\xff\x00")]


async def show_for_ever(gate: Gate) -> None:
    while True:
        await gate.show(ADMIT, Words(answer=Answer.PASS, lines=()))
        await asyncio.sleep(0)


@asynccontextmanager
async def watched(sim: PcscReader, *, silent: bool = False) -> AsyncIterator[tuple[Gate, Card]]:
    """A gate that is watched, and the card that lies on it."""
    async with asyncio.timeout(30), Pcsc(Pcsc.Settings(url=sim.url, silent=silent)) as device:
        events = aiter(device.reader("").events())
        card = Card(UID)
        holding = asyncio.create_task(sim.hold(card, 60))
        await anext(events)
        gate = device.gate("")
        watching = asyncio.ensure_future(anext(aiter(gate.events())))
        await heard(card, QUIET)
        yield gate, card
        holding.cancel()
    with pytest.raises(DeviceLost):
        await watching


@pytest.mark.needs(*PCSC)
async def test_what_is_shown_is_played_and_ends(sim: PcscReader) -> None:
    async with watched(sim) as (gate, card):
        await gate.show(ADMIT, Words(answer=Answer.PASS, lines=()))
        assert await heard(card, GREEN, DARK) == [QUIET, GREEN, encode_beep(0.1), DARK]
        card.heard.clear()
        for _ in range(2):
            await gate.show(ADMIT, Words(answer=Answer.PASS, lines=()))
        assert await heard(card, GREEN, DARK) == [GREEN, encode_beep(0.1), GREEN, encode_beep(0.1), DARK]
        card.heard.clear()
        await gate.show(Verdict(admit=False, reason=Reason.UNKNOWN_CARD), Words(answer=Answer.GUARD, lines=()))
        told = await heard(card, BOTH, DARK)
        assert told[:2] == [BOTH, encode_beep(0.5)]
        await gate.rest()


@pytest.mark.needs(*PCSC)
async def test_a_silent_hall(sim: PcscReader) -> None:
    async with watched(sim, silent=True) as (gate, card):
        # One that is steady: of one that blinks, more may be heard by now.
        await gate.show(ADMIT, Words(answer=Answer.PASS, lines=()))
        await heard(card, GREEN)
        await gate.rest()
        assert await heard(card, DARK) == [QUIET, GREEN, DARK]


@pytest.mark.needs(*PCSC)
async def test_a_lamp_that_is_gone_is_a_lost_device(sim: PcscReader) -> None:
    async with watched(sim) as (gate, _):
        await sim.unplug()
        with pytest.raises(DeviceLost):
            await show_for_ever(gate)


async def test_a_gate_that_is_not_open_shows_nothing() -> None:
    gate = Pcsc(Pcsc.Settings(url="pcsc:acr122u")).gate("")
    with pytest.raises(DeviceLost):
        await gate.show(ADMIT, Words(answer=Answer.PASS, lines=()))


def test_only_an_acr122u_shows() -> None:
    with pytest.raises(ConfigError, match="no gate"):
        Pcsc(Pcsc.Settings(url="pcsc:OMNIKEY")).gate("")
    with pytest.raises(ConfigError, match="address"):
        Pcsc(Pcsc.Settings(url="pcsc:ACS ACR122U")).gate("2")
