"""A real mosquitto on a free port of 127.0.0.1, with its own folder, ended by its process id."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from simulators.ports import free_port
from simulators.processes import leash
from sync.mqtt import Broker

_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
_START_SECONDS = 60.0


class Mosquitto:
    """One broker. `lines` are added to its configuration; `acl` is the text of an ACL file."""

    def __init__(
        self, folder: Path, *, lines: Sequence[str] = (), acl: str | None = None, anonymous: bool = True
    ) -> None:
        program = shutil.which("mosquitto", path=_PATH)
        if program is None:
            pytest.skip("mosquitto is missing: apt install mosquitto")
        self.folder, self.port = folder, free_port()
        self._program, self._process, self._anonymous = program, None, anonymous
        self._lines, self._acl = list(lines), folder / "acl"
        folder.mkdir(parents=True, exist_ok=True)
        if acl is not None:
            self._acl.write_text(acl, encoding="utf-8")
            self._acl.chmod(0o600)
            self._lines.append(f"acl_file {self._acl}")

    _process: subprocess.Popen[bytes] | None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the broker has told so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def at(self, client_id: str) -> Broker:
        """The address under which a client of that id reaches it, without TLS."""
        return Broker.parse(self.url, client_id=client_id, username=client_id)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, again too, on the same port; returns when it listens."""
        lines = [
            "per_listener_settings false",
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {str(self._anonymous).lower()}",
            "persistence false",
            "log_type all",
            # As root mosquitto would become another user, who cannot read the folder.
            *(["user root"] if os.geteuid() == 0 else []),
            *self._lines,
        ]
        settings = self.folder / "mosquitto.conf"
        settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=leash(),
            )
        end = time.monotonic() + _START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                pytest.fail(f"mosquitto does not start:\n{self.log}")
            time.sleep(0.01)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
                self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Neither answers nor closes anything."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def allow(self, acl: str) -> None:
        """Another ACL from now on; clients that are connected keep their connection."""
        self._acl.write_text(acl, encoding="utf-8")
        self._signal(signal.SIGHUP)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
