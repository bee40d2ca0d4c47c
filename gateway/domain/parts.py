"""A directory cut into parts that fit a message, and put together again; each part is named by its SHA-256."""

import hashlib
from collections.abc import Sequence

from gateway.domain.handshake import Manifest
from gateway.errors import MalformedMessage

MAX_PART_BYTES = 48 * 1024
MAX_PARTS = 200


def digest(raw: bytes) -> str:
    """What a part, or the whole content, is called: its SHA-256 in hex."""
    return hashlib.sha256(raw).hexdigest()


def pack(raw: bytes) -> tuple[bytes, ...]:
    """The parts of a content, in order. Raises MalformedMessage when it is empty or needs too many."""
    parts = tuple(raw[start : start + MAX_PART_BYTES] for start in range(0, len(raw), MAX_PART_BYTES))
    if not 1 <= len(parts) <= MAX_PARTS:
        raise MalformedMessage(f"a directory has 1 to {MAX_PARTS * MAX_PART_BYTES} bytes, got {len(raw)}")
    return parts


def check_part(name: str, part: bytes) -> None:
    """Raises MalformedMessage unless this is the part of that name."""
    if len(part) > MAX_PART_BYTES:
        raise MalformedMessage(f"a part of a directory has at most {MAX_PART_BYTES} bytes, got {len(part)}")
    if digest(part) != name:
        raise MalformedMessage(f"part {name[:16]}… of the directory holds other bytes than its name says")


def assemble(manifest: Manifest, parts: Sequence[bytes]) -> bytes:
    """The content that the manifest names. Raises MalformedMessage when one byte differs."""
    if len(parts) != len(manifest.parts):
        raise MalformedMessage(f"the manifest names {len(manifest.parts)} parts, got {len(parts)}")
    for name, part in zip(manifest.parts, parts, strict=True):
        check_part(name, part)
    raw = b"".join(parts)
    if digest(raw) != manifest.sha256:
        raise MalformedMessage("the parts of the directory do not add up to the content that the manifest names")
    return raw
