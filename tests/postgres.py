"""A real PostgreSQL server of its own, on a socket in a temporary folder, ended by its process id."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from simulators.processes import leash

#: Where Debian puts what nobody but a service starts.
PROGRAMS = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), *PROGRAMS))
_PATIENCE = 30.0
#: A server refuses to run as root.
_OTHER_USERS = ("postgres", "nobody")


class Postgres:
    """One server with as many databases as tests ask for."""

    def __init__(self) -> None:
        self._program, self._initdb = (shutil.which(name, path=_PATH) for name in ("postgres", "initdb"))
        if self._program is None or self._initdb is None:
            pytest.skip("postgres is missing: apt install postgresql")
        # Not in the folder of a test: the path of a socket is short, and every folder above is open to the other user.
        self.folder = Path(tempfile.mkdtemp(prefix="att-pg-"))
        self._user = self._find_user()
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        options = ("--username=journal", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        command = [str(self._initdb), *options, "-D", str(self.folder / "data")]
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd=self.folder)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Returns when it takes connections."""
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "max_connections": "60"}
        settings["autovacuum"] = "off"  # it visits every database that a test has left
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._program), "-D", str(self.folder / "data"), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self.folder,
                preexec_fn=leash(),
            )
        end = time.monotonic() + _PATIENCE
        while subprocess.run(self._psql("SELECT 1", "postgres"), capture_output=True, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"postgres does not start:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, and nothing is left running."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(3)  # SIGQUIT: the server ends its children, which SIGKILL would not
            self._process.wait(_PATIENCE)
            self._process = None

    def fresh(self, template: str = "template1") -> str:
        """The name of a new database, a copy of another."""
        name = f"t{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def url(self, name: str) -> str:
        """For [database] url."""
        return f"postgresql+asyncpg://journal@/{name}?host={self.folder}"

    def execute(self, sql: str, name: str = "postgres") -> list[list[str]]:
        """One statement; every value as text."""
        done = subprocess.run(self._psql(sql, name), check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def _psql(self, sql: str, name: str) -> list[str]:
        psql = str(Path(str(self._program)).resolve().with_name("psql"))
        return [psql, "-XAtq", "-F", "\x1f", "-h", str(self.folder), "-U", "journal", "-d", name, "-c", sql]

    def _find_user(self) -> str | None:
        """Whom the server runs as; the folder becomes theirs."""
        if os.geteuid():
            return None
        for name in _OTHER_USERS:
            with suppress(KeyError):
                self.folder.chmod(0o755)
                os.chown(self.folder, pwd.getpwnam(name).pw_uid, -1)
                return name
        pytest.skip("postgres does not run as root, and there is no other user")
