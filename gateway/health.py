"""What the gateway says of itself, retained on `health`: nothing personal, the same document for people and machines."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import version

from gateway.domain.directory import Directory
from gateway.domain.model import Instant, timestamp
from gateway.lane import Lane

#: What moves all the time and is no news.
_MOVING = frozenset({"time", "queue", "queue_seconds", "last", "disk_free", "faults"})


def report(
    lanes: Sequence[Lane],
    directory: Directory,
    now: Instant,
    *,
    waiting: int,
    oldest: datetime | None,
    last: int,
    link: Mapping[str, object],
) -> dict[str, object]:
    """The document. `waiting` entries are not confirmed by the journal, the first of them since `oldest`."""
    return {
        "version": _version(),
        "time": timestamp(now.at),
        "clock": now.clock.value,
        "lanes": {lane.id: lane.state for lane in lanes},
        "queue": waiting,
        "queue_seconds": max(0, int((now.at - oldest).total_seconds())) if oldest is not None else None,
        "last": last,
        "directory": directory.version,
        "directory_valid_until": _time(directory.valid_until),
        "link": dict(link),
    }


def payload(document: Mapping[str, object]) -> bytes:
    """What is published."""
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def standing(document: Mapping[str, object]) -> dict[str, object]:
    """What is news when it changes; a queue that moves is not."""
    return {key: value for key, value in document.items() if key not in _MOVING}


@cache
def _version() -> str:
    return version("attendance-gateway")


def _time(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment is not None else None
