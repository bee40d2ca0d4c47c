"""Ports of loopback for what is started, stopped and started again at the same one."""

import errno
import secrets
import socket
from contextlib import ExitStack

#: Below those that Linux gives to whoever asks for any (ip_local_port_range): nobody gets one of these by chance.
_PORTS = range(20_000, 32_000)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, *, row: int = 1) -> int:
    """One that nobody has now, or the first of several in a row."""
    while True:
        first = secrets.choice(_PORTS)
        try:
            with ExitStack() as stack:
                for port in range(first, first + row):
                    stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return first
