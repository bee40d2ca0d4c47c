"""A PN532 that looks for cards by itself."""

import asyncio
from pathlib import Path

import pytest

from drivers.nfc.driver import Nfc
from gateway.domain.credential import Credential, Technology
from gateway.ports import CardRead
from simulators.pn532 import Pn532

UID = bytes.fromhex("04DE5F1EACC040")


@pytest.mark.parametrize(("targets", "tries"), [(("106A",), 65), (("106A", "212F"), 4)], ids=["one kind", "two kinds"])
async def test_a_chip_looks_for_one_kind_of_card_by_itself(
    targets: tuple[str, ...], tries: int, tmp_path: Path, patient: None
) -> None:
    settings = {"interval": 0.001, "targets": targets}
    async with (
        asyncio.timeout(20),
        Pn532(str(tmp_path / "reader"), pace=0.0001) as sim,
        Nfc(Nfc.Settings.model_validate({"url": sim.url, **settings})),
    ):
        done: list[str] = []
        answer, look = sim.chip.answer, sim.chip.look

        def heard(command: int, argument: bytes) -> bytes | None:
            if command == 0x32:
                done.append("off")
            return answer(command, argument)

        def looked(modulation: int) -> bytes:
            done.append("try")
            return look(modulation)

        sim.chip.answer, sim.chip.look = heard, looked  # type: ignore[method-assign]
        while done.count("off") < 2:
            await asyncio.sleep(0.001)
        first = done.index("off")
        assert done[first + 1 : done.index("off", first + 1)] == ["try"] * tries


async def test_a_chip_that_looks_for_too_long_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.nfc.frontend._SEARCH_SECONDS", 0.1)
    async with (
        asyncio.timeout(20),
        Pn532(str(tmp_path / "reader"), pace=0.05) as sim,
        Nfc(Nfc.Settings(url=sim.url)) as device,
    ):
        await asyncio.sleep(1)
        # An answer that goes out while the search is given up is lost: the card stays until it was read.
        holding = asyncio.create_task(sim.present(UID, hold=20))
        assert await anext(aiter(device.reader("").events())) == CardRead(
            credential=Credential(technology=Technology.ISO14443A, uid=UID)
        )
        holding.cancel()
