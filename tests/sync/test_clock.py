"""Time as the gateway knows it, and the paced one that simulations share."""

import time
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import pytest

from gateway.domain.model import ClockState
from gateway.errors import ConfigError
from gateway.ports import Clock
from sync.clock import ENVIRONMENT, PacedClock, SystemClock, clock_from_environment

clocks: list[type[Clock]] = [SystemClock, PacedClock]
START = datetime(2026, 9, 1, 5, 0, tzinfo=UTC)


def test_the_system_clock_tells_wall_time_boot_and_boot_time() -> None:
    clock = SystemClock()
    before, first, second = datetime.now(UTC), clock.now(), clock.now()
    assert before <= first.at <= second.at <= datetime.now(UTC)
    assert first.boot == second.boot == SystemClock().now().boot
    assert "-" not in first.boot
    assert 0 < first.boottime <= second.boottime <= time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def test_asking_for_the_time_loads_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("ctypes.CDLL", never)
    monkeypatch.setattr("sync.clock._TIMESYNCD", "/nonexistent")
    assert SystemClock().now().clock in ClockState


@pytest.mark.parametrize(("there", "state"), [(True, ClockState.SYNCED), (False, ClockState.UNSYNCED)])
def test_timesyncd_says_by_a_file_that_the_clock_is_right(
    there: bool, state: ClockState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.clock._kernel_synchronised", lambda: False)
    monkeypatch.setattr("sync.clock._TIMESYNCD", str(tmp_path / "synchronized"))
    if there:
        (tmp_path / "synchronized").touch()
    assert SystemClock().now().clock is state


def test_a_unit_that_hides_the_boot_id_passes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_BOOT_ID", "0123-abcd")
    assert SystemClock().now().boot == "0123abcd"


@pytest.mark.parametrize(
    ("kernel", "states"),
    [
        ([False, False], [ClockState.UNSYNCED, ClockState.UNSYNCED]),
        ([True, False], [ClockState.SYNCED, ClockState.HOLDOVER]),
        ([False, True, False], [ClockState.UNSYNCED, ClockState.SYNCED, ClockState.HOLDOVER]),
    ],
)
def test_a_clock_that_was_right_once_is_held_over(
    kernel: list[bool], states: list[ClockState], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(kernel)
    monkeypatch.setattr("sync.clock._synchronised", lambda: next(answers))
    clock = SystemClock()
    assert [clock.now().clock for _ in kernel] == states


def test_the_paced_clock_runs_faster_and_alike_in_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    anchor = time.monotonic() - 2.0
    monkeypatch.setenv(ENVIRONMENT, f"{START.isoformat()}|{anchor}|60")
    clock = clock_from_environment()
    earliest = START + timedelta(seconds=60 * (time.monotonic() - anchor))
    now = clock.now()
    latest = START + timedelta(seconds=60 * (time.monotonic() - anchor))
    assert earliest <= now.at <= latest
    assert now.clock is ClockState.SYNCED
    other = PacedClock(START, anchor, 60).now()
    assert abs((other.at - now.at) - timedelta(milliseconds=other.boottime - now.boottime)) <= timedelta(milliseconds=2)


def test_both_clocks_of_a_paced_machine_are_read_at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a process that waits in between for its turn sees its wall clock jump, and covers nothing."""
    moments = accumulate([5.0, 0.001, 2.0, 0.5, 7.0, 0.25])
    monkeypatch.setattr("sync.clock.time.monotonic", lambda: next(moments))
    clock = PacedClock(START, 0.0, 150)
    first, second = clock.now(), clock.now()
    assert second.at - first.at == timedelta(milliseconds=second.boottime - first.boottime)


def test_without_the_variable_it_is_the_machine_s_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert isinstance(clock_from_environment(), SystemClock)


@pytest.mark.parametrize("text", ["", "x", "2026-09-01T05:00:00|1|60", "2026-09-01T05:00:00+00:00|1|0", "a|b|c"])
def test_a_wrong_variable_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, text)
    with pytest.raises(ConfigError, match=ENVIRONMENT):
        clock_from_environment()


async def test_sleeping_is_paced_and_never_negative() -> None:
    clock = PacedClock(START, time.monotonic(), 1e9)
    await clock.sleep(3600)
    await clock.sleep(-5)
    await SystemClock().sleep(-5)
