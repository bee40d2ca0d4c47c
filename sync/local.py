"""A directory that the gateway's operator imported, for a school without a journal; any directory of a journal replaces it.

{"origin": "local", "valid_until": ms, "sha256": ...}   one line, and below it the content as a journal's parts spell it
"""

import json
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from gateway.domain.directory import Content
from gateway.domain.parts import digest, pack
from gateway.errors import MalformedMessage
from sync.files import write_whole

ORIGIN = "local"
_HINT = "import it again: 'attendance-gateway import'"


class Local(NamedTuple):
    """A directory of one's own."""

    #: In milliseconds since 1970.
    valid_until: int
    content: Content


def local_path(roster: Path) -> Path:
    """Beside the directory of the journal."""
    return roster.with_name(f"{roster.name}.{ORIGIN}")


def write_local(path: Path, content: Content, valid_until: datetime) -> None:
    """Whole or not at all. Raises MalformedMessage where a journal could not publish so much either, OSError."""
    raw = content.raw()
    pack(raw)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    head = {"origin": ORIGIN, "valid_until": round(valid_until.timestamp() * 1000), "sha256": digest(raw)}
    write_whole(path, json.dumps(head).encode("ascii") + b"\n" + raw)


def read_local(path: Path) -> Local | None:
    """None where nobody imported one. Raises MalformedMessage, OSError."""
    try:
        line, _, raw = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    try:
        head = json.loads(line)
        until, name = int(head["valid_until"]), str(head["sha256"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MalformedMessage(f"{path} is damaged", hint=_HINT) from error
    if digest(raw) != name:
        raise MalformedMessage(f"{path} is damaged", hint=_HINT)
    return Local(until, Content.parse(raw))


def standing(path: Path) -> Content | None:
    """What an import replaces; one that is damaged stands for nothing. Raises OSError."""
    try:
        local = read_local(path)
    except MalformedMessage:
        return None
    return None if local is None else local.content


def stamp(path: Path) -> int | None:
    """Changes whenever somebody imports again; None where nobody did."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
