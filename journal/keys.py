"""The journal's secrets: files of mode 0600 in its state folder, made at first use. Back them up with the database.

journal.key         Ed25519: signs receipts and directories; every gateway pins its public half
journal.key.next    the one that will follow: manifests announce it
site-<site>.1.key   under which the cards of a site become tokens; the number counts rotations
cards.key           AES-256-GCM: under which UIDs stand in the card ledger

A new key in the place of a lost one would make every card unknown and every gateway deaf, so none is made where the
database holds anything that was made under it.
"""

import os
import secrets
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.credential import Credential, SiteKey, Technology
from gateway.errors import ConfigError
from journal.store import Store
from journal.tables import cards, gateways
from sync.signing import Signer

_NONCE_BYTES = 12
_NEXT = "journal.key.next"


class CardCipher:
    """Hides UIDs at rest: whoever has the database alone cannot make a card."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def seal(self, site: str, credential: Credential) -> bytes:
        """Nonce and ciphertext; bound to the site."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, str(credential).encode("ascii"), site.encode("ascii"))

    def open(self, site: str, sealed: bytes) -> Credential:
        """The credential again. Raises ConfigError when it was sealed under another key or for another site."""
        try:
            plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], site.encode("ascii"))
        except (InvalidTag, ValueError) as error:
            raise ConfigError(
                "a card of the ledger does not open under this cards.key", hint="restore the key that belongs to it"
            ) from error
        technology, _, uid = plain.decode("ascii").partition(":")
        return Credential(technology=Technology(technology), uid=bytes.fromhex(uid))


class Keys:
    """All of them; each is read, or made, when it is asked for. Every method raises ConfigError."""

    def __init__(self, folder: Path, used: Collection[str] = ()) -> None:
        self._folder = folder
        #: File names of those that are never made again.
        self._used = frozenset(used)

    def signer(self) -> Signer:
        """The journal's own key."""
        return Signer.load(self._path("journal.key"))

    def next_signer(self) -> Signer | None:
        """The key that will follow, where there is one."""
        path = self._folder / _NEXT
        return Signer.load(path) if path.exists() else None

    def make_next(self) -> Signer:
        """The key that will follow; made when there is none."""
        return Signer.load(self._folder / _NEXT)

    def change(self) -> Signer:
        """The next key is the journal's own from now on; the one before stays beside it."""
        following, path = self.next_signer(), self._path("journal.key")
        if following is None:
            raise ConfigError(f"{self._folder / _NEXT}: there is no next key", hint="attendance-journal key next")
        try:
            path.with_name(f"journal.key.{self.signer().kid}").hardlink_to(path)
            (self._folder / _NEXT).rename(path)
            _sync(self._folder)
        except OSError as error:
            raise ConfigError(f"{path}: {error}", hint="check the rights of the folder, and try again") from error
        return following

    def site_keys(self, site: str) -> list[SiteKey]:
        """Newest first; a card has a token under each."""
        versions = {int(path.name.split(".")[-2]) for path in self._folder.glob(f"site-{site}.*.key")} or {1}
        paths = ((version, self._path(f"site-{site}.{version}.key")) for version in sorted(versions, reverse=True))
        return [SiteKey(version=version, secret=_secret(path)) for version, path in paths]

    def cards(self) -> CardCipher:
        """For UIDs in the card ledger."""
        return CardCipher(_secret(self._path("cards.key")))

    def _path(self, name: str) -> Path:
        path = self._folder / name
        if name in self._used and not path.exists():
            raise ConfigError(
                f"{path}: this key is gone, and the database holds what was made under it",
                hint="restore it from the backup of the database",
            )
        return path


async def keys_of(folder: Path, store: Store) -> Keys:
    """The keys that belong to this database."""
    async with store.read() as connection:
        return await keys_beside(folder, connection)


async def keys_beside(folder: Path, connection: AsyncConnection) -> Keys:
    """The same, for a command that only reads."""
    carded, guarded = [
        set((await connection.execute(select(table.c.site).distinct())).scalars()) for table in (cards, gateways)
    ]
    used = {f"site-{site}.1.key" for site in carded | guarded}
    return Keys(folder, used | ({"cards.key"} if carded else set()) | ({"journal.key"} if guarded else set()))


def _secret(path: Path) -> bytes:
    """32 bytes; two processes that make it at once agree on one."""
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path}: other users can read this key", hint=f"chmod 600 {path}")
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path}: no usable key: {error}", hint="restore it from the backup of the database"
        ) from error
    if len(secret) != 32:
        raise ConfigError(
            f"{path}: a key has 32 bytes, not {len(secret)}", hint="restore it from the backup of the database"
        )
    return secret


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(fresh, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags | os.O_EXCL, 0o600)) as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()
    _sync(path.parent)


def _sync(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
