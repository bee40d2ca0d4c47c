"""The conformance kit for journal vendors: every requirement of docs/contract/journal.md, one after the other."""

import asyncio
import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gateway.domain.wire import Stream
from gateway.errors import ConfigError
from simulators.conformance.batches import COUNTING, REFUSING
from simulators.conformance.epochs import EPOCHS, EVENTS, KEYS, RESTART
from simulators.conformance.player import Missed, Patience, Player
from simulators.conformance.requirement import FOLDER, Requirement
from simulators.conformance.sessions import NAMES, RECEIPTS, SESSIONS
from sync.clock import SystemClock
from sync.mqtt import Broker, connect
from sync.signing import Keyring, Signer

#: In the order in which they are asked; of receipts last, because they look at all that came.
REQUIREMENTS: Sequence[Requirement] = [
    requirement
    for page in (SESSIONS, NAMES, COUNTING, REFUSING, EVENTS, EPOCHS, KEYS, RESTART, RECEIPTS)
    for requirement in page.requirements
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one requirement."""

    requirement: Requirement
    #: What was seen instead; None when it is kept.
    missed: str | None

    def plain(self) -> dict[str, object]:
        """For machines."""
        asked = self.requirement
        page = f"{FOLDER}/{asked.page}"
        return {"requirement": asked.name, "page": page, "passed": self.missed is None, "missed": self.missed}

    def __str__(self) -> str:
        asked = self.requirement
        if self.missed is None:
            return f"passed  {asked.name:26} {FOLDER}/{asked.page}"
        return f"FAILED  {asked.name:26} {FOLDER}/{asked.page}\n        {asked.sentence}\n        seen: {self.missed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """As whom the kit plays: what the journal under test has registered."""

    site: str
    gateway: str
    signer: Signer
    #: Raw public keys under which the journal signs.
    journal_keys: Sequence[bytes]


async def play(
    broker: Broker,
    registered: Registration,
    *,
    restart: Callable[[], Awaitable[None]],
    patience: Patience,
    tell: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Every requirement, on one connection. Raises LinkError where the broker cannot be used as that gateway."""
    async with connect(broker) as connection:
        player = Player(
            connection,
            stream=Stream(site=registered.site, gateway=registered.gateway, epoch="-"),
            signer=registered.signer,
            keys=Keyring(registered.journal_keys),
            clock=SystemClock(),
            restart=restart,
            patience=patience,
        )
        listening = asyncio.create_task(player.listen(), name="receipts")
        try:
            await player.subscribe()
            return [await _asked(player, requirement, tell) for requirement in REQUIREMENTS]
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def trusted(keys: Sequence[str], signer: Signer) -> list[bytes]:
    """The journal's public keys. Raises ConfigError with what the journal has to know, where there is none."""
    if not keys:
        raise ConfigError(
            f"no key of the journal is given; the key of this gateway is {signer.public.hex()}",
            hint="register that key with the journal, and name the journal's own with --journal-key",
        )
    try:
        found = [bytes.fromhex(key) for key in keys]
        Keyring(found)
    except ValueError:
        raise ConfigError("--journal-key is no Ed25519 public key", hint="give its 64 hex digits") from None
    return found


def restarted_by(command: str | None) -> Callable[[], Awaitable[None]]:
    """How the journal is started again: by a command that returns when that is done, or by whoever reads this."""

    async def by_command() -> None:
        process = await asyncio.create_subprocess_exec(*shlex.split(command or ""))
        if code := await process.wait():
            raise Missed(f"the command that restarts the journal ended with {code}")

    async def by_hand() -> None:
        sys.stderr.write("Now restart the journal.\n")

    return by_hand if command is None else by_command


async def _asked(player: Player, requirement: Requirement, tell: Callable[[Result], None]) -> Result:
    missed = None
    try:
        await requirement.check(player)
    except Missed as seen:
        missed = str(seen)
    result = Result(requirement=requirement, missed=missed)
    tell(result)
    return result
