"""Ed25519 keys: who signed this, and do we trust them. RFC 8032."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.domain.handshake import Message, signing_bytes
from gateway.errors import BadSignature, ConfigError
from sync.files import make_secret

BATCH_TAG = "att.batch.v1"

M = TypeVar("M", bound=Message)


def key_id(public: bytes) -> str:
    """The first 16 hex digits of SHA-256(public key)."""
    return hashlib.sha256(public).hexdigest()[:16]


class Signer:
    """One private key."""

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        #: The raw 32 bytes of the public key.
        self.public = self._key.public_key().public_bytes_raw()
        #: Names the key in messages.
        self.kid = key_id(self.public)

    @classmethod
    def load(cls, path: Path) -> "Signer":
        """Read the key file; make it, mode 0600, when there is none. Raises ConfigError."""
        try:
            if not path.exists():
                with suppress(FileExistsError):  # another process was faster: its key holds
                    make_secret(path, f"{os.urandom(32).hex()}\n".encode("ascii"))
            if path.stat().st_mode & 0o077:
                raise ConfigError(f"{path}: other users can read this key", hint=f"chmod 600 {path}")
            return cls(bytes.fromhex(path.read_text(encoding="ascii").strip()))
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{path}: no usable key: {error}", hint="restore it from a backup, or remove it and enrol again"
            ) from error

    def sign(self, tag: str, fields: Mapping[str, object]) -> str:
        """Hex signature over the tag, every field and this key's id."""
        return self._key.sign(signing_bytes(tag, {**fields, "kid": self.kid})).hex()

    def seal(self, message: M) -> M:
        """The message with kid and signature filled in."""
        named = message.model_copy(update={"kid": self.kid})
        return named.model_copy(update={"sig": self.sign(message.tag, named.statement())})


class Keyring:
    """The public keys that are trusted for one purpose."""

    def __init__(self, publics: Iterable[bytes]) -> None:
        self._keys = {key_id(public): Ed25519PublicKey.from_public_bytes(public) for public in publics}

    def verify(self, tag: str, fields: Mapping[str, object], *, kid: str, sig: str) -> None:
        """Raises BadSignature unless a trusted key signed exactly this."""
        key = self._keys.get(kid)
        if key is None:
            raise BadSignature(f"{tag} is signed by key {kid or 'none'}, trusted are {', '.join(self._keys) or 'none'}")
        try:
            key.verify(bytes.fromhex(sig), signing_bytes(tag, {**fields, "kid": kid}))
        except (InvalidSignature, ValueError) as error:
            raise BadSignature(f"{tag} by key {kid} does not verify") from error

    def check(self, message: Message) -> None:
        """Raises BadSignature unless a trusted key sealed this message."""
        self.verify(message.tag, message.statement(), kid=message.kid, sig=message.sig)
