"""A PN532 that looks for cards by itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.frames import BadCard, Card
from drivers.nfc.driver import Nfc
from drivers.nfc.genuine import Genuine
from gateway.domain.credential import Credential, Technology
from gateway.ports import CardRead
from simulators.pn532 import Pn532
from tests.drivers.nfc.test_genuine import table

UID = bytes.fromhex("04DE5F1EACC040")
READ = CardRead(credential=Credential(technology=Technology.ISO14443A, uid=UID))
_OFF, _LOOK, _REGISTER, _TRY = 0x32, 0x4A, 0x06, -1


def listening(sim: Pn532) -> list[int]:
    """What the chip is told from now on; each try is one of its own."""
    told: list[int] = []
    answer, look = sim.chip.answer, sim.chip.look

    def heard(command: int, argument: bytes) -> bytes | None:
        told.append(command)
        return answer(command, argument)

    def looked(modulation: int) -> bytes:
        told.append(_TRY)
        return look(modulation)

    sim.chip.answer, sim.chip.look = heard, looked  # type: ignore[method-assign]
    return told


async def until(told: Sequence[int], command: int, times: int) -> None:
    while told.count(command) < times:
        await asyncio.sleep(0.001)


@asynccontextmanager
async def searching(folder: Path, pace: float) -> AsyncIterator[tuple[Pn532, Nfc]]:
    async with (
        asyncio.timeout(60),
        Pn532(str(folder / "reader"), pace=pace) as sim,
        Nfc(Nfc.Settings(url=sim.url)) as device,
    ):
        yield sim, device


@pytest.mark.parametrize(("targets", "tries"), [(("106A",), 65), (("106A", "212F"), 4)], ids=["one kind", "two kinds"])
async def test_a_chip_looks_for_one_kind_of_card_by_itself(
    targets: tuple[str, ...], tries: int, tmp_path: Path, patient: None
) -> None:
    async with (
        asyncio.timeout(60),
        Pn532(str(tmp_path / "reader"), pace=0.0001) as sim,
        Nfc(Nfc.Settings(url=sim.url, interval=0.001, targets=targets)),
    ):
        told = listening(sim)
        await until(told, _OFF, 2)
        first = told.index(_OFF)
        assert told[first : told.index(_OFF, first + 1)].count(_TRY) == tries


async def test_a_search_that_takes_longer_than_other_commands_is_none_that_failed(tmp_path: Path) -> None:
    async with searching(tmp_path, pace=0.02) as (sim, device):
        told = listening(sim)
        await until(told, _OFF, 2)
        assert not any(vars(device.reader(""))["faults"].values())


async def test_a_chip_that_looks_for_too_long_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it tried last says nothing then: not that a type 1 tag was there either."""
    monkeypatch.setattr("drivers.nfc.frontend._SEARCH_SECONDS", 0.1)
    async with searching(tmp_path, pace=0.05) as (sim, device):
        told = listening(sim)
        await until(told, _LOOK, 6)
        assert _REGISTER not in told
        await sim.present(UID)
        assert await anext(aiter(device.reader("").events())) == READ


async def test_a_tag_that_was_away_proves_itself_again_though_no_search_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged, judge = list[Card | BadCard](), Genuine.judge

    def counted(genuine: Genuine, seen: Card | BadCard, file: bytes | None) -> Card | BadCard:
        judged.append(seen)
        return judge(genuine, seen, file)

    monkeypatch.setattr(Genuine, "judge", counted)
    async with asyncio.timeout(60), Pn532(str(tmp_path / "reader"), pace=0.04) as sim:
        settings = {"url": sim.url, "silence": 0.5, "sun": table(tmp_path, require=False)}
        async with Nfc(Nfc.Settings.model_validate(settings)) as device:
            events = aiter(device.reader("").events())
            for taps in (1, 2, 3):
                await sim.present(UID)
                assert await anext(events) == READ
                assert len(judged) >= taps
                # Away for longer than `silence`, and not as long as a search takes.
                await asyncio.sleep(0.8)
