"""What every test may rely on, and the honest end of a run: the list of what was not run."""

import gc
import signal
from collections import Counter

import pytest
from hypothesis import settings

from tests.needs import require

# No example is judged by the clock: whoever else uses this machine must not make a test fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_configure() -> None:
    """A run in the background has been told to ignore these, and every program that a test starts would as well."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def pytest_collection_finish() -> None:
    """What was imported and collected stays: going through it all would stop every simulated device for a fifth of a second."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`@pytest.mark.needs("mosquitto")`: not run, by name, where the program is missing."""
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            require(program)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason, so that a green run does not hide what it left out."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if reasons:
        terminalreporter.section("not run")
        for reason, count in sorted(reasons.items()):
            terminalreporter.write_line(f"{count} not run: {reason}")
