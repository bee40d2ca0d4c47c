"""What terminals told: once, on whatever key, and never more than fits into memory."""

from dataclasses import replace

import pytest

from gateway.domain import terminals
from gateway.domain.credential import SiteKey
from gateway.domain.model import Tap
from gateway.domain.terminals import Told, told_at
from tests.domain.build import KEY, directory, instant, tap

NEWER = SiteKey(version=2, secret=bytes(range(1, 33)))


def told(clock: str) -> Tap:
    one = tap(clock)
    return replace(one, at=told_at(one.at.at, instant("09:00")))


def note(memory: Told, *taps: Tap) -> None:
    for entry in memory.new(taps, directory(), [KEY]):
        memory.note(entry.at, entry.data)


def test_a_tap_that_is_on_the_disk_is_not_new_under_a_newer_key() -> None:
    memory = Told()
    note(memory, told("08:00"))
    assert memory.new([told("08:00")], directory(), [NEWER, KEY]) == []
    assert len(memory.new([told("08:01")], directory(), [NEWER, KEY])) == 1


def test_what_is_not_on_the_disk_stays_new() -> None:
    memory = Told()
    assert len(memory.new([told("08:00")], directory(), [KEY])) == 1
    assert len(memory.new([told("08:00")], directory(), [KEY])) == 1


def test_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "_MOST", 2)
    memory, taps = Told(), [told(clock) for clock in ("08:00", "08:01", "08:02")]
    note(memory, *taps)
    assert [entry.at.at for entry in memory.new(taps, directory(), [KEY])] == [taps[0].at.at]
