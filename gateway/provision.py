"""Gives one reader of a configuration a key of its own, by hand, while the daemon is stopped."""

from pathlib import Path

from config.explain import show
from config.model import GatewayConfig
from drivers.registry import build
from gateway.errors import ConfigError


async def give_key(config: GatewayConfig, device: str, address: str, seconds: float) -> Path:
    """Let a reader of a kind that has keys be given one; where it is kept. Raises ConfigError and DeviceLost."""
    found = next((one for one in config.devices if one.id == device), None)
    if found is None:
        known = ", ".join(one.id for one in config.devices)
        raise ConfigError(f"there is no device {show(device)}", hint=f"one of {known}")
    provision = getattr(build(found.kind, found.settings), "provision", None)
    if provision is None:
        raise ConfigError(f"the readers of {found.kind} have no keys", hint="nothing is to be done for them")
    kept: Path = await provision(address, seconds)
    return kept
