"""What the contract suites share."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.leftovers import at_most, descriptors, threads


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """No thread and no descriptor more than before."""
    names, files = threads(), descriptors()
    yield
    assert threads() == names
    assert await at_most(files)
