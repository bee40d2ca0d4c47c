"""A real SMTP server on loopback that keeps what parents would have received."""

import asyncio
import email
import email.policy
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message to one recipient."""

    recipient: str
    subject: str
    body: str
    #: When the server took it, seconds of CLOCK_MONOTONIC.
    received: float


class Mailbox:
    """All mail of a morning, in order of arrival."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.mails: list[Mail] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The hook of aiosmtpd for a complete message."""
        message = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        part = message.get_body(("plain", "html"))
        for recipient in envelope.rcpt_tos:
            mail = Mail(
                recipient=recipient,
                subject=str(message["subject"] or ""),
                body=part.get_content() if part else "",
                received=time.monotonic(),
            )
            self.mails.append(mail)
        return "250 kept"


@asynccontextmanager
async def mail_server() -> AsyncIterator[Mailbox]:
    """An SMTP server on a free port of loopback."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="localhost", enable_SMTPUTF8=True), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
