"""What hangs is counted for as long as it hangs, and only so much of it is allowed."""

import threading
from collections.abc import Iterator

import pytest

from drivers.abandoned import abandon, hanging, refuse_more
from gateway.errors import DeviceLost

URL = "usb:of-this-test"


@pytest.fixture
def hung() -> Iterator[list[threading.Event]]:
    """Calls that return when they are told to."""
    events: list[threading.Event] = []
    yield events
    for event in events:
        event.set()
    assert hanging(URL) == {}


def hang(hung: list[threading.Event]) -> threading.Event:
    event = threading.Event()
    hung.append(event)
    abandon(URL, lambda: not event.is_set())
    return event


def test_three_are_too_many_until_one_returns(hung: list[threading.Event]) -> None:
    assert hanging(URL) == {}
    for count in (1, 2, 3):
        refuse_more(URL)
        hang(hung)
        assert hanging(URL) == {"hanging": count}
    with pytest.raises(DeviceLost, match="3 never returned") as lost:
        refuse_more(URL)
    assert "plug it in again" in lost.value.hint
    refuse_more("usb:another")
    refuse_more(URL, most=4)
    hung[1].set()
    refuse_more(URL)
    assert hanging(URL) == {"hanging": 2}
