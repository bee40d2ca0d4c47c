"""What the tests of this kind share."""

import pytest

from tests.drivers.nfc.bench import PATIENCE


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """nfcpy does not give up on a chip of this process while the process stands still."""
    for name, value in PATIENCE.items():
        monkeypatch.setattr(name, value)
