"""A real SMTP server on a free port of loopback, and what it may do to a sender."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import Enum, auto

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mood(Enum):
    """What the server does with the next message."""

    TAKES = auto()
    REFUSES_RECIPIENT = auto()
    REFUSES_MESSAGE = auto()
    #: Takes the message, and never says so.
    HANGS_AFTER_MESSAGE = auto()
    #: Takes the message, and the line breaks before it says so.
    BREAKS_AFTER_MESSAGE = auto()


@dataclass
class MailServer:
    """Everything that it took, in order."""

    port: int = 0
    mood: Mood = Mood.TAKES
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    #: Set at every message; a test clears it.
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """As the journal's settings write it."""
        return f"mailto://127.0.0.1:{self.port}?from=school@example.org"

    @property
    def texts(self) -> list[str]:
        """`recipient: text` of every message."""
        return [f"{to}: {message.get_content().strip()}" for to, message in self.taken]

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mood is Mood.REFUSES_RECIPIENT:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.mood is Mood.REFUSES_MESSAGE:
            return "451 try again later"
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken += [(address, message) for address in envelope.rcpt_tos]
        self.arrived.set()
        if self.mood is Mood.HANGS_AFTER_MESSAGE:
            await self._released.wait()
        if self.mood is Mood.BREAKS_AFTER_MESSAGE and server.transport is not None:
            server.transport.close()
        return "250 OK"

    def release(self) -> None:
        """Let everybody go who hangs."""
        self._released.set()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """Runs on the test's own loop until the block ends."""
    handler = MailServer()
    running = await asyncio.get_running_loop().create_server(lambda: SMTP(handler), "127.0.0.1", 0)
    handler.port = running.sockets[0].getsockname()[1]
    try:
        yield handler
    finally:
        handler.release()
        running.close()


def deaf_port() -> Iterator[int]:
    """A port whose owner takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def dead_port() -> int:
    """A port that refuses connections."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
    return port
