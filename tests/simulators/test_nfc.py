"""A card on the air answers as ISO/IEC 14443-3 says, whoever asks."""

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from simulators.nfc import Card, NfcField

EXCHANGES = [
    (bytes.fromhex(line[2:24]), bytes.fromhex(line[26:]))
    for line in (Path(__file__).parents[1] / "vectors" / "nfc_udp.txt").read_text("ascii").splitlines()
    if not line.startswith("#")
]
UID = bytes.fromhex("04DE5F1EACC040")


async def test_the_vectors() -> None:
    card = Card(UID)
    answers = [card.answer(request) for request, _ in EXCHANGES]
    # The first answer, ATQA, only tells the size of the UID; the rest is determined by it.
    assert answers[0] is not None
    assert answers[0][0] & 0xC0 == 0x40
    assert answers[1:] == [answer for _, answer in EXCHANGES[1:]]
    assert card.selected.is_set()


@pytest.mark.parametrize("skipped", range(1, 4))
async def test_a_level_is_not_answered_before_the_one_below_was_selected(skipped: int) -> None:
    card = Card(UID)
    for request, _ in EXCHANGES[: skipped - 1]:
        card.answer(request)
    if skipped == 2:
        # Anticollision may be skipped by a reader that knows the UID, but not by one that guesses.
        assert card.answer(bytes.fromhex("937088ffffff88")) is None
    assert card.answer(EXCHANGES[4][0]) is None
    assert not card.selected.is_set()


async def test_nothing_else_is_answered() -> None:
    card = Card(UID)
    assert [card.answer(request) for request in (b"", b"\x93", b"\x93\x20", b"\x50\x00", b"\xe0\x80")] == [None] * 5
    await asyncio.sleep(0)


async def asked(field: NfcField) -> bool:
    """Whether a reader is there."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await field.opened()
            await asyncio.sleep(0)
            return True
    return False


async def test_a_reader_that_asks_no_more_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulators.nfc._SILENT", 0.05)
    async with asyncio.timeout(30), NfcField() as field:
        host, port = field.url.removeprefix("udp:").split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reader:
            reader.sendto(b"106A 26", (host, int(port)))
        await field.opened()
        while await asked(field):
            pass
