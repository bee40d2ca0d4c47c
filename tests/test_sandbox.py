"""The programs really run behind the system-call filter and the memory rule of their units."""

import ctypes
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[1] / "systemd").glob("*.service"))

#: Confines itself for ever, with the library that systemd itself uses, then does what a program does all day: imports everything
#: it needs, starts a thread, commits in WAL mode, signs, makes a TLS context, opens a serial line.
WORK = """
import ctypes, errno, json, sys

ALLOW, REFUSE, NO_NEW_PRIVILEGES, MEMORY_DENY_WRITE_EXECUTE = 0x7FFF0000, 0x00050000 | errno.EPERM, 38, 65
libc, seccomp = ctypes.CDLL(None), ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
rules = ctypes.c_void_p(seccomp.seccomp_init(REFUSE))
for call in json.load(sys.stdin):
    seccomp.seccomp_rule_add(rules, ALLOW, seccomp.seccomp_syscall_resolve_name(call.encode()), 0)
libc.prctl(MEMORY_DENY_WRITE_EXECUTE, 1, 0, 0, 0)  # kernels before 6.3 do not know it
assert libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
assert seccomp.seccomp_load(rules) == 0

import asyncio, importlib, os, pty, ssl
for name in sys.argv[2:]:
    importlib.import_module(name)
import aiosqlite, serial
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

async def work():
    async with aiosqlite.connect(sys.argv[1]) as database:
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"):
            await database.execute(statement)
        await database.commit()
    await asyncio.get_running_loop().getaddrinfo("localhost", 8883)

asyncio.run(work())
Ed25519PrivateKey.generate().sign(b"entry")
ssl.create_default_context()
controller, line = pty.openpty()
serial.Serial(os.ttyname(line)).close()
try:
    os.chown(sys.argv[1], os.getuid(), os.getgid())
except PermissionError:
    print("done, and what it has no business with was refused")
"""
IMPORTS = {
    "attendance-gateway": ("gateway.app", "gateway.cli", "drivers.rdm6300.driver", "drivers.nfc.driver", "nfc"),
    "attendance-journal": ("journal.store", "journal.judge", "apprise"),
}


def allowed(unit: Path) -> set[str]:
    """The system calls that the SystemCallFilter lines of a unit leave."""
    calls: set[str] = set()
    for value in re.findall(r"(?m)^SystemCallFilter=(.+)$", unit.read_text()):
        named = {call for word in value.lstrip("~").split() for call in expanded(word)}
        calls = calls - named if value.startswith("~") else calls | named
    return calls


def expanded(word: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True)
    lines = [line.strip() for line in listed.stdout.splitlines()[1:]]
    return {call for line in lines if line and not line.startswith("#") for call in expanded(line)}


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=[unit.stem for unit in UNITS])
def test_program_runs_behind_the_filter_of_its_unit(unit: Path, tmp_path: Path) -> None:
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is missing: apt install libseccomp2")
    calls = allowed(unit)
    assert {"read", "fdatasync"} <= calls
    done = subprocess.run(
        [sys.executable, "-c", WORK, tmp_path / "ledger.db", *IMPORTS[unit.stem]],
        cwd=unit.parents[1],
        input=json.dumps(sorted(calls)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "done, and what it has no business with was refused"), (
        done.stderr
    )
