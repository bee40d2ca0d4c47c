"""What the contract suites share."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.benches import patience
from tests.contracts.leftovers import nothing_more


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gives up on a device of this process while the process stands still."""
    for name, value in patience().items():
        monkeypatch.setattr(name, value)


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """No thread and no descriptor more than before."""
    async with nothing_more():
        yield
