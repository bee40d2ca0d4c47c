"""A PC/SC reader for each test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.pcsc import PcscReader


@pytest.fixture
async def sim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PcscReader]:
    async with PcscReader(tmp_path) as sim:
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(sim.service.socket))
        yield sim
