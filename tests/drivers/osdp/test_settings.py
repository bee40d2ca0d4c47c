"""What is refused before any bus is opened."""

import pytest

from drivers.osdp.driver import Osdp
from gateway.errors import ConfigError


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("readers", [1, 1]),
        ("readers", [127]),
        ("readers", []),
        ("readers", list(range(9))),
        ("keys", "keys"),
        ("uid", "x"),
    ],
)
def test_settings_that_cannot_be(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        Osdp.Settings.model_validate({"url": "/dev/ttyUSB0", key: value})


def test_an_address_is_needed_where_there_are_several() -> None:
    bus = Osdp(Osdp.Settings(url="/dev/ttyUSB0", readers=(1, 2)))
    for address in ("", "3", "01", "one"):
        with pytest.raises(ConfigError) as error:
            bus.reader(address)
        assert "1 or 2" in error.value.hint
