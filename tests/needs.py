"""What a test needs of the machine: a program, a file that a package brings, or pyscard, which has no wheels."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from tests.postgres import PROGRAMS

VIRTUAL_READER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
PCSC = ("pcscd", VIRTUAL_READER, "pyscard")

_SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", *PROGRAMS))
_PACKAGES = {
    "ip": "iproute2",
    "nft": "nftables",
    "postgres": "postgresql",
    "systemd-analyze": "systemd",
    "systemd-sysusers": "systemd",
    "udevadm": "udev",
    VIRTUAL_READER: "vsmartcard-vpcd",
}


def require(need: str) -> None:
    """Not run, by name, where it is missing."""
    if need == "pyscard":
        if importlib.util.find_spec("smartcard") is None:
            pytest.skip("pyscard is missing: tests/pyscard.sh says what it takes to build it")
    elif shutil.which(need, path=_SYSTEM_PATH) is None and not Path(need).is_file():
        pytest.skip(f"{need} is missing: apt install {_PACKAGES.get(need, need)}")
