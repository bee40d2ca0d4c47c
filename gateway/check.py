"""Judges a configuration with everything that is installed here, and touches no device; except to give a reader its key."""

import importlib.metadata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from config.explain import show
from config.model import DeviceAddress, GatewayConfig, LaneConfig
from drivers.registry import build
from gateway.errors import ConfigError, Problem
from gateway.ports import Device

_PACKAGES: Final = ("config", "drivers", "gateway", "journal", "simulators", "sync")


def own_packages() -> None:
    """Raises ConfigError where another distribution has put a package of the same name into this environment."""
    owners = importlib.metadata.packages_distributions()
    strangers = {name: others for name in _PACKAGES if (others := set(owners.get(name, ())) - {"attendance-gateway"})}
    if strangers:
        named = "; ".join(f"{name} is also in {', '.join(sorted(others))}" for name, others in strangers.items())
        raise ConfigError(
            f"this environment is shared: {named}", hint="install attendance-gateway into an environment of its own"
        )


def judge_devices(config: GatewayConfig) -> None:
    """Let each driver judge its settings, and the addresses that lanes use on it. Raises ConfigError with all problems."""
    built: dict[str, Device] = {}
    problems: list[Problem] = []
    for device in config.devices:
        try:
            built[device.id] = build(device.kind, device.settings)
        except ConfigError as error:
            found = error.problems or [Problem(place="settings", got="these", expected=str(error), hint=error.hint)]
            problems += [replace(problem, place=f"{device.place}, {problem.place}") for problem in found]
    for lane in config.lanes:
        problems += _of_lane(lane, built)
    if problems:
        raise ConfigError.of(problems)


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


def _of_lane(lane: LaneConfig, built: dict[str, Device]) -> Iterator[Problem]:
    # A device that is not built was told already.
    if (device := built.get(lane.reader.device)) is not None:
        yield from _of_address(lane, "reader", lane.reader, device.reader)
    if lane.gate is not None and (device := built.get(lane.gate.device)) is not None:
        yield from _of_address(lane, "gate", lane.gate, device.gate)


def _of_address(lane: LaneConfig, key: str, asked: DeviceAddress, find: Callable[[str], object]) -> Iterator[Problem]:
    try:
        find(asked.address)
    except ConfigError as error:
        expected = f"the address of a {key}: {error}"
        yield Problem(place=f"{lane.place}, key {key}", got=show(str(asked)), expected=expected, hint=error.hint)
