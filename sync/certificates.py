"""How long the certificates of the link are good for."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from gateway.domain.model import timestamp

#: So long before its end somebody is told: a school without anybody in the holidays still has a week.
SOON: Final = timedelta(days=42)


def validity(files: Mapping[str, Path | None], now: datetime) -> dict[str, dict[str, object]]:
    """Of each file its end, and whether that is soon; of one that cannot be read, nothing is known."""
    ends = {name: _end(path) for name, path in files.items() if path is not None}
    return {
        name: {"until": timestamp(end) if end else None, "soon": end is not None and end - now < SOON}
        for name, end in ends.items()
    }


def warning(told: Mapping[str, Mapping[str, object]]) -> str | None:
    """A sentence about those that end soon, or have ended."""
    ending = [f"{name} ({certificate['until']})" for name, certificate in told.items() if certificate["soon"]]
    return f"certificates end soon: {', '.join(ending)}" if ending else None


def _end(path: Path) -> datetime | None:
    """The first end among the certificates of a PEM file."""
    try:
        return min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError):
        return None
