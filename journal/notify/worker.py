"""Sends what stands in the outbox, one attempt at a time and each message at most once.

claimed and committed, then the attempt, then its outcome: a crash in between leaves a row whose outcome nobody knows, and
such a row waits for a person. Nothing here is awaited by ingest or by the judge loop.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol
from urllib.parse import quote

from gateway.ports import Clock
from gateway.tasks import whole
from journal.notify import outbox
from journal.notify.templates import Message
from journal.store import Store

_POLL_SECONDS: Final = 1.0
_REASON_CHARACTERS: Final = 200
#: Apprise met an error before it handed the message over.
_NOT_CONNECTED: Final = "Connection error while submitting email"
#: smtplib's way to print an answer of the server: (550, b'no such user').
_ANSWER: Final = re.compile(r"\((\d{3}), (b'.*?'|b\".*?\")")
_EXCEPTION: Final = "Socket Exception: "


class Outcome(Enum):
    """What is known after an attempt."""

    SENT = auto()
    #: For certain not delivered.
    REFUSED = auto()
    #: Nobody knows.
    UNCERTAIN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an attempt ended."""

    outcome: Outcome
    #: For the office; without the address.
    reason: str = ""


class Channel(Protocol):
    """A way to parents."""

    async def send(self, address: str, message: Message) -> Attempt:
        """Returns within a bounded time, whatever the other side does; never raises for what the other side does."""
        ...


class AppriseChannel:
    """Mail, or any other service that Apprise knows.

    `mail` is an Apprise URL without a recipient: `mailto://host:25?from=school@example.org`. An address that is an Apprise
    URL itself is used as it is. Apprise is synchronous, so it runs in a thread of its own; `timeout` in seconds bounds an
    attempt, and a third of it every step on the socket.
    """

    def __init__(self, mail: str, *, timeout: float = 30.0) -> None:
        self._mail = mail
        self._timeout = timeout

    async def send(self, address: str, message: Message) -> Attempt:
        """One attempt at one recipient."""
        try:
            async with asyncio.timeout(self._timeout + 5):
                return await asyncio.to_thread(self._send, address, message)
        except TimeoutError:
            return Attempt(outcome=Outcome.UNCERTAIN, reason="no answer in time")

    def _send(self, address: str, message: Message) -> Attempt:
        # A third of a second and many megabytes: only a journal that tells parents pays for it.
        from apprise import Apprise, AppriseAsset, AppriseResultStatus  # noqa: PLC0415

        quiet = logging.getLogger("apprise")
        quiet.propagate = False  # it logs addresses
        quiet.setLevel(logging.DEBUG)
        service = Apprise(asset=AppriseAsset(service_timeout=self._timeout))
        if not service.add(self._url(address)):
            return Attempt(outcome=Outcome.REFUSED, reason="Apprise does not know this kind of address")
        result = service.notify(title=message.subject, body=message.text, body_format="text", log_level=logging.DEBUG)
        if result.status is AppriseResultStatus.SUCCESS:
            return Attempt(outcome=Outcome.SENT)
        log = [entry.message.replace(address, "the recipient") for entry in result.logs()]
        return _failed(log, timed_out=result.status is AppriseResultStatus.TIMEOUT)

    def _url(self, address: str) -> str:
        if "://" in address:
            return address
        options = {"to": address, "format": "text", "cto": str(self._timeout / 3)}
        query = "&".join(f"{key}={quote(value, safe='')}" for key, value in options.items())
        return f"{self._mail}{'&' if '?' in self._mail else '?'}{query}"


def _failed(log: list[str], *, timed_out: bool) -> Attempt:
    """Refused only where that is certain: the server said so, or was never reached."""
    why = next((line.removeprefix(_EXCEPTION) for line in log if line.startswith(_EXCEPTION)), "")
    answer = _ANSWER.search(why)
    reason = f"{answer[1]} {answer[2][2:-1]}" if answer else why or "no answer in time"
    never_reached = any(_NOT_CONNECTED in line for line in log)
    certain = (answer is not None or never_reached) and not timed_out
    return Attempt(outcome=Outcome.REFUSED if certain else Outcome.UNCERTAIN, reason=reason[:_REASON_CHARACTERS])


class Worker:
    """The only sender of a database, or of its share of one."""

    def __init__(self, store: Store, clock: Clock, channel: Channel) -> None:
        self._store = store
        self._clock = clock
        self._channel = channel

    async def run(self) -> None:
        """Endless. What a crash left in the middle of an attempt is handed to the office first."""
        async with self._store.begin() as connection:
            await outbox.recover(connection, self._store.shard)
        while True:
            if not await self.step():
                await self._clock.sleep(_POLL_SECONDS)

    async def step(self) -> bool:
        """Make one attempt; False where nothing could be sent. Cancelled, it ends that attempt first: a clean stop leaves no doubt."""
        async with self._store.read() as connection:
            if not await outbox.waiting(connection, self._clock.now().at, self._store.shard):
                return False
        return await whole(self._attempt())

    async def _attempt(self) -> bool:
        async with self._store.begin() as connection:
            now = self._clock.now().at
            await outbox.expire(connection, now, self._store.shard)
            taken = await outbox.claim(connection, now, self._store.shard)
        if taken is None:
            return False
        ended = await self._channel.send(taken.address, taken.message)
        async with self._store.begin() as connection:
            now = self._clock.now().at
            match ended.outcome:
                case Outcome.SENT:
                    await outbox.sent(connection, taken, now)
                case Outcome.UNCERTAIN:
                    await outbox.uncertain(connection, taken, ended.reason)
                case Outcome.REFUSED:
                    await outbox.refused(connection, taken, ended.reason, now)
        if ended.outcome is Outcome.REFUSED:
            self._store.dirtied.set()
        return True
