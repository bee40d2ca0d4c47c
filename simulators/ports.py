"""Ports of loopback for what is started, stopped and started again at the same one."""

import secrets
import socket
from contextlib import ExitStack, suppress

#: Below those that Linux gives to whoever asks for any (ip_local_port_range): nobody gets one of these by chance.
_PORTS = range(20_000, 32_000)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, *, row: int = 1) -> int:
    """One that nobody has now, or the first of several in a row."""
    while True:
        first = secrets.choice(_PORTS)
        with suppress(OSError), ExitStack() as stack:
            for port in range(first, first + row):
                stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
            return first
