"""What hangs in a vendor's library or in the kernel and cannot be ended: counted by device, and never more than a few."""

from collections.abc import Callable

from gateway.errors import DeviceLost

_MOST = 3
_HANGING: dict[str, list[Callable[[], bool]]] = {}


def abandon(url: str, alive: Callable[[], bool]) -> None:
    """Leave behind what does not return; `alive` tells whether it still hangs."""
    _HANGING.setdefault(url, []).append(alive)


def hanging(url: str) -> dict[str, int]:
    """How many calls for this device hang now, as a fault of it; empty when none does."""
    if still := [alive for alive in _HANGING.pop(url, ()) if alive()]:
        _HANGING[url] = still
    return {"hanging": len(still)} if still else {}


def refuse_more(url: str, most: int = _MOST) -> None:
    """Raises DeviceLost where so many calls hang that one more would only hang as well."""
    if (count := hanging(url).get("hanging", 0)) >= most:
        raise DeviceLost(
            f"{url} still hangs: of the calls to it {count} never returned",
            hint="plug it in again; if that does not help: 'systemctl restart attendance-gateway'",
        )
