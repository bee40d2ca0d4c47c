"""What a ledger tells of its terminals when the gateway starts."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from gateway.domain.clocks import TERMINAL
from gateway.domain.decide import Recent, decide
from gateway.domain.entry import Entry, TapData
from gateway.domain.terminals import told_at
from tests.domain.build import KEY, at, directory, instant, tap
from tests.sync.ledgers import ledger


def entry(clock: str) -> Entry:
    made = decide(tap(clock), directory(), Recent(timedelta(0)), [KEY])
    assert isinstance(made, Entry)
    return made


def told(clock: str) -> Entry:
    return replace(entry(clock), at=told_at(at(clock), instant("09:00")))


async def test_taps_of_terminals_are_found_among_all_others_and_over_epochs(tmp_path: Path) -> None:
    async with ledger(tmp_path / "o") as outbox:
        await outbox.append([told("07:00"), *[entry("08:00")] * 150, told("06:00")])
        await outbox.append([told("05:00")] * 120)
    async with ledger(tmp_path / "o") as outbox:
        await outbox.begin_again(outbox.position.last, "a test")
        await outbox.append([told("04:00")])
        found = await outbox.taps_of_terminals()
    assert [moment.at for moment, _ in found] == [at("07:00"), at("06:00"), *[at("05:00")] * 120, at("04:00")]
    assert {moment.boot for moment, _ in found} == {TERMINAL}
    assert all(isinstance(data, TapData) for _, data in found)
