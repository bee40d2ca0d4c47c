"""What the contract suites share."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.leftovers import nothing_more


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """No thread and no descriptor more than before."""
    async with nothing_more():
        yield
