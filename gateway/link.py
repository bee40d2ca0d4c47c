"""The gateway's side of the link: who is born on it, what runs on it, and what the log hears of it."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Never

from config.model import UplinkConfig
from gateway.domain.handshake import Birth, Receipt
from gateway.domain.model import Seq
from gateway.errors import AttendanceError
from gateway.health import payload, standing
from gateway.rekeying import Rekeying
from sync.broker import Broker, TlsFiles
from sync.directory import DirectoryReceiver
from sync.outbox import SqliteOutbox
from sync.reconnect import keep_link
from sync.relay import LinkStatus, relay
from sync.uplink import MqttUplink, open_uplink

_log = logging.getLogger("gateway")

#: Health is published on change, looked at this often, in seconds, and in any case after so many looks.
_LOOK: Final = 2.0
_LOOKS: Final = 30
#: Between two attempts at most, in seconds.
_LONGEST: Final = 60.0
#: The broker keeps the state of the newest one only.
_SESSIONS: Final = 100


class LoggedStatus(LinkStatus):
    """Says in the log when the link comes, when it goes, what the journal does not take, and each new reason once."""

    def up(self, session: str) -> None:
        super().up(session)
        _log.info("link up", extra={"session": session})

    def down(self, error: AttendanceError) -> None:
        if str(error) != self.error:
            _log.warning("link down: %s", error, extra={"hint": error.hint})
        super().down(error)

    def heard(self, receipt: Receipt, *, floor: Seq, settled: bool) -> None:
        refused, gone = self.refused, self.gone
        super().heard(receipt, floor=floor, settled=settled)
        for refusal in self.refused:
            if refusal not in refused:
                hint = "'attendance-journal gateway list' shows what the journal knows of this gateway"
                _log.error("the journal does not count these entries: %s", refusal, extra={"hint": hint})
        if self.gone is not None and self.gone != gone:
            hint = "they were removed after [retention] days; a backup of the journal may have them"
            _log.error(
                "the journal asks for entries that are not kept here any more: %s", self.gone, extra={"hint": hint}
            )

    def cloned(self) -> None:
        if not self.clones:
            hint = (
                "find the second device of this name and stop it; then give this one a new key, see systemd/install.md"
            )
            _log.error("another device is this gateway: the two are connected in turn", extra={"hint": hint})
        super().cloned()

    @property
    def summary(self) -> dict[str, object]:
        """For health."""
        return {
            "connected": self.connected,
            "error": self.error,
            "refused": [str(refusal) for refusal in self.refused],
            "gone": str(self.gone) if self.gone is not None else None,
            "dropped": dict(self.dropped),
            "clones": self.clones,
        }


class Link:
    """Keeps the relay, the directory and health on a session that is made anew whenever it breaks."""

    def __init__(
        self,
        config: UplinkConfig,
        outbox: SqliteOutbox,
        directory: DirectoryReceiver,
        keys: Rekeying,
        health: Callable[[], Awaitable[Mapping[str, object]]],
    ) -> None:
        self._config, self._outbox, self._directory, self._keys = config, outbox, directory, keys
        self._health = health
        self.status = LoggedStatus()
        #: Sessions of this process; of those before it nobody knows.
        self._sessions: deque[str] = deque(maxlen=_SESSIONS)

    async def keep(self) -> Never:
        """For as long as the daemon lives; whatever breaks here closes no gate."""
        await keep_link(
            self._session, (self._relay, self._receive, self._tell, self._keys.session), self.status, longest=_LONGEST
        )

    def _session(self) -> AbstractAsyncContextManager[MqttUplink]:
        config = self._config
        tls = TlsFiles(ca=config.ca, certificate=config.certificate, key=config.key) if config.tls else None
        name = self._outbox.stream.gateway
        return open_uplink(
            Broker.parse(config.url, client_id=name, username=name, tls=tls),
            birth_of=self._birth,
            signer=self._keys.signer,
            keys=lambda: self._directory.keys,
            dropped=self.status.dropped,
            met=self._meet,
            keepalive=config.keepalive,
        )

    def _meet(self, session: str, retained: bool) -> None:
        """What the broker kept from before this process may be of the process before it; anything else is of a clone."""
        first = len(self._sessions) == 1
        if session not in self._sessions and not (retained and first):
            self.status.cloned()

    def _birth(self, session: str) -> Birth:
        self._sessions.append(session)
        stream, position = self._outbox.stream, self._outbox.position
        return Birth(
            site=stream.site,
            gateway=stream.gateway,
            session=session,
            epoch=stream.epoch,
            last=position.last,
            head=position.head.hex(),
            floor=position.floor,
        )

    async def _relay(self, uplink: MqttUplink) -> None:
        await relay(self._outbox, uplink, self.status)

    async def _receive(self, uplink: MqttUplink) -> None:
        await self._directory.receive(uplink)

    async def _tell(self, uplink: MqttUplink) -> None:
        while True:
            told = await self._health()
            await uplink.publish_health(payload(told))
            for _ in range(_LOOKS):
                await asyncio.sleep(_LOOK)
                if standing(await self._health()) != standing(told):
                    break
